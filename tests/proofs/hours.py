"""Calling hours and wall times over five years, judged by the C library's own reading of the zone files."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timezone
from functools import cache
from itertools import groupby
from zoneinfo import ZoneInfo

from calls import hours
from temphone.lib import clock
from tests.proofs.battery import Broken, Proof, Run, Tally, Trial
from tests.proofs.stage.local_time import (
    DAY,
    HOUR,
    MINUTE,
    QUARTER,
    Localtime,
    OpenHours,
    c_library,
    reading,
    transitions,
    zone_file,
)

FEW = 20  # up to so many zones, the cases are small: one of the years, and quarters of an hour
YEARS = range(2026, 2031)
NEAR = 2 * DAY  # of a transition


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


def _digest(name: str) -> str:
    return hashlib.sha256(zone_file(name).read_bytes()).hexdigest()


def _new_year(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


class Zone:
    """One zone, judged. ``wrong`` is the first difference of each kind; ``counts`` what was asked."""

    def __init__(self, name: str, product: Product, *, years: range, step_s: int) -> None:
        self.name = name
        self.product = product
        self.first, self.last = (_new_year(year) for year in (years.start, years.stop))
        self.step_s = step_s  # between the instants at which it is asked whether it is open
        self.open_hours = OpenHours.set()
        self.wrong: dict[str, dict[str, object]] = {}
        self.counts: Counter[str] = Counter()
        self.changes: list[tuple[int, int]] = []  # instant, and the offset from then on

    def judge(self) -> None:
        """Everything about it."""
        with c_library(self.name) as localtime:
            self.changes = list(transitions(localtime, self.first - NEAR - DAY, self.last + NEAR + DAY))
            self._hours(localtime)
            for begin, end, step_s in self._spans():
                self._openings(localtime, begin, end, step_s)
                self._walls(localtime, begin, end, step_s)
        self.counts["transitions"] += len(self.changes) - 1

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
        opens, closes, utc = self.open_hours.opens_s, self.open_hours.closes_s, datetime.fromtimestamp
        for at in range(self.first, self.last, self.step_s):
            wall = localtime(at)
            due = opens <= wall.tm_hour * HOUR + wall.tm_min * MINUTE < closes
            if is_open(local(utc(at, UTC), zone)) is not due:
                self._note("is_open", at, due)
        self.counts["instants"] += len(range(self.first, self.last, self.step_s))

    def _openings(self, localtime: Localtime, begin: int, end: int, step_s: int) -> None:
        """The next opening: found by going back through the time, never reckoned."""
        opening = self.open_hours.first(localtime, end, end + 2 * DAY, MINUTE)
        for at in range(end - step_s, begin - 1, -step_s):
            opening = self.open_hours.first(localtime, at, at + step_s, min(step_s, QUARTER)) or opening
            found = int(self.product.next_opening(datetime.fromtimestamp(at, UTC), self.name).timestamp())
            if found != opening:
                self._note("next_opening", at, opening, found)
        self.counts["openings"] += len(range(begin, end, step_s))

    def _walls(self, localtime: Localtime, begin: int, end: int, step_s: int) -> None:
        """What each wall time of the span means."""
        offsets = sorted({localtime(at).tm_gmtoff for at in range(begin - NEAR, end + NEAR, HOUR)})
        begin, end = (at + localtime(at).tm_gmtoff for at in (begin, end))
        for wall in range(begin - begin % MINUTE, end, step_s):
            due = reading(localtime, wall, offsets)
            naive = datetime.fromtimestamp(wall, UTC).replace(tzinfo=None)
            found = int(self.product.from_wall(naive, self.name).timestamp())
            if found != due:
                self._note("from_wall", wall, due, found)
        self.counts["wall_times"] += len(range(begin, end, step_s))

    def _note(self, what: str, at: int, due: object, found: object = None) -> None:
        self.counts["differences"] += 1
        self.wrong.setdefault(what, {"at": at, "due": due, "found": found})


def proof_of(product: Product) -> Run:
    """The proof with this product."""

    def run(trial: Trial) -> Tally:
        tally = Tally()
        year = trial.chance.choice(YEARS)
        years, step_s = (range(year, year + 1), QUARTER) if trial.cases <= FEW else (YEARS, MINUTE)
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
    shows="in every zone from 2026 to 2030 it is open or closed rightly in each minute, and the next opening"
    " and what a wall time means are right in each hour, and near a clock change in each minute",
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
