from datetime import timedelta

import pytest

from calls.actions.changes import gathering
from calls.models import Call, CallEvent
from calls.states import CallStatus
from temphone.lib import clock
from temphone.lib.clock import iso
from tests.api.client import a_body, code, data, in_an_hour, message
from tests.builders import NOON, a_call, a_campaign, a_contact

pytestmark = pytest.mark.django_db


def ids(answer) -> list[str]:
    return [item["call_id"] for item in data(answer)["items"]]


def later_calls(count: int) -> list[Call]:
    """Calls an hour apart, the first the earliest."""
    contact = a_contact()
    return [a_call(contact, scheduled_at=iso(NOON + timedelta(hours=hour))) for hour in range(count)]


def test_it_lists_the_calls_of_the_keys_mode_the_latest_first(program, live_program):
    calls = later_calls(3)
    assert ids(program.get("/calls")) == [call.pk for call in reversed(calls)]
    assert ids(live_program.get("/calls")) == []


def test_an_item_of_the_list_is_the_call_as_everywhere(program):
    call = a_call()
    item = data(program.get("/calls"))["items"][0]
    details = data(program.get(f"/calls/{call.pk}"))
    assert item == {key: details[key] for key in item}
    assert set(details) - set(item) == {"attempts", "events", "transcript", "decisions"}


def test_a_list_costs_the_same_however_long(program, django_assert_num_queries):
    later_calls(1)
    program.get("/calls")
    with django_assert_num_queries(1):
        program.get("/calls")
    later_calls(30)
    with django_assert_num_queries(1):
        assert len(ids(program.get("/calls?limit=100"))) == 31


def test_details_cost_the_same_however_long(program, django_assert_num_queries):
    call = a_call()
    program.get(f"/calls/{call.pk}")
    for count in (0, 30):
        CallEvent.objects.bulk_create([CallEvent(call=call, name="x", at=NOON) for _ in range(count)])
        # The call; attempts, events, decisions (turns are asked for when there are attempts).
        with django_assert_num_queries(4):
            program.get(f"/calls/{call.pk}")


def test_pages_follow_each_other_to_the_end(program):
    calls = later_calls(5)
    seen, path = [], "/calls?limit=2"
    while path:
        page = data(program.get(path))
        seen += [item["call_id"] for item in page["items"]]
        path = page["next_cursor"] and f"/calls?limit=2&cursor={page['next_cursor']}"
    assert seen == [call.pk for call in reversed(calls)]


def test_pages_lose_and_repeat_nothing_at_equal_times_and_when_rows_come_in(program):
    contact = a_contact()
    calls = {a_call(contact).pk for _ in range(5)}
    page = data(program.get("/calls?limit=2"))
    seen = [item["call_id"] for item in page["items"]]
    a_call(contact, scheduled_at=iso(NOON + timedelta(hours=9)))
    while page["next_cursor"]:
        page = data(program.get(f"/calls?limit=2&cursor={page['next_cursor']}"))
        seen += [item["call_id"] for item in page["items"]]
    assert (len(seen), set(seen)) == (5, calls)


def test_a_page_is_full_and_knows_that_it_is_the_last(program):
    later_calls(2)
    page = data(program.get("/calls?limit=2"))
    assert (len(page["items"]), page["next_cursor"]) == (2, None)


def test_a_cursor_that_we_did_not_give_is_refused(program):
    later_calls(3)
    cursor = data(program.get("/calls?limit=1"))["next_cursor"]
    problem = "Query parameter 'cursor' must be the next_cursor of a page of this list."
    for bad in ("", "x", "%00", cursor[:-1], f"A{cursor}", cursor.upper(), "ü", ":", "a:b:c"):
        answer = program.get(f"/calls?cursor={bad}")
        assert answer.status_code == 400, bad
        assert bad == "%00" or message(answer) == problem
    assert program.get(f"/contacts?cursor={cursor}").status_code == 400


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "x", "", "9" * 30, "\u0661"])
def test_a_limit_is_1_to_100(program, limit):
    answer = program.get(f"/calls?limit={limit}")
    assert message(answer) == "Query parameter 'limit' must be an integer between 1 and 100."
    assert answer.status_code == 400


def test_filters_narrow_the_list_together(program):
    contact, campaign = a_contact(), a_campaign()
    theirs = a_call(contact, campaign_id=campaign.pk)
    canceled = a_call(contact)
    other = a_call(scheduled_at=iso(NOON + timedelta(days=1)))
    program.post(f"/calls/{canceled.pk}/cancel")
    wanted = {
        "status=canceled": [canceled],
        "outcome=canceled_by_user": [canceled],
        f"contact_id={contact.pk}&status=scheduled": [theirs],
        f"campaign_id={campaign.pk}": [theirs],
        "campaign_id=camp_nobody": [],
        f"scheduled_from={iso(NOON + timedelta(hours=1))}": [other],
        f"scheduled_to={iso(NOON)}&status=scheduled": [theirs],
        f"scheduled_from={iso(NOON)}&scheduled_to={iso(NOON)}&status=scheduled": [theirs],
        "unknown=ignored&status=scheduled&outcome=busy": [],
    }
    for query, calls in wanted.items():
        assert ids(program.get(f"/calls?{query}")) == [call.pk for call in calls], query


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("status=done", "'status' must be one of scheduled, in_progress, completed, failed, canceled."),
        ("outcome=", "'outcome' must be one of message_delivered, "),
        ("scheduled_from=soon", "'scheduled_from' must be an ISO-8601 timestamp such as"),
        ("scheduled_to=2026-03-15", "'scheduled_to' must be an ISO-8601 timestamp such as"),
        ("contact_id=%00", "'contact_id' must not contain NUL characters."),
        ("metadata.=x", "'metadata.' must name a key"),
        ("metadata.a%22b=x", "'metadata.a\"b' must name a key"),
        ("metadata.0=x", "'metadata.0' must name a key"),
        ("metadata.a=%00", "'metadata.a' must not contain NUL characters."),
    ],
)
def test_a_bad_filter_is_refused_by_name(program, query, problem):
    answer = program.get(f"/calls?{query}")
    assert answer.status_code == 400
    assert message(answer).startswith(f"Query parameter {problem}")


def test_metadata_is_found_by_key_and_text(program):
    call = a_call(metadata={"priority": "high", "n": 5, "half": 0.5, "yes": True, "a.b-c": "x", "nil": None})
    a_call(metadata={"priority": "low"})
    a_call()
    for query in ("priority=high", "n=5", "half=0.5", "yes=true", "a.b-c=x", "priority=high&metadata.n=5"):
        assert ids(program.get(f"/calls?metadata.{query}")) == [call.pk], query
    for query in ("priority=hig", "n=6", "absent=", "priority=high&metadata.n=6", "priority=high'"):
        assert ids(program.get(f"/calls?metadata.{query}")) == [], query


def test_it_shows_what_happened(program):
    call = a_call()
    found = data(program.get(f"/calls/{call.pk}"))
    assert [event["name"] for event in found["events"]] == ["scheduled"]
    assert found["decisions"][0]["stage"] == "creation"
    assert found["decisions"][0]["checks"][0]["rule"] == "stop_switch"
    assert (found["attempts"], found["transcript"]) == ([], [])


def test_a_call_that_is_not_there_is_named(program):
    answer = program.get("/calls/call_nobody")
    assert (answer.status_code, message(answer)) == (404, "Call not found: call_nobody.")
    assert code(answer) == "call_not_found"


def test_what_is_scheduled_can_be_changed(program):
    call = a_call()
    when = iso(in_an_hour() + timedelta(days=1))
    changes = {
        "scheduled_at": when,
        "timezone": "Asia/Tokyo",
        "initial_message": "Hello {{last_name}}.",
        "max_duration_seconds": 60,
        "caller_id": "+1 415 555 0100",
        "metadata": {"moved": True},
        "recording_enabled": False,
        "webhook_url": "https://hooks.example.com/",
    }
    answer = program.patch(f"/calls/{call.pk}", {**changes, "status": "ignored"})
    assert (answer.status_code, message(answer)) == (200, "Call changed.")
    found = data(program.get(f"/calls/{call.pk}"))
    assert {**found, **changes} == found
    assert (found["due_at"], found["status"]) == (when, "scheduled")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"scheduled_at": "2020-01-01T00:00:00Z"}, "must be a valid ISO-8601 timestamp in the future."),
        ({"timezone": "Nowhere"}, "must be a valid IANA timezone."),
        ({"initial_message": ""}, "must be a text of 1 to 5,000 characters."),
        ({"initial_message": "{{nickname}}"}, "uses 'nickname'"),
        ({"max_duration_seconds": 9}, "must be an integer between 10 and 7200."),
        ({"contact_id": "ctc_1"}, "cannot be changed. Cancel the call and schedule another."),
        ({"campaign_id": None}, "cannot be changed. Cancel the call and schedule another."),
    ],
)
def test_a_bad_change_changes_nothing(program, changes, problem):
    call = a_call()
    answer = program.patch(f"/calls/{call.pk}", {"metadata": {"a": 1}, **changes})
    assert answer.status_code == 400
    assert message(answer).startswith(f"Field '{next(iter(changes))}' {problem}")
    before = call.version
    call.refresh_from_db()
    assert (call.version, call.metadata) == (before, None)


def test_what_is_over_cannot_be_changed_and_is_shown_as_it_is(program):
    call = a_call()
    program.post(f"/calls/{call.pk}/cancel")
    answer = program.patch(f"/calls/{call.pk}", {"metadata": {}})
    assert (answer.status_code, code(answer)) == (409, "call_canceled")
    assert message(answer) == f"Call {call.pk} is already canceled."
    assert data(answer)["status"] == "canceled"


def test_a_scheduled_call_is_canceled_at_once(program):
    call = a_call()
    answer = program.post(f"/calls/{call.pk}/cancel")
    assert (answer.status_code, message(answer)) == (200, "Call canceled.")
    assert (data(answer)["status"], data(answer)["outcome"]) == ("canceled", "canceled_by_user")
    again = program.post(f"/calls/{call.pk}/cancel", {})
    assert (again.status_code, code(again), data(again)["status"]) == (409, "call_canceled", "canceled")


def test_of_a_call_in_progress_the_hang_up_is_asked_for(program):
    call = a_call()
    with gathering(NOON) as changes:
        changes.advance(call, CallStatus.IN_PROGRESS, event="dialed")
    answer = program.post(f"/calls/{call.pk}/cancel")
    assert (answer.status_code, data(answer)["status"]) == (202, "in_progress")
    assert "hang_up_requested_at" in data(answer)
    assert program.post(f"/calls/{call.pk}/cancel").status_code == 202
    assert program.patch(f"/calls/{call.pk}", {"metadata": {}}).status_code == 409


def test_a_canceled_call_stays_in_the_list_of_all(program):
    answer = program.post("/calls/scheduled", a_body(a_contact().pk))
    program.post(f"/calls/{data(answer)['call_id']}/cancel")
    assert ids(program.get("/calls")) == [data(answer)["call_id"]]
    assert clock.now() > NOON
