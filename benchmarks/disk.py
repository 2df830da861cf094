"""What a commit costs: PostgreSQL and SQLite on a real disk and on tmpfs, one row a transaction."""

import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg

from benchmarks.frame.command import options, say
from benchmarks.frame.figures import percentile
from benchmarks.frame.programs import Place, filesystem, folder
from benchmarks.frame.report import Report
from benchmarks.frame.servers import Postgres

NOTE = """\
One connection, one row inserted a transaction, fsync on: the time of insert and commit. SQLite as \
TemPhone sets it up (WAL, synchronous=FULL). The other benchmarks use tmpfs, so that they show what the \
programs cost and not how busy the disk is: on a disk, add these milliseconds for each commit (their \
tables count them). The disk here is {kind}."""
PLACES: tuple[Place, ...] = ("tmpfs", "disk")


def main() -> None:
    given = options(__doc__)
    commits, times = given.pick(1000, quick=50), given.pick(5, quick=1)
    with folder(on="disk") as path:
        kind = filesystem(path) or "unknown"
    report = Report("disk", title="What a commit costs", note=NOTE.format(kind=kind))
    for place in PLACES:
        with folder(on=place) as path, Postgres(on=place) as server:
            say(f"  {place}")
            ours = partial(postgres, server, commits), partial(sqlite, path / "one.sqlite3", commits)
            for name, measure in zip(("PostgreSQL", "SQLite"), ours, strict=True):
                report.row(f"{name}, {place}", [measure() for _ in range(times)])
    report.finish(given)


def postgres(server: Postgres, commits: int) -> dict[str, float]:
    """The cost of a commit there."""
    with psycopg.connect(server.create("commits"), autocommit=True) as connection:
        connection.execute("CREATE TABLE one (id integer PRIMARY KEY, text text)")
        return timed(lambda n: connection.execute("INSERT INTO one VALUES (%s, %s)", [n, "a row"]), commits)


def sqlite(path: Path, commits: int) -> dict[str, float]:
    """The cost of a commit there."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE one (id integer PRIMARY KEY, text text)")
        return timed(lambda n: connection.execute("INSERT INTO one VALUES (?, ?)", [n, "a row"]), commits)
    finally:
        connection.close()


def timed(commit: Callable[[int], object], commits: int) -> dict[str, float]:
    """Milliseconds a commit, in the middle and at worst."""
    taken = []
    for number in range(commits):
        began = time.perf_counter()
        commit(number)
        taken.append(1000 * (time.perf_counter() - began))
    return {"p50, ms": percentile(taken, 0.5), "p99, ms": percentile(taken, 0.99)}


if __name__ == "__main__":
    main()
