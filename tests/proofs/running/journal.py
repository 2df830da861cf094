"""What was proved so far: a line for each chunk, in a file for each proof and database."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Record:
    """One chunk that ended, or one broken variant (``mistake``); or one that did not (``crashed``)."""

    mistake: str = ""
    start: int  # the first of its cases, counted over all chunks
    asked: int
    seed: int
    cases: int
    counts: dict[str, int] = field(default_factory=dict)
    flagged: list[str] = field(default_factory=list)  # of a broken variant, the first of them
    seen: int = 0  # of a broken variant: how many of all that were flagged show the mistake
    crashed: str = ""  # how
    explained: str = ""  # why it crashed, if somebody found out
    seconds: float
    version: str = ""  # the hash of what was tried; lines without one are of an earlier version
    commit: str
    machine: str = ""
    at: str  # when it ended


class Journal:
    """The lines of one file, which only grows: who is killed while writing spoils the last one at most.

    Only those of the given version count; the others are kept, and told of as such.
    """

    def __init__(self, path: Path, version: str) -> None:
        self.path = path
        self.version = version
        self.records = list(_read(path)) if path.exists() else []

    def add(self, record: Record) -> None:
        """Append a line."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            file.seek(0, 2)
            torn = file.tell() and not _ends_a_line(self.path)
            file.write((b"\n" if torn else b"") + line_of(record).encode())
        self.records.append(record)

    @property
    def here(self) -> list[Record]:
        """Of the version at hand."""
        return [record for record in self.records if record.version == self.version]

    @property
    def earlier(self) -> list[Record]:
        """Of another version."""
        return [record for record in self.records if record.version != self.version]

    @property
    def chunks(self) -> list[Record]:
        """The chunks of the proof itself that came to their end."""
        return [record for record in self.here if not record.mistake and not record.crashed]

    @property
    def crashes(self) -> list[Record]:
        """What did not come to its end, each with its reason if that was found."""
        crashed = [record for record in self.here if record.crashed]
        return list({(record.mistake, record.start, record.at): record for record in crashed}.values())

    @property
    def flagged(self) -> list[str]:
        """Every broken promise, of a chunk that crashed then too."""
        told = [record for record in self.here if not record.mistake and not record.explained]
        return [line for record in told for line in record.flagged]

    def variant(self, mistake: str) -> Record | None:
        """What came of a broken variant: the last run of it that came to its end."""
        ran = [record for record in self.here if record.mistake == mistake and not record.crashed]
        return ran[-1] if ran else None

    def explain(self, why: str) -> int:
        """Write down why it crashed whenever it did so for no known reason; how often that was."""
        unexplained = [record for record in self.crashes if not record.explained]
        for record in unexplained:
            self.add(replace(record, explained=why))
        return len(unexplained)


def line_of(record: Record) -> str:
    """The line about it."""
    return json.dumps(asdict(record)) + "\n"


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
