"""The end of an attempt, and what becomes of its call: done, or to be tried again.

What is changed is gathered in ``changes``; whoever made them writes them.
"""

from datetime import datetime, timedelta

from calls.actions.changes import Changes
from calls.hours import next_opening
from calls.models import Attempt, Call, DayCount
from calls.models.days import SETTLED_AFTER
from calls.states import RETRIED, AttemptState, CallStatus, status_after
from temphone.telephony.messages import Analysis, EndedBy, Ending, Outcome
from temphone.webhooks.models import Event

RETRY_WAITS = (timedelta(minutes=30), timedelta(minutes=120), timedelta(minutes=1440))
NOTICES = {
    CallStatus.COMPLETED: Event.COMPLETED,
    CallStatus.FAILED: Event.FAILED,
    CallStatus.CANCELED: Event.CANCELED,
}


def finish_call(
    changes: Changes, call: Call, outcome: Outcome, *, reason: str = "", attempt: Attempt | None = None
) -> None:
    """Bring the call to its final status, and tell its webhook."""
    to = _final_status(outcome, attempt)
    changes.advance(
        call,
        to,
        event=to.value,
        reason=reason or outcome.value,
        attempt_id=attempt.pk if attempt else None,
        outcome=outcome.value,
        answered_by=attempt.answered_by if attempt else None,
    )
    changes.notify(call, NOTICES[to])


def end_attempt(changes: Changes, attempt: Attempt, ending: Ending, *, at: datetime) -> None:
    """The carrier says that the leg ended at ``at``. The caller holds the call's and the attempt's rows."""
    call = attempt.call
    if not ending.rang and attempt.is_live:
        attempt.accepted_at = None  # it was no try
        requeue(changes, attempt, ending.hangup_cause, rest=True)
        return
    outcome = _for_staff(call, ending)
    was_unknown = attempt.state == AttemptState.UNKNOWN
    analyzed = _close(changes, attempt, ending, outcome, at)
    if was_unknown:
        _correct(changes, call, outcome, attempt)
    elif wait := _wait_before_retry(attempt, outcome):
        _retry(changes, call, outcome, attempt, wait)
    else:
        finish_call(changes, call, outcome, attempt=attempt)
    if analyzed:
        tell_analysis(changes, attempt)


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


def _close(changes: Changes, attempt: Attempt, ending: Ending, outcome: Outcome, at: datetime) -> bool:
    """Keep how the attempt ended; whether something was made of what was said."""
    attempt.state = AttemptState.ENDED
    attempt.outcome = outcome.value
    attempt.answered_by = ending.answered_by.value if ending.answered_by else attempt.answered_by
    attempt.ended_at = at
    attempt.ended_by = ending.ended_by.value
    attempt.hangup_cause = ending.hangup_cause[:100]
    attempt.duration_s = ending.duration_s
    attempt.evidence = {**attempt.evidence, **ending.evidence}
    changes.attempt(attempt)
    if attempt.created_at < changes.now - SETTLED_AFTER:
        # Its day was counted without this end: it is counted again.
        DayCount.objects.around(attempt.created_at).delete()
    return note_analysis(attempt, ending.analysis)


def note_analysis(attempt: Attempt, analysis: Analysis | None) -> bool:
    """Keep what was made of the call, as long as nothing better is known; whether it was kept."""
    if analysis is None or (analysis.engine == "rules" and attempt.analyzed_by):
        return False
    attempt.summary = analysis.summary
    attempt.extracted = dict(analysis.extracted)
    attempt.analyzed_by = analysis.engine
    return True


def tell_analysis(changes: Changes, attempt: Attempt) -> None:
    """Tell whoever subscribed to it what was made of the call."""
    analysis = {
        "attempt": attempt.number,
        "summary": attempt.summary,
        "extracted": attempt.extracted,
        "analyzed_by": attempt.analyzed_by,
    }
    changes.notify(attempt.call, Event.ANALYZED, analysis=analysis)


def _wait_before_retry(attempt: Attempt, outcome: Outcome) -> timedelta | None:
    """How long to wait for another try; None when the outcome is not worth one, or none is left."""
    call = attempt.call
    if outcome not in RETRIED or call.hang_up_requested_at:
        return None
    tries = _tries(attempt)
    return RETRY_WAITS[min(tries, len(RETRY_WAITS)) - 1] if tries < call.max_attempts else None


def _tries(attempt: Attempt) -> int:
    """How often the call was tried, this attempt included; a dial that no carrier took does not count."""
    before = Attempt.objects.filter(call=attempt.call_id, number__lt=attempt.number)
    earlier = before.exclude(accepted_at=None).count() if attempt.number > 1 else 0
    return earlier + (attempt.accepted_at is not None)


def _retry(changes: Changes, call: Call, outcome: Outcome, attempt: Attempt, wait: timedelta) -> None:
    changes.advance(
        call,
        CallStatus.SCHEDULED,
        event="retry_scheduled",
        reason=outcome.value,
        attempt_id=attempt.pk,
        due_at=next_opening(changes.now + wait, call.contact.timezone),
    )
    changes.notify(call, Event.RETRY_SCHEDULED, last_outcome=outcome.value)


def requeue(changes: Changes, attempt: Attempt, cause: str, *, rest: bool = False) -> None:
    """The dial surely never rang and never will: let the call be dialled again, at once.

    The call stays due since when it was, so lateness ends a call that no carrier will take. ``rest``
    spares the gateway, or the trunk there, until its next heartbeat: it could not ring at once again.
    """
    call = attempt.call
    ending = Ending(outcome=Outcome.CARRIER_ERROR, ended_by=EndedBy.SYSTEM, hangup_cause=cause)
    _close(changes, attempt, ending, ending.outcome, changes.now)
    if rest and attempt.gateway_id:
        changes.let_rest(attempt.gateway_id, attempt.trunk_id, cause=cause)
    if call.hang_up_requested_at:
        finish_call(changes, call, Outcome.CANCELED_BY_USER, attempt=attempt)
    else:
        changes.advance(call, CallStatus.SCHEDULED, event="requeued", reason=cause, attempt_id=attempt.pk)


def refuse(changes: Changes, attempt: Attempt, cause: str) -> None:
    """The carrier will not carry this call, now or later."""
    ending = Ending(outcome=Outcome.CARRIER_ERROR, ended_by=EndedBy.CARRIER, hangup_cause=cause)
    outcome = _for_staff(attempt.call, ending)
    _close(changes, attempt, ending, outcome, changes.now)
    finish_call(changes, attempt.call, outcome, attempt=attempt)


def give_up(changes: Changes, attempt: Attempt, cause: str) -> None:
    """Nothing can be learned of the attempt: the call fails as unknown, and is never redialled."""
    attempt.state = AttemptState.UNKNOWN
    attempt.outcome = Outcome.UNKNOWN.value
    attempt.hangup_cause = cause
    attempt.ended_at = changes.now
    changes.attempt(attempt)
    finish_call(changes, attempt.call, Outcome.UNKNOWN, attempt=attempt)


def _correct(changes: Changes, call: Call, outcome: Outcome, attempt: Attempt) -> None:
    """Late evidence: what was unknown is known now."""
    changes.advance(
        call,
        _final_status(outcome, attempt),
        event="corrected",
        reason=outcome.value,
        attempt_id=attempt.pk,
        outcome=outcome.value,
        answered_by=attempt.answered_by,
    )
    changes.notify(call, Event.CORRECTED)
