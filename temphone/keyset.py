"""What follows a row in a list, as a comparison of rows, of which an index takes the first."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from django.db.models import F, Model, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

M = TypeVar("M", bound=Model)
Following = TupleGreaterThan | TupleLessThan


def following(order: Sequence[str], values: Sequence[object]) -> Following:
    """``(a, b) < (x, y)``, or ``>``: what comes after these values in this order.

    All of the order's keys ascend, or all descend (``-a``). Not ``a <= x AND (a < x OR b < y)``: where
    many rows share ``x``, as the calls of one campaign do, that reads all of them again for each page.
    """
    names = Tuple(*(F(key.removeprefix("-")) for key in order))
    comparison = TupleLessThan if order[0].startswith("-") else TupleGreaterThan
    return comparison(names, tuple(values))


def each(rows: QuerySet[M], order: Sequence[str], at_a_time: int) -> Iterator[M]:
    """All rows, which are in this order, so many a read: none lasts as long as whoever takes them does."""
    found = list(rows[:at_a_time])
    while found:
        yield from found
        last = [getattr(found[-1], key.removeprefix("-")) for key in order]
        found = list(rows.filter(following(order, last))[:at_a_time])
