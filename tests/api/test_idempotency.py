import json
from datetime import timedelta

import pytest
from django.db.models import QuerySet

from calls.models import Call
from temphone.accounts.models import IdempotencyRecord
from temphone.lib import clock
from tests.api.client import Program, a_body, code, data, message
from tests.builders import a_contact, a_key

pytestmark = pytest.mark.django_db
SCHEDULED = "/calls/scheduled"


@pytest.fixture
def body() -> dict[str, object]:
    return a_body(a_contact().pk, metadata={"b": 1, "a": 2})


def test_the_same_request_again_gets_the_first_answer(program, body):
    first = program.post(SCHEDULED, body, **{"Idempotency-Key": "order 8841"})
    assert "Idempotent-Replayed" not in first.headers
    program.post(f"/calls/{data(first)['call_id']}/cancel")
    again = program.post(SCHEDULED, body, **{"Idempotency-Key": "order 8841"})
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert (again.content, Call.objects.count()) == (first.content, 1)


def test_the_first_answer_is_given_though_the_time_has_passed(program, body, monkeypatch):
    first = program.post(SCHEDULED, body, **{"Idempotency-Key": "k"})
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert program.post(SCHEDULED, body, **{"Idempotency-Key": "k"}).content == first.content
    assert program.post(SCHEDULED, body).status_code == 400


def test_after_a_day_the_second_of_two_at_once_leaves_the_first_ones_key(program, body, monkeypatch):
    program.post(SCHEDULED, body, **{"Idempotency-Key": "k"})
    IdempotencyRecord.objects.update(created_at=clock.now() - timedelta(hours=25))
    read = QuerySet.first

    def then_comes_the_other(records):
        """Both have read the old record before either lets it go."""
        record = read(records)
        if isinstance(record, IdempotencyRecord):
            monkeypatch.setattr(QuerySet, "first", read)
            answers.append(program.post(SCHEDULED, body, **{"Idempotency-Key": "k"}))
        return record

    answers = []
    monkeypatch.setattr(QuerySet, "first", then_comes_the_other)
    answers.append(program.post(SCHEDULED, body, **{"Idempotency-Key": "k"}))
    first, second = (data(answer)["call_id"] for answer in answers)
    assert first == second
    assert Call.objects.count() == 2  # yesterday's, and this one


def test_after_a_day_a_key_may_be_used_anew(program, body, monkeypatch):
    program.post(SCHEDULED, body, **{"Idempotency-Key": "k"})
    tomorrow = clock.now() + timedelta(hours=24, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    anew = {**body, "scheduled_at": clock.iso(tomorrow + timedelta(hours=1))}
    answer = program.post(SCHEDULED, anew, **{"Idempotency-Key": "k"})
    assert (answer.status_code, Call.objects.count()) == (201, 2)


def test_the_type_of_the_body_is_looked_at_before_the_key(program, body):
    headers = {"Content-Type": "text/plain", "Idempotency-Key": ""}
    assert program.post(SCHEDULED, b"{}", **headers).status_code == 415


def test_the_order_of_names_and_the_spaces_do_not_make_another_body(program, body):
    other = json.dumps(dict(reversed(body.items())), indent=2).encode()
    program.post(SCHEDULED, body, **{"Idempotency-Key": "k"})
    assert program.post(SCHEDULED, other, **{"Idempotency-Key": "k"}).headers["Idempotent-Replayed"] == "true"


def test_another_body_is_refused(program, body):
    program.post(SCHEDULED, body, **{"Idempotency-Key": "k"})
    answer = program.post(SCHEDULED, {**body, "recording_enabled": False}, **{"Idempotency-Key": "k"})
    assert (answer.status_code, code(answer)) == (422, "idempotency_mismatch")
    assert Call.objects.count() == 1


def test_each_api_key_has_idempotency_keys_of_its_own(program, body):
    program.post(SCHEDULED, body, **{"Idempotency-Key": "k"})
    answer = Program(a_key()[1]).post(SCHEDULED, body, **{"Idempotency-Key": "k"})
    assert (answer.status_code, Call.objects.count()) == (201, 2)
    assert "Idempotent-Replayed" not in answer.headers


def test_what_was_refused_is_not_kept(program, body):
    bad = {**body, "contact_id": "ctc_nobody"}
    assert program.post(SCHEDULED, bad, **{"Idempotency-Key": "k"}).status_code == 404
    assert program.post(SCHEDULED, body, **{"Idempotency-Key": "k"}).status_code == 201


def test_a_dry_run_keeps_nothing(program, body):
    program.post(f"{SCHEDULED}?dry_run=true", body, **{"Idempotency-Key": "k"})
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("key", ["a", "x" * 255, 'with spaces; and "marks" ~!'])
def test_it_accepts(program, body, key):
    assert program.post(SCHEDULED, body, **{"Idempotency-Key": key}).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tinside", "\x7f", "ü"])
def test_it_refuses(program, body, key):
    answer = program.post(SCHEDULED, body, **{"Idempotency-Key": key})
    assert answer.status_code == 400
    assert message(answer) == "Header 'Idempotency-Key' must be 1 to 255 printable characters."
