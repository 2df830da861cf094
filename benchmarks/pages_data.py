"""A busy installation as of now: 90 days behind it, 14 ahead; written by the database itself.

The same rows on both databases, by SQL over a series of numbers; no figure depends on chance. Of each
twenty calls four are of a campaign that calls every contact and is under way, two of one that is over, two
are to come, the rest are spread over the days behind. Calls lie between 10:00 and 22:00 UTC.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.backends.base.base import BaseDatabaseWrapper

from benchmarks.lists_data import (
    COMPLETED,
    DAY_S,
    DELIVERED,
    FAILED,
    Dialect,
    audited,
    consents,
    decided,
    dialect_of,
    execute,
    id_of,
    insert,
    people,
    pick,
    scheduled,
    suppressions,
    tagged,
    words,
)

BEHIND, AHEAD = 90, 14  # days
CAMPAIGNS = 100
BIG, OVER = 1, 2  # the numbers of the large campaigns
TAGS = """CASE WHEN i % 20000 = 1 THEN '["customer", "board"]' WHEN i % 50 = 0 THEN '["customer", "vip"]'
    WHEN i % 2 = 0 THEN '["customer"]' ELSE '[]' END"""
AUDITED, TOLD = 10, 20  # one call in so many
LIVE = 60
IS_LIVE = "i % 50 = 7"  # real phones ring, by two kinds of trunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many calls and people, and when now is."""

    calls: int
    contacts: int
    now: int

    @property
    def midnight(self) -> int:
        """When the day began."""
        return self.now - self.now % DAY_S


def fill(connection: BaseDatabaseWrapper, *, calls: int, contacts: int, now: datetime) -> None:
    """Write all of it into a database that is migrated and empty; statistics included."""
    dialect, size = dialect_of(connection), Size(calls=calls, contacts=contacts, now=int(now.timestamp()))
    tags = dialect.json.format("'[\"customer\"]'")
    execute(
        connection,
        [
            people(dialect, contacts, size.now).replace(tags, dialect.json.format(f"({TAGS})")),
            *words(dialect),
            tagged(dialect),
            "INSERT INTO contacts_phonenumber (e164) SELECT phone FROM contacts_contact",
            consents(dialect, contacts, size.now),
            suppressions(dialect, contacts, size.now),
            _campaigns(dialect, size),
            insert("calls_call", _call(dialect, size), _rows(dialect, size)),
            *_waiting(dialect, size),
            *_attempts(dialect, size),
            *_histories(dialect),
            _import(dialect, size),
            _imported(dialect),
        ],
    )


def _campaigns(dialect: Dialect, size: Size) -> str:
    at = dialect.moment.format(f"{size.now} - i * {DAY_S}")
    columns = {
        "id": id_of(dialect, "camp", "i"),
        "name": "'Campaign ' || i",
        "status": "CASE WHEN i = 1 OR (i > 2 AND i < 9) THEN 'running' ELSE 'completed' END",
        "mode": "'test'",
        "purpose": "'informational'",
        "message": "'Hi {{first_name}}, this is the assistant.'",
        "audience": dialect.json.format("""'{"kind": "tag", "text": "customer", "ids": []}'"""),
        "created_at": at,
        "updated_at": at,
    }
    return insert("campaigns_campaign", columns, dialect.series.format(CAMPAIGNS) + " AS n")


def _rows(dialect: Dialect, size: Size) -> str:
    """Each call's number, its twenty ``h``, its place ``k`` in there, campaign, contact, time and status."""
    numbers = f"(SELECT i, i % 20 AS k, i / 20 AS h FROM {dialect.series.format(size.calls)} AS n)"
    day = (
        "CASE WHEN k < 4 THEN h % 9 - 6 WHEN k < 6 THEN h % 10 - 30 "
        f"WHEN k < 8 THEN h % {AHEAD} + 1 WHEN k = 19 AND h % 4 = 0 THEN 0 "
        f"ELSE -1 - (i * 131) % {BEHIND} END"
    )
    at = f"{size.midnight} + ({day}) * {DAY_S} + 36000 + (h * 7919 + i * 131) % 43200"
    campaign = (
        f"CASE WHEN k < 4 THEN {BIG} WHEN k < 6 THEN {OVER} WHEN h % 3 = 0 THEN NULL "
        f"ELSE 3 + h % {CAMPAIGNS - 2} END"
    )
    contact = (
        f"CASE WHEN k < 4 THEN (h * 4 + k) % {size.contacts} + 1 ELSE (i * 7919) % {size.contacts} + 1 END"
    )
    ended = "(h + i) % 100"
    placed = f"(SELECT i, k, h, {campaign} AS c, {contact} AS p, {at} AS at FROM {numbers} AS m)"
    status = (
        f"CASE WHEN at >= {size.now} THEN 'scheduled' WHEN {ended} < 65 THEN 'completed' "
        f"WHEN {ended} < 93 THEN 'failed' ELSE 'canceled' END"
    )
    outcome = (
        f"CASE status WHEN 'completed' THEN {pick(COMPLETED, 'i / 7')} WHEN 'failed' THEN "
        f"{pick(FAILED, 'i / 7')} WHEN 'canceled' THEN 'canceled_by_user' END"
    )
    known = f"(SELECT i, k, h, c, p, at, {status} AS status FROM {placed} AS o)"
    return f"(SELECT i, k, h, c, p, at, status, {outcome} AS outcome FROM {known} AS q) AS r"


def _call(dialect: Dialect, size: Size) -> dict[str, str]:
    at = dialect.moment.format("at")
    before = dialect.moment.format(f"at - {DAY_S}")
    return {
        "id": id_of(dialect, "call", "i"),
        "contact_id": id_of(dialect, "ctc", "p"),
        "campaign_id": f"CASE WHEN c IS NOT NULL THEN {id_of(dialect, 'camp', 'c')} END",
        "mode": f"CASE WHEN {IS_LIVE} THEN 'live' ELSE 'test' END",
        "status": "status",
        "version": "1",
        "outcome": "outcome",
        "answered_by": "CASE WHEN status = 'completed' THEN 'human' END",
        "scheduled_at": at,
        "due_at": at,
        "timezone": pick("America/Los_Angeles America/New_York America/Chicago Europe/Madrid", "p"),
        "initial_message": "'Hi {{first_name}}, this is the assistant, following up on your renewal.'",
        "max_duration_s": "900",
        "max_attempts": "3",
        "caller_id": "''",
        "recording_enabled": dialect.yes,
        "webhook_url": "''",
        # What is older than a day was looked at, but for some.
        "seen_at": f"CASE WHEN at < {size.now} - {DAY_S} AND h % 50 > 0 THEN {at} END",
        "events_sent": "0",
        "created_at": before,
        "updated_at": before,
    }


def _waiting(dialect: Dialect, size: Size) -> list[str]:
    """Some are up now, each to a number of its own; as many were due five minutes ago, and wait."""
    some = min(LIVE, size.contacts // 100)
    return [
        f"UPDATE calls_call SET status = '{status}', outcome = NULL, answered_by = NULL, seen_at = NULL, "
        f"scheduled_at = {then}, due_at = {then} WHERE id IN "
        f"(SELECT {id_of(dialect, 'call', f'i * 100 + {k}')} FROM {dialect.series.format(some)} AS n)"
        for status, k, then in (
            ("in_progress", 3, dialect.moment.format(f"{size.now} - 30")),
            ("scheduled", 17, dialect.moment.format(f"{size.now} - 300")),
        )
    ]


def _attempts(dialect: Dialect, size: Size) -> list[str]:
    """Of each call the last; of those that failed one an hour before, too; and of those that are up."""
    made, over = (
        dialect.moment.format("at"),
        f"{_rows(dialect, size)} WHERE status IN ('completed', 'failed')",
    )
    early = f"{_rows(dialect, size)} WHERE status = 'failed'"
    phone = f"(SELECT phone FROM contacts_contact WHERE id = {id_of(dialect, 'ctc', 'p')})"
    one = {
        "id": id_of(dialect, "att", "i"),
        "call_id": id_of(dialect, "call", "i"),
        "number": "CASE status WHEN 'failed' THEN 2 ELSE 1 END",
        "state": "'ended'",
        "outcome": "outcome",
        "answered_by": "CASE WHEN status = 'completed' THEN 'human' END",
        "carrier": f"CASE WHEN {IS_LIVE} THEN {pick('sip twilio', 'h')} ELSE 'simulated' END",
        "to": phone,
        "caller_id": "'+14155550199'",
        "rendered_message": "'Hi, this is the assistant, following up on your renewal.'",
        "not_after": made,
        "lease_until": made,
        "sequence": "3",
        "created_at": dialect.moment.format("at + i % 3"),
        "accepted_at": dialect.moment.format("at + i % 3 + i % 2"),
        "answered_at": f"CASE WHEN status = 'completed' THEN {dialect.moment.format('at + 12')} END",
        "ended_at": dialect.moment.format("at + 40 + i % 100"),
        "ended_by": "'callee'",
        "hangup_cause": "''",
        "duration_s": "CASE WHEN status = 'completed' THEN 28 + i % 100 END",
        "evidence": dialect.json.format("'{}'"),
        "summary": "CASE WHEN i % 20 = 8 THEN 'They will renew, and asked for papers by mail.' ELSE '' END",
        "extracted": dialect.json.format("'{}'"),
        "analyzed_by": "''",
    }
    before = {
        **one,
        "id": id_of(dialect, "att", f"i + {size.calls}"),
        "number": "1",
        "outcome": "'no_answer'",
        "created_at": dialect.moment.format("at - 3600"),
        "accepted_at": dialect.moment.format("at - 3599"),
        "ended_at": dialect.moment.format("at - 3570"),
    }
    live = {
        **one,
        "carrier": "'simulated'",  # they are none of the live ones
        "id": "'att_' || substr(c.id, 6)",
        "call_id": "c.id",
        "number": "1",
        "state": "'answered'",
        "outcome": "NULL",
        "answered_by": "NULL",
        "to": "(SELECT phone FROM contacts_contact WHERE id = c.contact_id)",
        "ended_by": "''",
        "duration_s": "NULL",
        "ended_at": "NULL",
        "summary": "''",
        **dict.fromkeys(("not_after", "lease_until", "created_at", "accepted_at", "answered_at"), "c.due_at"),
    }
    # What was moved to now has no dial of its old time.
    moved = "SELECT id FROM calls_call WHERE status = 'in_progress' OR status = 'scheduled'"
    return [
        insert("calls_attempt", one, over),
        insert("calls_attempt", before, early),
        f"DELETE FROM calls_attempt WHERE call_id IN ({moved})",
        insert("calls_attempt", live, "(SELECT * FROM calls_call WHERE status = 'in_progress') AS c"),
    ]


def _histories(dialect: Dialect) -> list[str]:
    dialled = "(SELECT * FROM calls_call WHERE status IN ('completed', 'failed', 'in_progress')) AS c"
    event = scheduled(dialect)
    end = {
        **event,
        "name": "'ended'",
        "from_status": "'in_progress'",
        "to_status": "c.status",
        "at": "c.due_at",
    }
    turn = {
        "attempt_id": "a.id",
        "sequence": "n.i",
        "speaker": "CASE n.i % 2 WHEN 1 THEN 'agent' ELSE 'callee' END",
        "text": "CASE n.i % 2 WHEN 1 THEN a.rendered_message ELSE 'Yes, that is me.' END",
        "offset_ms": "n.i * 3000",
        "at": "a.created_at",
    }
    delivery = {
        **DELIVERED,
        "state": "CASE WHEN substr(c.id, 17) = '7' THEN 'exhausted' ELSE 'delivered' END",
    }
    tried = {
        "delivery_id": "d.id",
        "at": "d.created_at",
        "status_code": "CASE d.state WHEN 'delivered' THEN 200 ELSE 500 END",
        "answer": "''",
        "error": "''",
        "duration_ms": "83",
    }
    return [
        insert("calls_callevent", event, "calls_call AS c"),
        insert("calls_callevent", end, dialled),
        insert("calls_decision", decided(dialect), "calls_call AS c"),
        insert(
            "calls_transcriptturn",
            turn,
            f"calls_attempt AS a, {dialect.series.format(6)} AS n "
            "WHERE a.summary <> '' OR a.state = 'answered'",
        ),
        insert("accounts_auditentry", audited(dialect), _one_in(AUDITED, "calls_call", "c")),
        insert("webhooks_delivery", delivery, _one_in(TOLD, "calls_call", "c")),
        insert("webhooks_deliverytry", tried, "webhooks_delivery AS d"),
    ]


def _one_in(number: int, table: str, name: str) -> str:
    numbered = f"(SELECT *, ROW_NUMBER() OVER (ORDER BY due_at, id) AS place FROM {table})"
    return f"(SELECT * FROM {numbered} AS numbered WHERE place % {number} = 0) AS {name}"


def _import(dialect: Dialect, size: Size) -> str:
    """One of all people, done; one row in twenty had a problem."""
    at = dialect.moment.format(f"{size.now} - {DAY_S} - i")
    columns = {
        "id": "'imp_bench' || i",
        "state": "'done'",
        "problem": "''",
        "filename": "'people.csv'",
        "file": "''",
        "form": dialect.json.format("'{}'"),
        "columns": dialect.json.format("""'[{"name": "Phone", "samples": ["+1"]}]'"""),
        "matches": dialect.json.format("""'["phone"]'"""),
        "country": "'US'",
        "timezone": "''",
        "tag": "''",
        "updates": dialect.yes,
        "rows": str(size.contacts),
        "position": str(size.contacts),
        "handled": str(size.contacts),
        "new": str(size.contacts - size.contacts // 20),
        "problems": str(size.contacts // 20),
        **dict.fromkeys(("update", "same", "suppressed", "made", "changed", "kept", "tries"), "0"),
        "by_id": "'1'",
        "by_label": "'Somebody'",
        "created_at": at,
        "began_at": at,
    }
    return insert("contacts_contactimport", columns, dialect.series.format(30) + " AS n")


def _imported(dialect: Dialect) -> str:
    problem = """'[{"column": 0, "value": "12", "code": "phone_bad"}]'"""
    bad = "c.place % 20 = 0"
    columns = {
        "of_id": "'imp_bench1'",
        "number": "c.place",
        "verdict": f"CASE WHEN {bad} THEN 'problem' ELSE 'new' END",
        "phone": f"CASE WHEN {bad} THEN '' ELSE c.phone END",
        "cells": dialect.json.format(f"(CASE WHEN {bad} THEN '[\"12\"]' ELSE '[]' END)"),
        "problems": dialect.json.format(f"(CASE WHEN {bad} THEN {problem} ELSE '[]' END)"),
        "values": dialect.json.format("'{}'"),
        "contact_id": f"CASE WHEN {bad} THEN NULL ELSE c.id END",
        "is_made": dialect.yes,
        "kept": "''",
    }
    numbered = "(SELECT *, ROW_NUMBER() OVER (ORDER BY id) AS place FROM contacts_contact) AS c"
    return insert("contacts_importrow", columns, numbered)
