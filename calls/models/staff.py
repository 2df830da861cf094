"""What staff add to calls: notes, outcomes by hand, and changes of many at once."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.models.call import Call
from calls.states import MARKABLE, MARKABLE_CHOICES, OUTCOME_LABELS
from temphone.accounts.models import User
from temphone.lib.clock import now as utc_now
from temphone.telephony.messages import Outcome

LONGEST_NOTE = 2_000


class Note(models.Model):
    """What somebody wrote about a call. Append-only."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="notes", db_index=False)
    text = models.CharField(max_length=LONGEST_NOTE)
    by = models.CharField(max_length=150, help_text="As the audit log names them.")
    at = models.DateTimeField(default=utc_now)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["call", "id"], name="note_of_call")]

    def __str__(self) -> str:
        return f"by {self.by}"


class Mark(models.Model):
    """How a call ended, as a person says; beside what the carrier told, never instead. Append-only.

    The latest of a call counts.
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="marks", db_index=False)
    outcome = models.CharField(max_length=20, choices=MARKABLE_CHOICES)
    by = models.CharField(max_length=150, help_text="As the audit log names them.")
    at = models.DateTimeField(default=utc_now)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["call", "id"], name="mark_of_call")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(outcome__in=[outcome.value for outcome in MARKABLE]), name="mark_known"
            ),
        ]

    def __str__(self) -> str:
        return self.outcome

    @property
    def outcome_label(self) -> str:
        """The outcome in plain words."""
        return str(OUTCOME_LABELS[Outcome(self.outcome)])


def mark_of(call: Call) -> Mark | None:
    """How the call ended as a person said last; its marks and attempts prefetched.

    What was said of a dial that had another after it counts no more.
    """
    marks, dials = list(call.marks.all()), list(call.attempts.all())
    return marks[-1] if marks and not any(dial.created_at > marks[-1].at for dial in dials) else None


class Verb(models.TextChoices):
    """What is done to many calls at once."""

    CANCEL = "cancel", _("Cancel")
    MOVE = "move", _("Move")
    AGAIN = "again", _("Call again")
    SEEN = "seen", _("Mark as seen")


class RunQuerySet(models.QuerySet["Run"]):
    """Reads of runs."""

    def unfinished(self) -> "RunQuerySet":
        """Those with calls left, the oldest first."""
        return self.filter(finished_at=None).order_by("created_at", "id")


class Run(models.Model):
    """One change of many calls, done in the background. Which calls, is fixed when it begins."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    verb = models.CharField(max_length=6, choices=Verb)
    when = models.JSONField(default=dict, help_text="For what brings calls to another time: which.")
    calls = models.JSONField(help_text="Their ids, in order.")
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0, help_text="How many were looked at, in order.")
    changed = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=dict, help_text="Why the others were not, and how many.")
    created_at = models.DateTimeField(default=utc_now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["created_at", "id"], name="run_left", condition=Q(finished_at=None))
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(verb__in=Verb.values), name="run_verb_known"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.total} calls"

    @property
    def unchanged(self) -> int:
        """How many were looked at and left as they are."""
        return self.done - self.changed
