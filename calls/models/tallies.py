"""Dials and calls counted by the database itself, each figure along an index.

A range of an index is counted in 0.05 us a row; rows that are read and grouped cost twenty times as much. So
each of these is one statement with a count for each figure, whose range the index finds at once.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from django.db import connection

from calls.models.attempt import Attempt
from calls.models.trunks import CARRIERS
from temphone.accounts.models import Mode

# Where the classes of lateness end, in seconds: each a third above the one before, or less.
EDGES = (
    0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25,
    30, 40, 50, 60, 80, 100, 120, 150, 180, 240, 300, 400, 500, 600, 750, 900, 1200, 1800, 2400, 3600, 5400,
    7200,
)  # fmt: skip
Span: TypeAlias = tuple[datetime, datetime]
Value: TypeAlias = str | int | datetime
Rows: TypeAlias = Sequence[tuple[Value, ...]]
DIALLED = """
    SELECT span.number, how.outcome,
        (SELECT COUNT(*) FROM calls_attempt AS dial
            WHERE dial.carrier = way.carrier AND dial.outcome = how.outcome
            AND dial.created_at >= span.since AND dial.created_at < span.till),
        (SELECT SUM(dial.duration_s) FROM calls_attempt AS dial
            WHERE dial.carrier = way.carrier AND dial.outcome = how.outcome
            AND dial.created_at >= span.since AND dial.created_at < span.till)
    FROM span CROSS JOIN way CROSS JOIN how
"""
# Ids are random, so the first of them are drawn by lot.
DRAWN = """
    SELECT number, id FROM (
        SELECT {number} AS number, id FROM calls_attempt
        WHERE carrier IN ({carriers}) AND created_at >= %s AND created_at < %s ORDER BY id LIMIT {most}
    ) AS drawn
"""
LATE = """
    SELECT drawn.number, dial.accepted_at, planned.due_at FROM drawn
    JOIN calls_attempt AS dial ON dial.id = drawn.id
    JOIN calls_call AS planned ON planned.id = dial.call_id
    WHERE dial.accepted_at >= planned.due_at
"""
# The newest are chosen before the tables are joined, with which a database might begin; of each carrier
# apart, as an index has them.
BY_CARRIER = """
    SELECT * FROM (
        SELECT created_at, id, call_id, outcome FROM calls_attempt
        WHERE carrier = %s AND created_at >= %s AND created_at < %s AND outcome IS NOT NULL
        ORDER BY created_at DESC, id DESC LIMIT {most}
    ) AS one
"""
LATEST = """
    SELECT dial.created_at, person.timezone, dial.outcome
    FROM (SELECT * FROM ({parts}) AS parts ORDER BY created_at DESC, id DESC LIMIT {most}) AS dial
    JOIN calls_call AS made ON made.id = dial.call_id
    JOIN contacts_contact AS person ON person.id = made.contact_id
"""
# The first of each queue, as its index has them: no index has those of a mode.
SINGLE_DUE = """
    SELECT * FROM (
        SELECT due_at, id FROM calls_call
        WHERE campaign_id IS NULL AND status = 'scheduled' AND mode = %s AND due_at > %s
        ORDER BY due_at, id LIMIT {most}
    ) AS one
"""
CAMPAIGN_DUE = """
    SELECT * FROM (
        SELECT due_at, id FROM calls_call
        WHERE campaign_id = %s AND status = 'scheduled' AND due_at > %s ORDER BY due_at, id LIMIT {most}
    ) AS one
"""
NEXT = "SELECT id FROM ({parts}) AS parts ORDER BY due_at, id LIMIT {most}"
ENDED = """
    SELECT campaign.id, how.outcome,
        (SELECT COUNT(*) FROM calls_call AS one
            WHERE one.campaign_id = campaign.id AND one.outcome = how.outcome
            AND one.scheduled_at >= campaign.since AND one.scheduled_at < campaign.till)
    FROM campaign CROSS JOIN how
"""
OUTCOMES = """
    SELECT how.outcome,
        (SELECT COUNT(*) FROM calls_call AS one
            WHERE one.campaign_id = campaign.id AND one.outcome = how.outcome)
    FROM campaign CROSS JOIN how
"""
STATUSES = """
    SELECT campaign.id, way.status,
        (SELECT COUNT(*) FROM calls_call AS one
            WHERE one.campaign_id = campaign.id AND one.status = way.status),
        (SELECT MIN(one.due_at) FROM calls_call AS one
            WHERE one.campaign_id = campaign.id AND one.status = way.status),
        (SELECT MAX(one.due_at) FROM calls_call AS one
            WHERE one.campaign_id = campaign.id AND one.status = way.status)
    FROM campaign CROSS JOIN way
"""


def dialled(
    mode: Mode, spans: Sequence[Span], outcomes: Sequence[str]
) -> Iterator[tuple[int, str, int, int]]:
    """How the dials of each span ended: which span, outcome, how many, seconds of talk; one query.

    Each carrier of the mode tells its own: there may be several of a span and outcome.
    """
    numbered: Rows = [(number, *span) for number, span in enumerate(spans)]
    given = {
        "span (number, since, till)": numbered,
        "way (carrier)": _each(CARRIERS[mode]),
        "how (outcome)": _each(outcomes),
    }
    return ((number, outcome, count, talk_s or 0) for number, outcome, count, talk_s in _ask(DIALLED, given))


def up(mode: Mode, since: datetime, till: datetime) -> list[datetime]:
    """When those dials of a span were made that are not over; as many as there are lines."""
    live = Attempt.objects.live().filter(created_at__gte=since, created_at__lt=till)
    # Not asked for by their carrier, whose index SQLite would take: it carried many, who is live is few.
    found = live.order_by().values_list("carrier", "created_at")
    return [at for carrier, at in found if carrier in CARRIERS[mode]]


def late(mode: Mode, spans: Sequence[Span], *, most: int) -> Iterator[tuple[int, int]]:
    """How long after they were due the carrier took the dials of each span: which span, class of lateness.

    Of a span with many ``most`` are drawn by lot. Of a call that was tried again the last dial counts: the
    time at which the ones before were due is gone.
    """
    carriers = CARRIERS[mode]
    places = ", ".join(["%s"] * len(carriers))
    parts = [DRAWN.format(number=number, carriers=places, most=int(most)) for number in range(len(spans))]
    drawn = " ".join(["WITH drawn AS (", " UNION ALL ".join(parts), ")", LATE])
    values = [value for span in spans for value in (*carriers, *span)]
    for number, accepted_at, due_at in _read(drawn, values):
        yield number, bisect_left(EDGES, (instant(accepted_at) - instant(due_at)).total_seconds())


def latest_dials(
    mode: Mode, since: datetime, till: datetime, *, most: int
) -> Iterator[tuple[datetime, str, str]]:
    """The latest dials of a span that have ended: when, on whose clock, how."""
    parts = [BY_CARRIER.format(most=int(most))] * len(CARRIERS[mode])
    values = [value for carrier in CARRIERS[mode] for value in (carrier, since, till)]
    found = _read(LATEST.format(parts=" UNION ALL ".join(parts), most=int(most)), values)
    return ((instant(at), zone_name, outcome) for at, zone_name, outcome in found)


def next_due(mode: Mode, campaign_ids: Sequence[str], since: datetime, *, most: int) -> list[str]:
    """The ids of the calls that are due next: single ones of the mode, and those of the campaigns."""
    parts = " UNION ALL ".join([SINGLE_DUE, *[CAMPAIGN_DUE] * len(campaign_ids)]).format(most=int(most))
    values = [value for whose in (mode.value, *campaign_ids) for value in (whose, since)]
    return [id_ for (id_,) in _read(NEXT.format(parts=parts, most=int(most)), values)]


def ended_in_campaigns(
    campaign_ids: Sequence[str], since: datetime, till: datetime, outcomes: Sequence[str]
) -> Iterator[tuple[str, str, int]]:
    """How the calls of these campaigns ended that were for a span: campaign, outcome, how many."""
    campaigns: Rows = [(id_, since, till) for id_ in campaign_ids]
    found = _ask(ENDED, {"campaign (id, since, till)": campaigns, "how (outcome)": _each(outcomes)})
    return (row for row in found if row[2])


def outcomes_of(campaign_id: str, outcomes: Sequence[str]) -> dict[str, int]:
    """How the calls of a campaign ended that are over; one query."""
    found = _ask(OUTCOMES, {"campaign (id)": [(campaign_id,)], "how (outcome)": _each(outcomes)})
    return {outcome: count for outcome, count in found if count}


def statuses_of(
    campaign_ids: Sequence[str], statuses: Sequence[str]
) -> Iterator[tuple[str, str, int, datetime, datetime]]:
    """The calls of these campaigns by status: how many, when the first and the last are due; one query."""
    found = _ask(STATUSES, {"campaign (id)": _each(campaign_ids), "way (status)": _each(statuses)})
    return (
        (campaign_id, status, count, instant(first), instant(last))
        for campaign_id, status, count, first, last in found
        if count
    )


def instant(value: datetime | str) -> datetime:
    """What a statement of ours gave: PostgreSQL has a type for it, SQLite gives its text, in UTC.

    Of a column that it can follow to its table SQLite gives an instant, but without the zone.
    """
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _each(values: Sequence[str]) -> Rows:
    return [(value,) for value in values]


def _ask(sql: str, given: Mapping[str, Rows]) -> list[tuple[Any, ...]]:
    """Read with tables of these rows, by their names and columns; nothing where one is empty."""
    if not all(given.values()):
        return []
    tables = [
        " ".join([name, "AS (VALUES", ", ".join(f"({', '.join(['%s'] * len(row))})" for row in rows), ")"])
        for name, rows in given.items()
    ]
    values = [value for rows in given.values() for row in rows for value in row]
    return _read(" ".join(["WITH", ", ".join(tables), sql]), values)


def _read(sql: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(sql, [adapt(one) if isinstance(one, datetime) else one for one in values])
        return list(cursor.fetchall())
