"""An attempt: one dial of a call."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from calls.models.call import Call
from calls.models.carriers import Gateway
from calls.models.trunks import Trunk
from calls.states import (
    ANALYZED_BY_CHOICES,
    ANSWERED_BY_CHOICES,
    LIVE,
    OUTCOME_CHOICES,
    OUTCOME_LABELS,
    AttemptState,
)
from campaigns.models import AgentVersion
from temphone.lib import ids
from temphone.lib.clock import now as utc_now
from temphone.telephony.messages import LegRef, Outcome


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """Reads of attempts."""

    def live(self) -> "AttemptQuerySet":
        """Those that hold a line."""
        return self.filter(state__in=LIVE)

    def overdue(self, now: datetime) -> "AttemptQuerySet":
        """Live ones of which nothing was heard by their lease."""
        return self.live().filter(lease_until__lte=now)

    def to_hang_up(self, now: datetime) -> "AttemptQuerySet":
        """Live ones that are to end, and of which the carrier was not told lately."""
        untold = Q(hang_up_again_at=None) | Q(hang_up_again_at__lte=now)
        return self.live().filter(untold, call__hang_up_requested_at__isnull=False)


class Attempt(models.Model):
    """One dial of a call; a retry is a new attempt. Its id is the carrier's idempotency key."""

    id = models.CharField(max_length=64, primary_key=True, default=ids.attempt_id, editable=False)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=AttemptState, default=AttemptState.DIALING)
    outcome = models.CharField(max_length=20, null=True, blank=True, choices=OUTCOME_CHOICES)
    answered_by = models.CharField(max_length=10, null=True, blank=True, choices=ANSWERED_BY_CHOICES)

    carrier = models.CharField(max_length=20)
    gateway = models.ForeignKey(Gateway, null=True, blank=True, on_delete=models.PROTECT, db_index=False)
    # None: the simulated network carried it.
    trunk = models.ForeignKey(Trunk, null=True, blank=True, on_delete=models.PROTECT, db_index=False)
    to = models.CharField(max_length=16, help_text="The number dialled, read from the contact at the claim.")
    caller_id = models.CharField(max_length=16)
    rendered_message = models.TextField()
    agent_version = models.ForeignKey(
        AgentVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_index=False,
        help_text="Who spoke, as they were then.",
    )

    not_after = models.DateTimeField(help_text="The leg refuses to ring after this instant.")
    lease_until = models.DateTimeField(help_text="Something must be heard of it by then.")
    sequence = models.PositiveIntegerField(default=0, help_text="Of the carrier's last event applied.")
    created_at = models.DateTimeField(default=utc_now)
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="Null: the carrier never took it.")
    ringing_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    hang_up_again_at = models.DateTimeField(
        null=True, blank=True, help_text="When to tell the carrier again."
    )
    ended_by = models.CharField(max_length=10, blank=True)
    hangup_cause = models.CharField(max_length=100, blank=True, help_text="The network's raw reason.")
    duration_s = models.PositiveIntegerField(null=True, blank=True, help_text="Answer to end.")
    evidence = models.JSONField(default=dict, blank=True)
    summary = models.TextField(blank=True)
    extracted = models.JSONField(default=dict, blank=True, help_text="What was learned, by question.")
    analyzed_by = models.CharField(max_length=5, blank=True, choices=ANALYZED_BY_CHOICES)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["call", "number"]
        indexes: ClassVar = [
            models.Index(fields=["state", "lease_until"], name="attempt_lease"),
            # For the pace, and for the latest dials of a mode, which its carriers tell.
            models.Index(fields=["carrier", "-created_at", "-id"], name="attempt_carrier_newest"),
            models.Index(fields=["to", "-created_at"], name="attempt_number_newest"),
            models.Index(fields=["-created_at", "-id"], name="attempt_newest"),
            # What the overview counts, and nothing else, so that no row is read.
            models.Index(
                fields=["carrier", "outcome", "created_at", "duration_s"],
                name="attempt_carrier_ended",
                condition=Q(outcome__isnull=False),
            ),
            models.Index(fields=["trunk"], name="attempt_trunk", condition=Q(trunk__isnull=False)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["call", "number"], name="attempt_number_unique"),
            models.UniqueConstraint(
                fields=["call"], condition=Q(state__in=LIVE), name="one_live_attempt_per_call"
            ),
            models.UniqueConstraint(
                fields=["to"], condition=Q(state__in=LIVE), name="one_live_attempt_per_number"
            ),
            models.CheckConstraint(condition=Q(state__in=AttemptState.values), name="attempt_state_known"),
            models.CheckConstraint(
                condition=Q(outcome=None) | Q(outcome__in=[outcome.value for outcome in Outcome]),
                name="attempt_outcome_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=LIVE, outcome=None) | (~Q(state__in=LIVE) & Q(outcome__isnull=False)),
                name="attempt_outcome_when_over",
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def is_live(self) -> bool:
        """Whether it holds a line."""
        return self.state in LIVE

    @property
    def outcome_label(self) -> str:
        """The outcome in plain words; empty while there is none."""
        return str(OUTCOME_LABELS[Outcome(self.outcome)]) if self.outcome else ""

    @property
    def leg(self) -> LegRef:
        """Where the carrier has it."""
        return LegRef(attempt_id=self.pk, gateway=self.gateway.ref if self.gateway else None)
