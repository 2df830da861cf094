"""What a page asks of the database: each statement, how long it takes, and what is done for it."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper


@dataclass(slots=True)
class Statement:
    """One statement, and how long the database took for it and its rows."""

    sql: str
    params: Any = None
    ms: float = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time meanwhile."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.ms += (time.perf_counter() - begun) * 1000


NONE = Statement("")
READS, WRITES = re.compile(r"\s*(SELECT|WITH)\b"), re.compile(r"\b(INSERT|UPDATE|DELETE)\b")


@dataclass(slots=True)
class Statements:
    """The statements of a request, and how long all of it took."""

    asked: list[Statement] = field(default_factory=list)
    ms: float = 0.0

    @property
    def database_ms(self) -> float:
        """The database's part of the time; the rest is Python's."""
        return sum(one.ms for one in self.asked)

    @property
    def slowest(self) -> Statement:
        """The statement that took longest."""
        return max(self.asked, key=lambda one: one.ms, default=NONE)

    @property
    def slowest_count(self) -> Statement:
        """The slowest of those that count."""
        counts = [one for one in self.asked if one.sql.startswith("SELECT COUNT")]
        return max(counts, key=lambda one: one.ms, default=NONE)


class WatchedCursor(CursorWrapper):
    """Notes what is executed. SQLite finds most rows when they are fetched, so that is timed, too."""

    def __init__(self, cursor: Any, db: BaseDatabaseWrapper, statements: Statements) -> None:
        super().__init__(cursor, db)
        self.statements = statements
        self.statement = Statement("")

    def execute(self, sql: str, params: Any = None) -> Any:
        with self._next(sql, params).timed():
            return super().execute(sql, params)

    def executemany(self, sql: str, param_list: Any) -> Any:
        with self._next(sql, None).timed():
            return super().executemany(sql, param_list)

    def _next(self, sql: str, params: Any) -> Statement:
        self.statement = Statement(sql, params)
        self.statements.asked.append(self.statement)
        return self.statement

    def fetchone(self) -> Any:
        with self.statement.timed():
            return self.cursor.fetchone()

    def fetchmany(self, *size: int) -> Sequence[Any]:
        with self.statement.timed():
            return self.cursor.fetchmany(*size)

    def fetchall(self) -> Sequence[Any]:
        with self.statement.timed():
            return self.cursor.fetchall()


@contextmanager
def watched() -> Iterator[Statements]:
    """What is asked meanwhile."""
    statements, plain = Statements(), connection.make_cursor
    connection.make_cursor = lambda cursor: WatchedCursor(cursor, connection, statements)
    begun = time.perf_counter()
    try:
        yield statements
    finally:
        statements.ms = (time.perf_counter() - begun) * 1000
        connection.make_cursor = plain


def how(statement: Statement) -> str:
    """What the database does for a statement: how many rows it reads, or what it reads through."""
    if not READS.match(statement.sql) or WRITES.search(statement.sql):
        return ""  # PostgreSQL would do it once more to tell
    explain = _postgresql if connection.vendor == "postgresql" else _sqlite
    return explain(statement)


def _postgresql(statement: Statement) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement.sql}", statement.params)
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    count = rows_read(plan[0]["Plan"])
    return f"reads {count:,.0f} {'row' if count == 1 else 'rows'}"


def rows_read(plan: dict[str, Any]) -> float:
    """How many rows the plan's scans of tables looked at, those included that a filter threw away."""
    own = 0.0
    if "Relation Name" in plan:
        filtered = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        own = (plan["Actual Rows"] + filtered) * plan["Actual Loops"]
    return own + sum(rows_read(part) for part in plan.get("Plans", []))


def _sqlite(statement: Statement) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.params)
        steps = [row[3] for row in cursor.fetchall()]
    reading = [step for step in steps if step.startswith(("SCAN", "SEARCH"))]
    return f"begins with `{reading[0]}`" if reading else "reads no table"
