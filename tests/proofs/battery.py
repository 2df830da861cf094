"""What a proof is: a promise of TemPhone, tried many times under kill, freeze, race or fault, and judged.

A proof runs a number of cases and returns a tally: what it did, and what broke the promise. It is small in
`make test` and large in `make prove`, which runs it in chunks. Beside it stand broken variants of the
product, each a plausible mistake; a harness that does not flag them would not see a real fault either.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

BOTH = ("sqlite", "postgresql")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How many cases to run, from which seed; ``folder`` is empty and takes whatever is written."""

    cases: int
    seed: int
    folder: Path

    @property
    def chance(self) -> random.Random:
        """The source of all chance, anew from the seed."""
        return random.Random(self.seed)


@dataclass(kw_only=True)
class Tally:
    """What a trial did and saw.

    ``counts`` says how much was tried and what happened, by name ("kills", "rings", ...). ``flagged`` has a
    line for each broken promise; everything that is needed to look into it stands in the dump that the
    line names.
    """

    cases: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    flagged: list[str] = field(default_factory=list)

    def flag(self, problem: str, *, folder: Path, **evidence: object) -> None:
        """Note a broken promise, and write the evidence beside."""
        dump = folder / f"flagged-{len(self.flagged) + 1}.json"
        dump.write_text(json.dumps({"problem": problem, **evidence}, indent=1, default=str))
        self.flagged.append(f"{problem} ({dump})")

    def add(self, other: Self) -> None:
        """Take in another tally."""
        self.cases += other.cases
        self.counts.update(other.counts)  # a sum of counters would drop what is 0
        self.flagged += other.flagged


class Found:
    """Keeps what was raised: whatever it is, the proof found it."""

    error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        self.error = error if isinstance(error, Exception) else None
        return self.error is not None


Run = Callable[[Trial], Tally]


def seen(problem: str, flagged: Sequence[str]) -> int:
    """How many of these lines show this problem."""
    return sum(re.search(problem, line) is not None for line in flagged)


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A broken variant of the product, and the problem by which its mistake is seen."""

    run: Run
    seen_by: str  # is searched in each line that was flagged: one of another kind has another cause
    databases: tuple[str, ...] = BOTH

    def seen(self, flagged: Sequence[str]) -> int:
        """How many of these lines show the mistake."""
        return seen(self.seen_by, flagged)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One proof. ``run`` and the broken variants find Django set up and a migrated, empty database to ask.

    Each leaves no process, thread or connection behind, and judges only once everything is quiet.
    """

    name: str
    shows: str  # the promise, in a sentence
    unit: str  # what a case is, in the plural
    small: int  # cases in `make test`; 0: it is not there
    full: int  # cases in `make prove`, on each database
    chunk: int  # cases that `make prove` runs in one process, and need not run again after a stop
    run: Run
    small_again: int = 0  # cases in `make test` on the second of the databases; 0: as many
    databases: tuple[str, ...] = BOTH
    asks_database: bool = True  # else none is made for its chunks
    broken: Mapping[str, Broken] = field(default_factory=dict)  # by the mistake that each makes
    broken_cases: int = 0  # cases of a broken variant; ``small`` when 0
    exclusive: bool = False  # needs the machine for itself

    def mistakes(self, database: str) -> dict[str, Broken]:
        """The broken variants that there are on this database."""
        return {name: one for name, one in self.broken.items() if database in one.databases}
