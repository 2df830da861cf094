"""When each call of a campaign is due: within its window on the contact's own clock, at its pace."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from django.conf import settings

from campaigns.models import Campaign
from temphone.lib.clock import from_wall, zone

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The pace counts over all zones together: the n-th call has its minute, whoever it is to."""

    since: datetime  # nothing is due before
    starts_on: date | None
    opens: time
    closes: time
    per_minute: int | None  # None: all when the window opens

    @classmethod
    def of(cls, campaign: Campaign, *, now: datetime) -> "Plan":
        """The campaign's, as from the instant at which it was launched, or would be."""
        opens, closes = campaign.window or settings.CALLING_HOURS
        return cls(
            since=campaign.plan_since or now,
            starts_on=campaign.starts_on,
            opens=opens,
            closes=closes,
            per_minute=campaign.calls_per_minute,
        )

    def due(self, place: int, zone_name: str) -> datetime:
        """When the call in this place of the row is due, if it is to somebody in this zone."""
        begin = _begin(self, zone_name)
        minutes = place // self.per_minute if self.per_minute else 0
        left = _minutes(begin.time(), self.closes)
        if minutes < left:
            return from_wall(begin + minutes * MINUTE, zone_name)
        days, rest = divmod(minutes - left, _minutes(self.opens, self.closes))
        day = begin.date() + timedelta(days=days + 1)
        return from_wall(datetime.combine(day, self.opens) + rest * MINUTE, zone_name)


@lru_cache(maxsize=2_000)
def _begin(plan: Plan, zone_name: str) -> datetime:
    """The wall time there at which the first minute begins."""
    local = plan.since.astimezone(zone(zone_name)).replace(tzinfo=None)
    soon = local.replace(second=0, microsecond=0) + MINUTE
    if plan.starts_on and plan.starts_on > soon.date():
        return datetime.combine(plan.starts_on, plan.opens)
    if soon.time() < plan.opens:
        return datetime.combine(soon.date(), plan.opens)
    if soon.time() < plan.closes:
        return soon
    return datetime.combine(soon.date() + timedelta(days=1), plan.opens)


def _minutes(start: time, end: time) -> int:
    return (end.hour - start.hour) * 60 + end.minute - start.minute
