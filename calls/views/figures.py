"""The figures of the overview: counted per day of the reader's zone, and kept for a while.

To count the dials of half a year, a million of them, takes longer than a page may, along an index too. So
what is counted of a day is kept in this process: of a day that is over for six hours, of today for a minute,
and the page says when it was counted.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TypeAlias, TypeVar

from django.core.cache import cache

from calls.models import tallies
from calls.models.tallies import EDGES
from campaigns.models import Campaign
from campaigns.states import CampaignStatus
from temphone.accounts.models import Mode
from temphone.lib.clock import from_wall
from temphone.telephony.messages import Outcome

KEPT_S, KEPT_TODAY_S = 6 * 3600, 60
MOST_CAMPAIGNS = 100  # each costs as many looks into the index as there are outcomes
DRAWN = 1_050  # dials whose lateness is looked up, as each costs a look at the call: of all days together
LEAST_DRAWN, MOST_DRAWN = 50, 150  # of a day
SETTLED_AFTER = timedelta(hours=3)  # the longest call takes two
REACHED = frozenset(
    {
        Outcome.MESSAGE_DELIVERED,
        Outcome.ANSWERED_HUMAN,
        Outcome.CALLBACK_REQUESTED,
        Outcome.TRANSFERRED,
        Outcome.OPTED_OUT,
        Outcome.MAX_DURATION,
    }
)
ANSWERED = REACHED | {Outcome.WRONG_PERSON, Outcome.MESSAGE_INCOMPLETE}
VOICEMAIL = frozenset({Outcome.VOICEMAIL_LEFT, Outcome.VOICEMAIL_HUNGUP})
UNANSWERED = frozenset({Outcome.NO_ANSWER, Outcome.BUSY})


@dataclass(slots=True, kw_only=True)
class DayFigures:
    """What was dialled on one day."""

    counted_at: datetime
    ended: Counter[str] = field(default_factory=Counter)  # by outcome
    up: int = 0
    talk_s: int = 0

    @property
    def made(self) -> int:
        """All dials."""
        return self.up + self.ended.total()

    def of(self, outcomes: Iterable[str]) -> int:
        """The dials that ended in one of these ways."""
        return sum(self.ended[outcome] for outcome in outcomes)

    @property
    def groups(self) -> dict[str, int]:
        """The ended dials by the looks of a chart."""
        known = {
            "reached": self.of(REACHED),
            "voicemail": self.of(VOICEMAIL),
            "unanswered": self.of(UNANSWERED),
        }
        return {**known, "failed": self.ended.total() - sum(known.values())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What was dialled in a period."""

    made: int
    answered: int
    ended: int
    reached: int
    talk_s: int

    @property
    def answer_rate(self) -> float | None:
        """The share that a person answered; None where none has ended."""
        return self.answered / self.ended if self.ended else None


T = TypeVar("T")
Lateness = Counter[int]  # dials by class of tallies.EDGES
Spans: TypeAlias = Mapping[date, tuple[datetime, datetime]]  # days that follow each other, and how long each
Count: TypeAlias = Callable[[Spans, datetime], dict[date, T]]


def total(days: Sequence[DayFigures]) -> Total:
    """The days together."""
    return Total(
        made=sum(day.made for day in days),
        answered=sum(day.of(ANSWERED) for day in days),
        ended=sum(day.ended.total() for day in days),
        reached=sum(day.of(REACHED) for day in days),
        talk_s=sum(day.talk_s for day in days),
    )


def days_before(today: date, count: int) -> list[date]:
    """So many days, the last of which is today."""
    return [today - timedelta(days=back) for back in range(count - 1, -1, -1)]


def midnight(day: date, zone_name: str) -> datetime:
    """When the day begins there."""
    return from_wall(datetime.combine(day, time()), zone_name)


def figures(days: Sequence[date], *, mode: Mode, zone_name: str, now: datetime) -> dict[date, DayFigures]:
    """What was dialled on each of these days, which follow each other; two queries at most."""
    return _kept(f"dialled:{mode}", days, zone_name, now, partial(_dialled, mode))


def lateness(days: Sequence[date], *, mode: Mode, zone_name: str, now: datetime) -> dict[date, Lateness]:
    """How late the dials of each of these days began, which follow each other; a query at most.

    Of a day with many dials some are drawn by lot: more of each, the fewer days there are.
    """
    return _kept(f"late:{mode}", days, zone_name, now, partial(_late, mode))


def _kept(what: str, days: Sequence[date], zone_name: str, now: datetime, count: "Count[T]") -> dict[date, T]:
    """What is counted of each day: as it was kept, or counted now from the first day that is not."""
    keys = {day: f"overview:{what}:{zone_name}:{day}" for day in days}
    kept = cache.get_many(keys.values())
    known: dict[date, T] = {day: kept[key] for day, key in keys.items() if key in kept}
    missing = [day for day in days if day not in known]
    if not missing:
        return known
    uncounted = days[days.index(missing[0]) : days.index(missing[-1]) + 1]
    counted = count({day: _span(day, zone_name) for day in uncounted}, now)
    over = {day for day in counted if midnight(day + timedelta(days=1), zone_name) <= now - SETTLED_AFTER}
    cache.set_many({keys[day]: counted[day] for day in counted if day in over}, KEPT_S)
    cache.set_many({keys[day]: counted[day] for day in counted if day not in over}, KEPT_TODAY_S)
    return {**known, **counted}


def _span(day: date, zone_name: str) -> tuple[datetime, datetime]:
    """From when to when the day lasts there."""
    return midnight(day, zone_name), midnight(day + timedelta(days=1), zone_name)


def _dialled(mode: Mode, spans: Spans, now: datetime) -> dict[date, DayFigures]:
    days, found = list(spans), {day: DayFigures(counted_at=now) for day in spans}
    for number, outcome, count, talk_s in tallies.dialled(mode, list(spans.values()), list(Outcome)):
        one = found[days[number]]
        one.talk_s += talk_s
        if count:
            one.ended[outcome] += count
    since, till = spans[days[0]][0], spans[days[-1]][1]
    begun = [since for since, _till in spans.values()]
    for at in tallies.up(mode, since, till):
        found[days[bisect_right(begun, at) - 1]].up += 1
    return found


def _late(mode: Mode, spans: Spans, _now: datetime) -> dict[date, Lateness]:
    days, found = list(spans), {day: Lateness() for day in spans}
    most = min(max(DRAWN // len(days), LEAST_DRAWN), MOST_DRAWN)
    for number, late in tallies.late(mode, list(spans.values()), most=most):
        found[days[number]][late] += 1
    return found


def percentile(late: Mapping[int, int], share: float) -> float | None:
    """The lateness in seconds that this share of the dials does not exceed, to a third of itself."""
    wanted, seen = share * sum(late.values()), 0
    for place in sorted(late):
        seen += late[place]
        if seen >= wanted:
            return float(EDGES[min(place, len(EDGES) - 1)])
    return None


def outcomes_of_campaigns(
    first: date, last: date, *, mode: Mode, zone_name: str, now: datetime
) -> dict[str, DayFigures]:
    """How the calls of the newest campaigns, and of those that run, ended in a period; kept for a minute."""
    key = f"overview:campaigns:{mode}:{zone_name}:{first}:{last}"
    known: dict[str, DayFigures] | None = cache.get(key)
    if known is not None:
        return known
    found: dict[str, DayFigures] = {}
    since, till = midnight(first, zone_name), midnight(last + timedelta(days=1), zone_name)
    campaigns = _campaigns(mode)
    for campaign, outcome, count in tallies.ended_in_campaigns(campaigns, since, till, list(Outcome)):
        found.setdefault(campaign, DayFigures(counted_at=now)).ended[outcome] += count
    cache.set(key, found, KEPT_TODAY_S)
    return found


def _campaigns(mode: Mode) -> list[str]:
    newest = Campaign.objects.newest().filter(mode=mode).values_list("pk", flat=True)
    running = newest.filter(status=CampaignStatus.RUNNING)
    return list(dict.fromkeys([*newest[:MOST_CAMPAIGNS], *running[:MOST_CAMPAIGNS]]))
