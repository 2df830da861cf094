"""How far a campaign is, as its bar and its rows show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from campaigns.actions.tallies import Tally
from campaigns.models import Campaign
from campaigns.states import CampaignStatus
from temphone.charts.kinds import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One stretch of the bar, and its share of the whole in per cent."""

    series: Series
    count: int
    share: int


def bar(*counts: tuple[str, str, int]) -> list[Part]:
    """The stretches, by look, label and count; those of nothing are left out."""
    total = sum(count for _look, _label, count in counts)
    return [
        Part(
            series=Series(look=look, name=label, values=[count]),
            count=count,
            share=round(100 * count / total),
        )
        for look, label, count in counts
        if count
    ]


def drawn(parts: Sequence[Part]) -> list[Series]:
    """The bar as charts draw it."""
    return [part.series for part in parts]


@dataclass(frozen=True, kw_only=True)
class CampaignRow:
    """A campaign in the list."""

    campaign: Campaign
    tally: Tally

    @cached_property
    def series(self) -> list[Series]:
        """Its bar."""
        tally = self.tally
        parts = bar(
            ("reached", _("Reached"), tally.reached),
            ("failed", _("Not reached"), tally.failed),
            ("canceled", _("Canceled"), tally.canceled),
            ("progress", _("In progress"), tally.in_progress),
            ("waiting", _("Still to call"), self.remaining),
        )
        return drawn(parts)

    @property
    def unscheduled(self) -> int:
        """People whose calls are still to be scheduled."""
        campaign = self.campaign
        return max(0, campaign.launch_size - campaign.launch_made) if campaign.is_launching else 0

    @property
    def first_ended(self) -> int:
        """How many of its first calls have ended."""
        return min(self.tally.ended, self.campaign.launch_made)

    @property
    def total(self) -> int:
        """All of its calls, those included that are still to be scheduled."""
        return self.tally.total + self.unscheduled

    @property
    def remaining(self) -> int:
        """Still to be called."""
        return self.tally.remaining + self.unscheduled

    @property
    def done(self) -> int:
        """How much of it is over, per cent."""
        return 100 * self.tally.ended // self.total if self.total else 0

    @property
    def state(self) -> str:
        """One of the pills."""
        return self.campaign.status

    @property
    def is_live(self) -> bool:
        """Whether its numbers change by themselves."""
        running = self.campaign.status in {CampaignStatus.RUNNING, CampaignStatus.SCHEDULED}
        ending = self.campaign.is_over and self.remaining > 0
        return bool(self.campaign.is_launching or self.tally.in_progress or ending) or (
            running and self.remaining > 0
        )
