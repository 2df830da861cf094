"""What clocks show, by the C library's own reading of the zone files: it shares nothing with zoneinfo."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from django.conf import settings

MINUTE, HOUR, DAY = 60, 3_600, 86_400
QUARTER = HOUR // 4

Localtime = Callable[[int], time.struct_time]


def zone_file(name: str) -> Path:
    """The zone's file in the pinned package."""
    return Path(str(files("tzdata").joinpath("zoneinfo", *name.split("/"))))


@contextmanager
def c_library(name: str) -> Iterator[Localtime]:
    """The C library's ``localtime``, reading the very file that the zone's name stands for."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = f":{zone_file(name)}"
    time.tzset()
    try:
        yield time.localtime
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()


def transitions(localtime: Localtime, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Instants and the offset from then on, ``first`` among them: looked for each quarter, to the second."""
    offset = localtime(first).tm_gmtoff
    yield first, offset
    for at in range(first, last, QUARTER):
        found = localtime(at).tm_gmtoff
        if found != offset:
            seconds = range(at - QUARTER + 1, at + 1)
            yield next(second for second in seconds if localtime(second).tm_gmtoff == found), found
            offset = found


def reading(localtime: Localtime, wall: int, offsets: Sequence[int]) -> int:
    """The instant: the earlier that shows the wall time; where a gap skips it, the later reading.

    ``offsets`` are those around it, ascending.
    """
    for offset in reversed(offsets):
        if localtime(wall - offset).tm_gmtoff == offset:
            return wall - offset
    # Each reading shows another wall time: a gap.
    before = localtime(wall - offsets[-1]).tm_gmtoff
    return wall - before


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHours:
    """The calling hours, in seconds of the day."""

    opens_s: int
    closes_s: int

    @classmethod
    def set(cls) -> "OpenHours":
        """Those of the settings."""
        opens_s, closes_s = (hour.hour * HOUR + hour.minute * MINUTE for hour in settings.CALLING_HOURS)
        return cls(opens_s=opens_s, closes_s=closes_s)

    def is_open(self, localtime: Localtime, at: int) -> bool:
        """Whether clocks show an hour within them."""
        wall = localtime(at)
        return self.opens_s <= wall.tm_hour * HOUR + wall.tm_min * MINUTE < self.closes_s

    def first(self, localtime: Localtime, begin: int, end: int, step_s: int) -> int | None:
        """The first minute that is open; no opening time is shorter than the step."""
        for at in range(begin, end, step_s):
            if self.is_open(localtime, at):
                minutes = range(max(begin, at - step_s + MINUTE), at + 1, MINUTE)
                return next(minute for minute in minutes if self.is_open(localtime, minute))
        return None


class WallClock:
    """The clocks of a zone, and the calling hours there. Instants are UTC."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hours = OpenHours.set()

    def shown(self, at: datetime) -> str:
        """What they show."""
        with c_library(self.name) as localtime:
            return time.strftime("%Y-%m-%d %H:%M:%S", localtime(int(at.timestamp())))

    def is_open(self, at: datetime) -> bool:
        """Whether calling is allowed."""
        with c_library(self.name) as localtime:
            return self.hours.is_open(localtime, int(at.timestamp()))

    def opening(self, at: datetime) -> datetime:
        """The first instant from then on at which calling is allowed."""
        if self.is_open(at):
            return at
        minute = int(at.timestamp()) // MINUTE * MINUTE
        with c_library(self.name) as localtime:
            found = self.hours.first(localtime, minute, minute + 2 * DAY, QUARTER)
        return datetime.fromtimestamp(found, UTC)

    def instant(self, wall: datetime) -> datetime:
        """When they show the naive ``wall``: in a gap later, in a fold earlier."""
        second = int(wall.replace(tzinfo=UTC).timestamp())
        with c_library(self.name) as localtime:
            around = range(second - 2 * DAY, second + 2 * DAY, HOUR)
            offsets = sorted({localtime(at).tm_gmtoff for at in around})
            return datetime.fromtimestamp(reading(localtime, second, offsets), UTC)

    def changes(self, first: datetime, days: int) -> list[datetime]:
        """The clock changes in so many days."""
        begin = int(first.timestamp())
        with c_library(self.name) as localtime:
            found = [at for at, _ in transitions(localtime, begin, begin + days * DAY)]
        return [datetime.fromtimestamp(at, UTC) for at in found[1:]]
