"""What staff say of a call: a note, how it ended, that they have dealt with it."""

from datetime import datetime

from django.db import transaction

from calls.actions.changes import Changes
from calls.actions.changing import change_call, get_call
from calls.actions.suppression import suppress
from calls.models import Call, Mark, Note
from calls.models.staff import LONGEST_NOTE
from calls.states import MARKABLE, OUTCOME_LABELS, CallStatus
from contacts.models import SuppressionReason
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.errors import Conflict, Invalid
from temphone.said import in_english
from temphone.telephony.messages import Outcome


@transaction.atomic
def add_note(*, actor: Actor, call_id: str, text: str, now: datetime) -> Note:
    """Keep what somebody wrote about a call.

    Raises:
        Forbidden, NotFound
        Invalid: it is empty, or too long.
    """
    actor.require(Role.OPERATOR)
    call = get_call(actor=actor, call_id=call_id)
    if not text.strip() or len(text) > LONGEST_NOTE or "\0" in text:
        raise Invalid.field("text", f"must have 1 to {LONGEST_NOTE} characters.")
    note = Note.objects.create(call=call, text=text.strip(), by=actor.label, at=now)
    AuditEntry.record(actor, "call.note", call.pk)
    return note


@transaction.atomic
def mark_outcome(*, actor: Actor, call_id: str, outcome: str, now: datetime) -> Mark:
    """Keep how a call ends as a person says; what the carrier tells stands beside it.

    Whoever says so of a call that is over has dealt with it. That somebody asked not to be called again also
    suppresses their number.

    Raises:
        Forbidden, NotFound
        Invalid: it is no outcome that a person can say.
        Conflict: the call waits for its time.
    """
    actor.require(Role.OPERATOR)
    call = get_call(actor=actor, call_id=call_id)
    if outcome not in {one.value for one in MARKABLE}:
        raise Invalid.field("outcome", "must be one that can be marked by hand.")
    if call.status == CallStatus.SCHEDULED:
        text = f"Call {call_id} waits for its time; mark it while it is in progress, or when it is over."
        raise Conflict(text, code="call_not_over")
    if outcome == Outcome.OPTED_OUT:
        # First, since a claim locks the number before its call.
        reason = SuppressionReason.OPTED_OUT.value
        for number in _rung(call):
            suppress(actor=actor, number=number, reason=reason, source=f"call {call.pk}", now=now)
    mark = Mark.objects.create(call=call, outcome=outcome, by=actor.label, at=now)
    label = in_english(OUTCOME_LABELS[Outcome(outcome)])
    _see(actor, call_id, now, event="marked", reason=f"{label}, by hand, by {actor.label}"[:200])
    AuditEntry.record(actor, "call.mark", call.pk, outcome=outcome)
    return mark


@transaction.atomic
def mark_seen(*, actor: Actor, call_id: str, now: datetime) -> Call:
    """Take a call that is over from what needs attention: somebody has dealt with it.

    Raises:
        Forbidden, NotFound
        Conflict: it is not over; move or cancel it.
    """
    actor.require(Role.OPERATOR)
    call = get_call(actor=actor, call_id=call_id)
    if not call.is_final:
        raise Conflict(f"Call {call_id} is not over yet: move or cancel it.", code="call_not_over")
    if call.seen_at:
        return call
    AuditEntry.record(actor, "call.seen", call.pk)
    return _see(actor, call_id, now, event="seen", reason=f"by {actor.label}"[:200])


def _rung(call: Call) -> list[str]:
    """The numbers that were dialled; the contact's may be another by now. Who rang us of none: theirs."""
    dialled = sorted({attempt.to for attempt in call.attempts.all() if attempt.to})
    return dialled or [call.contact.phone]


def called_again(actor: Actor, call: Call, new: Call, now: datetime) -> None:
    """Note on a call that a new one was made in its place. The caller has a transaction."""
    _see(actor, call.pk, now, event="called_again", reason=f"{new.pk}, by {actor.label}"[:200])


def _see(actor: Actor, call_id: str, now: datetime, *, event: str, reason: str) -> Call:
    def change(changes: Changes, call: Call) -> None:
        if call.is_final:
            changes.change(call, seen_at=call.seen_at or now)
        changes.event(call, event, reason=reason)

    return change_call(actor=actor, call_id=call_id, now=now, change=change)
