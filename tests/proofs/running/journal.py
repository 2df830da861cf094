"""What was proved so far: a line for each chunk, in a file for each proof and database."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

MEASURES = ("_ms", "_percent")  # counts with these endings are no sums


@dataclass(frozen=True, kw_only=True)
class Record:
    """One chunk that ended, or one broken variant (``mistake``)."""

    mistake: str = ""
    start: int  # the first of its cases, counted over all chunks
    asked: int
    seed: int
    cases: int
    counts: dict[str, int] = field(default_factory=dict)
    flagged: list[str] = field(default_factory=list)
    seconds: float
    commit: str
    at: str

    @property
    def span(self) -> range:
        """The cases that need not run again."""
        return range(self.start, self.start + self.asked)


class Journal:
    """The lines of one file, which only grows: who is killed while writing spoils the last one at most."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records = list(_read(path)) if path.exists() else []

    def add(self, record: Record) -> None:
        """Append a line."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            file.seek(0, 2)
            torn = file.tell() and not _ends_a_line(self.path)
            file.write((b"\n" if torn else b"") + json.dumps(asdict(record)).encode() + b"\n")
        self.records.append(record)

    @property
    def chunks(self) -> list[Record]:
        """The chunks of the proof itself."""
        return [record for record in self.records if not record.mistake]

    def variant(self, mistake: str) -> Record | None:
        """What came of a broken variant: the last run of it."""
        return next((record for record in reversed(self.records) if record.mistake == mistake), None)

    @property
    def cases(self) -> int:
        """How many cases were run."""
        return sum(record.cases for record in self.chunks)

    @property
    def counts(self) -> Counter[str]:
        """What was tried and happened in all chunks; of a measure, the largest."""
        total: Counter[str] = Counter()
        for name, count in (item for record in self.chunks for item in record.counts.items()):
            total[name] = max(total[name], count) if name.endswith(MEASURES) else total[name] + count
        return total

    @property
    def flagged(self) -> list[str]:
        """Every broken promise."""
        return [line for record in self.chunks for line in record.flagged]

    @property
    def seconds(self) -> float:
        """How long the chunks took, one after the other."""
        return sum(record.seconds for record in self.chunks)

    @property
    def commits(self) -> list[str]:
        """The versions of the product that the chunks saw, in their order."""
        return list(dict.fromkeys(record.commit for record in self.records))


def _read(path: Path) -> Iterator[Record]:
    for line in path.read_bytes().splitlines():
        try:
            yield Record(**json.loads(line))
        except (ValueError, TypeError):
            continue  # whoever wrote it was killed: that chunk runs again


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
