"""Say where calls may go. It waits for the claim under way; the next one keeps to it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from calls.actions.stop import hold_claims
from contacts.models import CostlyKind, Destinations
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib import countries as known
from temphone.lib.errors import Conflict, Invalid


@transaction.atomic
def set_destinations(
    *,
    actor: Actor,
    countries: Collection[str],
    kinds: Collection[str],
    version: int | None = None,
    now: datetime,
) -> Destinations:
    """Let calls go to these countries alone (none: to every one), and of the costly kinds to these.

    After it returns, no new dial goes elsewhere: calls that are scheduled end as blocked when they are due.
    Calls that are up go on. ``version`` is the one that whoever changes it has seen.

    Raises:
        Forbidden
        Invalid: there is no such country, or no such kind.
        Conflict: somebody else has changed it meanwhile.
    """
    actor.require(Role.ADMIN)
    wanted = {
        "countries": _known("countries", countries, known.names("en")),
        "kinds": _known("kinds", kinds, CostlyKind.values),
    }
    hold_claims()
    before = Destinations.read()
    if version is not None and version != before.version:
        raise Conflict(
            "Where calls may go has changed meanwhile; look at it again.", code="changed_meanwhile"
        )
    changed = {name: values for name, values in wanted.items() if values != getattr(before, name)}
    if not changed:
        return before
    columns = {**wanted, "version": before.version + 1, "changed_at": now, "changed_by": actor.label}
    destinations, _ = Destinations.objects.update_or_create(pk=1, defaults=columns)
    AuditEntry.record(actor, "destinations.change", "destinations", **_differences(before, changed))
    return destinations


def _known(field: str, values: Collection[str], known_ones: Collection[str]) -> list[str]:
    """The values in order, each once."""
    if unknown := sorted(set(values) - set(known_ones)):
        which = "ISO 3166 codes such as US" if field == "countries" else f"some of {', '.join(known_ones)}"
        raise Invalid.field(field, f"must be {which}; “{unknown[0][:20]}” is none.")
    return sorted(set(values))


def _differences(before: Destinations, changed: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """What is called now that was not, and the other way round, for the audit log."""
    found: dict[str, object] = {}
    for name, values in changed.items():
        was = getattr(before, name)
        found[f"{name}_added"] = [one for one in values if one not in was]
        found[f"{name}_removed"] = [one for one in was if one not in values]
    if not changed.get("countries", ["some"]):
        found["every_country"] = True
    return {name: value for name, value in found.items() if value}
