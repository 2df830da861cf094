"""The global stop switch."""

from datetime import datetime
from itertools import chain

from django.db import transaction

from calls.actions.changes import gathering
from calls.actions.changing import ask_to_hang_up
from calls.models import Call, Pacing, StopSwitch
from calls.models.trunks import CARRIERS
from calls.states import CallStatus
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry


@transaction.atomic
def set_stop_switch(*, actor: Actor, on: bool, reason: str = "", now: datetime) -> StopSwitch:
    """Stop all dialling, or let it go on. After it returns, no new dial begins.

    Raises:
        Forbidden
    """
    actor.require(Role.MANAGER)
    hold_claims()
    switch, _ = StopSwitch.objects.update_or_create(
        pk=1, defaults={"on": on, "changed_at": now, "changed_by": actor.label, "reason": reason}
    )
    AuditEntry.record(actor, "stop.on" if on else "stop.off", "stop_switch", reason=reason)
    return switch


def hang_up_live(*, actor: Actor, now: datetime) -> int:
    """Ask for the hang-up of every call in progress; how many that were. To be done once dialling is stopped.

    Raises:
        Forbidden
    """
    actor.require(Role.MANAGER)
    live = Call.objects.filter(status=CallStatus.IN_PROGRESS, hang_up_requested_at=None)
    asked = sum(_hang_up(actor, call_id, now) for call_id in list(live.values_list("pk", flat=True)))
    AuditEntry.record(actor, "stop.hang_up", "stop_switch", calls=asked)
    return asked


def _hang_up(actor: Actor, call_id: str, now: datetime) -> bool:
    """Whether it was asked for: the call may have ended, or been given back, by now."""
    with gathering(now) as changes:
        # Locked, so that no event of the carrier comes in between.
        call = Call.objects.select_for_update(no_key=True).get(pk=call_id)
        if call.status != CallStatus.IN_PROGRESS or call.hang_up_requested_at:
            return False
        ask_to_hang_up(changes, call, reason=f"all calls were stopped by {actor.label}"[:200])
    return True


def hold_claims() -> None:
    """Hold back every claim until the transaction ends; what it writes, the next claim sees."""
    Pacing.lock(*chain.from_iterable(CARRIERS.values()))
