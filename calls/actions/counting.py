"""The figures of the overview: counted per day of the reader's zone, and kept.

To count the dials of half a year, a million of them, takes longer than a page may, along an index too. So
the worker counts each day once, when it is over, for the zones of those who log in. What is not counted yet,
as today, a page counts itself; this process keeps that for a minute, and the page says when it was counted.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Generic, TypeAlias, TypeVar

from django.core.cache import cache

from calls.models import Counted, DayCount, tallies
from calls.models.days import SETTLED_AFTER
from calls.models.tallies import EDGES
from campaigns.models import Campaign
from campaigns.states import CampaignStatus
from temphone.accounts.models import Mode, User
from temphone.lib.clock import from_wall, zone
from temphone.telephony.messages import Outcome

KEPT_S = 60
COUNTED_DAYS = 180  # twice the longest period that is shown
AT_ONCE = 10  # days, in a statement
MOST_CAMPAIGNS = 100  # each costs as many looks into the index as there are outcomes
DRAWN = 1_050  # dials whose lateness is looked up, as each costs a look at the call: of all days together
LEAST_DRAWN, MOST_DRAWN = 50, 150  # of a day
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally(Generic[T]):
    """One way to count days, and how what was counted is kept."""

    what: Counted
    count: Callable[[Mode, Spans, datetime], dict[date, T]]
    kept: Callable[[T], dict[str, object]]
    read: Callable[[DayCount], T]


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
    """What was dialled on each of these days, which follow each other; three queries at most."""
    return _known(DIALLED, days, mode, zone_name, now)


def lateness(days: Sequence[date], *, mode: Mode, zone_name: str, now: datetime) -> dict[date, Lateness]:
    """How late the dials of each of these days began, which follow each other; two queries at most.

    Of a day with many dials some are drawn by lot.
    """
    return _known(LATE, days, mode, zone_name, now)


def _known(tally: Tally[T], days: Sequence[date], mode: Mode, zone_name: str, now: datetime) -> dict[date, T]:
    rows = DayCount.objects.of(tally.what, mode, zone_name, days)
    known = {row.day: tally.read(row) for row in rows}
    left = [day for day in days if day not in known]
    if not left:
        return known
    key = f"overview:{tally.what}:{mode}:{zone_name}:{left[0]}:{left[-1]}"
    counted: dict[date, T] | None = cache.get(key)
    if counted is None:
        counted = tally.count(mode, _spans(days, left, zone_name), now)
        cache.set(key, counted, KEPT_S)
    return {**counted, **known}


def count_days(*, now: datetime) -> bool:
    """Count some days that are over and were not counted, the latest first; whether there may be more."""
    for zone_name in User.objects.filter(is_active=True).values_list("timezone", flat=True).distinct():
        last = (now - SETTLED_AFTER).astimezone(zone(zone_name)).date() - timedelta(days=1)
        days = days_before(last, COUNTED_DAYS)
        for mode in Mode:
            if _count(DIALLED, days, mode, zone_name, now) or _count(LATE, days, mode, zone_name, now):
                return True
    return False


def _count(tally: Tally[T], days: Sequence[date], mode: Mode, zone_name: str, now: datetime) -> bool:
    """Whether there was something to count."""
    known = set(DayCount.objects.of(tally.what, mode, zone_name, days).values_list("day", flat=True))
    left = [day for day in days if day not in known][-AT_ONCE:]
    if left:
        # Another worker may count the same: the first who writes it is right.
        DayCount.objects.bulk_create(
            (
                DayCount(
                    what=tally.what, mode=mode, zone=zone_name, day=day, counted_at=now, **tally.kept(counted)
                )
                for day, counted in tally.count(mode, _spans(days, left, zone_name), now).items()
                if day not in known
            ),
            ignore_conflicts=True,
        )
    return bool(left)


def _spans(days: Sequence[date], left: Sequence[date], zone_name: str) -> Spans:
    """From the first that is left to the last, and those between."""
    first, last = days.index(left[0]), days.index(left[-1])
    return {day: _span(day, zone_name) for day in days[first : last + 1]}


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


DIALLED: Tally[DayFigures] = Tally(
    what=Counted.DIALLED,
    count=_dialled,
    kept=lambda one: {"counts": dict(one.ended), "talk_s": one.talk_s},
    read=lambda row: DayFigures(counted_at=row.counted_at, ended=Counter(row.counts), talk_s=row.talk_s),
)
LATE: Tally[Lateness] = Tally(
    what=Counted.LATE,
    count=_late,
    kept=lambda late: {"counts": dict(late)},
    read=lambda row: Lateness({int(place): number for place, number in row.counts.items()}),
)


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
    cache.set(key, found, KEPT_S)
    return found


def _campaigns(mode: Mode) -> list[str]:
    newest = Campaign.objects.newest().filter(mode=mode).values_list("pk", flat=True)
    running = newest.filter(status=CampaignStatus.RUNNING)
    return list(dict.fromkeys([*newest[:MOST_CAMPAIGNS], *running[:MOST_CAMPAIGNS]]))
