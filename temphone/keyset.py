"""What follows a row in a list, as a comparison of rows, of which an index takes the first."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Model, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.db.models.lookups import GreaterThan, LessThan
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=Model)
Sql = tuple[str, Any]


class After(TupleGreaterThan):
    """``(a, b) > (x, y)``. Django spells it out for SQLite, which then reads all that comes before."""

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        """As it stands: SQLite knows it since 3.15."""
        sql: Sql = GreaterThan.as_sql(self, compiler, connection)
        return sql


class Before(TupleLessThan):
    """``(a, b) < (x, y)``, the same way."""

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        """As it stands."""
        sql: Sql = LessThan.as_sql(self, compiler, connection)
        return sql


Following: TypeAlias = After | Before


def following(order: Sequence[str], values: Sequence[object]) -> Following:
    """``(a, b) < (x, y)``, or ``>``: what comes after these values in this order.

    All of the order's keys ascend, or all descend (``-a``). Not ``a <= x AND (a < x OR b < y)``: where
    many rows share ``x``, as the calls of one campaign do, that reads all of them again for each page.
    """
    names = Tuple(*(F(key.removeprefix("-")) for key in order))
    comparison = Before if order[0].startswith("-") else After
    return comparison(names, tuple(values))


def each(rows: QuerySet[M], order: Sequence[str], at_a_time: int) -> Iterator[M]:
    """All rows, which are in this order, so many a read: none lasts as long as whoever takes them does."""
    found = list(rows[:at_a_time])
    while found:
        yield from found
        last = [getattr(found[-1], key.removeprefix("-")) for key in order]
        found = list(rows.filter(following(order, last))[:at_a_time])
