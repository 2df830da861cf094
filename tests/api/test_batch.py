"""Many calls in one request: each is accepted or refused as if it had come alone."""

import json
from datetime import timedelta
from functools import partial

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from calls.models import Call, CallEvent, Decision
from contacts.models import Contact, Suppression
from temphone.accounts.models import ApiKey, AuditEntry, IdempotencyRecord
from temphone.lib import clock
from temphone.webhooks.actions import subscribed
from temphone.webhooks.models import Event
from tests.api.client import Program, a_body, code, data, in_an_hour, message
from tests.api.test_envelope import Away
from tests.builders import NOON, a_campaign, a_contact, a_key
from tests.threads import at_once

pytestmark = pytest.mark.django_db
BATCH = "/calls/scheduled/batch"
SINGLE = "/calls/scheduled"


def post(program: Program, *calls: object, **headers: str):
    return program.post(BATCH, {"calls": calls}, **headers)


def items(answer) -> list[dict[str, object]]:
    return data(answer)["items"]


def bodies(count: int) -> list[dict[str, object]]:
    """Valid calls, each to a contact of its own."""
    return [a_body(a_contact().pk) for _ in range(count)]


def many_contacts(count: int) -> list[str]:
    people = [
        Contact(first_name=f"P{n}", phone=f"+1202555{n:04}", timezone="America/New_York")
        for n in range(count)
    ]
    return [person.pk for person in Contact.objects.bulk_create(people)]


def test_each_call_is_answered_in_its_place_as_a_single_one_would_be(program):
    asked = [a_body(a_contact().pk, metadata={"n": n}) for n in range(3)]
    answer = post(program, *asked)
    assert (answer.status_code, message(answer)) == (201, "3 of 3 calls scheduled.")
    assert (data(answer)["scheduled"], data(answer)["failed"]) == (3, 0)
    assert [(item["index"], item["status"]) for item in items(answer)] == [(n, "scheduled") for n in range(3)]
    for body, item in zip(asked, items(answer), strict=True):
        shown = data(program.get(f"/calls/{item['data']['call_id']}"))
        assert item["data"] == {name: shown[name] for name in item["data"]}
        assert {**item["data"], **body} == item["data"]
    assert list(items(answer)[0]["data"]) == list(data(program.post(SINGLE, asked[0])))


def test_what_is_kept_of_each_call_is_what_is_kept_of_a_single_one(program):
    body = a_body(a_contact().pk, campaign_id=a_campaign().pk, webhook_url="https://example.com/")
    single = data(program.post(SINGLE, body))["call_id"]
    batched = items(post(program, body))[0]["data"]["call_id"]

    def kept(call_id: str) -> list[list[dict[str, object]]]:
        rows = [
            Call.objects.filter(pk=call_id),
            CallEvent.objects.filter(call=call_id),
            Decision.objects.filter(call=call_id),
            AuditEntry.objects.filter(target=call_id),
        ]
        own = {"id", "call_id", "target", "at", "created_at", "updated_at"}
        return [[{n: v for n, v in row.items() if n not in own} for row in found.values()] for found in rows]

    def without_moment(text: object) -> str:
        return json.dumps(text, default=str)

    assert without_moment(kept(batched)) == without_moment(kept(single))
    assert all(len(found) == 1 for found in kept(batched))


def bad_bodies() -> list[object]:
    """One of each kind of refusal, from the first check to the last."""
    good = a_body(a_contact().pk)
    listed, none_given, over = a_contact(), a_contact(), a_campaign(status="canceled")
    Suppression.objects.create(number=listed.phone)
    Suppression.objects.create(number="+1999", is_prefix=True)
    return [
        {},
        {**good, "scheduled_at": "yesterday", "timezone": "Nowhere", "recording_enabled": 1},
        {**good, "initial_message": ""},
        {**good, "contact_id": "ctc_nobody", "campaign_id": "camp_nobody"},
        {**good, "contact_id": a_contact(erased_at=NOON).pk},
        {**good, "campaign_id": "camp_nobody"},
        {**good, "scheduled_at": "2020-01-01T00:00:00"},
        {**good, "initial_message": "Hi {{nickname}}."},
        {**good, "initial_message": "{% if %}"},
        {**good, "campaign_id": over.pk},
        {**good, "campaign_id": a_campaign(mode="live").pk},
        {**good, "contact_id": listed.pk},
        {**good, "contact_id": a_contact(phone="+19995550100").pk},
        {**good, "contact_id": none_given.pk, "campaign_id": a_campaign(purpose="marketing").pk},
    ]


def test_a_refused_call_is_told_what_a_single_one_is_told_and_undoes_no_other(
    program, live_program, settings
):
    settings.POLICIES = {"test": {"consent": "require", "hours": "reject"}}
    bad, good = bad_bodies(), a_body(a_contact().pk)
    consent = {"purpose": "informational", "kind": "express", "source": "form"}
    for contact in Contact.objects.filter(erased_at=None):
        live_program.post(f"/contacts/{contact.pk}/consents", consent)
    settings.CALLING_HOURS = settings.CALLING_HOURS[0].min, settings.CALLING_HOURS[1].max
    answer = post(program, good, *bad, good)
    assert (answer.status_code, message(answer)) == (207, f"2 of {len(bad) + 2} calls scheduled.")
    assert [item["status"] for item in items(answer)] == ["scheduled", *["error"] * len(bad), "scheduled"]
    assert (data(answer)["scheduled"], data(answer)["failed"], Call.objects.count()) == (2, len(bad), 2)
    for body, item in zip(bad, items(answer)[1:-1], strict=True):
        alone = json.loads(program.post(SINGLE, body).content)
        del alone["data"]
        assert {**item, "index": 0} == {"index": 0, **alone}
    assert len({item["code"] for item in items(answer)[1:-1]}) > 6


@pytest.mark.parametrize("item", [None, 5, "ctc_12kd88", [], [{}]])
def test_what_is_no_object_is_a_refused_call(program, item):
    answer = post(program, item, *bodies(1))
    assert (answer.status_code, data(answer)["scheduled"]) == (207, 1)
    assert items(answer)[0] == {
        "index": 0,
        "status": "error",
        "code": "invalid",
        "message": "A call must be a JSON object.",
    }


def test_when_all_are_refused_it_is_207_and_nothing_is_made(program):
    answer = post(program, {}, a_body("ctc_nobody"))
    assert (answer.status_code, message(answer)) == (207, "0 of 2 calls scheduled.")
    assert not Call.objects.exists()


def test_the_same_contact_may_be_there_several_times(program):
    contact = a_contact()
    later = clock.iso(in_an_hour() + timedelta(days=1))
    answer = post(program, *[a_body(contact.pk), a_body(contact.pk), a_body(contact.pk, scheduled_at=later)])
    assert (answer.status_code, Call.objects.filter(contact=contact).count()) == (201, 3)
    assert len({item["data"]["call_id"] for item in items(answer)}) == 3


def test_a_gate_moves_each_call_by_its_own_hours(program, settings):
    settings.POLICIES = {"test": {"consent": "off", "hours": "defer"}}
    night = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT03:00:00")
    noon = night.replace("T03", "T12")
    contact = a_contact()
    moved, unmoved = items(
        post(program, a_body(contact.pk, scheduled_at=night), a_body(contact.pk, scheduled_at=noon))
    )
    assert moved["data"]["due_at"] > moved["data"]["scheduled_at"]
    assert unmoved["data"]["due_at"] == unmoved["data"]["scheduled_at"]


def two_nights(contact: Contact) -> list[dict[str, object]]:
    """Two calls at three in the morning, four days apart."""
    return [
        a_body(contact.pk, scheduled_at=(clock.now() + timedelta(days=days)).strftime("%Y-%m-%dT03:00:00"))
        for days in (2, 6)
    ]


def test_a_gate_moves_each_call_to_the_morning_of_its_own_night(program, settings):
    settings.POLICIES = {"test": {"consent": "off", "hours": "defer"}}
    made = [item["data"] for item in items(post(program, *two_nights(a_contact())))]
    assert [one["due_at"][:10] for one in made] == [one["scheduled_at"][:10] for one in made]
    assert made[0]["due_at"] < made[1]["scheduled_at"] < made[1]["due_at"]


def test_a_refusal_and_a_decision_tell_of_their_own_night(program, settings):
    contact = a_contact()
    nights = two_nights(contact)
    post(program, *nights)
    hours = [
        next(check for check in decision.checks if check["rule"] == "calling_hours")
        for decision in Decision.objects.order_by("id")
    ]
    assert [check["input"]["local_time"][:13] for check in hours] == [
        night["scheduled_at"][:13] for night in nights
    ]
    settings.POLICIES = {"test": {"consent": "off", "hours": "reject"}}
    refused = items(post(program, *nights))
    for item, night in zip(refused, nights, strict=True):
        assert f"Next opening: {night['scheduled_at'][:10]}T" in item["message"]


@pytest.mark.parametrize("calls", [[], [{}] * 1_001, {}, None, "calls", 5])
def test_a_batch_has_one_to_a_thousand_calls(program, calls):
    answer = program.post(BATCH, {"calls": calls})
    assert (answer.status_code, code(answer)) == (400, "invalid")
    assert message(answer) == "Field 'calls' must be a list of 1 to 1,000 calls."


def test_it_asks_for_calls(program):
    answer = program.post(BATCH, {})
    assert (answer.status_code, message(answer)) == (400, "Field 'calls' is required.")


def test_4_mb_are_read_and_not_one_byte_more(program):
    body = json.dumps({"calls": bodies(1)}).encode()

    def padded(length: int) -> bytes:
        return body[:-1] + b" " * (length - len(body)) + b"}"

    assert program.post(BATCH, padded(4 * 1024 * 1024)).status_code == 201
    answer = program.post(BATCH, padded(4 * 1024 * 1024 + 1))
    assert (answer.status_code, message(answer)) == (413, "Request body must not exceed 4 MB.")
    assert program.post(SINGLE, padded(64 * 1024 + 1)).status_code == 413


def test_a_call_has_five_levels_as_a_single_one_has(program):
    body = a_body(a_contact().pk, metadata={"a": {"b": {"c": ["d"]}}})
    assert post(program, body).status_code == 201
    answer = post(program, {**body, "metadata": {"a": {"b": {"c": [["d"]]}}}})
    assert (answer.status_code, code(answer)) == (400, "invalid_body")
    assert message(answer) == "Request body must not be nested deeper than 7 levels."


def test_there_is_no_preview_of_a_batch(program):
    answer = program.post(f"{BATCH}?dry_run=true", {"calls": bodies(1)})
    assert (answer.status_code, code(answer)) == (400, "invalid")
    assert message(answer) == "Query parameter 'dry_run' is for single calls; a batch has no preview."
    assert not Call.objects.exists()
    assert program.post(f"{BATCH}?dry_run=false", {"calls": bodies(1)}).status_code == 201


def test_it_counts_as_one_request():
    limited = Program(a_key(requests_per_minute=2)[1])
    assert [post(limited, *bodies(5)).status_code for _ in range(3)] == [201, 201, 429]


def test_a_viewer_may_not_schedule(viewer):
    answer = post(viewer, *bodies(1))
    assert (answer.status_code, code(answer)) == (403, "forbidden")


def test_a_live_key_without_a_carrier_is_told_so_of_each(live_program):
    answer = post(live_program, *bodies(2))
    assert [item["code"] for item in items(answer)] == ["no_live_carrier"] * 2


def test_the_same_batch_again_gets_the_first_answer(program, monkeypatch):
    calls = [*bodies(2), a_body("ctc_late")]
    first = post(program, *calls, **{"Idempotency-Key": "k"})
    assert (first.status_code, "Idempotent-Replayed" in first.headers) == (207, False)
    a_contact(id="ctc_late")  # what was refused then stays refused
    hence = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: hence)
    again = post(program, *calls, **{"Idempotency-Key": "k"})
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (207, "true")
    assert (again.content, Call.objects.count()) == (first.content, 2)


def test_a_key_is_for_one_body_and_one_address(program):
    [body] = bodies(1)
    post(program, body, **{"Idempotency-Key": "k"})
    assert code(post(program, body, body, **{"Idempotency-Key": "k"})) == "idempotency_mismatch"
    both = {**body, "calls": [body]}
    assert program.post(SINGLE, both, **{"Idempotency-Key": "k2"}).status_code == 201
    assert code(program.post(BATCH, both, **{"Idempotency-Key": "k2"})) == "idempotency_mismatch"
    assert Call.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_batch_repeated_at_once_with_its_key_is_made_once():
    program, calls = Program(a_key()[1]), bodies(3)
    send = partial(post, program, *calls, **{"Idempotency-Key": "k"})
    answers = at_once(send, send, send)
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers.get("Idempotent-Replayed", "") for answer in answers) == ["", "true", "true"]
    assert Call.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_wherever_the_database_goes_away_nothing_is_half_made():
    program, calls = Program(a_key()[1]), [*bodies(3), {}]
    ApiKey.objects.update(last_used_at=clock.now())
    for after in range(100):
        with connection.execute_wrapper(Away(OperationalError, after)):
            answer = post(program, *calls, **{"Idempotency-Key": "k"})
        if answer.status_code == 207:
            break
        assert (answer.status_code, code(answer)) == (500, "server_error")
        assert message(answer) == "Unable to schedule calls at this time; none was. Please retry."
        for model in (Call, CallEvent, Decision, IdempotencyRecord):
            assert not model.objects.exists()
    assert after > 5  # COPY passes no wrapper
    assert [Call.objects.count(), CallEvent.objects.count(), Decision.objects.count()] == [3, 3, 3]


def test_a_thousand_calls_cost_as_many_queries_as_ten(program, monkeypatch):
    # Who is to be told of them is read every two seconds, and a key's requests are counted by the minute.
    monkeypatch.setattr("temphone.webhooks.models.SUBSCRIBERS.KEPT", timedelta(hours=1))
    this_minute = clock.now()
    monkeypatch.setattr(clock, "now", lambda: this_minute)
    subscribed(Event.SCHEDULED)
    people = many_contacts(1_000)
    Suppression.objects.bulk_create([Suppression(number=f"+1202555{n:04}") for n in range(990, 1_000)])
    program.get("/calls")
    counts = []
    for count in (10, 200, 1_000):
        calls = [a_body(contact_id) for contact_id in people[:count]]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = post(program, *calls, **{"Idempotency-Key": str(count)})
        counts.append(len(queries))
        failed = 10 if count == 1_000 else 0
        assert (data(answer)["scheduled"], data(answer)["failed"]) == (count - failed, failed)
    assert len(set(counts)) == 1, counts
    assert message(answer) == "990 of 1,000 calls scheduled."
    assert [item["index"] for item in items(answer)] == list(range(1_000))
    assert {item["code"] for item in items(answer)[990:]} == {"blocked_suppressed"}
    assert Call.objects.count() == 1_200
