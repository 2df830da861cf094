"""What happened to a call, why, and what was said. Append-only."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.models.attempt import Attempt
from calls.models.call import Call
from contacts.models import Contact


class CallEvent(models.Model):
    """One thing that happened: a change of status, or what the carrier told."""

    # No index of their own: one below begins with the call, and nobody asks by attempt.
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="events", db_index=False)
    attempt = models.ForeignKey(
        Attempt, null=True, blank=True, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    sequence = models.PositiveIntegerField(null=True, blank=True, help_text="The carrier's, per attempt.")
    name = models.CharField(max_length=30)
    from_status = models.CharField(max_length=11, blank=True)
    to_status = models.CharField(max_length=11, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["call", "id"], name="event_of_call")]

    def __str__(self) -> str:
        return self.name


class Verdict(models.TextChoices):
    """What a gate says; the strongest decides."""

    ALLOW = "allow", _("Allowed")
    WARN = "warn", _("Allowed, with a warning")
    WAIT = "wait", _("Waits")
    DEFER = "defer", _("Moved")
    BLOCK = "block", _("Blocked")


class Stage(models.TextChoices):
    """When the gates were asked."""

    CREATION = "creation", _("When it was scheduled")
    CLAIM = "claim", _("Before the dial")


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Questions that are asked of many runs of the gates."""

    def about(self, contact: Contact) -> "DecisionQuerySet":
        """Those over the calls to somebody, by the index of their calls and that of each call's decisions."""
        return self.filter(call__in=Call.objects.filter(contact=contact))


class Decision(models.Model):
    """One run of the gates over a call: what each saw and said, and which decided."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="decisions", db_index=False)
    attempt = models.ForeignKey(Attempt, null=True, blank=True, on_delete=models.PROTECT, db_index=False)
    stage = models.CharField(max_length=10, choices=Stage)
    verdict = models.CharField(max_length=5, choices=Verdict)
    rule = models.CharField(max_length=30, help_text="The gate that decided.")
    checks = models.JSONField(help_text="Per gate in order: rule, verdict, input, text.")
    at = models.DateTimeField()

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["call", "id"], name="decision_of_call")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="decision_verdict_known"),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="decision_stage_known"),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.verdict}"


class TranscriptTurn(models.Model):
    """One thing said."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="turns", db_index=False)
    sequence = models.PositiveIntegerField()
    speaker = models.CharField(max_length=6, choices=[("agent", _("Agent")), ("callee", _("Callee"))])
    text = models.TextField()
    offset_ms = models.PositiveIntegerField(help_text="After the answer.")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["attempt", "sequence"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt", "sequence"], name="turn_sequence_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.speaker} at {self.offset_ms} ms"
