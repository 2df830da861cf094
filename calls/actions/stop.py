"""The global stop switch."""

from datetime import datetime
from itertools import chain

from django.db import transaction

from calls.models import Pacing, StopSwitch
from calls.models.trunks import CARRIERS
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


def hold_claims() -> None:
    """Hold back every claim until the transaction ends; what it writes, the next claim sees."""
    Pacing.lock(*chain.from_iterable(CARRIERS.values()))
