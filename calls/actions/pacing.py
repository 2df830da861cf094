"""How fast each carrier may go."""

from django.db import transaction

from calls.models import Pacing
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry


@transaction.atomic
def set_pace(*, actor: Actor, carrier: str, lines: int | None, calls_per_second: int | None) -> Pacing:
    """Set how many legs a carrier may have up, and how many dials it may begin in a second.

    None leaves it to the gateways, or to the setting. The next claim keeps to it.

    Raises:
        Forbidden
    """
    actor.require(Role.MANAGER)
    (pacing,) = Pacing.lock(carrier)
    pacing.lines, pacing.calls_per_second = lines, calls_per_second
    pacing.save()
    AuditEntry.record(actor, "pacing.change", carrier, lines=lines, calls_per_second=calls_per_second)
    return pacing
