"""Pages by keyset: a cursor says after which row to go on, so rows that come in meanwhile move nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.core import signing
from django.db.models import Model, QuerySet

from temphone.api.query import Query
from temphone.keyset import following

DEFAULT_LIMIT = 25
MAX_LIMIT = 100

M = TypeVar("M", bound=Model)


def page(
    rows: QuerySet[M], query: Query, *, by: str, render: Callable[[M], dict[str, object]]
) -> dict[str, object]:
    """One page of the rows, the latest ``by`` this column first, and the cursor of the next.

    Raises:
        Invalid: the limit or the cursor is bad.
    """
    limit = query.number("limit", DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
    salt = f"cursor:{rows.model._meta.label}:{by}"
    found = list(_after(rows, query, by, salt).order_by(f"-{by}", "-id")[: limit + 1])
    shown = found[:limit]
    more = len(found) > limit
    return {
        "items": [render(row) for row in shown],
        "next_cursor": _cursor(shown[-1], by, salt) if more else None,
    }


def _cursor(row: Model, by: str, salt: str) -> str:
    return signing.dumps([getattr(row, by).isoformat(), row.pk], salt=salt)


def _after(rows: QuerySet[M], query: Query, by: str, salt: str) -> QuerySet[M]:
    """The rows after the cursor's."""
    cursor = query.text("cursor")
    if cursor is None:
        return rows
    try:
        value, pk = signing.loads(cursor, salt=salt)
    except signing.BadSignature as error:
        raise query.bad("cursor", "must be the next_cursor of a page of this list.") from error
    return rows.filter(following((f"-{by}", "-id"), (datetime.fromisoformat(value), pk)))
