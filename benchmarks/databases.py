"""Databases to measure on, of either kind: seeded once, copied for each measurement, read in plain SQL."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from subprocess import run
from typing import Any

from benchmarks.frame.command import ROOT, say
from benchmarks.frame.servers import Postgres


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

    def moment(self, at: float) -> object:
        """An instant, given in seconds since the epoch, as Django keeps it."""
        moment = datetime.fromtimestamp(at, UTC)
        return str(moment.replace(tzinfo=None)) if self.is_sqlite else moment

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

    @property
    def tables(self) -> Tables:
        """Its tables."""
        return Tables(self.url)

    def commits(self) -> int:
        """Transactions that it has committed; 0 where the database does not count them."""
        return self.server.commits(self.name) if self.server else 0

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
