"""People, their consents, and the numbers that must not be called."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from temphone.accounts.models import validate_zone
from temphone.lib import ids, phone, words
from temphone.lib.clock import now as utc_now
from temphone.said import in_english

MOST_FOUND = 1_000  # people that a search looks at
LONGEST_TAG = 100
# Generic for the type checker alone.
if TYPE_CHECKING:
    CharField = models.CharField[str, str]
else:
    CharField = models.CharField

AFTER_ALL = "\U0010ffff"  # sorts behind every character of a word


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

    def matching(self, text: str, *, most: int = MOST_FOUND) -> "ContactQuerySet":
        """The contact with this id, or contacts of whom a word begins so for each word of the text.

        Words are those of name and company; of digits, the beginning or the end of the number is meant.
        Looks the contacts up at once, ``most`` at most, those first whose word comes first: whoever
        wants others types a letter more. So it costs the same however many there are.
        """
        text = text.strip()
        if not text:
            return self
        if text.startswith(ids.CONTACT):
            return self.filter(pk=text)
        return self.filter(pk__in=ContactWord.objects.search(text, most=most))

    def with_tag(self, tag: str) -> "ContactQuerySet":
        """Those who have the tag; along its index, which has them by id."""
        return self.filter(tagged__tag=tag)

    def with_tag_by_name(self, tag: str) -> "ContactQuerySet":
        """The same for a list by name: of a tag that many have, the next by name are found at once."""
        rows = ContactTag.objects.filter(tag=tag)
        if rows[: MOST_FOUND + 1].count() <= MOST_FOUND:
            return self.with_tag(tag)
        return self.filter(Exists(rows.filter(contact=OuterRef("pk"))))

    def bulk_create(self, objs: Iterable["Contact"], *args: Any, **options: Any) -> list["Contact"]:
        """Also make their words and the rows of their tags."""
        with transaction.atomic(using=self.db):
            made = super().bulk_create(objs, *args, **options)
            ContactWord.write(made)
            ContactTag.write(made)
        return made


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

    @transaction.atomic
    def save(self, **options: Any) -> None:
        """Also write the words and tags by which it is found, where they have changed."""
        is_new = self._state.adding
        super().save(**options)
        kept = set() if is_new else set(self.words.values_list("word", flat=True))
        if kept != self.searched():
            self.words.all().delete()
            ContactWord.write([self])
        kept = set() if is_new else set(self.tagged.values_list("tag", flat=True))
        if kept != self.tagged_with():
            self.tagged.all().delete()
            ContactTag.write([self])

    def searched(self) -> set[str]:
        """The words by which it is found."""
        return words.words_of(self.first_name, self.last_name, self.company) | words.words_of_number(
            self.phone
        )

    def tagged_with(self) -> set[str]:
        """The tags, each once, as far as an index keeps them."""
        return {str(tag)[:LONGEST_TAG] for tag in self.tags}

    @property
    def name(self) -> str:
        """How staff see the person."""
        return f"{self.first_name} {self.last_name}".strip() or phone.for_people(self.phone) or self.id


class WordField(CharField):
    """Text that is compared by code points, so that an index has those that begin alike side by side."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """With the collation that PostgreSQL needs for it; SQLite compares so anyway."""
        collation = "C" if connection.vendor == "postgresql" else None
        return {**super().db_parameters(connection), "collation": collation}


class ContactWordQuerySet(models.QuerySet["ContactWord"]):
    """Reads of words."""

    def beginning(self, *beginnings: str) -> "ContactWordQuerySet":
        """Words that begin with one of these."""
        ranges = [Q(word__gte=text, word__lt=text + AFTER_ALL) for text in beginnings]
        return self.filter(Q.create(list(ranges), connector=Q.OR))

    def search(self, text: str, *, most: int) -> list[str]:
        """The ids of the first ``most`` contacts that have for each word of the text one that begins so."""
        terms = words.sought(text)
        if not terms:
            return []
        longest, *others = sorted(terms, key=lambda term: -len(term[0]))
        found = self.order_by("word", "contact_id")
        for term in others:
            same = ContactWord.objects.filter(contact=OuterRef("contact"))
            found = found.filter(Exists(same.beginning(*term)))
        # One by one: of each, the index gives the first without reading the rest.
        each = [found.beginning(text).values_list("contact", flat=True)[:most] for text in longest]
        return list(dict.fromkeys(chain.from_iterable(each)))[:most]


class ContactWord(models.Model):
    """One word by which a contact is found; the search reads these alone, never the contacts' own text.

    They are written wherever a contact is saved. No trigger does it: SQLite drops a table's triggers when
    a later migration makes the table anew.
    """

    pk = models.CompositePrimaryKey("word", "contact")
    word = WordField(max_length=words.MAX_WORD)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="words", db_index=False)

    objects = ContactWordQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["contact", "word"], name="word_of_contact")]

    def __str__(self) -> str:
        return self.word

    @classmethod
    def write(cls, contacts: Iterable[Contact]) -> None:
        """Write the words of contacts that have none yet."""
        _insert(cls, (cls(word=word, contact=one) for one in contacts for word in sorted(one.searched())))


class ContactTag(models.Model):
    """One tag of a contact, so that an index finds who has it; written as their words are."""

    pk = models.CompositePrimaryKey("tag", "contact")
    tag = models.CharField(max_length=LONGEST_TAG)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="tagged", db_index=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["contact", "tag"], name="tag_of_contact")]

    def __str__(self) -> str:
        return self.tag

    @classmethod
    def write(cls, contacts: Iterable[Contact]) -> None:
        """Write the tags of contacts that have none yet."""
        _insert(cls, (cls(tag=tag, contact=one) for one in contacts for tag in sorted(one.tagged_with())))


def _insert(model: type[models.Model], rows: Iterator[models.Model]) -> None:
    while batch := list(islice(rows, 1_000)):
        model._default_manager.bulk_create(batch, ignore_conflicts=True)


class Purpose(models.TextChoices):
    """Why we call; marketing needs written consent."""

    INFORMATIONAL = "informational", _("Informational")
    MARKETING = "marketing", _("Marketing")


class ConsentKind(models.TextChoices):
    """How consent was given."""

    NONE = "none", pgettext_lazy("consent", "None")
    EXPRESS = "express", _("Express")
    WRITTEN = "written", _("Written")


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
        return f"{in_english(ConsentKind(self.kind).label)} consent, {self.purpose}"

    def covers(self, purpose: str) -> bool:
        """Whether it suffices for a call of this purpose."""
        if purpose == Purpose.MARKETING:
            return self.purpose == Purpose.MARKETING and self.kind == ConsentKind.WRITTEN
        return self.kind != ConsentKind.NONE


class SuppressionReason(models.TextChoices):
    """Why a number must not be called."""

    OPTED_OUT = "opted_out", _("Opted out")
    STAFF = "staff", _("Added by staff")
    WRONG_PERSON = "wrong_person", _("Wrong person")
    COMPLAINT = "complaint", _("Complaint")
    IMPORTED = "imported", pgettext_lazy("number", "Imported")


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    """Reads of suppressions."""

    def in_force(self, now: datetime) -> "SuppressionQuerySet":
        """Neither lifted nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), lifted_at=None)

    def covering(self, numbers: Collection[str]) -> "SuppressionQuerySet":
        """Those for one of the numbers, and all for prefixes: ask ``covers`` of each."""
        # Written so that SQLite looks each half up in its own index: a bare boolean column has none.
        return self.filter(Q(number__in=numbers) | Q(is_prefix__in=[True])).order_by()

    def over(self, now: datetime) -> "SuppressionQuerySet":
        """Lifted, or expired."""
        return self.filter(Q(lifted_at__isnull=False) | Q(expires_at__lte=now))

    def canceling(self, now: datetime) -> "SuppressionQuerySet":
        """Those of which scheduled calls are left to be canceled."""
        return self.filter(canceling_since__lte=now)

    def about(self, digits: str) -> "list[SuppressionQuerySet]":
        """Those of numbers that begin with these digits, and prefixes that cover all of these; in parts.

        The parts share none, and the index of numbers gives each.
        """
        beginning = self.filter(number__gte=f"+{digits}")
        after = str(int(digits) + 1).zfill(len(digits))
        if len(after) == len(digits):  # else there is nothing behind, as with 99
            beginning = beginning.filter(number__lt=f"+{after}")
        shorter = [f"+{digits[:length]}" for length in range(1, len(digits))]
        return [beginning, self.filter(is_prefix=True, number__in=shorter)]

    def covered(self, numbers: Collection[str], now: datetime) -> frozenset[str]:
        """Which of the numbers must not be called; no query when there are none."""
        found = list(self.in_force(now).covering(numbers)) if numbers else []
        return frozenset(number for number in numbers if any(one.covers(number) for one in found))


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
    canceling_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Scheduled calls are left to be canceled."
    )

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="suppression_newest"),
            models.Index(fields=["is_prefix", "number"], name="suppression_prefix"),
            models.Index(
                fields=["canceling_since"],
                name="suppression_canceling",
                condition=Q(canceling_since__isnull=False),
            ),
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
