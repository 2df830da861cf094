"""TemPhone itself under measurement: a seeded database, the real clock and worker, the noting carrier."""

import os
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from subprocess import run
from typing import Any

from benchmarks.frame import ROOT, Postgres, Process, percentile, say, shown, wait_until

SKIP_CHECKS = "--skip-checks"  # as `make run` starts them
LATEST_S = 180.0


# ---------------------------------------------------------------- databases


class Tables:
    """Plain SQL on a database of either kind, a transaction a statement; ``%s`` are the parameters."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self.url = url

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A connection, closed at the end: nobody holds a database that is to be copied."""
        import psycopg

        if self.is_sqlite:
            connection = sqlite3.connect(
                self.url.removeprefix("sqlite:///"), timeout=20, isolation_level=None
            )
        else:
            connection = psycopg.connect(self.url, autocommit=True)
        try:
            yield connection
        finally:
            connection.close()

    def read(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a query gives."""
        with self.connected() as connection:
            return list(connection.execute(self._own(sql), values).fetchall())

    def write(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run the statement with each of the rows, in one transaction."""
        with self.connected() as connection:
            connection.execute("BEGIN")
            cursor = connection.cursor()
            cursor.executemany(self._own(sql), rows)
            connection.execute("COMMIT")

    def settle(self) -> None:
        """Leave no dead rows behind; as the database is some time after it was written to."""
        with self.connected() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)" if self.is_sqlite else "VACUUM (ANALYZE)")

    def moment(self, at: datetime) -> object:
        """An instant as Django keeps it."""
        return str(at.replace(tzinfo=None)) if self.is_sqlite else at

    def _own(self, sql: str) -> str:
        return sql.replace("%s", "?") if self.is_sqlite else sql


@dataclass(frozen=True, slots=True)
class Template:
    """A seeded database, copied for each measurement: in a PostgreSQL, or a file of SQLite."""

    server: Postgres | None
    path: Path
    name: str

    @property
    def url(self) -> str:
        """Where it is."""
        return self.server.url(self.name) if self.server else f"sqlite:///{self.path / self.name}"

    def copy(self, name: str) -> "Template":
        """A copy of it, in the place of an older one."""
        other = Template(self.server, self.path, name)
        if self.server:
            self.server.create(name, like=self.name)
        else:
            for rest in self.path.glob(f"{name}-*"):
                rest.unlink()
            shutil.copy(self.path / self.name, self.path / name)
        return other


def seeded(server: Postgres | None, path: Path, *, calls: int) -> Template:
    """A template with so many calls to make due."""
    template = Template(server, path, "seed")
    if server:
        server.create(template.name)
    say(f"  filling {'PostgreSQL' if server else 'SQLite'} with {calls:,} calls")
    _fill(template, calls, 0)
    return template


def with_future(template: Template, count: int) -> Template:
    """A copy of the template with so many calls more, for later."""
    say(f"  adding {count:,} calls for later")
    fuller = template.copy("fuller")
    _fill(fuller, 0, count)
    return fuller


def _fill(template: Template, calls: int, future: int) -> None:
    command = [sys.executable, "-m", "benchmarks.seeding", str(calls), str(future)]
    run(command, env={**os.environ, **environment(template.url, template.path)}, cwd=ROOT, check=True)


def environment(url: str, path: Path, **more: str) -> dict[str, str]:
    """What TemPhone's programs read."""
    return {
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "DATABASE_URL": url,
        "TEMPHONE_DATA_DIR": str(path),
        "BENCHMARK_DIALS": str(path / "dials"),
        "WORKERS": "2",
        "QUEUE_REDIS_URL": "",
        "MALLOC_ARENA_MAX": "1",
        **more,
    }


# ---------------------------------------------------------------- the starts that were noted


class Starts:
    """The file in which carriers and peers note each start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.unlink(missing_ok=True)

    def count(self) -> int:
        """How many so far."""
        return self.path.read_bytes().count(b"\n") if self.path.exists() else 0

    def read(self) -> list[tuple[str, float]]:
        """What started, and when (seconds since the epoch).

        Raises:
            AssertionError: one was started twice.
        """
        found = [(name, float(at)) for name, at in map(str.split, self.path.read_text().splitlines())]
        twice = [name for name, times in Counter(name for name, _ in found).items() if times > 1]
        if twice:
            raise AssertionError(f"{len(twice)} were started twice, such as {twice[0]}")
        return found

    def wait_for(self, count: int, processes: Sequence[Process]) -> None:
        """Return when so many have started.

        Raises:
            RuntimeError: a program has ended.
            TimeoutError: too few.
        """

        def all_started() -> bool:
            for process in processes:
                process.check()
            return self.count() >= count

        wait_until(all_started, within_s=LATEST_S, what=f"{count} starts", every_s=0.1)


def burst_figures(starts: Sequence[tuple[str, float]], began: float) -> dict[str, float]:
    """Starts a second and lag of what was due at one instant."""
    lags = [at - began for _, at in starts]
    return {
        "starts/s": len(lags) / max(lags),
        "lag p50, s": percentile(lags, 0.5),
        "lag p99, s": percentile(lags, 0.99),
    }


@contextmanager
def cost(processes: Sequence[Process], server: Postgres | None, into: dict[str, float]) -> Iterator[None]:
    """Add what programs and server used meanwhile."""
    before, served = sum(one.cpu_s() for one in processes), server.cpu_s() if server else 0
    yield
    into["CPU, s"] = sum(one.cpu_s() for one in processes) - before
    if server:
        into["PostgreSQL CPU, s"] = server.cpu_s() - served


# ---------------------------------------------------------------- a run


@contextmanager
def running(path: Path, url: str, **more: str) -> Iterator[list[Process]]:
    """The clock and the worker with its two processes, ready."""
    manage = [sys.executable, "manage.py"]
    env = environment(url, path, **more)
    with (
        Process([*manage, "clock", SKIP_CHECKS], log=path / "clock.log", environment=env) as clock,
        Process([*manage, "qcluster", SKIP_CHECKS], log=path / "worker.log", environment=env) as worker,
    ):
        both = [clock, worker]
        tables = Tables(url)

        def beat() -> bool:
            for one in both:
                one.check()
            return len(tables.read("SELECT name FROM calls_beat WHERE name IN ('clock', 'worker')")) == 2

        wait_until(beat, within_s=60, what="clock and worker are ready")
        yield both


def make_due(tables: Tables, at: datetime) -> None:
    """Let the seeded calls be due at the instant."""
    moment = tables.moment(at)
    due = "(SELECT min(due_at) FROM calls_call WHERE status = 'scheduled')"
    sql = (
        f"UPDATE calls_call SET due_at = %s, scheduled_at = %s WHERE status = 'scheduled' AND due_at = {due}"
    )
    tables.write(sql, [(moment, moment)])
    tables.settle()


def soon(seconds: float) -> float:
    """A whole second at least so far away, since the epoch."""
    return float(int(time.time() + seconds) + 1)


def burst(template: Template, calls: int, *, lead_s: float = 4, **more: str) -> dict[str, float]:
    """Copy the database, start TemPhone on it, let all calls be due at one instant, and measure."""
    database = template.copy("burst")
    starts = Starts(template.path / "dials")
    figures: dict[str, float] = {}
    with running(template.path, database.url, **more) as processes:
        began = soon(lead_s)
        make_due(Tables(database.url), datetime.fromtimestamp(began, UTC))
        before = template.server.commits(database.name) if template.server else 0
        if time.time() > began:
            raise RuntimeError("preparing took longer than was left before the instant")
        with cost(processes, template.server, figures):
            starts.wait_for(calls, processes)
    noted = starts.read()
    check_rows(Tables(database.url), calls)
    # Read when all have ended: only then are their statistics complete.
    commits = {"commits": float(template.server.commits(database.name) - before)} if template.server else {}
    return {**burst_figures(noted, began), **figures, **commits}


def check_rows(tables: Tables, calls: int) -> None:
    """Each call got its attempt, its event and its decision, and is in progress.

    Raises:
        AssertionError: the work was not done.
    """
    queries: Mapping[str, str] = {
        "calls": "SELECT count(*) FROM calls_call WHERE status = 'in_progress'",
        "attempts": "SELECT count(*) FROM calls_attempt WHERE state = 'dialing'",
        "events": "SELECT count(*) FROM calls_callevent e JOIN calls_attempt a ON a.id = e.attempt_id "
        "WHERE a.state = 'dialing' AND e.name = 'dialing'",
        "decisions": "SELECT count(*) FROM calls_decision d JOIN calls_attempt a ON a.id = d.attempt_id "
        "WHERE a.state = 'dialing' AND d.stage = 'claim'",
    }
    found = {name: tables.read(sql)[0][0] for name, sql in queries.items()}
    if set(found.values()) != {calls}:
        raise AssertionError(f"not {calls} of each: {found}")


Measure = Callable[[], dict[str, float]]


def rounds(measures: Mapping[str, Measure], times: int) -> dict[str, list[dict[str, float]]]:
    """Measure all in turn, so often: what disturbs the machine for a while disturbs all alike."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in measures}
    for number in range(times):
        for name, measure in measures.items():
            figures = measure()
            found[name].append(figures)
            rate, lag = figures["starts/s"], figures["lag p99, s"]
            say(f"  {number + 1}/{times} {name}: {shown(rate)} starts/s, p99 {shown(lag)} s")
    return found
