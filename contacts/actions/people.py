"""Every change to people, their consents and the numbers that must not be called, as a verb."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from django.db import transaction

from contacts.models import (
    Consent,
    ConsentKind,
    Contact,
    ImportRow,
    PhoneNumber,
    Purpose,
    Suppression,
    SuppressionReason,
)
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib import phone
from temphone.lib.clock import zone
from temphone.lib.errors import Conflict, Invalid, NotFound

EDITABLE = ("first_name", "last_name", "phone", "timezone", "language", "company", "tags", "attributes")
BAD_PHONE = "must be a valid E.164 phone number."
PREFIX = re.compile(r"\+[0-9]{1,15}")
LAST_YEAR = 3000  # what ends later no clock of every zone can show


def get_contact(contact_id: str) -> Contact:
    """The contact.

    Raises:
        NotFound: there is none, or it was erased.
    """
    contact = Contact.objects.present().filter(pk=contact_id).first()
    if contact is None:
        raise NotFound(f"Contact not found: {contact_id}.", code="contact_not_found")
    return contact


@transaction.atomic
def save_contact(
    *, actor: Actor, contact_id: str | None, values: Mapping[str, object], now: datetime
) -> Contact:
    """Make a contact (without an id), or change what ``values`` names of EDITABLE.

    Raises:
        Forbidden: that role, or a test key what live calls to the contact go by.
        NotFound
        Invalid: the phone number or the zone; or the zone is missing and the number does not imply it.
    """
    actor.require(Role.MANAGER)
    _keep_number(str(values.get("phone", "")))
    contact = _locked(contact_id) if contact_id else Contact(created_at=now, phone="", timezone="")
    before = contact.phone, contact.timezone
    for name in EDITABLE:
        if name in values:
            setattr(contact, name, values[name])
    settle(contact)
    if before != (contact.phone, contact.timezone) and actor.is_test and _has_live_call(contact):
        actor.require_live()  # it would ring elsewhere, or at another hour
    contact.save()
    action = "contact.change" if contact_id else "contact.add"
    AuditEntry.record(actor, action, contact.pk, fields=sorted(set(values) & set(EDITABLE)))
    return contact


def _has_live_call(contact: Contact) -> bool:
    return contact.calls.filter(mode="live", outcome=None).exists()


@transaction.atomic
def contact_of_own_phone(*, actor: Actor, number: str, name: str, timezone: str, now: datetime) -> Contact:
    """The contact with this number, for staff who have their own phone called; made where there is none.

    ``timezone`` counts where the number implies none. One that is made comes with the consent that they give
    by asking, unless a consent to call the number was ever recorded, refused or revoked. Of a contact that
    is there nothing changes: what was recorded of it holds for this call, too.

    Raises:
        Forbidden
        Invalid: the number.
    """
    actor.require(Role.OPERATOR)
    given = e164("phone", number)
    if known := Contact.objects.present().filter(phone=given).order_by("created_at", "id").first():
        return known
    zone_name = phone.implied_zone(given) or timezone
    _keep_number(given)
    contact = Contact.objects.create(first_name=name, phone=given, timezone=zone_name, created_at=now)
    if not Consent.objects.filter(phone=given).exists():
        Consent.objects.create(
            contact=contact,
            phone=given,
            purpose=Purpose.INFORMATIONAL,
            kind=ConsentKind.EXPRESS,
            source="own phone",
            evidence="They had their own phone called, and said that it is theirs.",
            captured_at=now,
            recorded_by=actor.signature,
        )
    AuditEntry.record(actor, "contact.add", contact.pk, own_phone=True)
    return contact


def _locked(contact_id: str) -> Contact:
    """The contact, locked as scheduling locks it: who comes second sees what the first has done."""
    Contact.objects.select_for_update(no_key=True).filter(pk=contact_id).first()
    return get_contact(contact_id)


def _keep_number(text: str) -> None:
    """See to it that the number has its row; before any contact is locked, as imports do, or both would wait.

    A text that is no number has none: it is refused where the contact is settled.
    """
    with suppress(ValueError):
        PhoneNumber.objects.bulk_create([PhoneNumber(e164=phone.to_e164(text))], ignore_conflicts=True)


def settle(contact: Contact) -> None:
    """Bring number and zone into the form in which they are kept: the rules for every contact, not saved.

    Raises:
        Invalid: the number or the zone; or the zone is missing and the number does not imply it.
    """
    contact.phone = e164("phone", contact.phone)
    contact.timezone = _zone(contact)


def e164(field: str, text: str) -> str:
    """The number as it is kept.

    Raises:
        Invalid
    """
    try:
        return phone.to_e164(text)
    except ValueError as error:
        raise Invalid.field(field, BAD_PHONE) from error


def _zone(contact: Contact) -> str:
    if not contact.timezone:
        return _implied_zone(contact.phone)
    try:
        return zone(contact.timezone).key
    except ValueError as error:
        raise Invalid.field("timezone", "must be a valid IANA timezone.") from error


def _implied_zone(number: str) -> str:
    implied = phone.implied_zone(number)
    if implied is None:
        raise Invalid.field("timezone", "must be given: the phone number does not imply one zone.")
    return implied


@transaction.atomic
def erase_contact(*, actor: Actor, contact_id: str, now: datetime) -> Contact:
    """Forget who the person is. The row stays as a tombstone, for its calls and consents to point at.

    What was recorded is the business of ``calls.actions.forgetting.erase_contact``, which everybody else
    calls.

    Raises:
        Forbidden, NotFound
        Conflict: calls to the contact are scheduled or in progress; cancel them first.
    """
    actor.require(Role.MANAGER)
    contact = _locked(contact_id)
    if contact.calls.filter(outcome=None).exists():
        raise Conflict(
            "Calls to this contact are scheduled or in progress. Cancel them first.", code="contact_has_calls"
        )
    number = contact.phone
    for name in ("first_name", "last_name", "company", "phone"):
        setattr(contact, name, "")
    contact.tags, contact.attributes, contact.erased_at = [], {}, now
    contact.save()
    ImportRow.objects.empty_of(contact, number)
    AuditEntry.record(actor, "contact.erase", contact.pk)
    return contact


@transaction.atomic
def add_consent(
    *,
    actor: Actor,
    contact_id: str,
    purpose: Purpose,
    kind: ConsentKind,
    source: str,
    evidence: str = "",
    captured_at: datetime | None = None,
    now: datetime,
) -> Consent:
    """Record that the contact agreed to calls, or expressly did not.

    Raises:
        Forbidden, NotFound
        Invalid: it would have been given in the future.
    """
    actor.require(Role.MANAGER)
    contact = get_contact(contact_id)
    if kind != ConsentKind.NONE:
        actor.require_live()
    if captured_at and captured_at > now:
        raise Invalid.field("captured_at", "must not be in the future.")
    _hold_claims_of(contact)
    consent = Consent.objects.create(
        contact=contact,
        phone=contact.phone,
        purpose=purpose,
        kind=kind,
        source=source,
        evidence=evidence,
        captured_at=captured_at or now,
        recorded_by=actor.signature,
    )
    AuditEntry.record(actor, "consent.add", contact.pk, consent=consent.pk, kind=kind, purpose=purpose)
    return consent


@transaction.atomic
def revoke_consent(*, actor: Actor, consent_id: int, how: str, now: datetime) -> Consent:
    """Record that a consent holds no more, and how that was learned.

    After it returns, no dial that needed it begins; one that began just before may ring for 10 s still.

    Raises:
        Forbidden, NotFound
        Conflict: it was revoked before.
    """
    actor.require(Role.MANAGER)
    found = Consent.objects.filter(pk=consent_id)
    consent = found.select_related("contact").first()
    if consent is None:
        raise NotFound(f"Consent not found: {consent_id}.", code="consent_not_found")
    _hold_claims_of(consent.contact)
    if not found.filter(revoked_at=None).update(revoked_at=now, revoked_how=how):
        raise Conflict(f"Consent {consent_id} was revoked already.", code="consent_revoked")
    AuditEntry.record(actor, "consent.revoke", consent.contact_id, consent=consent.pk)
    return found.get()


def _hold_claims_of(contact: Contact) -> None:
    """Let a claim that has asked for the contact's consent already go first; the next one sees the change."""
    PhoneNumber.lock({contact.phone} - {""})  # an erased contact has none


@transaction.atomic
def suppress_number(
    *,
    actor: Actor,
    number: str,
    reason: str = SuppressionReason.STAFF,
    source: str = "",
    is_prefix: bool = False,
    expires_at: datetime | None = None,
    now: datetime,
) -> Suppression:
    """Write that a number, or all that begin with a prefix, must not be called.

    An equal one in force is returned as it is. What is scheduled or rings is the business of
    ``calls.actions.suppression.suppress``, which everybody else calls.

    Raises:
        Forbidden, Invalid
    """
    actor.require(Role.OPERATOR)
    number = suppressible(number, is_prefix=is_prefix)
    if expires_at and expires_at <= now:
        raise Invalid.field("expires_at", "must be in the future.")
    if expires_at and expires_at.year > LAST_YEAR:
        raise Invalid.field("expires_at", f"must be before the year {LAST_YEAR + 1}.")
    if not is_prefix:
        PhoneNumber.lock([number])
    equal = Suppression.objects.in_force(now).filter(
        number=number, is_prefix=is_prefix, reason=reason, expires_at=expires_at
    )
    return equal.first() or _new_suppression(
        actor,
        number=number,
        reason=reason,
        source=source,
        is_prefix=is_prefix,
        expires_at=expires_at,
        created_at=now,
    )


def _new_suppression(actor: Actor, **columns: object) -> Suppression:
    suppression = Suppression.objects.create(**columns, created_by=actor.signature)
    AuditEntry.record(actor, "suppression.add", str(suppression.pk), reason=suppression.reason)
    return suppression


def suppressible(number: str, *, is_prefix: bool) -> str:
    """The number, or the beginning of numbers, as a suppression keeps it.

    Raises:
        Invalid
    """
    if not is_prefix:
        return e164("number", number)
    if not PREFIX.fullmatch(number):
        raise Invalid.field("number", "must be the beginning of an E.164 number, such as +1900.")
    return number


def get_suppression(suppression_id: int) -> Suppression:
    """The suppression, in force or not.

    Raises:
        NotFound: there is none.
    """
    suppression = Suppression.objects.filter(pk=suppression_id).first()
    if suppression is None:
        raise NotFound(f"Suppression not found: {suppression_id}.", code="suppression_not_found")
    return suppression


@transaction.atomic
def lift_suppression(*, actor: Actor, suppression_id: int, now: datetime) -> Suppression:
    """Let a number be called again; what was canceled stays so.

    Raises:
        Forbidden, NotFound
        Conflict: it was lifted before.
    """
    actor.require(Role.MANAGER)
    actor.require_live()
    found = Suppression.objects.filter(pk=suppression_id)
    won = found.filter(lifted_at=None).update(lifted_at=now, lifted_by=actor.signature)
    suppression = get_suppression(suppression_id)
    if not won:
        raise Conflict(f"Suppression {suppression_id} was lifted already.", code="suppression_lifted")
    AuditEntry.record(actor, "suppression.lift", str(suppression.pk), reason=suppression.reason)
    return suppression
