"""A call: our intent to reach a contact."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from calls.states import (
    ANSWERED_BY_CHOICES,
    FINAL,
    LIVE,
    OUTCOME_CHOICES,
    OUTCOME_LABELS,
    CallStatus,
)
from campaigns.models import Campaign
from campaigns.states import OVER, CampaignStatus
from contacts.models import Contact, Purpose
from temphone.accounts.models import ApiKey, Mode, User
from temphone.lib import ids
from temphone.lib.clock import now as utc_now
from temphone.telephony.messages import Outcome

DEFAULT_MAX_DURATION_S = 900
DEFAULT_MAX_ATTEMPTS = 3
OVERDUE_AFTER = timedelta(minutes=2)
ATTENTION_FOR = timedelta(days=14)


class CallQuerySet(models.QuerySet["Call"]):
    """Reads of calls."""

    def due(self, now: datetime) -> "CallQuerySet":
        """Calls that may be claimed now, the longest due first.

        Left out, so that they do not stand in the way of others: those of a campaign that holds its
        calls, and those whose number has a call up already.
        """
        from calls.models.attempt import Attempt

        number_in_use = Attempt.objects.filter(to=OuterRef("contact__phone"), state__in=LIVE)
        held = Q(campaign__isnull=False) & ~Q(campaign__status__in={CampaignStatus.RUNNING, *OVER})
        waiting = self.filter(status=CallStatus.SCHEDULED, due_at__lte=now)
        return waiting.exclude(held).exclude(Exists(number_in_use)).order_by("due_at", "id")

    def newest(self) -> "CallQuerySet":
        """By the time they were scheduled for, the latest first; the order of every list."""
        return self.order_by("-scheduled_at", "-id")

    def matching(self, text: str) -> "CallQuerySet":
        """The call with this id, and calls of contacts that match the text."""
        return self.filter(Q(pk=text) | Q(contact__in=Contact.objects.matching(text)))

    def needing_attention(self, now: datetime) -> "CallQuerySet":
        """Of the last days: failed, asked to be called back, or not dialled although long due."""
        overdue = Q(status=CallStatus.SCHEDULED, due_at__lt=now - OVERDUE_AFTER)
        odd = Q(status=CallStatus.FAILED) | Q(outcome=Outcome.CALLBACK_REQUESTED) | overdue
        return self.filter(odd, scheduled_at__gt=now - ATTENTION_FOR)


class Call(models.Model):
    """Our intent to reach a contact: whom, when, with what message."""

    id = models.CharField(max_length=64, primary_key=True, default=ids.call_id, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="calls")
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.PROTECT, related_name="calls"
    )
    mode = models.CharField(max_length=4, choices=Mode)
    status = models.CharField(max_length=11, choices=CallStatus, default=CallStatus.SCHEDULED)
    version = models.PositiveIntegerField(default=1)
    outcome = models.CharField(max_length=20, null=True, blank=True, choices=OUTCOME_CHOICES)
    answered_by = models.CharField(max_length=10, null=True, blank=True, choices=ANSWERED_BY_CHOICES)

    scheduled_at = models.DateTimeField(help_text="The time asked for; only a reschedule changes it.")
    due_at = models.DateTimeField(help_text="When to dial; moved by retry and defer too.")
    timezone = models.CharField(max_length=64, help_text="The zone asked for, else the contact's.")
    initial_message = models.TextField(help_text="As sent; rendered for each attempt.")
    max_duration_s = models.PositiveIntegerField(default=DEFAULT_MAX_DURATION_S)
    max_attempts = models.PositiveSmallIntegerField(default=DEFAULT_MAX_ATTEMPTS)
    caller_id = models.CharField(max_length=32, blank=True, help_text="As sent; empty: the default number.")
    metadata = models.JSONField(null=True, blank=True)
    recording_enabled = models.BooleanField(default=True)
    webhook_url = models.CharField(max_length=2048, blank=True)

    hang_up_requested_at = models.DateTimeField(null=True, blank=True, editable=False)
    events_sent = models.PositiveIntegerField(default=0, editable=False)
    created_by_key = models.ForeignKey(
        ApiKey, null=True, blank=True, on_delete=models.SET_NULL, editable=False
    )
    created_by_user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, editable=False
    )
    created_at = models.DateTimeField(default=utc_now, editable=False)
    updated_at = models.DateTimeField(default=utc_now, editable=False)

    objects = CallQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # Not partial: SQLite takes no partial index for a status that is a parameter.
            models.Index(fields=["status", "due_at", "id"], name="call_due"),
            models.Index(fields=["-scheduled_at", "-id"], name="call_newest"),
            models.Index(fields=["status", "-scheduled_at", "-id"], name="call_status_newest"),
            models.Index(fields=["contact", "-scheduled_at"], name="call_contact_newest"),
            models.Index(fields=["campaign", "-scheduled_at"], name="call_campaign_newest"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=CallStatus.values), name="call_status_known"),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="call_mode_known"),
            models.CheckConstraint(
                condition=Q(outcome=None) | Q(outcome__in=[outcome.value for outcome in Outcome]),
                name="call_outcome_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=FINAL, outcome__isnull=False)
                | (~Q(status__in=FINAL) & Q(outcome=None)),
                name="call_outcome_when_final",
            ),
            models.CheckConstraint(
                condition=Q(max_duration_s__range=(10, 7200)), name="call_duration_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in FINAL

    @property
    def purpose(self) -> str:
        """The campaign's purpose; a single call informs."""
        return self.campaign.purpose if self.campaign else Purpose.INFORMATIONAL

    @property
    def outcome_label(self) -> str:
        """The outcome in plain words; empty while there is none."""
        return OUTCOME_LABELS[Outcome(self.outcome)] if self.outcome else ""
