"""What a transaction changes is written together, or not at all."""

import pytest

from calls.actions.changes import gathering
from calls.models import Attempt, Call, CallEvent
from calls.states import CallStatus
from temphone.lib.errors import Conflict
from temphone.webhooks.models import Delivery, Event
from tests.builders import NOON, a_call

pytestmark = pytest.mark.django_db
HOOK = "https://hooks.example.com/calls"


def read(call):
    return Call.objects.get(pk=call.pk)


def start_one_and_cancel_the_other(one, other):
    with gathering(NOON) as changes:
        changes.advance(one, CallStatus.IN_PROGRESS, event="dialing")
        changes.notify(one, Event.STARTED)
        changes.advance(other, CallStatus.CANCELED, event="canceled", outcome="canceled_by_user")


def test_who_was_second_learns_it_and_nothing_of_theirs_stays():
    free, taken = a_call(webhook_url=HOOK), a_call()
    second = read(taken)
    with gathering(NOON) as first:
        first.advance(taken, CallStatus.IN_PROGRESS, event="dialing")
    with pytest.raises(Conflict, match=taken.pk):
        start_one_and_cancel_the_other(free, second)
    assert (read(free).status, read(taken).status) == ("scheduled", "in_progress")
    assert not free.events.filter(name="dialing").exists()
    assert not Delivery.objects.exists()


def test_a_call_that_came_back_to_its_status_has_changed_too():
    call = a_call()
    stale = read(call)
    for status, event in ((CallStatus.IN_PROGRESS, "dialing"), (CallStatus.SCHEDULED, "requeued")):
        with gathering(NOON) as changes:
            changes.advance(call, status, event=event)
    with pytest.raises(Conflict), gathering(NOON) as changes:
        changes.change(stale, due_at=NOON)


def test_there_is_no_way_out_of_a_final_status():
    call = a_call()
    with gathering(NOON) as changes:
        changes.advance(call, CallStatus.CANCELED, event="canceled", outcome="canceled_by_user")
    with pytest.raises(Conflict, match="canceled"), gathering(NOON) as changes:
        changes.advance(call, CallStatus.SCHEDULED, event="requeued")
    assert CallEvent.objects.filter(call=call, name="requeued").count() == 0


def test_notices_are_numbered_on_and_show_the_call_as_it_was_then():
    call = a_call(webhook_url=HOOK)
    with gathering(NOON) as changes:
        changes.notify(call, Event.STARTED)
        changes.advance(call, CallStatus.CANCELED, event="canceled", outcome="canceled_by_user")
        changes.notify(call, Event.CANCELED)
    told = Delivery.objects.order_by("sequence").values_list("sequence", "type", "body")
    assert [(sequence, type_) for sequence, type_, _ in told] == [(1, "call.started"), (2, "call.canceled")]
    assert ['"status":"canceled"' in body for _, _, body in told] == [False, True]
    assert read(call).events_sent == 2


def test_a_notice_in_between_is_a_change_too():
    """Else whoever read the call before would write its old number, and two messages would share one."""
    call = a_call(webhook_url=HOOK)
    before = read(call)
    with gathering(NOON) as changes:
        changes.notify(call, Event.STARTED)
    with pytest.raises(Conflict), gathering(NOON) as changes:
        changes.change(before, hang_up_requested_at=NOON)
    assert read(call).events_sent == 1


def test_what_comes_afterwards_finds_everything_written():
    call = a_call()
    seen = []
    with gathering(NOON) as changes:
        changes.afterwards(lambda: seen.append(read(call).status))
        changes.advance(call, CallStatus.IN_PROGRESS, event="dialing")
    assert seen == ["in_progress"]


def test_the_order_to_hang_up_again_is_not_overwritten_by_what_the_carrier_tells():
    call = a_call()
    with gathering(NOON) as changes:
        changes.add(
            Attempt,
            id="att_1",
            call_id=call.pk,
            number=1,
            carrier="simulated",
            to=call.contact.phone,
            caller_id="+14155550199",
            rendered_message="Hi.",
            not_after=NOON,
            lease_until=NOON,
        )
    attempt = Attempt.objects.get()
    Attempt.objects.update(hang_up_again_at=NOON)
    with gathering(NOON) as changes:
        attempt.sequence = 3
        changes.attempt(attempt)
    attempt.refresh_from_db()
    assert (attempt.sequence, attempt.hang_up_again_at) == (3, NOON)
