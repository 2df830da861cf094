"""Apply what the carrier tells: each event once, in order; late and repeated ones change nothing."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from calls.actions.changes import Changes, gathering
from calls.actions.dialing import RING_TIMEOUT_S
from calls.actions.finishing import end_attempt, note_analysis, tell_analysis
from calls.actions.suppression import hold_numbers, suppress_in_call
from calls.models import Attempt, Call, TranscriptTurn
from calls.states import AttemptState
from temphone.telephony.messages import CarrierEvent, EventType
from temphone.webhooks.models import Event

SLACK = timedelta(seconds=60)


def record_carrier_events(*, ledger: str, events: Sequence[CarrierEvent], now: datetime) -> dict[str, int]:
    """Apply a batch from one gateway; per attempt, the sequence up to which everything is applied.

    A repeated event is passed over. After a gap nothing is applied, and the gateway, told so by the
    lower sequence, sends again. Events of attempts that are not this gateway's are acknowledged and
    dropped: nothing here could ever use them.
    """
    told = defaultdict(list)
    for event in events:
        told[event.attempt_id].append(event)
    with gathering(now) as changes:
        attempts = _locked_attempts(ledger, list(told))
        leaving = [event.attempt_id for event in events if event.type == EventType.OPTED_OUT]
        hold_numbers({attempts[id_].to for id_ in leaving if id_ in attempts})
        return {
            attempt_id: _apply_all(changes, attempts[attempt_id], batch)
            if attempt_id in attempts
            else batch[-1].sequence
            for attempt_id, batch in told.items()
        }


def _locked_attempts(ledger: str, ids: list[str]) -> dict[str, Attempt]:
    mine = Attempt.objects.filter(pk__in=ids, gateway=ledger)
    locked = Call.objects.select_related("contact").select_for_update(of=("self",))
    calls = {call.pk: call for call in locked.filter(pk__in=mine.values("call_id")).order_by("pk")}
    attempts = list(mine)
    for attempt in attempts:
        attempt.call = calls[attempt.call_id]
    return {attempt.pk: attempt for attempt in attempts}


def _apply_all(changes: Changes, attempt: Attempt, batch: list[CarrierEvent]) -> int:
    before = attempt.sequence
    for event in sorted(batch, key=lambda event: event.sequence):
        if event.sequence > attempt.sequence + 1:
            break
        if event.sequence == attempt.sequence + 1:
            attempt.sequence = event.sequence
            _apply(changes, attempt, event)
    if attempt.sequence > before:
        changes.attempt(attempt)
    return attempt.sequence


def _apply(changes: Changes, attempt: Attempt, event: CarrierEvent) -> None:
    if event.type == EventType.TURN:
        _turn(changes, attempt, event)
        return
    # An attempt that was given up still learns how it ended; an opt-out counts whenever it arrives.
    may_change = attempt.is_live or (
        event.type in {EventType.OPTED_OUT, EventType.ANALYZED}
        or (event.type == EventType.ENDED and attempt.state == AttemptState.UNKNOWN)
    )
    changes.event(
        attempt.call,
        f"carrier_{event.type}",
        attempt_id=attempt.pk,
        sequence=event.sequence,
        reason="" if may_change else "late",
        data=_data(event),
        at=event.at,
    )
    if may_change:
        HANDLERS[event.type](changes, attempt, event)


def _data(event: CarrierEvent) -> dict[str, object]:
    data: dict[str, object] = dict(event.evidence)
    if event.answered_by:
        data["answered_by"] = event.answered_by.value
    if event.ending:
        data |= {"outcome": event.ending.outcome.value, "ended_by": event.ending.ended_by.value}
    return data


def _turn(changes: Changes, attempt: Attempt, event: CarrierEvent) -> None:
    if event.turn:
        changes.add(
            TranscriptTurn,
            attempt_id=attempt.pk,
            sequence=event.sequence,
            speaker=event.turn.speaker,
            text=event.turn.text,
            offset_ms=event.turn.offset_ms,
            at=event.at,
        )


def _accepted(changes: Changes, attempt: Attempt, event: CarrierEvent) -> None:
    attempt.accepted_at = event.at
    attempt.lease_until = changes.now + timedelta(seconds=RING_TIMEOUT_S) + SLACK
    changes.notify(attempt.call, Event.STARTED)


def _dialing(_changes: Changes, _attempt: Attempt, _event: CarrierEvent) -> None:
    """A note for the gateway's own restart; the attempt is dialling already."""


def _ringing(_changes: Changes, attempt: Attempt, event: CarrierEvent) -> None:
    attempt.ringing_at = event.at
    attempt.state = AttemptState.RINGING


def _answered(changes: Changes, attempt: Attempt, event: CarrierEvent) -> None:
    attempt.answered_at = event.at
    attempt.state = AttemptState.ANSWERED
    attempt.lease_until = changes.now + timedelta(seconds=attempt.call.max_duration_s) + SLACK
    changes.notify(attempt.call, Event.ANSWERED)


def _classified(_changes: Changes, attempt: Attempt, event: CarrierEvent) -> None:
    attempt.answered_by = event.answered_by


def _opted_out(changes: Changes, attempt: Attempt, event: CarrierEvent) -> None:
    attempt.evidence = {**attempt.evidence, **event.evidence}
    changes.notify(attempt.call, Event.OPTED_OUT)
    # Last: by then this batch is written, so what is suppressed finds every call as it is now.
    changes.afterwards(lambda: suppress_in_call(attempt, now=changes.now))


def _noted(_changes: Changes, _attempt: Attempt, _event: CarrierEvent) -> None:
    """Its event says it all."""


def _ended(changes: Changes, attempt: Attempt, event: CarrierEvent) -> None:
    if event.ending:
        end_attempt(changes, attempt, event.ending, at=event.at)


def _analyzed(changes: Changes, attempt: Attempt, event: CarrierEvent) -> None:
    if note_analysis(attempt, event.analysis):
        tell_analysis(changes, attempt)


HANDLERS = {
    EventType.ACCEPTED: _accepted,
    EventType.DIALING: _dialing,
    EventType.RINGING: _ringing,
    EventType.ANSWERED: _answered,
    EventType.CLASSIFIED: _classified,
    EventType.OPTED_OUT: _opted_out,
    EventType.NOTED: _noted,
    EventType.ENDED: _ended,
    EventType.ANALYZED: _analyzed,
}
