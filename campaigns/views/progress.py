"""How far a campaign is, as its bar and its rows show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from campaigns.actions.tallies import Tally
from campaigns.models import Campaign
from campaigns.states import CampaignStatus

WIDTH = 1_000  # of the bar's drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One stretch of the bar."""

    name: str
    label: str
    count: int
    x: int
    width: int
    share: int  # per cent


def bar(*counts: tuple[str, str, int]) -> list[Part]:
    """The stretches, by name, label and count; those of nothing are left out."""
    total, before, parts = sum(count for _name, _label, count in counts), 0, []
    for name, label, count in counts:
        if count:
            x, end = WIDTH * before // total, WIDTH * (before + count) // total
            share = round(100 * count / total)
            parts.append(Part(name=name, label=label, count=count, x=x, width=max(1, end - x), share=share))
        before += count
    return parts


def in_words(parts: Sequence[Part]) -> str:
    """The bar for who cannot see it."""
    return ", ".join(f"{part.label}: {part.count}" for part in parts) or _("No calls yet")


@dataclass(frozen=True, kw_only=True)
class CampaignRow:
    """A campaign in the list."""

    campaign: Campaign
    tally: Tally

    @cached_property
    def parts(self) -> list[Part]:
        """Its bar."""
        tally = self.tally
        return bar(
            ("reached", _("Reached"), tally.reached),
            ("failed", _("Not reached"), tally.failed),
            ("canceled", _("Canceled"), tally.canceled),
            ("progress", _("In progress"), tally.in_progress),
            ("left", _("Still to call"), self.remaining),
        )

    @property
    def in_words(self) -> str:
        """Its bar for who cannot see it."""
        return in_words(self.parts)

    @property
    def unscheduled(self) -> int:
        """People whose calls are still to be scheduled."""
        campaign = self.campaign
        return max(0, campaign.launch_size - campaign.launch_made) if campaign.is_launching else 0

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
