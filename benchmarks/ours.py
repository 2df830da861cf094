"""TemPhone itself under measurement: the real clock and worker, with the noting carrier."""

import statistics
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

import psycopg

from benchmarks.databases import Template, environment
from benchmarks.dispatch import Way
from benchmarks.frame.programs import Process, wait_until
from benchmarks.frame.servers import Redis

SKIP_CHECKS = "--skip-checks"  # as `make run` starts them
WAITS = "claims wait, % of workers' time"
LOOK_S = 0.05  # seldom enough to cost PostgreSQL nothing that shows
BESIDE = (
    "TemPhone on SQLite stands beside PostgreSQL's peers only: SKIP LOCKED, the one statement that writes "
    "all rows, and procrastinate are PostgreSQL's."
)
WAITING = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'
    AND query LIKE '%%"calls_pacing"%%FOR UPDATE%%'
"""


@dataclass(frozen=True)
class TemPhone(Way):
    """The clock and the worker, with so many worker processes, on either broker."""

    workers: int = 2
    redis: Redis | None = None
    prepared_s: float = 4
    more: Mapping[str, str] = field(default_factory=dict)

    def lead_s(self, _calls: int) -> float:
        return self.prepared_s

    @contextmanager
    def running(self, database: Template) -> Iterator[Sequence[Process]]:
        queue = self.redis.url(1) if self.redis else ""
        settings = {"WORKERS": str(self.workers), "QUEUE_REDIS_URL": queue, **self.more}
        env, path = environment(database.url, database.path, **settings), database.path
        manage = [sys.executable, "manage.py"]
        with (
            Process([*manage, "clock", SKIP_CHECKS], log=path / "clock.log", environment=env) as clock,
            Process([*manage, "qcluster", SKIP_CHECKS], log=path / "worker.log", environment=env) as worker,
        ):
            wait_until(lambda: _beat(database, clock, worker), within_s=60, what="clock and worker are ready")
            yield [clock, worker, self.redis.process] if self.redis else [clock, worker]

    def watched(self, database: Template, into: dict[str, float]) -> AbstractContextManager[None]:
        return turns(database, self.workers, into) if database.server else nullcontext()


def _beat(database: Template, *programs: Process) -> bool:
    for program in programs:
        program.check()
    found = database.tables.read("SELECT name FROM calls_beat WHERE name IN ('clock', 'worker')")
    return len(found) == 2


@contextmanager
def turns(database: Template, workers: int, into: dict[str, float]) -> Iterator[None]:
    """Add how much of their time the workers wait for the pacing row that another claim holds."""
    done = threading.Event()

    def look() -> list[int]:
        seen = []
        with psycopg.connect(database.url, autocommit=True) as connection:
            while not done.wait(LOOK_S):
                seen.append(connection.execute(WAITING, [database.name]).fetchone()[0])
        return seen

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            yield
        finally:
            done.set()
        into[WAITS] = 100 * statistics.fmean(looking.result() or [0]) / workers
