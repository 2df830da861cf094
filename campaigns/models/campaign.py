"""A campaign: calls that belong together, held and let go as one."""

from datetime import time
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from campaigns.models.agents import Agent
from campaigns.models.audience import Audience
from campaigns.states import OVER, CampaignStatus
from contacts.models import Purpose
from temphone.accounts.models import Mode, User
from temphone.lib import ids
from temphone.lib.clock import now as utc_now

DEFAULT_TRIES = 3
LAUNCHING = Q(launch_asked_at__isnull=False, launch_ended_at=None)
# The first calls are made, and nobody has let the launch go on.
WAITS_TO_GO_ON = Q(first_calls__gt=0, launch_let_on_at=None, launch_made__gte=F("first_calls"))


class CampaignQuerySet(models.QuerySet["Campaign"]):
    """Reads of campaigns."""

    def newest(self) -> "CampaignQuerySet":
        """The latest made first."""
        return self.order_by("-created_at", "-id")

    def launching(self) -> "CampaignQuerySet":
        """Those whose calls are being scheduled, and nothing is in the way; in no order."""
        return self.filter(LAUNCHING, ~WAITS_TO_GO_ON, launch_problem="").order_by()

    def needing_somebody(self) -> "CampaignQuerySet":
        """Those whose launch goes on no further until somebody has looked, the latest made first."""
        return self.filter(LAUNCHING, WAITS_TO_GO_ON | ~Q(launch_problem="")).newest()


class Campaign(models.Model):
    """Calls that belong together."""

    id = models.CharField(max_length=64, primary_key=True, default=ids.campaign_id, editable=False)
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=CampaignStatus, default=CampaignStatus.RUNNING)
    mode = models.CharField(max_length=4, choices=Mode, default=Mode.TEST)
    purpose = models.CharField(max_length=15, choices=Purpose, default=Purpose.INFORMATIONAL)
    agent = models.ForeignKey(
        Agent,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="campaigns",
        db_index=False,
        help_text="Who speaks; empty: the default agent.",
    )

    # What a launch makes calls of. A campaign of programs, which schedule its calls one by one, has none.
    message = models.TextField(blank=True)
    audience = models.JSONField(default=dict, blank=True)
    starts_on = models.DateField(null=True, blank=True, help_text="The contact's day; empty: at once.")
    opens = models.TimeField(null=True, blank=True, help_text="The contact's clock; empty: calling hours.")
    closes = models.TimeField(null=True, blank=True)
    calls_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: all at once.")
    caller_id = models.CharField(max_length=32, blank=True, help_text="As typed; empty: the default number.")
    recording_enabled = models.BooleanField(default=True)
    max_attempts = models.PositiveSmallIntegerField(default=DEFAULT_TRIES)
    first_calls = models.PositiveSmallIntegerField(
        default=0, help_text="The others are scheduled once somebody has looked at so many; 0: all at once."
    )

    # How far its launch is: batches of people by id, each noted in the transaction that makes its calls.
    launch_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    launch_ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    launch_size = models.PositiveIntegerField(default=0, editable=False, help_text="People, when it began.")
    launch_made = models.PositiveIntegerField(default=0, editable=False, help_text="Calls so far.")
    launch_after = models.CharField(max_length=64, blank=True, editable=False, help_text="The last contact.")
    plan_since = models.DateTimeField(null=True, blank=True, editable=False, help_text="The pace begins.")
    plan_from = models.PositiveIntegerField(
        default=0, editable=False, help_text="With which of its calls; those before were planned earlier."
    )
    launch_let_on_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Somebody had looked at the first calls."
    )
    launch_problem = models.TextField(blank=True, editable=False, help_text="Why it goes on no further.")
    launched_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, editable=False, db_index=False
    )

    version = models.PositiveIntegerField(
        default=1, editable=False, help_text="How often it was written: a form knows which one it shows."
    )
    created_at = models.DateTimeField(default=utc_now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="campaign_newest"),
            models.Index(fields=["status", "-created_at", "-id"], name="campaign_status_newest"),
            models.Index(fields=["launch_asked_at"], name="campaign_launching", condition=LAUNCHING),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=CampaignStatus.values), name="campaign_status_known"
            ),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="campaign_mode_known"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="campaign_purpose_known"),
            models.CheckConstraint(
                condition=Q(opens=None, closes=None) | Q(opens__lt=F("closes")), name="campaign_window_open"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def window(self) -> tuple[time, time] | None:
        """The wall times between which its people are called; None: the calling hours."""
        return (self.opens, self.closes) if self.opens and self.closes else None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be dialled."""
        return self.status in OVER

    @property
    def is_draft(self) -> bool:
        """Whether it may still be edited."""
        return self.status == CampaignStatus.DRAFT

    @property
    def is_launching(self) -> bool:
        """Whether its calls are being scheduled."""
        return self.launch_asked_at is not None and self.launch_ended_at is None

    @property
    def waits_to_go_on(self) -> bool:
        """Whether its first calls are made, and the others wait until somebody has looked at them."""
        return self.is_launching and self.launch_made >= self.first_calls > 0 and not self.launch_let_on_at

    @property
    def whom(self) -> Audience:
        """Whom it calls."""
        return Audience.read(self.audience)
