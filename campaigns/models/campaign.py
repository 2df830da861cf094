"""A campaign: calls that belong together, held and let go as one."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from campaigns.models.agents import Agent
from campaigns.states import CampaignStatus
from contacts.models import Purpose
from temphone.accounts.models import Mode
from temphone.lib import ids
from temphone.lib.clock import now as utc_now


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
    created_at = models.DateTimeField(default=utc_now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["-created_at", "-id"], name="campaign_newest")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=CampaignStatus.values), name="campaign_status_known"
            ),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="campaign_mode_known"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="campaign_purpose_known"),
        ]

    def __str__(self) -> str:
        return self.name
