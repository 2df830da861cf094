"""Find, move and cancel a call."""

from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime

from calls import messages
from calls.actions.changes import Changes, gathering
from calls.actions.finishing import finish_call
from calls.actions.lookup import live_numbers
from calls.actions.scheduling import future_instant, record, rule_on, shown_number
from calls.models import Call
from calls.states import CallStatus
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.errors import Conflict, NotFound
from temphone.telephony.messages import Outcome

CHANGEABLE = frozenset(
    {
        "scheduled_at",
        "timezone",
        "initial_message",
        "max_duration_s",
        "caller_id",
        "metadata",
        "recording_enabled",
        "webhook_url",
    }
)
TRIES = 5  # a call changes a few times in a second at most


def get_call(*, actor: Actor, call_id: str) -> Call:
    """The call, if whoever asks may see it: a key sees the calls of its own mode.

    Raises:
        NotFound: there is none.
    """
    calls = Call.objects.select_related("contact", "campaign").filter(pk=call_id)
    call = (calls.filter(mode=actor.mode) if actor.mode else calls).first()
    if call is None:
        raise NotFound(f"Call not found: {call_id}.", code="call_not_found")
    return call


def update_call(*, actor: Actor, call_id: str, changes: Mapping[str, object], now: datetime) -> Call:
    """Change a call that is still scheduled. Once this has returned, it never rings at the old time.

    ``changes`` has names of CHANGEABLE; ``scheduled_at`` is text, as in a request.

    Raises:
        Forbidden, NotFound, Invalid, Refused: and nothing was changed.
        Conflict: it is no longer scheduled.
    """
    actor.require(Role.OPERATOR)
    call = get_call(actor=actor, call_id=call_id)
    if call.status != CallStatus.SCHEDULED:
        raise _too_late(call)
    planned = copy(call)
    columns = _columns(call, changes, now)
    for name, value in columns.items():
        setattr(planned, name, value)
    messages.render_for(planned, now=max(planned.due_at, now))
    ruling = rule_on(planned, now=now)
    event = "rescheduled" if "scheduled_at" in changes else "changed"
    try:
        with gathering(now) as made:
            made.change(call, **{**columns, "due_at": planned.due_at})
            record(call, ruling, event, now=now)
            AuditEntry.record(actor, f"call.{event}", call.pk, fields=sorted(changes))
    except Conflict as error:
        raise _too_late(get_call(actor=actor, call_id=call_id)) from error
    return call


def _columns(call: Call, changes: Mapping[str, object], now: datetime) -> dict[str, object]:
    columns = {name: value for name, value in changes.items() if name in CHANGEABLE}
    if "caller_id" in columns:
        shown = shown_number(call.mode, str(columns["caller_id"]), live_numbers(call.mode))
        columns["caller_number"] = shown
    zone_name = columns.get("timezone", call.timezone) or call.contact.timezone
    columns["timezone"] = zone_name
    if "scheduled_at" in columns:
        when = future_instant(str(columns["scheduled_at"]), str(zone_name), now)
        columns |= {"scheduled_at": when, "due_at": when}
    return columns


def _too_late(call: Call) -> Conflict:
    if call.status == CallStatus.SCHEDULED:
        return Conflict(f"Call {call.pk} has changed meanwhile; look at it again.", code="changed_meanwhile")
    state = "in progress" if call.status == CallStatus.IN_PROGRESS else f"already {call.status}"
    return Conflict(f"Call {call.pk} is {state}.", code=f"call_{call.status}")


def cancel_call(*, actor: Actor, call_id: str, now: datetime) -> Call:
    """Cancel a scheduled call at once: it never rings. Of one in progress, ask for the hang-up.

    The status of what is returned tells which; an end that was asked for follows by the carrier's event.

    Raises:
        Forbidden, NotFound
        Conflict: it is over.
    """
    actor.require(Role.OPERATOR)
    reason = f"by {actor.label}"[:200]

    def cancel(changes: Changes, call: Call) -> None:
        if call.is_final:
            raise _too_late(call)
        if call.status == CallStatus.SCHEDULED:
            finish_call(changes, call, Outcome.CANCELED_BY_USER, reason=reason)
            AuditEntry.record(actor, "call.cancel", call.pk)
        elif call.hang_up_requested_at is None:
            ask_to_hang_up(changes, call, reason=reason)
            AuditEntry.record(actor, "call.hang_up", call.pk)

    return change_call(actor=actor, call_id=call_id, now=now, change=cancel)


def change_call(
    *, actor: Actor, call_id: str, now: datetime, change: Callable[[Changes, Call], None]
) -> Call:
    """Change a call as it stands; when somebody else changed it in between, as it stands then.

    Raises:
        NotFound
        Conflict: it keeps changing; or what ``change`` raises.
    """
    for _ in range(TRIES):
        call = get_call(actor=actor, call_id=call_id)
        try:
            with gathering(now) as changes:
                change(changes, call)
        except Conflict as conflict:
            if conflict.code != "changed_meanwhile":
                raise
        else:
            return call
    raise Conflict(f"Call {call_id} keeps changing; try again.", code="changed_meanwhile")


def ask_to_hang_up(changes: Changes, call: Call, *, reason: str) -> None:
    """Mark a call in progress to be hung up; the worker carries the wish to the carrier."""
    changes.change(call, hang_up_requested_at=changes.now)
    changes.event(call, "hang_up_requested", reason=reason)
