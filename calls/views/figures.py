"""The figures of the overview: counted per day of the reader's zone, and kept for a while.

To count the dials of three months among a million reads a quarter of a million rows, which takes longer than
a page may. So what is counted of a day is kept in this process: of a day that is over for six hours, of
today for a minute, and the page says when it was counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias, TypeVar

from django.core.cache import cache

from calls.models import tallies
from calls.models.tallies import EDGES
from temphone.lib.clock import from_wall, zone
from temphone.telephony.messages import Outcome

KEPT_S, KEPT_TODAY_S = 6 * 3600, 60
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
Lateness: TypeAlias = Counter[int]  # dials by class of tallies.EDGES
Count: TypeAlias = Callable[["Span", datetime], dict[date, T]]


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


def figures(days: Sequence[date], *, zone_name: str, now: datetime) -> dict[date, DayFigures]:
    """What was dialled on each of these days, which follow each other; a query at most."""
    return _kept("dialled", days, zone_name, now, _dialled)


def lateness(days: Sequence[date], *, zone_name: str, now: datetime) -> dict[date, Lateness]:
    """How late the dials of each of these days began, which follow each other; a query at most."""
    return _kept("late", days, zone_name, now, _late)


def _kept(what: str, days: Sequence[date], zone_name: str, now: datetime, count: "Count[T]") -> dict[date, T]:
    """What is counted of each day: as it was kept, or counted now from the first day that is not."""
    keys = {day: f"overview:{what}:{zone_name}:{day}" for day in days}
    kept = cache.get_many(keys.values())
    known: dict[date, T] = {day: kept[key] for day, key in keys.items() if key in kept}
    missing = [day for day in days if day not in known]
    if not missing:
        return known
    counted = count(Span.of(missing[0], missing[-1], zone_name), now)
    over = {day for day in counted if midnight(day + timedelta(days=1), zone_name) <= now - SETTLED_AFTER}
    cache.set_many({keys[day]: counted[day] for day in counted if day in over}, KEPT_S)
    cache.set_many({keys[day]: counted[day] for day in counted if day not in over}, KEPT_TODAY_S)
    return {**known, **counted}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days of a zone, and the hours of which they are made."""

    days: Sequence[date]
    zone_name: str
    start: datetime
    end: datetime
    shift_s: int

    @classmethod
    def of(cls, first: date, last: date, zone_name: str) -> "Span":
        """From the first day to the last."""
        start = midnight(first, zone_name)
        return cls(
            days=[first + timedelta(days=ahead) for ahead in range((last - first).days + 1)],
            zone_name=zone_name,
            start=start,
            end=midnight(last + timedelta(days=1), zone_name),
            shift_s=_shift_s(start, zone_name),
        )

    def day(self, hour: int) -> date:
        """The day in which an hour of ``tallies`` lies."""
        begun = datetime.fromtimestamp(hour * 3600 - self.shift_s, UTC)
        return begun.astimezone(zone(self.zone_name)).date()


def _dialled(span: Span, now: datetime) -> dict[date, DayFigures]:
    found = {day: DayFigures(counted_at=now) for day in span.days}
    for hour, outcome, number, talk_s in tallies.dialled(span.start, span.end, shift_s=span.shift_s):
        one = found[span.day(hour)]
        one.talk_s += talk_s
        if outcome:
            one.ended[outcome] += number
        else:
            one.up += number
    return found


def _late(span: Span, _now: datetime) -> dict[date, Lateness]:
    found: dict[date, Lateness] = {day: Counter() for day in span.days}
    for hour, late, number in tallies.late(span.start, span.end, shift_s=span.shift_s):
        found[span.day(hour)][late] += number
    return found


def _shift_s(moment: datetime, zone_name: str) -> int:
    """What the zone's clocks are off whole hours, so that an hour never lies in two days."""
    offset = moment.astimezone(zone(zone_name)).utcoffset() or timedelta()
    return int(offset.total_seconds()) % 3600


def percentile(late: Mapping[int, int], share: float) -> float | None:
    """The lateness in seconds that this share of the dials does not exceed, to a third of itself."""
    wanted, seen = share * sum(late.values()), 0
    for place in sorted(late):
        seen += late[place]
        if seen >= wanted:
            return float(EDGES[min(place, len(EDGES) - 1)])
    return None


def outcomes_of_campaigns(first: date, last: date, *, zone_name: str, now: datetime) -> dict[str, DayFigures]:
    """How the calls of each campaign ended in a period; kept for a minute."""
    key = f"overview:campaigns:{zone_name}:{first}:{last}"
    known: dict[str, DayFigures] | None = cache.get(key)
    if known is not None:
        return known
    found: dict[str, DayFigures] = {}
    span = Span.of(first, last, zone_name)
    for campaign, outcome, number in tallies.ended_in_campaigns(span.start, span.end, outcomes=list(Outcome)):
        if campaign and outcome:
            found.setdefault(campaign, DayFigures(counted_at=now)).ended[outcome] += number
    cache.set(key, found, KEPT_TODAY_S)
    return found
