"""People, their consents, and the numbers that must not be called."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from temphone.accounts.models import validate_zone
from temphone.lib import ids, phone
from temphone.lib.clock import now as utc_now

LIKE_A_NUMBER = re.compile(r"[+(]*[0-9][0-9().-]*")


def validate_phone(text: str) -> None:
    """Refuse what is no E.164 number."""
    try:
        phone.to_e164(text)
    except ValueError as error:
        raise ValidationError("Enter an international phone number, such as +1 415 555 0100.") from error


class PhoneNumber(models.Model):
    """A number that we may dial. Its row is the lock that a dial and an opt-out both take."""

    e164 = models.CharField(max_length=16, primary_key=True)

    def __str__(self) -> str:
        return self.e164

    @classmethod
    def lock(cls, numbers: Collection[str]) -> None:
        """Lock the rows of these numbers, in a fixed order, until the transaction ends."""
        wanted = sorted(set(numbers))
        locked = PhoneNumber.objects.select_for_update().filter(pk__in=wanted).order_by("pk").values("pk")
        if len(locked) < len(wanted):
            missing = [PhoneNumber(e164=number) for number in wanted]
            PhoneNumber.objects.bulk_create(missing, ignore_conflicts=True)
            list(locked.all())


class ContactQuerySet(models.QuerySet["Contact"]):
    """Reads of contacts."""

    def present(self) -> "ContactQuerySet":
        """Contacts that were not erased."""
        return self.filter(erased_at=None)

    def matching(self, text: str) -> "ContactQuerySet":
        """Contacts whose name, company, number or id holds each of the words."""
        found = self
        for word in text.split():
            match = Q(first_name__icontains=word) | Q(last_name__icontains=word)
            match |= Q(company__icontains=word) | Q(pk=word)
            if LIKE_A_NUMBER.fullmatch(word):
                match |= Q(phone__contains="".join(filter(str.isdigit, word)))
            found = found.filter(match)
        return found


class Contact(models.Model):
    """A person whom we may call."""

    id = models.CharField(max_length=64, primary_key=True, default=ids.contact_id, editable=False)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=16, validators=[validate_phone], db_index=True, help_text="E.164.")
    timezone = models.CharField(max_length=64, validators=[validate_zone], help_text="Such as Europe/Madrid.")
    language = models.CharField(max_length=10, default="en")
    company = models.CharField(max_length=200, blank=True)
    tags = models.JSONField(default=list, blank=True)
    attributes = models.JSONField(default=dict, blank=True, help_text="Usable in messages.")
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=utc_now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["last_name", "first_name", "id"]
        indexes: ClassVar = [
            models.Index(fields=["last_name", "first_name", "id"], name="contact_name"),
            models.Index(fields=["-created_at", "-id"], name="contact_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """How staff see the person."""
        return f"{self.first_name} {self.last_name}".strip() or phone.for_people(self.phone) or self.id


class Purpose(models.TextChoices):
    """Why we call; marketing needs written consent."""

    INFORMATIONAL = "informational", "Informational"
    MARKETING = "marketing", "Marketing"


class ConsentKind(models.TextChoices):
    """How consent was given."""

    NONE = "none", "None"
    EXPRESS = "express", "Express"
    WRITTEN = "written", "Written"


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Reads of consents."""

    def in_force(self, now: datetime) -> "ConsentQuerySet":
        """Recorded by ``now`` and not revoked, the newest first; among them those that say there is none."""
        return self.filter(captured_at__lte=now, revoked_at=None).order_by("-captured_at", "-id")


class Consent(models.Model):
    """One consent, or its express absence. Append-only; a revocation is set once."""

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="consents")
    phone = models.CharField(max_length=16)
    purpose = models.CharField(max_length=15, choices=Purpose)
    kind = models.CharField(max_length=10, choices=ConsentKind)
    source = models.CharField(max_length=100, help_text="Where it was given, such as web form.")
    evidence = models.TextField(blank=True)
    captured_at = models.DateTimeField(default=utc_now)
    recorded_by = models.CharField(max_length=150, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_how = models.CharField(max_length=100, blank=True, editable=False)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-captured_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="consent_purpose_known"),
            models.CheckConstraint(condition=Q(kind__in=ConsentKind.values), name="consent_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} consent, {self.purpose}"

    def covers(self, purpose: str) -> bool:
        """Whether it suffices for a call of this purpose."""
        if purpose == Purpose.MARKETING:
            return self.purpose == Purpose.MARKETING and self.kind == ConsentKind.WRITTEN
        return self.kind != ConsentKind.NONE


class SuppressionReason(models.TextChoices):
    """Why a number must not be called."""

    OPTED_OUT = "opted_out", "Opted out"
    STAFF = "staff", "Added by staff"
    WRONG_PERSON = "wrong_person", "Wrong person"
    COMPLAINT = "complaint", "Complaint"
    IMPORTED = "imported", "Imported"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    """Reads of suppressions."""

    def in_force(self, now: datetime) -> "SuppressionQuerySet":
        """Neither lifted nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), lifted_at=None)

    def covering(self, numbers: Collection[str]) -> "SuppressionQuerySet":
        """Those for one of the numbers, and all for prefixes: ask ``covers`` of each."""
        # Written so that SQLite looks each half up in its own index: a bare boolean column has none.
        return self.filter(Q(number__in=numbers) | Q(is_prefix__in=[True])).order_by()


class Suppression(models.Model):
    """A number, or every number with a prefix, that must not be called."""

    number = models.CharField(max_length=16, db_index=True, help_text="E.164, or its beginning.")
    is_prefix = models.BooleanField(default=False)
    reason = models.CharField(max_length=15, choices=SuppressionReason, default=SuppressionReason.STAFF)
    source = models.CharField(max_length=100, blank=True, help_text="Such as call call_1j2kd9.")
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(default=utc_now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True, editable=False)
    lifted_by = models.CharField(max_length=150, blank=True, editable=False)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="suppression_newest"),
            models.Index(fields=["is_prefix", "number"], name="suppression_prefix"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(reason__in=SuppressionReason.values), name="suppression_reason_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}{'…' if self.is_prefix else ''}"

    def covers(self, number: str) -> bool:
        """Whether it forbids this number."""
        return number.startswith(self.number) if self.is_prefix else number == self.number
