"""The end of an attempt, and what becomes of its call: done, or to be tried again."""

from datetime import datetime, timedelta

from calls.actions.notices import notify
from calls.hours import next_opening
from calls.models import Attempt, Call
from calls.states import RETRIED, AttemptState, CallStatus, status_after
from temphone.telephony.messages import EndedBy, Ending, Outcome

RETRY_WAITS = (timedelta(minutes=30), timedelta(minutes=120), timedelta(minutes=1440))
NOTICES = {
    CallStatus.COMPLETED: "call.completed",
    CallStatus.FAILED: "call.failed",
    CallStatus.CANCELED: "call.canceled",
}


def finish_call(
    call: Call,
    outcome: Outcome,
    *,
    now: datetime,
    reason: str = "",
    attempt: Attempt | None = None,
) -> None:
    """Bring the call to its final status, and tell its webhook."""
    to = _final_status(outcome, attempt)
    call.advance(
        to,
        now=now,
        event=to.value,
        reason=reason or outcome.value,
        attempt=attempt,
        outcome=outcome.value,
        answered_by=attempt.answered_by if attempt else None,
    )
    notify(call, NOTICES[to], now=now)


def end_attempt(attempt: Attempt, ending: Ending, *, now: datetime, at: datetime) -> None:
    """The carrier says that the leg ended at ``at``. The caller holds the call's and the attempt's rows."""
    call = attempt.call
    if not ending.rang and attempt.is_live:
        attempt.accepted_at = None  # it was no try
        requeue(attempt, ending.hangup_cause, now=now, rest=True)
        return
    outcome = _for_staff(call, ending)
    was_unknown = attempt.state == AttemptState.UNKNOWN
    _close(attempt, ending, outcome, at)
    if was_unknown:
        _correct(call, outcome, attempt, now)
    elif wait := _wait_before_retry(call, outcome):
        _retry(call, outcome, attempt, now, wait)
    else:
        finish_call(call, outcome, now=now, attempt=attempt)


def _final_status(outcome: Outcome, attempt: Attempt | None) -> CallStatus:
    """What the outcome gives the call; one that was answered is completed even if it was canceled then."""
    was_answered = attempt is not None and attempt.answered_at is not None
    if outcome == Outcome.CANCELED_BY_USER and was_answered:
        return CallStatus.COMPLETED
    return status_after(outcome)


def _for_staff(call: Call, ending: Ending) -> Outcome:
    """The ending's outcome, but canceled where the hang-up that staff asked for kept it from more."""
    cut_short = ending.ended_by == EndedBy.STAFF and ending.outcome == Outcome.MESSAGE_INCOMPLETE
    if call.hang_up_requested_at and (cut_short or ending.outcome in RETRIED):
        return Outcome.CANCELED_BY_USER
    return ending.outcome


def _close(attempt: Attempt, ending: Ending, outcome: Outcome, at: datetime) -> None:
    attempt.state = AttemptState.ENDED
    attempt.outcome = outcome.value
    attempt.answered_by = ending.answered_by.value if ending.answered_by else attempt.answered_by
    attempt.ended_at = at
    attempt.ended_by = ending.ended_by.value
    attempt.hangup_cause = ending.hangup_cause[:100]
    attempt.duration_s = ending.duration_s
    attempt.evidence = {**attempt.evidence, **ending.evidence}
    attempt.save()


def _wait_before_retry(call: Call, outcome: Outcome) -> timedelta | None:
    """How long to wait for another try; None when the outcome is not worth one, or none is left."""
    if outcome not in RETRIED or call.hang_up_requested_at:
        return None
    tries = call.attempts.exclude(accepted_at=None).count()  # dials that no carrier took do not count
    return RETRY_WAITS[min(tries, len(RETRY_WAITS)) - 1] if tries < call.max_attempts else None


def _retry(call: Call, outcome: Outcome, attempt: Attempt, now: datetime, wait: timedelta) -> None:
    due_at = next_opening(now + wait, call.contact.timezone)
    call.advance(
        CallStatus.SCHEDULED,
        now=now,
        event="retry_scheduled",
        reason=outcome.value,
        attempt=attempt,
        due_at=due_at,
    )


def requeue(attempt: Attempt, cause: str, *, now: datetime, rest: bool = False) -> None:
    """The dial surely never rang and never will: let the call be dialled again, at once.

    The call stays due since when it was, so lateness ends a call that no carrier will take. ``rest``
    spares the gateway until its next heartbeat: it could not ring, and could not at once again.
    """
    call = attempt.call
    ending = Ending(outcome=Outcome.CARRIER_ERROR, ended_by=EndedBy.SYSTEM, hangup_cause=cause)
    _close(attempt, ending, ending.outcome, now)
    if rest and attempt.gateway:
        attempt.gateway.let_rest(now)
    if call.hang_up_requested_at:
        finish_call(call, Outcome.CANCELED_BY_USER, now=now, attempt=attempt)
    else:
        call.advance(CallStatus.SCHEDULED, now=now, event="requeued", reason=cause, attempt=attempt)


def refuse(attempt: Attempt, cause: str, *, now: datetime) -> None:
    """The carrier will not carry this call, now or later."""
    ending = Ending(outcome=Outcome.CARRIER_ERROR, ended_by=EndedBy.CARRIER, hangup_cause=cause)
    outcome = _for_staff(attempt.call, ending)
    _close(attempt, ending, outcome, now)
    finish_call(attempt.call, outcome, now=now, attempt=attempt)


def give_up(attempt: Attempt, cause: str, *, now: datetime) -> None:
    """Nothing can be learned of the attempt: the call fails as unknown, and is never redialled."""
    attempt.state = AttemptState.UNKNOWN
    attempt.outcome = Outcome.UNKNOWN.value
    attempt.hangup_cause = cause
    attempt.ended_at = now
    attempt.save()
    finish_call(attempt.call, Outcome.UNKNOWN, now=now, attempt=attempt)


def _correct(call: Call, outcome: Outcome, attempt: Attempt, now: datetime) -> None:
    """Late evidence: what was unknown is known now."""
    call.advance(
        _final_status(outcome, attempt),
        now=now,
        event="corrected",
        reason=outcome.value,
        attempt=attempt,
        outcome=outcome.value,
        answered_by=attempt.answered_by,
    )
    notify(call, "call.corrected", now=now)
