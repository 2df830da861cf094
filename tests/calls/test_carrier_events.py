"""What the carrier tells is applied once, in order, and decides the call."""

from datetime import timedelta

import pytest

from calls.actions.carrier_events import record_carrier_events
from calls.actions.changing import cancel_call
from calls.actions.dialing import claim_due, record_sighting
from calls.models import Call, Gateway
from contacts.models import Suppression
from temphone.accounts.actors import SYSTEM
from temphone.telephony.messages import (
    AnsweredBy,
    CarrierEvent,
    EndedBy,
    Ending,
    EventType,
    Outcome,
    Sighting,
    Turn,
)
from temphone.webhooks.models import Delivery
from tests.builders import NOON, a_call, a_contact, a_gateway, events_of

pytestmark = pytest.mark.django_db
ACCEPTED, RINGING, ANSWERED = EventType.ACCEPTED, EventType.RINGING, EventType.ANSWERED


def dialled(**fields):
    """A call that was just claimed, and its attempt."""
    a_gateway()
    call = a_call(**fields)
    (request,), _ = claim_due(carrier="simulated", now=NOON)
    return call, request.attempt_id


def tell(*steps, attempt_id, now=NOON):
    return record_carrier_events(ledger="gw_test", events=events_of(attempt_id, *steps), now=now)


def fresh(call):
    return Call.objects.get(pk=call.pk)


def test_a_conversation_from_dial_to_end():
    call, attempt_id = dialled()
    assert tell(ACCEPTED, RINGING, ANSWERED, Outcome.ANSWERED_HUMAN, attempt_id=attempt_id) == {attempt_id: 4}
    attempt = call.attempts.get()
    assert (attempt.state, attempt.outcome, attempt.duration_s) == ("ended", "answered_human", 4)
    assert attempt.accepted_at < attempt.ringing_at < attempt.answered_at < attempt.ended_at
    assert (fresh(call).status, fresh(call).outcome) == ("completed", "answered_human")


def test_that_it_is_about_to_ring_is_kept_and_changes_nothing():
    call, attempt_id = dialled()
    tell(ACCEPTED, attempt_id=attempt_id)
    before = call.attempts.values().get()
    told = events_of(attempt_id, ACCEPTED, EventType.DIALING)
    assert record_carrier_events(ledger="gw_test", events=told, now=NOON) == {attempt_id: 2}
    assert call.attempts.values().get() == before | {"sequence": 2}
    assert call.events.filter(name="carrier_dialing").count() == 1
    assert fresh(call).status == "in_progress"


def test_repeated_events_change_nothing():
    call, attempt_id = dialled()
    tell(ACCEPTED, RINGING, ANSWERED, Outcome.ANSWERED_HUMAN, attempt_id=attempt_id)
    before = list(call.events.values_list("id", "name"))
    assert tell(ACCEPTED, RINGING, ANSWERED, Outcome.NO_ANSWER, attempt_id=attempt_id) == {attempt_id: 4}
    assert list(call.events.values_list("id", "name")) == before
    assert fresh(call).outcome == "answered_human"


def test_nothing_is_applied_after_a_gap():
    call, attempt_id = dialled()
    first, _, third = events_of(attempt_id, ACCEPTED, RINGING, Outcome.BUSY)
    assert record_carrier_events(ledger="gw_test", events=[first, third], now=NOON) == {attempt_id: 1}
    assert fresh(call).status == "in_progress"


def test_events_of_another_gateways_attempt_are_dropped():
    call, attempt_id = dialled()
    events = events_of(attempt_id, ACCEPTED, RINGING, ANSWERED, Outcome.ANSWERED_HUMAN)
    assert record_carrier_events(ledger="gw_other", events=events, now=NOON) == {attempt_id: 4}
    assert fresh(call).status == "in_progress"
    assert call.attempts.get().sequence == 0


def test_what_is_said_is_kept_in_order():
    call, attempt_id = dialled()
    tell(ACCEPTED, RINGING, ANSWERED, attempt_id=attempt_id)
    turns = [
        CarrierEvent(
            attempt_id=attempt_id,
            sequence=4 + index,
            type=EventType.TURN,
            at=NOON,
            turn=Turn(speaker=speaker, text=text, offset_ms=index * 1000),
        )
        for index, (speaker, text) in enumerate([("callee", "Hello?"), ("agent", "Hi Jordan.")])
    ]
    record_carrier_events(ledger="gw_test", events=turns, now=NOON)
    record_carrier_events(ledger="gw_test", events=turns, now=NOON)
    assert list(call.attempts.get().turns.values_list("speaker", "text")) == [
        ("callee", "Hello?"),
        ("agent", "Hi Jordan."),
    ]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.MESSAGE_DELIVERED, "completed"),
        (Outcome.ANSWERED_HUMAN, "completed"),
        (Outcome.OPTED_OUT, "completed"),
        (Outcome.WRONG_PERSON, "completed"),
        (Outcome.CALLBACK_REQUESTED, "completed"),
        (Outcome.TRANSFERRED, "completed"),
        (Outcome.VOICEMAIL_LEFT, "completed"),
        (Outcome.MAX_DURATION, "completed"),
        (Outcome.VOICEMAIL_HUNGUP, "scheduled"),
        (Outcome.NO_ANSWER, "scheduled"),
        (Outcome.BUSY, "scheduled"),
        (Outcome.CARRIER_ERROR, "scheduled"),
        (Outcome.REJECTED, "failed"),
        (Outcome.SCREENED, "failed"),
        (Outcome.IVR, "failed"),
        (Outcome.INVALID_NUMBER, "failed"),
        (Outcome.MESSAGE_INCOMPLETE, "failed"),
    ],
)
def test_each_outcome_gives_its_status(outcome, status):
    call, attempt_id = dialled()
    tell(ACCEPTED, RINGING, outcome, attempt_id=attempt_id)
    assert fresh(call).status == status
    assert fresh(call).outcome == (None if status == "scheduled" else outcome.value)


def test_no_answer_is_tried_three_times_with_growing_waits():
    call, attempt_id = dialled()
    now = NOON
    waits = []
    for _ in range(2):
        tell(ACCEPTED, RINGING, Outcome.NO_ANSWER, attempt_id=attempt_id, now=now)
        waits.append(fresh(call).due_at - now)
        now = fresh(call).due_at
        Gateway.objects.update(last_seen_at=now)
        (request,), _ = claim_due(carrier="simulated", now=now)
        attempt_id = request.attempt_id
    tell(ACCEPTED, RINGING, Outcome.NO_ANSWER, attempt_id=attempt_id, now=now)
    assert waits == [timedelta(minutes=30), timedelta(minutes=120)]
    assert (fresh(call).status, fresh(call).outcome) == ("failed", "no_answer")
    assert fresh(call).scheduled_at == NOON


def test_a_leg_that_surely_never_rang_is_dialled_anew_at_once():
    call, attempt_id = dialled()
    ending = Ending(
        outcome=Outcome.CARRIER_ERROR, ended_by=EndedBy.SYSTEM, hangup_cause="not_rung", rang=False
    )
    ended = CarrierEvent(attempt_id=attempt_id, sequence=2, type=EventType.ENDED, at=NOON, ending=ending)
    tell(ACCEPTED, attempt_id=attempt_id)
    record_carrier_events(ledger="gw_test", events=[ended], now=NOON)
    assert (fresh(call).status, fresh(call).due_at) == ("scheduled", NOON)
    assert claim_due(carrier="simulated", now=NOON)[0] == []  # the gateway rests until it is heard of
    Gateway.objects.update(last_seen_at=NOON + timedelta(seconds=1))
    (again,), _ = claim_due(carrier="simulated", now=NOON)
    assert again.attempt_id != attempt_id
    assert not call.attempts.exclude(accepted_at=None).exists()


def test_a_retry_waits_for_the_calling_hours():
    late = NOON + timedelta(hours=12, minutes=45)  # 20:45 in Los Angeles
    a_gateway(now=late)
    call = a_call(scheduled_at=late.isoformat())
    (request,), _ = claim_due(carrier="simulated", now=late)
    tell(ACCEPTED, RINGING, Outcome.BUSY, attempt_id=request.attempt_id, now=late)
    assert fresh(call).due_at == NOON + timedelta(hours=24)  # 08:00 the next morning


def test_an_opt_out_suppresses_at_once_and_cancels_the_numbers_other_calls():
    contact = a_contact()
    a_gateway()
    call = a_call(contact)
    other = a_call(contact, scheduled_at=(NOON + timedelta(days=1)).isoformat())
    elsewhere = a_call(scheduled_at=(NOON + timedelta(days=1)).isoformat())
    (request,), _ = claim_due(carrier="simulated", now=NOON)
    tell(ACCEPTED, RINGING, ANSWERED, EventType.OPTED_OUT, attempt_id=request.attempt_id)
    suppression = Suppression.objects.get()
    assert (suppression.number, suppression.reason) == (contact.phone, "opted_out")
    assert fresh(other).status == "canceled"
    assert fresh(elsewhere).status == "scheduled"
    assert fresh(call).status == "in_progress"


def test_hanging_up_before_the_answer_cancels_the_call():
    call, attempt_id = dialled()
    assert cancel_call(actor=SYSTEM, call_id=call.pk, now=NOON).status == "in_progress"
    assert fresh(call).hang_up_requested_at == NOON
    tell(ACCEPTED, RINGING, Outcome.CANCELED_BY_USER, attempt_id=attempt_id)
    assert (fresh(call).status, fresh(call).outcome) == ("canceled", "canceled_by_user")


def test_hanging_up_after_the_answer_completes_the_call():
    call, attempt_id = dialled()
    tell(ACCEPTED, RINGING, ANSWERED, attempt_id=attempt_id)
    cancel_call(actor=SYSTEM, call_id=call.pk, now=NOON)
    tell(ACCEPTED, RINGING, ANSWERED, Outcome.CANCELED_BY_USER, attempt_id=attempt_id)
    assert (fresh(call).status, fresh(call).outcome) == ("completed", "canceled_by_user")


def test_a_call_to_be_hung_up_is_not_tried_again():
    call, attempt_id = dialled()
    cancel_call(actor=SYSTEM, call_id=call.pk, now=NOON)
    tell(ACCEPTED, RINGING, Outcome.NO_ANSWER, attempt_id=attempt_id)
    assert (fresh(call).status, fresh(call).outcome) == ("canceled", "canceled_by_user")


def test_late_evidence_corrects_an_unknown_call():
    call, attempt_id = dialled(webhook_url="https://hooks.example.com/calls")
    years_later = NOON + timedelta(hours=2)
    record_sighting(attempt_id, Sighting.UNREACHABLE, now=years_later)
    assert (fresh(call).status, fresh(call).outcome) == ("failed", "unknown")
    tell(ACCEPTED, RINGING, ANSWERED, Outcome.ANSWERED_HUMAN, attempt_id=attempt_id, now=years_later)
    assert (fresh(call).status, fresh(call).outcome) == ("completed", "answered_human")
    types = list(Delivery.objects.order_by("sequence").values_list("type", flat=True))
    assert types == ["call.failed", "call.corrected"]


def test_an_opt_out_counts_even_after_the_call_was_given_up():
    call, attempt_id = dialled()
    record_sighting(attempt_id, Sighting.UNREACHABLE, now=NOON + timedelta(hours=2))
    tell(ACCEPTED, RINGING, ANSWERED, EventType.OPTED_OUT, attempt_id=attempt_id)
    assert Suppression.objects.filter(number=call.contact.phone).exists()


def test_an_opt_out_before_the_answer_and_the_end_come_in_one_batch():
    call, attempt_id = dialled()
    tell(ACCEPTED, RINGING, EventType.OPTED_OUT, Outcome.NO_ANSWER, attempt_id=attempt_id)
    assert (fresh(call).status, fresh(call).outcome) == ("canceled", "canceled_by_user")
    assert Suppression.objects.get().number == call.contact.phone


def test_webhooks_come_in_order_with_the_outcome():
    call, attempt_id = dialled(webhook_url="https://hooks.example.com/calls")
    tell(ACCEPTED, RINGING, ANSWERED, Outcome.ANSWERED_HUMAN, attempt_id=attempt_id)
    deliveries = Delivery.objects.filter(subject=call.pk).order_by("sequence")
    assert [(row.sequence, row.type) for row in deliveries] == [
        (1, "call.started"),
        (2, "call.answered"),
        (3, "call.completed"),
    ]
    assert '"outcome":"answered_human"' in deliveries[2].body
    assert '"status":"in_progress"' in deliveries[0].body


def test_who_answered_is_known_when_told():
    call, attempt_id = dialled()
    told = CarrierEvent(
        attempt_id=attempt_id,
        sequence=4,
        type=EventType.CLASSIFIED,
        at=NOON,
        answered_by=AnsweredBy.VOICEMAIL,
    )
    tell(ACCEPTED, RINGING, ANSWERED, attempt_id=attempt_id)
    record_carrier_events(ledger="gw_test", events=[told], now=NOON)
    assert call.attempts.get().answered_by == "voicemail"
    assert fresh(call).answered_by is None  # not before the call is final


@pytest.mark.parametrize("first", range(5))
def test_an_opt_out_hangs_up_nothing_that_was_answered_however_the_events_arrive(first):
    call, attempt_id = dialled()
    events = events_of(attempt_id, ACCEPTED, RINGING, ANSWERED, EventType.OPTED_OUT, Outcome.OPTED_OUT)
    for batch in (events[:first], events[first:]):
        record_carrier_events(ledger="gw_test", events=batch, now=NOON)
    assert (fresh(call).status, fresh(call).outcome) == ("completed", "opted_out")
    assert fresh(call).hang_up_requested_at is None


def test_a_correction_after_a_hang_up_gives_the_status_of_the_table():
    call, attempt_id = dialled()
    tell(ACCEPTED, RINGING, ANSWERED, attempt_id=attempt_id)
    cancel_call(actor=SYSTEM, call_id=call.pk, now=NOON)
    record_sighting(attempt_id, Sighting.UNREACHABLE, now=NOON + timedelta(hours=2))
    tell(ACCEPTED, RINGING, ANSWERED, Outcome.CANCELED_BY_USER, attempt_id=attempt_id)
    assert (fresh(call).status, fresh(call).outcome) == ("completed", "canceled_by_user")
