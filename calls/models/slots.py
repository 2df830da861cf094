"""The first calls of each hour: what a calendar shows, however crowded an hour is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.db import connection

from calls.models.call import Call
from calls.models.tallies import instant
from calls.states import CallStatus

# Where each status stands: a call to come at the time it will ring, others where they were set.
COLUMNS = {
    CallStatus.SCHEDULED: "due_at",
    CallStatus.IN_PROGRESS: "scheduled_at",
    CallStatus.COMPLETED: "scheduled_at",
    CallStatus.FAILED: "scheduled_at",
}

# Looked up for the few alone: joined, a database may begin with the contacts.
ZONE = "(SELECT timezone FROM contacts_contact WHERE contacts_contact.id = contact_id)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which hour a call is in, and when exactly."""

    slot: int
    status: CallStatus
    at: datetime
    call_id: str
    zone_name: str  # the contact's, where it was asked for


def first_of_each(
    slots: Sequence[tuple[datetime, datetime]], *, most: int, with_zone: bool = False
) -> list[Place]:
    """The first calls of each of these spans, ``most`` of each status; canceled ones are left out.

    A statement for each status, with a part for each span that takes its few from an index: a window
    function would read all calls of the week.
    """
    adapt = connection.ops.adapt_datetimefield_value
    spans = [(adapt(start), adapt(end)) for start, end in slots]
    found = [place for status in COLUMNS for place in _of_status(status, spans, most, with_zone=with_zone)]
    return sorted(found, key=lambda place: (place.at, place.call_id))


def counted(full: Sequence[tuple[CallStatus, tuple[datetime, datetime]]], *, most: int) -> list[int]:
    """How many calls of the status each of these spans has, counted no further than ``most``; one query."""
    if not full:
        return []
    adapt, params = connection.ops.adapt_datetimefield_value, []
    for status, (start, end) in full:
        params += [status.value, adapt(start), adapt(end)]
    counts = [_count(COLUMNS[status], most) for status, _span in full]
    with connection.cursor() as cursor:
        cursor.execute(" ".join(["SELECT", ", ".join(counts)]), params)
        return list(cursor.fetchone())


def _count(column: str, most: int) -> str:
    table = connection.ops.quote_name(Call._meta.db_table)
    within = ["WHERE status = %s AND", column, ">= %s AND", column, "< %s LIMIT", str(most)]
    return " ".join(["(SELECT COUNT(*) FROM (SELECT 1 FROM", table, *within, ") AS part)"])


def _of_status(
    status: CallStatus, spans: Sequence[tuple[str | None, str | None]], most: int, *, with_zone: bool
) -> list[Place]:
    params = [value for start, end in spans for value in (status.value, start, end)]
    parts = [_part(slot, COLUMNS[status], most, with_zone=with_zone) for slot in range(len(spans))]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        return [
            Place(slot=slot, status=status, call_id=pk, at=instant(at), zone_name=zone_name)
            for slot, pk, at, zone_name in cursor.fetchall()
        ]


@cache
def _part(slot: int, column: str, most: int, *, with_zone: bool) -> str:
    table = connection.ops.quote_name(Call._meta.db_table)
    zone, contact = (ZONE, ", contact_id") if with_zone else ("''", "")
    chosen = ["SELECT id,", column, contact, "FROM", table]
    within = ["WHERE status = %s AND", column, ">= %s AND", column, "< %s"]
    first = ["ORDER BY", column, ", id LIMIT", str(most)]
    outer = ["SELECT", str(slot), ", id,", column, ",", zone, "FROM"]
    return " ".join([*outer, "(", *chosen, *within, *first, ") AS part"])
