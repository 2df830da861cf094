"""Every change to the trunks, as a verb. Each waits for the claim under way; the next one keeps to it."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from calls.actions.stop import hold_claims
from calls.models import Attempt, Price, Tariff, Trunk, TrunkKind
from calls.models.prices import UNKNOWN
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.errors import Conflict, Invalid, NotFound

SHARED = frozenset({"name", "lines", "priority"})
# What a trunk of each kind has of its own, and of that, what says to whom its secret goes.
OWN: Mapping[str, frozenset[str]] = {
    TrunkKind.SIP: frozenset({"host", "port", "transport", "user", "registers"}),
    TrunkKind.TWILIO: frozenset({"account_sid", "api_url"}),
}
GOES_TO = frozenset({"host", "api_url"})


def get_trunk(*, actor: Actor, trunk_id: str) -> Trunk:
    """The trunk.

    Raises:
        Forbidden, NotFound
    """
    actor.require(Role.ADMIN)
    trunk = Trunk.objects.filter(pk=trunk_id).first()
    if trunk is None:
        raise NotFound(f"Trunk not found: {trunk_id}.", code="trunk_not_found")
    return trunk


@transaction.atomic
def create_trunk(
    *,
    actor: Actor,
    kind: TrunkKind,
    values: Mapping[str, object],
    secret: str = "",
    tariff: Tariff | None = None,
    now: datetime,
) -> Trunk:
    """Add a trunk, switched on. ``values`` has names of SHARED and of the kind's OWN, of the right shape.

    Raises:
        Forbidden
        Invalid: another trunk has the name, or the secret is missing.
    """
    actor.require(Role.ADMIN)
    hold_claims()
    trunk = Trunk(kind=kind, created_at=now)
    _write(trunk, values, secret, now)
    _charge(trunk, tariff, now)
    AuditEntry.record(actor, "trunk.create", trunk.pk, kind=kind.value)
    return trunk


@transaction.atomic
def change_trunk(
    *,
    actor: Actor,
    trunk_id: str,
    values: Mapping[str, object],
    secret: str = "",
    tariff: Tariff | None = None,
    now: datetime,
) -> Trunk:
    """Change what ``values`` names, as in ``create_trunk``; secret and tariff stay where none is given.

    Another tariff is that of the calls from now on.

    Raises:
        Forbidden, NotFound
        Invalid: as in ``create_trunk``; or the secret of before would go to somebody else.
    """
    actor.require(Role.ADMIN)
    hold_claims()
    trunk = get_trunk(actor=actor, trunk_id=trunk_id)
    changed = {name for name, value in values.items() if getattr(trunk, name) != value}
    if changed & GOES_TO and trunk.sealed and not secret:
        raise Invalid.field("secret", "must be given again, since it would go to another address.")
    _write(trunk, values, secret, now)
    changed |= {"secret"} if secret else set()
    changed |= {"price"} if _charge(trunk, tariff, now) else set()
    fields = sorted(changed)
    AuditEntry.record(actor, "trunk.change", trunk.pk, fields=fields)
    return trunk


def _write(trunk: Trunk, values: Mapping[str, object], secret: str, now: datetime) -> None:
    if unknown := values.keys() - SHARED - OWN[trunk.kind]:
        raise ValueError(f"No fields of a trunk of this kind: {unknown}.")
    for name, value in values.items():
        setattr(trunk, name, value)
    if secret:
        trunk.secret = secret
    elif trunk.kind == TrunkKind.SIP and not trunk.user:
        trunk.sealed = ""  # it would belong to nobody
    _check(trunk)
    trunk.updated_at = now
    trunk.save()


def _charge(trunk: Trunk, tariff: Tariff | None, now: datetime) -> bool:
    """Whether it charges otherwise from now on."""
    latest = Price.objects.latest_of(trunk)
    if tariff is None or tariff == (latest.tariff if latest else UNKNOWN):
        return False
    # Who waited for the claims may have an earlier clock than whoever wrote meanwhile; the last write holds.
    since = max(now, latest.since) if latest else now
    Price.objects.create(
        trunk=trunk, since=since, per_minute=tariff.per_minute, billed_by_s=tariff.billed_by_s
    )
    return True


def _check(trunk: Trunk) -> None:
    # Who writes a trunk holds the claims, so nobody else writes one meanwhile.
    if Trunk.objects.filter(name=trunk.name).exclude(pk=trunk.pk).exists():
        raise Invalid.field("name", "must be another; a trunk has it already.")
    if trunk.kind == TrunkKind.TWILIO and not trunk.sealed:
        raise Invalid.field("secret", "must be given.")
    if trunk.kind == TrunkKind.SIP and trunk.registers and not trunk.user:
        raise Invalid.field("user", "must be given for a trunk that registers.")
    if trunk.kind == TrunkKind.SIP and trunk.user and not trunk.sealed:
        raise Invalid.field("secret", "must be given for a user.")


@transaction.atomic
def switch_trunk(*, actor: Actor, trunk_id: str, on: bool, now: datetime) -> Trunk:
    """Let the trunk carry calls, or no more: once this has returned, none begins on it. Those up go on.

    Raises:
        Forbidden, NotFound
    """
    actor.require(Role.ADMIN)
    hold_claims()
    trunk = get_trunk(actor=actor, trunk_id=trunk_id)
    if trunk.enabled != on:
        trunk.enabled, trunk.updated_at = on, now
        trunk.save(update_fields=["enabled", "updated_at"])
        AuditEntry.record(actor, "trunk.on" if on else "trunk.off", trunk.pk)
    return trunk


@transaction.atomic
def delete_trunk(*, actor: Actor, trunk_id: str) -> Trunk:
    """Forget a trunk that was never used.

    Raises:
        Forbidden, NotFound
        Conflict: calls went by it, or numbers go by it.
    """
    actor.require(Role.ADMIN)
    hold_claims()
    trunk = get_trunk(actor=actor, trunk_id=trunk_id)
    if Attempt.objects.filter(trunk=trunk).exists():
        raise Conflict(f"Calls went by the trunk {trunk}. Switch it off instead.", code="trunk_in_use")
    if trunk.numbers.exists():
        raise Conflict(
            f"Numbers go by the trunk {trunk}. Let them go by another, or remove them.", code="trunk_in_use"
        )
    AuditEntry.record(actor, "trunk.delete", trunk.pk)
    trunk.delete()
    return trunk
