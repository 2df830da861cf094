"""Every change to the numbers that calls are made from, as a verb."""

from datetime import datetime

from django.db import transaction

from calls.actions.stop import hold_claims
from calls.actions.trunks import get_trunk
from calls.models import Number
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.errors import Conflict, Invalid, NotFound
from temphone.lib.phone import to_e164


def get_number(*, actor: Actor, number_id: str) -> Number:
    """The number.

    Raises:
        Forbidden, NotFound
    """
    actor.require(Role.ADMIN)
    number = Number.objects.select_related("trunk").filter(pk=number_id).first()
    if number is None:
        raise NotFound(f"Number not found: {number_id}.", code="number_not_found")
    return number


@transaction.atomic
def add_number(
    *, actor: Actor, number: str, name: str = "", trunk_id: str | None = None, now: datetime
) -> Number:
    """Add a number that calls may be made from; the first becomes the default.

    Raises:
        Forbidden
        NotFound: there is no such trunk.
        Invalid: it is no phone number, or ours already.
    """
    actor.require(Role.ADMIN)
    hold_claims()
    try:
        e164 = to_e164(number)
    except ValueError as error:
        raise Invalid.field("number", "must be a valid E.164 phone number.") from error
    if Number.objects.filter(e164=e164).exists():
        raise Invalid.field("number", "must be another; this one is there already.")
    trunk = get_trunk(actor=actor, trunk_id=trunk_id) if trunk_id else None
    is_first = not Number.objects.exists()
    added = Number.objects.create(
        e164=e164, name=name, trunk=trunk, is_default=is_first, created_at=now, updated_at=now
    )
    AuditEntry.record(actor, "number.add", added.pk)
    return added


@transaction.atomic
def change_number(*, actor: Actor, number_id: str, name: str, trunk_id: str | None, now: datetime) -> Number:
    """Call it by another name, or let its calls go by another trunk; None: by any.

    Raises:
        Forbidden, NotFound
    """
    actor.require(Role.ADMIN)
    hold_claims()
    number = get_number(actor=actor, number_id=number_id)
    number.trunk = get_trunk(actor=actor, trunk_id=trunk_id) if trunk_id else None
    number.name, number.updated_at = name, now
    number.save(update_fields=["name", "trunk", "updated_at"])
    AuditEntry.record(actor, "number.change", number.pk, trunk=trunk_id)
    return number


@transaction.atomic
def make_default(*, actor: Actor, number_id: str, now: datetime) -> Number:
    """Let calls that name no number show this one.

    Raises:
        Forbidden, NotFound
    """
    actor.require(Role.ADMIN)
    hold_claims()
    number = get_number(actor=actor, number_id=number_id)
    Number.objects.filter(is_default=True).update(is_default=False)
    number.is_default, number.updated_at = True, now
    number.save(update_fields=["is_default", "updated_at"])
    AuditEntry.record(actor, "number.default", number.pk)
    return number


@transaction.atomic
def remove_number(*, actor: Actor, number_id: str) -> Number:
    """Call from it no more. Calls that ask for it wait, and say so.

    Raises:
        Forbidden, NotFound
        Conflict: it is the default, and there are others.
    """
    actor.require(Role.ADMIN)
    hold_claims()
    number = get_number(actor=actor, number_id=number_id)
    if number.is_default and Number.objects.exclude(pk=number.pk).exists():
        raise Conflict(
            "This is the default number. Make another the default first.", code="number_is_default"
        )
    AuditEntry.record(actor, "number.remove", number.pk)
    number.delete()
    return number
