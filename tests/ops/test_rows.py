"""Many rows at once: what comes back is what Django itself would have kept."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from calls.models import Attempt, Call, CallEvent
from calls.states import CallStatus
from temphone import rows
from tests.builders import NOON, a_call

pytestmark = pytest.mark.django_db

ODD = "tab\t, newline\n, backslash \\, quote \" and ', \\N, \\., é 電話"


def an_event(call, **columns):
    return {"call_id": call.pk, "name": "told", "at": NOON, **columns}


def test_what_is_inserted_is_read_as_it_was_given():
    call = a_call()
    at = NOON + timedelta(microseconds=123456)
    given = an_event(call, name="odd", reason=ODD, data={"said": ODD, "list": [1, None, True]}, at=at)
    rows.insert(CallEvent, [given, an_event(call)])
    event = call.events.get(name="odd")
    assert {name: getattr(event, name) for name in given} == given
    assert event.sequence is None
    assert call.events.get(name="told").data == {}


def test_it_keeps_what_django_keeps():
    """Byte for byte, where the database keeps text: SQLite's instants and JSON."""
    call = a_call()
    columns = an_event(call, data={"é": [1.5, None]}, to_status=CallStatus.FAILED)
    rows.insert(CallEvent, [{**columns, "name": "ours"}])
    CallEvent.objects.create(**{**columns, "name": "django's"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT at, data, to_status FROM calls_callevent WHERE name IN ('ours', 'django''s')")
        ours, djangos = cursor.fetchall()
    assert ours == djangos


def test_a_column_that_the_model_lacks_is_refused():
    with pytest.raises(ValueError, match="nonsense"):
        rows.insert(CallEvent, [an_event(a_call(), nonsense=1)])


def test_two_rows_with_one_key_are_refused_together():
    call = a_call()
    attempt = {
        "id": "att_1",
        "call_id": call.pk,
        "number": 1,
        "carrier": "simulated",
        "to": call.contact.phone,
        "caller_id": "+14155550199",
        "rendered_message": "Hi.",
        "not_after": NOON,
        "lease_until": NOON,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert(Attempt, [attempt, {**attempt, "number": 2}])
    assert not Attempt.objects.exists()


def test_rows_are_set_to_a_value_each_where_they_match():
    calls = [a_call() for _ in range(3)]
    wanted = [(call.pk, 1, number, {"n": number}) for number, call in enumerate(calls)]
    wanted[2] = (calls[2].pk, 7, 9, {"n": 9})  # another version
    set_ = rows.update(Call, matching=["id", "version"], setting=["events_sent", "metadata"], rows=wanted)
    assert set_ == 2
    found = Call.objects.order_by("events_sent", "pk").values_list("pk", "events_sent", "metadata")
    assert sorted(found) == sorted(
        [(calls[0].pk, 0, {"n": 0}), (calls[1].pk, 1, {"n": 1}), (calls[2].pk, 0, None)]
    )


def test_a_value_may_become_none_again():
    call = a_call(metadata={"a": 1})
    Call.objects.update(hang_up_requested_at=NOON)
    columns = ["hang_up_requested_at", "metadata"]
    rows.update(Call, matching=["id"], setting=columns, rows=[(call.pk, None, None)])
    call.refresh_from_db()
    assert (call.hang_up_requested_at, call.metadata) == (None, None)


def test_nothing_costs_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        rows.insert(CallEvent, [])
        assert rows.update(Call, matching=["id"], setting=["version"], rows=[]) == 0


@pytest.mark.parametrize("count", [2, 20])
def test_many_rows_are_one_statement(django_assert_num_queries, count):
    call = a_call()
    with django_assert_num_queries(2):
        rows.insert(CallEvent, [an_event(call) for _ in range(count)])
        rows.update(Call, matching=["id"], setting=["version"], rows=[(call.pk, 1)] * count)
