"""Calling hours and wall times over five years, judged by the C library's own reading of the zone files."""

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timezone
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

from calls import hours
from temphone.lib import clock
from tests.proofs.battery import Broken, Proof, Run, Tally, Trial

FEW = 20  # up to so many zones, the cases are small: one of the years, and quarters of an hour
YEARS = range(2026, 2031)
MINUTE, HOUR, DAY = 60, 3_600, 86_400
NEAR = 2 * DAY  # of a transition

Localtime = Callable[[int], time.struct_time]


@dataclass(frozen=True, kw_only=True)
class Product:
    """What is under test: the product's own functions, or a mistaken variant of one."""

    local: Callable[[datetime, ZoneInfo], datetime] = datetime.astimezone
    is_open: Callable[[datetime], bool] = hours.is_open
    next_opening: Callable[[datetime, str], datetime] = hours.next_opening
    from_wall: Callable[[datetime, str], datetime] = clock.from_wall


@cache
def zones() -> list[tuple[str, str]]:
    """Digest and name of every zone of the pinned package: the names of one file stand side by side."""
    return sorted((_digest(name), name) for name in clock.zone_names())


def _file(name: str) -> Path:
    return Path(str(files("tzdata").joinpath("zoneinfo", *name.split("/"))))


def _digest(name: str) -> str:
    return hashlib.sha256(_file(name).read_bytes()).hexdigest()


def _new_year(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


@contextmanager
def c_library(name: str) -> Iterator[Localtime]:
    """The C library's ``localtime``, reading the very file that the zone's name stands for."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = f":{_file(name)}"
    time.tzset()
    try:
        yield time.localtime
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()


class Zone:
    """One zone, judged. ``wrong`` is the first difference of each kind; ``counts`` what was asked."""

    def __init__(self, name: str, product: Product, *, years: range, step_s: int) -> None:
        self.name = name
        self.product = product
        self.first, self.last = (_new_year(year) for year in (years.start, years.stop))
        self.step_s = step_s  # between the instants at which it is asked whether it is open
        self.opens, self.closes = (hour.hour * HOUR + hour.minute * MINUTE for hour in settings.CALLING_HOURS)
        self.wrong: dict[str, dict[str, object]] = {}
        self.counts: Counter[str] = Counter()
        self.changes: list[tuple[int, int]] = []  # instant, and the offset from then on

    def judge(self) -> None:
        """Everything about it."""
        with c_library(self.name) as localtime:
            self.changes = list(self._transitions(localtime))
            self._hours(localtime)
            for begin, end, step_s in self._spans():
                self._openings(localtime, begin, end, step_s)
                self._walls(localtime, begin, end, step_s)
        self.counts["transitions"] += len(self.changes) - 1

    def _transitions(self, localtime: Localtime) -> Iterator[tuple[int, int]]:
        """Looked for each quarter of an hour; then to the second."""
        offset = localtime(self.first - NEAR - DAY).tm_gmtoff
        yield self.first - NEAR - DAY, offset
        for at in range(self.first - NEAR - DAY, self.last + NEAR + DAY, HOUR // 4):
            found = localtime(at).tm_gmtoff
            if found != offset:
                seconds = range(at - HOUR // 4 + 1, at + 1)
                yield next(second for second in seconds if localtime(second).tm_gmtoff == found), found
                offset = found

    def _spans(self) -> Iterator[tuple[int, int, int]]:
        """Begin, end and step: each minute near a transition, each hour elsewhere."""
        begin = self.first
        for at, _ in self.changes[1:]:
            near = max(begin, at - NEAR), min(self.last, at + NEAR)
            if begin < near[0]:
                yield begin, near[0], HOUR
            if near[0] < near[1]:
                yield *near, MINUTE
            begin = max(begin, near[1])
        yield begin, self.last, HOUR

    def _hours(self, localtime: Localtime) -> None:
        """Whether it is open, all the time."""
        is_open, local, zone = self.product.is_open, self.product.local, clock.zone(self.name)
        opens, closes, utc = self.opens, self.closes, datetime.fromtimestamp
        for at in range(self.first, self.last, self.step_s):
            wall = localtime(at)
            due = opens <= wall.tm_hour * HOUR + wall.tm_min * MINUTE < closes
            if is_open(local(utc(at, UTC), zone)) is not due:
                self._note("is_open", at, due)
        self.counts["instants"] += len(range(self.first, self.last, self.step_s))

    def _openings(self, localtime: Localtime, begin: int, end: int, step_s: int) -> None:
        """The next opening: found by going back through the time, never reckoned."""
        opening = self._first_open(localtime, end, end + 2 * DAY, MINUTE)
        for at in range(end - step_s, begin - 1, -step_s):
            opening = self._first_open(localtime, at, at + step_s, min(step_s, HOUR // 4)) or opening
            found = int(self.product.next_opening(datetime.fromtimestamp(at, UTC), self.name).timestamp())
            if found != opening:
                self._note("next_opening", at, opening, found)
        self.counts["openings"] += len(range(begin, end, step_s))

    def _first_open(self, localtime: Localtime, begin: int, end: int, step_s: int) -> int | None:
        """The first minute that is open; no opening time is shorter than the step."""
        for at in range(begin, end, step_s):
            if self._is_open(localtime, at):
                minutes = range(max(begin, at - step_s + MINUTE), at + 1, MINUTE)
                return next(minute for minute in minutes if self._is_open(localtime, minute))
        return None

    def _is_open(self, localtime: Localtime, at: int) -> bool:
        wall = localtime(at)
        return self.opens <= wall.tm_hour * HOUR + wall.tm_min * MINUTE < self.closes

    def _walls(self, localtime: Localtime, begin: int, end: int, step_s: int) -> None:
        """What each wall time of the span means."""
        offsets = sorted({localtime(at).tm_gmtoff for at in range(begin - NEAR, end + NEAR, HOUR)})
        begin, end = (at + localtime(at).tm_gmtoff for at in (begin, end))
        for wall in range(begin - begin % MINUTE, end, step_s):
            due = self._reading(localtime, wall, offsets)
            naive = datetime.fromtimestamp(wall, UTC).replace(tzinfo=None)
            found = int(self.product.from_wall(naive, self.name).timestamp())
            if found != due:
                self._note("from_wall", wall, due, found)
        self.counts["wall_times"] += len(range(begin, end, step_s))

    def _reading(self, localtime: Localtime, wall: int, offsets: list[int]) -> int:
        """The instant: the earlier that shows the wall time; where a gap skips it, the later reading."""
        for offset in reversed(offsets):
            if localtime(wall - offset).tm_gmtoff == offset:
                return wall - offset
        # Each reading shows another wall time: a gap.
        before = localtime(wall - offsets[-1]).tm_gmtoff
        return wall - before

    def _note(self, what: str, at: int, due: object, found: object = None) -> None:
        self.counts["differences"] += 1
        self.wrong.setdefault(what, {"at": at, "due": due, "found": found})


def proof_of(product: Product) -> Run:
    """The proof with this product."""

    def run(trial: Trial) -> Tally:
        tally = Tally()
        year = trial.chance.choice(YEARS)
        years, step_s = (range(year, year + 1), HOUR // 4) if trial.cases <= FEW else (YEARS, MINUTE)
        for names in _files(trial):
            judged = Zone(names[0], product, years=years, step_s=step_s)
            judged.judge()
            tally.cases += len(names)
            tally.counts += judged.counts
            tally.counts["files"] += 1
            for what, evidence in judged.wrong.items():
                tally.flag(f"{names[0]}: {what} differs", folder=trial.folder, names=names, **evidence)
        return tally

    return run


def _files(trial: Trial) -> list[list[str]]:
    """The names of the trial by their files. The seed says where it begins, so chunks come round to all."""
    all_zones = zones()
    taken = sorted(all_zones[(trial.seed + case) % len(all_zones)] for case in range(trial.cases))
    return [[name for _, name in group] for _, group in groupby(taken, key=lambda zone: zone[0])]


def _in_offset_of_today(moment: datetime, zone: ZoneInfo) -> datetime:
    today = datetime.fromtimestamp(_new_year(YEARS.start), UTC).astimezone(zone)
    return moment.astimezone(timezone(today.utcoffset()))


def _fold_later(wall: datetime, name: str) -> datetime:
    return wall.replace(tzinfo=clock.zone(name), fold=1).astimezone(UTC)


PROOF = Proof(
    name="hours",
    shows="calling hours and wall times are right in every zone, minute by minute from 2026 to 2030",
    unit="zones",
    small=FEW,
    full=len(clock.zone_names()),
    chunk=30,
    run=proof_of(Product()),
    databases=("sqlite",),
    broken_cases=6,
    broken={
        "hours_in_utc_offset_of_today": Broken(
            run=proof_of(Product(local=_in_offset_of_today)), seen_by="is_open differs"
        ),
        "fold_later": Broken(run=proof_of(Product(from_wall=_fold_later)), seen_by="from_wall differs"),
    },
)
