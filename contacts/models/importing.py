"""Files that people come from: how far an import is, and its rows."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from contacts.models.people import Contact
from contacts.states import WORKING, ImportState, Kept, Verdict
from temphone.accounts.actors import Actor, Role
from temphone.lib import ids
from temphone.lib.clock import now as utc_now


class ContactImportQuerySet(models.QuerySet["ContactImport"]):
    """Reads of imports."""

    def due(self, now: datetime) -> "ContactImportQuerySet":
        """Those that the worker is to look at: it has rows to work on, or a file to forget."""
        return self.filter(due_at__lte=now)


class ContactImport(models.Model):
    """One file of people, and how far it is.

    ``position`` is the last row of the file that the pass under way is done with; a pass that is begun
    again, or by another worker, goes on behind it. ``due_at`` is when a worker may take it; who has taken it
    has moved that ahead, and owns the import as long as nobody else moves it.
    """

    id = models.CharField(max_length=64, primary_key=True, default=ids.import_id, editable=False)
    state = models.CharField(max_length=9, choices=ImportState, default=ImportState.MATCHING)
    problem = models.CharField(max_length=100, blank=True, help_text="Why the file could not be read.")
    filename = models.CharField(max_length=255, help_text="As whoever uploaded it calls it.")
    file = models.CharField(max_length=100, blank=True, help_text="Its name in the storage; empty: removed.")
    form = models.JSONField(default=dict, help_text="How to read the file: kind, encoding, delimiter.")
    columns = models.JSONField(default=list, help_text="Each with its name and its first values.")
    matches = models.JSONField(default=list, help_text="What each column is; empty: left out.")
    country = models.CharField(max_length=2, blank=True, help_text="Of numbers without one.")
    timezone = models.CharField(max_length=64, blank=True, help_text="Where the number implies none.")
    tag = models.CharField(max_length=50, blank=True, help_text="For all of them.")
    updates = models.BooleanField(default=True, help_text="Whether contacts that are there are updated.")

    rows = models.PositiveIntegerField(default=0, help_text="Of the file; a guess until it was checked.")
    position = models.PositiveIntegerField(default=0)
    handled = models.PositiveIntegerField(default=0, help_text="Rows that the pass under way is done with.")
    new = models.PositiveIntegerField(default=0)
    update = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    problems = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0, help_text="Of the good rows: must not be called.")
    elsewhere = models.PositiveIntegerField(
        default=0, help_text="Of the good rows: where live calls may not go."
    )
    made = models.PositiveIntegerField(default=0, help_text="Contacts that it made.")
    changed = models.PositiveIntegerField(default=0, help_text="Contacts that it changed.")
    kept = models.PositiveIntegerField(default=0, help_text="Rows that could not be undone.")

    by_id = models.CharField(max_length=64, editable=False)
    by_label = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(default=utc_now)
    began_at = models.DateTimeField(default=utc_now, help_text="When the state it is in began.")
    due_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Since a batch was last done.")

    objects = ContactImportQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="import_newest"),
            models.Index(fields=["due_at"], name="import_due", condition=Q(due_at__isnull=False)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="import_state_known"),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_working(self) -> bool:
        """Whether the worker is at it."""
        return self.state in WORKING

    @property
    def is_forgotten(self) -> bool:
        """Whether its rows are gone or going, and with them what could be undone or downloaded."""
        return not self.is_working and not self.columns

    @property
    def good(self) -> int:
        """Rows that importing acts on."""
        return self.new + self.update

    def actor(self) -> Actor:
        """Whoever asked for it, for what the worker does in their name; their role was checked then."""
        return Actor(kind="user", id=self.by_id, label=self.by_label, role=Role.MANAGER)

    @staticmethod
    def forget_at(now: datetime) -> datetime:
        """When the file and the rows of one that rests since ``now`` are removed."""
        return now + timedelta(days=settings.IMPORT_DAYS)


class ImportRowQuerySet(models.QuerySet["ImportRow"]):
    """What is done to many rows."""

    def empty_of(self, contact: Contact, number: str) -> None:
        """Keep nothing of what files say of a contact whose number is, or was, this one.

        Without a number, a row that is yet to be imported is passed over. Rows with problems have no contact,
        and are known by a number that the contact had.
        """
        theirs = dict(self.filter(contact=contact).values_list("pk", "phone"))
        numbers = {number, *theirs.values()} - {""}
        # Of rows with another contact of the same number, that one is the person.
        alone = self.filter(phone__in=numbers).values_list("pk", "contact_id")
        found = self.filter(pk__in=[*theirs, *(pk for pk, other in alone if other is None)])
        erased = [{"column": None, "value": "", "code": "erased"}]
        found.filter(verdict=Verdict.PROBLEM).update(problems=erased)
        found.update(phone="", cells=[], values={}, before=None)


class ImportRow(models.Model):
    """One row of the file: what it says, what is wrong with it, and what it did."""

    of = models.ForeignKey(ContactImport, on_delete=models.CASCADE, related_name="all_rows", db_index=False)
    number = models.PositiveIntegerField(help_text="Of the row in the file; the first is 1.")
    verdict = models.CharField(max_length=7, choices=Verdict)
    phone = models.CharField(max_length=16, blank=True, help_text="E.164.")
    cells = models.JSONField(default=list, help_text="As in the file, of rows with problems.")
    problems = models.JSONField(default=list, help_text="Each with column, value and code.")
    values = models.JSONField(default=dict, help_text="What the row says of the person.")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    is_made = models.BooleanField(default=False, help_text="Whether the row made the contact.")
    before = models.JSONField(null=True, blank=True, help_text="What it changed, as it was.")
    kept = models.CharField(max_length=9, blank=True, choices=Kept, help_text="Why it was not undone.")

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["of", "number"], name="one_row_an_import_and_number"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["of", "verdict", "number"], name="import_row_verdict"),
            models.Index(fields=["phone", "of"], name="import_row_phone"),
            models.Index(fields=["of", "number"], name="import_row_kept", condition=~Q(kept="")),
        ]

    def __str__(self) -> str:
        return f"{self.of_id}, row {self.number}"
