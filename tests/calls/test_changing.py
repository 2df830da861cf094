"""Move and cancel: what was answered holds."""

from datetime import timedelta

import pytest

from calls.actions.carrier_events import record_carrier_events
from calls.actions.changes import gathering
from calls.actions.changing import cancel_call, get_call, update_call
from calls.actions.dialing import claim_due
from calls.actions.scheduling import schedule_call
from calls.models import Call
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import AuditEntry, Mode
from temphone.lib.clock import iso
from temphone.lib.errors import Conflict, Forbidden, Invalid, NotFound
from temphone.telephony.messages import EventType, Outcome
from tests.builders import NOON, a_call, a_contact, a_gateway, a_request, events_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
BEFORE = NOON - HOUR
VIEWER = Actor(kind="user", id="1", label="Val", role=Role.VIEWER)


def fresh(call):
    return Call.objects.get(pk=call.pk)


def test_a_moved_call_rings_at_the_new_time_only():
    a_gateway()
    call = a_call()
    update_call(
        actor=SYSTEM, call_id=call.pk, changes={"scheduled_at": (NOON + HOUR).isoformat()}, now=BEFORE
    )
    assert claim_due(mode="test", now=NOON)[0] == []
    assert fresh(call).scheduled_at == fresh(call).due_at == NOON + HOUR


def test_a_local_time_is_read_in_the_new_zone():
    call = a_call()
    changes = {"scheduled_at": "2026-03-15T12:00:00", "timezone": "America/New_York"}
    update_call(actor=SYSTEM, call_id=call.pk, changes=changes, now=BEFORE)
    assert fresh(call).scheduled_at == NOON + HOUR
    assert fresh(call).timezone == "America/New_York"


def test_a_message_that_cannot_be_spoken_changes_nothing():
    call = a_call()
    with pytest.raises(Invalid):
        update_call(actor=SYSTEM, call_id=call.pk, changes={"initial_message": "Hi {{nobody}}"}, now=BEFORE)
    assert fresh(call).initial_message == "Hi {{first_name}}."
    assert fresh(call).version == call.version


@pytest.mark.parametrize("text", ["2026-03-15T13:59:00Z", "tomorrow", "2027-12-31T00:00:00Z"])
def test_it_cannot_be_moved_to_a_time_that_scheduling_refuses(text):
    call = a_call()
    with pytest.raises(Invalid):
        update_call(actor=SYSTEM, call_id=call.pk, changes={"scheduled_at": text}, now=BEFORE)


def test_moving_defers_as_scheduling_does(settings):
    settings.POLICIES = settings.POLICIES | {"test": {"consent": "off", "hours": "defer"}}
    call = a_call()
    night = {"scheduled_at": "2026-03-16T09:00:00Z"}  # 02:00 there
    update_call(actor=SYSTEM, call_id=call.pk, changes=night, now=BEFORE)
    assert fresh(call).due_at == NOON + timedelta(days=1)


def test_a_days_cap_counts_the_day_before_the_call_not_today(settings):
    settings.CALLS_PER_NUMBER_PER_DAY = 1
    a_gateway()
    contact = a_contact()
    a_call(contact)
    (request,), _ = claim_due(mode="test", now=NOON)
    accepted_and_busy = events_of(request.attempt_id, EventType.ACCEPTED, Outcome.REJECTED)
    record_carrier_events(ledger="gw_test", events=accepted_and_busy, now=NOON)
    same_day, next_day = NOON + timedelta(hours=8), NOON + timedelta(hours=26)
    assert schedule_at(contact, same_day).due_at == same_day + timedelta(hours=24)
    later = schedule_at(contact, next_day)
    changed = update_call(actor=SYSTEM, call_id=later.pk, changes={"metadata": {"a": 1}}, now=NOON)
    assert later.due_at == changed.due_at == next_day


def schedule_at(contact, when):
    request = a_request(contact, scheduled_at=iso(when))
    return schedule_call(actor=SYSTEM, mode=Mode.TEST, request=request, now=NOON).call


def test_a_call_in_progress_cannot_be_moved():
    a_gateway()
    call = a_call()
    claim_due(mode="test", now=NOON)
    with pytest.raises(Conflict, match="in progress"):
        update_call(actor=SYSTEM, call_id=call.pk, changes={"max_duration_s": 60}, now=NOON)


def test_a_claim_in_between_wins_over_a_move(monkeypatch):
    a_gateway()
    call = a_call()
    read = get_call(actor=SYSTEM, call_id=call.pk)
    claim_due(mode="test", now=NOON)
    with pytest.raises(Conflict), gathering(NOON) as changes:
        changes.change(read, due_at=NOON + HOUR)
    assert fresh(call).due_at == NOON


def test_there_and_back_again_is_a_change_too():
    a_gateway()
    call = a_call()
    read = get_call(actor=SYSTEM, call_id=call.pk)
    Call.objects.filter(pk=call.pk).update(version=call.version + 2)  # claimed and given back
    with pytest.raises(Conflict), gathering(NOON) as changes:
        changes.change(read, due_at=NOON + HOUR)


def test_canceling_twice_tells_that_it_is_over():
    call = a_call()
    cancel_call(actor=SYSTEM, call_id=call.pk, now=BEFORE)
    with pytest.raises(Conflict, match="already canceled"):
        cancel_call(actor=SYSTEM, call_id=call.pk, now=BEFORE)


def test_a_key_sees_the_calls_of_its_mode_alone():
    call = a_call()
    live = Actor(kind="key", id="k", label="k", role=Role.MANAGER, mode="live")
    with pytest.raises(NotFound, match=f"Call not found: {call.pk}"):
        cancel_call(actor=live, call_id=call.pk, now=BEFORE)


def test_a_viewer_may_neither_move_nor_cancel():
    call = a_call()
    with pytest.raises(Forbidden):
        cancel_call(actor=VIEWER, call_id=call.pk, now=BEFORE)
    with pytest.raises(Forbidden):
        update_call(actor=VIEWER, call_id=call.pk, changes={}, now=BEFORE)
    assert fresh(call).status == "scheduled"


def test_who_canceled_is_in_the_audit_log():
    call = a_call()
    cancel_call(actor=SYSTEM, call_id=call.pk, now=BEFORE)
    assert AuditEntry.objects.filter(action="call.cancel", target=call.pk, actor_label="TemPhone").exists()
