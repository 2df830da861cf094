"""Apply what the carrier tells: each event once, in order; late and repeated ones change nothing."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from calls.actions.dialing import RING_TIMEOUT_S
from calls.actions.finishing import end_attempt
from calls.actions.notices import notify
from calls.actions.suppression import suppress_in_call
from calls.models import Attempt, Call, CallEvent, TranscriptTurn
from calls.states import AttemptState
from temphone.telephony.messages import CarrierEvent, EventType

SLACK = timedelta(seconds=60)


@transaction.atomic
def record_carrier_events(*, ledger: str, events: Sequence[CarrierEvent], now: datetime) -> dict[str, int]:
    """Apply a batch from one gateway; per attempt, the sequence up to which everything is applied.

    A repeated event is passed over. After a gap nothing is applied, and the gateway, told so by the
    lower sequence, sends again. Events of attempts that are not this gateway's are acknowledged and
    dropped: nothing here could ever use them.
    """
    told = defaultdict(list)
    for event in events:
        told[event.attempt_id].append(event)
    attempts = _locked_attempts(ledger, list(told))
    return {
        attempt_id: _apply_all(attempts[attempt_id], batch, now)
        if attempt_id in attempts
        else batch[-1].sequence
        for attempt_id, batch in told.items()
    }


def _locked_attempts(ledger: str, ids: list[str]) -> dict[str, Attempt]:
    mine = Attempt.objects.filter(pk__in=ids, gateway=ledger)
    list(Call.objects.select_for_update().filter(pk__in=mine.values("call_id")).order_by("pk"))
    return {row.pk: row for row in mine.select_related("call__contact", "call__campaign")}


def _apply_all(attempt: Attempt, batch: list[CarrierEvent], now: datetime) -> int:
    for event in sorted(batch, key=lambda event: event.sequence):
        if event.sequence > attempt.sequence + 1:
            break
        if event.sequence == attempt.sequence + 1:
            attempt.sequence = event.sequence
            _apply(attempt, event, now)
    attempt.save()
    return attempt.sequence


def _apply(attempt: Attempt, event: CarrierEvent, now: datetime) -> None:
    if event.type == EventType.TURN:
        _turn(attempt, event)
        return
    # An attempt that was given up still learns how it ended; an opt-out counts whenever it arrives.
    may_change = attempt.is_live or (
        event.type == EventType.OPTED_OUT
        or (event.type == EventType.ENDED and attempt.state == AttemptState.UNKNOWN)
    )
    CallEvent.objects.create(
        call=attempt.call,
        attempt=attempt,
        sequence=event.sequence,
        name=f"carrier_{event.type}",
        reason="" if may_change else "late",
        data=_data(event),
        at=event.at,
    )
    if may_change:
        HANDLERS[event.type](attempt, event, now)


def _data(event: CarrierEvent) -> dict[str, object]:
    data: dict[str, object] = dict(event.evidence)
    if event.answered_by:
        data["answered_by"] = event.answered_by.value
    if event.ending:
        data |= {"outcome": event.ending.outcome.value, "ended_by": event.ending.ended_by.value}
    return data


def _turn(attempt: Attempt, event: CarrierEvent) -> None:
    if event.turn:
        TranscriptTurn.objects.create(
            attempt=attempt,
            sequence=event.sequence,
            speaker=event.turn.speaker,
            text=event.turn.text,
            offset_ms=event.turn.offset_ms,
            at=event.at,
        )


def _accepted(attempt: Attempt, event: CarrierEvent, now: datetime) -> None:
    attempt.accepted_at = event.at
    attempt.lease_until = now + timedelta(seconds=RING_TIMEOUT_S) + SLACK
    notify(attempt.call, "call.started", now=now)


def _ringing(attempt: Attempt, event: CarrierEvent, _now: datetime) -> None:
    attempt.ringing_at = event.at
    attempt.state = AttemptState.RINGING


def _answered(attempt: Attempt, event: CarrierEvent, now: datetime) -> None:
    attempt.answered_at = event.at
    attempt.state = AttemptState.ANSWERED
    attempt.lease_until = now + timedelta(seconds=attempt.call.max_duration_s) + SLACK
    notify(attempt.call, "call.answered", now=now)


def _classified(attempt: Attempt, event: CarrierEvent, _now: datetime) -> None:
    attempt.answered_by = event.answered_by


def _opted_out(attempt: Attempt, event: CarrierEvent, now: datetime) -> None:
    attempt.evidence = {**attempt.evidence, **event.evidence}
    attempt.save()  # answered, if this batch said so: what is suppressed hangs up what still rings
    suppress_in_call(attempt, now=now)
    # Not answered yet, it was asked to hang up by that: what follows in the batch goes on from there.
    attempt.call.refresh_from_db(fields=["version", "hang_up_requested_at", "updated_at"])


def _ended(attempt: Attempt, event: CarrierEvent, now: datetime) -> None:
    if event.ending:
        end_attempt(attempt, event.ending, now=now, at=event.at)


HANDLERS = {
    EventType.ACCEPTED: _accepted,
    EventType.RINGING: _ringing,
    EventType.ANSWERED: _answered,
    EventType.CLASSIFIED: _classified,
    EventType.OPTED_OUT: _opted_out,
    EventType.ENDED: _ended,
}
