import json
from datetime import timedelta

import pytest

from calls.models import Call, Trunk
from temphone.lib import clock
from tests.api.client import Program, a_body, code, data, in_an_hour, message
from tests.builders import a_campaign, a_contact, a_number, a_trunk

pytestmark = pytest.mark.django_db
SCHEDULED = "/calls/scheduled"
NOT_FUTURE = "Field 'scheduled_at' must be a valid ISO-8601 timestamp in the future."
BAD_DURATION = "Field 'max_duration_seconds' must be an integer between 10 and 7200."
BAD_CALLER_ID = "Field 'caller_id' must be a valid E.164 phone number."
BAD_METADATA = "Field 'metadata' must be a JSON object of at most 16 kB."
BAD_ZONE = "Field 'timezone' must be a valid IANA timezone."
BAD_URL = "Field 'webhook_url' must be a public HTTP(S) URL."
BAD_SWITCH = "Field 'recording_enabled' must be a boolean."
BAD_MESSAGE = "Field 'initial_message' must be a text of 1 to 5,000 characters."
JUST_16_KB = {"k": "x" * (16 * 1024 - len('{"k":""}'))}
JUST_TOO_MUCH = {"k": JUST_16_KB["k"] + "x"}


def schedule(program: Program, **fields: object):
    return program.post(SCHEDULED, {**a_body(a_contact(id="ctc_12kd88").pk), **fields})


def test_it_answers_as_the_specification_shows(program):
    contact, campaign = a_contact(id="ctc_12kd88"), a_campaign(id="camp_91ks11")
    when = clock.iso(in_an_hour())
    body = {
        "contact_id": contact.pk,
        "campaign_id": campaign.pk,
        "scheduled_at": when,
        "initial_message": "Hi {{first_name}}, this is the TemPhone AI assistant.",
        "max_duration_seconds": 900,
        "caller_id": "+1-415-555-0199",
        "recording_enabled": True,
        "webhook_url": "https://webhooks.yourapp.com/ai-calls",
        "metadata": {"playbook": "renewal_followup_v2", "priority": "high"},
    }
    answer = program.post(SCHEDULED, body)
    assert (answer.status_code, message(answer)) == (201, "AI outbound call scheduled successfully.")
    assert list(json.loads(answer.content)) == ["status", "message", "data"]
    assert list(data(answer))[:14] == [
        "call_id",
        "contact_id",
        "campaign_id",
        "scheduled_at",
        "timezone",
        "initial_message",
        "max_duration_seconds",
        "caller_id",
        "recording_enabled",
        "webhook_url",
        "metadata",
        "status",
        "created_at",
        "updated_at",
    ]
    assert {**data(answer), **body} == data(answer)
    assert (data(answer)["status"], data(answer)["timezone"]) == ("scheduled", "America/Los_Angeles")
    assert data(answer)["created_at"] == data(answer)["updated_at"]
    assert Call.objects.get(pk=data(answer)["call_id"]).mode == "test"


def test_it_has_the_defaults_of_the_specification_and_leaves_out_what_is_unset(program):
    found = data(schedule(program))
    assert (found["max_duration_seconds"], found["recording_enabled"]) == (900, True)
    assert not {"campaign_id", "caller_id", "webhook_url", "metadata", "outcome"} & set(found)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("campaign_id", None),
        ("timezone", "Asia/Kolkata"),
        ("initial_message", "H"),
        ("initial_message", "x" * 5_000),
        ("max_duration_seconds", 10),
        ("max_duration_seconds", 7_200),
        ("caller_id", "+14155550199"),
        ("caller_id", "+1 (415) 555.0199"),
        ("metadata", {}),
        ("metadata", {"a": {"b": {"c": [1, 2.5, None, True, "ü"]}}}),
        ("metadata", JUST_16_KB),
        ("recording_enabled", False),
        ("webhook_url", "http://hooks.example.com:8080/a?b=c#d"),
        ("webhook_url", "https://8.8.8.8/hook"),
        ("webhook_url", "https://example.com/" + "x" * (2_048 - len("https://example.com/"))),
        ("a_field_of_tomorrow", {"is": "ignored"}),
    ],
)
def test_it_accepts(program, field, value):
    answer = schedule(program, **{field: value})
    assert answer.status_code == 201
    if field != "a_field_of_tomorrow":
        assert data(answer).get(field) == value


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("contact_id", 12, "Field 'contact_id' must be a string."),
        ("contact_id", None, "Field 'contact_id' must be a string."),
        ("contact_id", ["ctc_12kd88"], "Field 'contact_id' must be a string."),
        ("campaign_id", 12, "Field 'campaign_id' must be a string."),
        *(
            ("scheduled_at", value, NOT_FUTURE)
            for value in (
                "2020-01-01T00:00:00Z",
                "tomorrow",
                "",
                "2030-13-01T00:00:00Z",
                "2030-02-30T00:00:00Z",
                "2030-01-01",
                "2030-01-01T24:00:00Z",
                "2030-01-01T00:00:00+25:00",
                "0001-01-01T00:00:00+14:00",
                "٢٠٣٠-01-01T00:00:00Z",
                1_900_000_000,
                None,
                True,
            )
        ),
        ("scheduled_at", "9999-12-31T23:59:59Z", "Field 'scheduled_at' must be within 366 days."),
        *(
            ("timezone", value, BAD_ZONE)
            for value in ("America/Atlantis", "PST8PDT7", "", "america/los_angeles", "../UTC", None, 8)
        ),
        *(("initial_message", value, BAD_MESSAGE) for value in ("", "  \n", "x" * 5_001, None, 5, ["Hi"])),
        *(
            ("max_duration_seconds", value, BAD_DURATION)
            for value in (9, 7_201, 0, -900, 90.5, 90.0, True, "900", None, 10**400)
        ),
        *(
            ("caller_id", value, BAD_CALLER_ID)
            for value in (
                "4155550199",
                "+1",
                "",
                "+1415555019x",
                "+14155550199x",
                "+1-415-555-0199 ext. 5",
                None,
                14155550199,
            )
        ),
        *(("metadata", value, BAD_METADATA) for value in ([], "a", 1, None, JUST_TOO_MUCH)),
        *(("recording_enabled", value, BAD_SWITCH) for value in ("true", 1, 0, None, [])),
        *(
            ("webhook_url", value, BAD_URL)
            for value in (
                "ftp://example.com/",
                "example.com",
                "",
                "https://",
                "https://user:secret@example.com/",
                "http://localhost/",
                "http://127.0.0.1/",
                "http://2130706433/",
                "http://0x7f.1/",
                "http://[::1]/",
                "http://[::ffff:10.0.0.1]/",
                "http://169.254.169.254/latest",
                "http://exa mple.com/",
                "javascript:alert(1)",
                "https://example.com/" + "x" * (2_049 - len("https://example.com/")),
                None,
                8,
            )
        ),
    ],
)
def test_it_refuses(program, field, value, problem):
    answer = schedule(program, **{field: value})
    assert (answer.status_code, message(answer)) == (400, problem)
    assert json.loads(answer.content)["errors"] == {field: [problem]}
    assert not Call.objects.exists()


@pytest.mark.parametrize("field", ["contact_id", "scheduled_at", "initial_message"])
def test_it_asks_for_what_is_required(program, field):
    body = a_body(a_contact().pk)
    del body[field]
    answer = program.post(SCHEDULED, body)
    assert (answer.status_code, message(answer)) == (400, f"Field '{field}' is required.")


def test_the_first_error_in_the_order_of_the_table_is_the_message_and_all_are_told(program):
    bad = {"webhook_url": "ftp://x", "timezone": "Nowhere", "scheduled_at": "2020-01-01T00:00:00Z"}
    answer = schedule(program, **bad, recording_enabled="yes")
    assert message(answer) == NOT_FUTURE
    assert list(json.loads(answer.content)["errors"]) == [
        "scheduled_at",
        "timezone",
        "recording_enabled",
        "webhook_url",
    ]


def test_it_names_a_contact_that_is_not_there_before_a_campaign(program):
    body = a_body("ctc_12kd88", campaign_id="camp_91ks11")
    answer = program.post(SCHEDULED, body)
    assert (answer.status_code, message(answer)) == (404, "Contact not found: ctc_12kd88.")
    a_contact(id="ctc_12kd88")
    answer = program.post(SCHEDULED, body)
    assert (answer.status_code, message(answer)) == (404, "Campaign not found: camp_91ks11.")


def test_wall_time_is_the_contacts_unless_a_zone_is_given(program):
    contact = a_contact(timezone="Asia/Tokyo")
    tomorrow = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT15:00:00")
    ours = data(program.post(SCHEDULED, a_body(contact.pk, scheduled_at=tomorrow)))
    given = data(program.post(SCHEDULED, a_body(contact.pk, scheduled_at=tomorrow, timezone="Asia/Kolkata")))
    assert ours["scheduled_at"] == tomorrow.replace("T15:00", "T06:00") + "Z"
    assert ours["timezone"] == "Asia/Tokyo"
    assert given["scheduled_at"] == tomorrow.replace("T15:00", "T09:30") + "Z"
    assert given["timezone"] == "Asia/Kolkata"


def test_wall_time_that_is_past_where_the_contact_is_is_refused(program):
    contact = a_contact(timezone="Pacific/Auckland")
    past = (clock.now() + timedelta(hours=11)).strftime("%Y-%m-%dT%H:%M:%S")
    answer = program.post(SCHEDULED, a_body(contact.pk, scheduled_at=past))
    assert (answer.status_code, message(answer)) == (400, NOT_FUTURE)


def test_wall_time_that_is_past_in_the_zone_given_is_refused_before_the_contact_is_looked_for(program):
    past = (clock.now() + timedelta(hours=11)).strftime("%Y-%m-%dT%H:%M:%S")
    body = a_body("ctc_nobody", scheduled_at=past, timezone="Pacific/Auckland")
    answer = program.post(SCHEDULED, body)
    assert (answer.status_code, message(answer)) == (400, NOT_FUTURE)
    answer = program.post(SCHEDULED, {**body, "timezone": "Pacific/Honolulu"})
    assert (answer.status_code, message(answer)) == (404, "Contact not found: ctc_nobody.")


def test_a_message_without_a_value_for_this_contact_is_refused_with_the_mend(program):
    answer = program.post(SCHEDULED, a_body(a_contact().pk, initial_message="Hi {{nickname}}."))
    assert answer.status_code == 400
    assert message(answer).startswith("Field 'initial_message' uses 'nickname', which has no value")
    assert "default" in message(answer)


def test_what_policy_refuses_is_422_with_a_code(program):
    answer = program.post(SCHEDULED, a_body(a_contact().pk, campaign_id=a_campaign(status="canceled").pk))
    assert (answer.status_code, code(answer)) == (422, "campaign_over")


def test_a_live_key_without_a_carrier_is_told_so(live_program):
    answer = schedule(live_program)
    assert (answer.status_code, code(answer)) == (422, "no_live_carrier")
    assert not Call.objects.exists()


@pytest.fixture
def live_consented(settings) -> None:
    settings.POLICIES = settings.POLICIES | {"live": {"consent": "off", "hours": "warn"}}


def call(program: Program, **fields: object):
    return program.post(SCHEDULED, a_body(a_contact().pk, **fields))


def test_a_live_key_is_served_once_there_are_a_trunk_and_a_number(live_program, live_consented):
    trunk = a_trunk(enabled=False)
    assert code(call(live_program)) == "no_live_carrier"
    a_number(trunk=trunk)
    assert code(call(live_program)) == "no_live_carrier"  # it is switched off
    Trunk.objects.update(enabled=True)
    answer = call(live_program)
    assert (answer.status_code, data(answer)["mode"]) == (201, "live")
    assert Call.objects.get().caller_number is None  # the default, whichever it is then


def test_a_number_of_ours_may_be_shown_by_a_live_call_and_is_echoed_as_sent(live_program, live_consented):
    a_number(trunk=a_trunk())
    a_number("+34911234567")
    answer = call(live_program, caller_id="+34 (911) 23-45-67")
    assert (answer.status_code, data(answer)["caller_id"]) == (201, "+34 (911) 23-45-67")
    assert Call.objects.get().caller_number == "+34911234567"


@pytest.mark.parametrize("caller_id", ["+14155550191", "+1-415-555-0199"])
def test_a_number_that_is_not_ours_is_refused_to_live_calls(live_program, live_consented, caller_id):
    a_number(trunk=a_trunk())
    answer = call(live_program, caller_id=caller_id)
    assert (answer.status_code, code(answer)) == (400, "invalid")
    assert message(answer) == "Field 'caller_id' must be one of this installation's numbers."
    assert answer.json()["errors"] == {"caller_id": [message(answer)]}
    assert not Call.objects.exists()


def test_a_live_call_is_changed_to_a_number_of_ours_alone(live_program, live_consented):
    a_number(trunk=a_trunk())
    a_number("+34911234567")
    call_id = data(call(live_program))["call_id"]
    refused = live_program.patch(f"/calls/{call_id}", {"caller_id": "+14155550191"})
    assert (refused.status_code, code(refused)) == (400, "invalid")
    changed = live_program.patch(f"/calls/{call_id}", {"caller_id": "+34911234567"})
    assert changed.status_code == 200
    assert Call.objects.get().caller_number == "+34911234567"


def test_a_test_key_shows_any_number_whatever_is_ours(program):
    a_number(trunk=a_trunk())
    answer = call(program, caller_id="+14155550191")
    assert answer.status_code == 201
    assert Call.objects.get().caller_number is None


def test_a_dry_run_shows_everything_and_creates_nothing(program):
    contact = a_contact()
    answer = program.post(f"{SCHEDULED}?dry_run=true", a_body(contact.pk))
    assert answer.status_code == 200
    assert data(answer)["rendered_message"] == "Hi Jordan, this is your AI assistant."
    assert {"scheduled_at", "timezone", "contact_local_time", "verdict", "planned_attempts"} < set(
        data(answer)
    )
    assert [check["rule"] for check in data(answer)["checks"]][:2] == ["stop_switch", "campaign"]
    assert not Call.objects.exists()


def test_a_dry_run_refuses_what_scheduling_would(program):
    answer = program.post(f"{SCHEDULED}?dry_run=true", a_body("ctc_nobody"))
    assert (answer.status_code, message(answer)) == (404, "Contact not found: ctc_nobody.")
    answer = program.post(f"{SCHEDULED}?dry_run=perhaps", a_body(a_contact().pk))
    assert message(answer) == "Query parameter 'dry_run' must be one of true, false."


def test_a_viewer_may_not_schedule(viewer):
    answer = schedule(viewer)
    assert (answer.status_code, code(answer)) == (403, "forbidden")
