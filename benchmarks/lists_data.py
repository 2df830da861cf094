"""An installation that has been used: a million calls and 200,000 contacts, written by the database itself.

The same rows on both databases, by SQL over a series of numbers; no figure depends on chance. Calls a year
back and a month ahead, one in fifty live, two campaigns of a tenth of all calls each at one instant.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.apps import apps
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

FIRST = (
    "Ada Alan Amara Andrés Anna Arjun Beatriz Ben Carla Chen Clara Dana David Diego Elena Eli Emma Farah "
    "Felix Gita Grace Hana Hugo Ida Ines Ivan Jack Jana João Jordan José Kai Kate Kofi Lara Leo Lina Luis "
    "Maja Marco María Max Mia Nadia Nina Noah Nora Olga Omar Oscar Paul Petra Pia Priya Rosa Sam Sara Sofía "
    "Tara Theo Tom Uma Vera Will Xenia Yara Yuki Zoe"
)
LAST = (
    "Ander Bau Berg Black Camp Car Dal Ever Fair Feld Garc Gold Good Hall Hart Holm Jack John Kest Kirch "
    "Land Lind Mac Mart Mor Nor Ol Park Pet Rob Rod Sand Silv Smith Stein Tal Thomp Wal White Wood"
)
ENDINGS = (
    "son sen er man berg ez ini ard s ov ley ton field wick ford mann dal gren strom a by ham worth ett o"
)
COMPANY = "Alpha Apex Birch Blue Cedar Delta Echo First Grand Harbor Iron Lake North Oak Pine River"
TRADE = "Bank Clinic Dental Energy Foods Garage Homes Insurance Labs Law Motors Optics Schools Travel"
COMPLETED = "message_delivered " * 14 + "voicemail_left " * 4 + "callback_requested opted_out"
FAILED = "no_answer " * 12 + "busy " * 5 + "rejected invalid_number unknown"
ZONES = "America/Los_Angeles America/New_York America/Chicago Europe/Madrid Europe/London"
REASONS = "opted_out staff complaint"
CAMPAIGNS = 200
DAY_S = 86_400
CHECKS = '[{"rule": "stop_switch", "verdict": "allow", "text": "Calling is not stopped.", "input": {}}]'


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What the two databases write differently, of an expression or number ``{}``."""

    series: str
    hex: str
    moment: str
    json: str
    place: str  # where the second stands in the first
    each: str  # the texts of a list, as the column ``value``
    yes: str = "TRUE"
    no: str = "FALSE"


POSTGRESQL = Dialect(
    series="(SELECT generate_series(CAST(1 AS bigint), {}) AS i)",
    hex="lpad(to_hex({}), 12, '0')",
    moment="to_timestamp({})",
    json="CAST({} AS jsonb)",
    place="strpos({}, {})",
    each="jsonb_array_elements_text({}) AS each (value)",
)
SQLITE = Dialect(
    series="(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {}) SELECT i FROM s)",
    hex="printf('%012x', {})",
    moment="datetime({}, 'unixepoch')",
    json="{}",
    place="instr({}, {})",
    each="json_each({}) AS each",
)


def fill(connection: BaseDatabaseWrapper, *, calls: int, contacts: int, now: datetime) -> None:
    """Write all of it into a database that is migrated and empty; statistics included."""
    execute(connection, _statements(dialect_of(connection), calls, contacts, int(now.timestamp())))


def fill_contacts(connection: BaseDatabaseWrapper, contacts: int, *, now: datetime) -> None:
    """Write the contacts alone."""
    execute(connection, [people(dialect_of(connection), contacts, int(now.timestamp()))])


def dialect_of(connection: BaseDatabaseWrapper) -> Dialect:
    return POSTGRESQL if connection.vendor == "postgresql" else SQLITE


def execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    """One after the other. Indexes are made at the end, which is faster than to keep them meanwhile."""
    with connection.cursor() as cursor:
        indexes = _indexes(connection, cursor)
        for name in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        for statement in (*statements, *indexes.values()):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")  # as its autovacuum does; nothing ever analyses a SQLite file


def _indexes(connection: BaseDatabaseWrapper, cursor: CursorWrapper) -> dict[str, str]:
    """Our tables' indexes that no constraint needs: by name, the statement that makes them."""
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint) AND indexdef NOT LIKE '%UNIQUE%'"
        )
    else:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
            "AND sql NOT LIKE '%UNIQUE%'"
        )
    return dict(cursor.fetchall())


def id_of(dialect: Dialect, prefix: str, number: str) -> str:
    """An id that looks random: an odd factor modulo a power of two repeats nothing."""
    return f"'{prefix}_' || " + dialect.hex.format(f"(({number}) * 25214903917 % 281474976710656)")


def pick(words: str, number: str) -> str:
    one_of = words.split()
    cases = " ".join(f"WHEN {n} THEN '{word}'" for n, word in enumerate(one_of))
    return f"(CASE ({number}) % {len(one_of)} {cases} END)"


def insert(table: str, columns: dict[str, str], source: str = "") -> str:
    """Rows of the source, or one; what they do not say, but must, is the model's default."""
    columns = {**_defaults(table), **columns}
    names, values = ", ".join(f'"{name}"' for name in columns), ", ".join(columns.values())
    rows = f"SELECT {values} FROM {source}" if source else f"VALUES ({values})"
    return f"INSERT INTO {table} ({names}) {rows}"


@cache
def _defaults(table: str) -> dict[str, str]:
    (model,) = (one for one in apps.get_models() if one._meta.db_table == table)
    fields = [field for field in model._meta.concrete_fields if not (field.null or field.primary_key)]
    literals = {str(field.column): _literal(field.get_default()) for field in fields}
    return {column: literal for column, literal in literals.items() if literal}


def _literal(value: object) -> str:
    """A default in SQL; empty for what is none: a moment, a reference."""
    if isinstance(value, bool):
        return dialect_of(connection).yes if value else dialect_of(connection).no
    if isinstance(value, dict | list):
        return dialect_of(connection).json.format(f"'{json.dumps(value)}'")
    if isinstance(value, str):
        return f"'{value}'"
    return str(value) if isinstance(value, int) else ""


def _statements(dialect: Dialect, calls: int, contacts: int, now: int) -> list[str]:
    return [
        people(dialect, contacts, now),
        *words(dialect),
        tagged(dialect),
        "INSERT INTO contacts_phonenumber (e164) SELECT phone FROM contacts_contact",
        consents(dialect, contacts, now),
        suppressions(dialect, contacts, now),
        _campaigns(dialect, now),
        *_calls(dialect, calls, contacts, now),
        *_histories(dialect),
    ]


def people(dialect: Dialect, contacts: int, now: int) -> str:
    at = dialect.moment.format(f"{now} - i % {365 * DAY_S}")
    columns = {
        "id": id_of(dialect, "ctc", "i"),
        "first_name": pick(FIRST, "i"),
        "last_name": f"{pick(LAST, 'i / 3')} || {pick(ENDINGS, 'i / 7')}",
        "phone": "'+1' || (2000000000 + (i * 39119))",
        "timezone": pick(ZONES, "i"),
        "language": "'en'",
        "company": f"{pick(COMPANY, 'i / 11')} || ' ' || {pick(TRADE, 'i / 13')}",
        "tags": dialect.json.format("'[\"customer\"]'"),
        "attributes": dialect.json.format("'{}'"),
        "created_at": at,
        "updated_at": at,
    }
    return insert("contacts_contact", columns, dialect.series.format(contacts) + " AS n")


def words(dialect: Dialect) -> list[str]:
    """The words of each contact, as the model writes them; each name here is one word."""
    reverse = "".join(f" || substr(phone, {place}, 1)" for place in range(12, 1, -1))
    accents = "".maketrans("áéíóúãñ", "aeiouan")
    plain = "lower(first_name)"
    for letter, bare in accents.items():
        plain = f"replace({plain}, '{chr(letter)}', '{chr(bare)}')"
    company = "lower(company)"
    space = dialect.place.format(company, "' '")
    words = [
        plain,
        "lower(last_name)",
        f"substr({company}, 1, {space} - 1)",
        f"substr({company}, {space} + 1)",
        "substr(phone, 2)",
        "substr(phone, 3)",
        f"'<'{reverse}",
    ]
    return [
        f"INSERT INTO contacts_contactword (word, contact_id) SELECT {word}, id FROM contacts_contact "
        "WHERE TRUE ON CONFLICT DO NOTHING"
        for word in words
    ]


def tagged(dialect: Dialect) -> str:
    """The tags of each contact, as the model writes them."""
    each = dialect.each.format("tags")
    tags = f"SELECT each.value, contacts_contact.id FROM contacts_contact, {each}"
    return f"INSERT INTO contacts_contacttag (tag, contact_id) {tags}"


def consents(dialect: Dialect, contacts: int, now: int) -> str:
    columns = {
        "contact_id": id_of(dialect, "ctc", "i"),
        "phone": "'+1' || (2000000000 + (i * 39119))",
        "purpose": "'informational'",
        "kind": "'express'",
        "source": "'web form'",
        "evidence": "''",
        "captured_at": dialect.moment.format(f"{now} - i"),
        "recorded_by": "'import'",
        "revoked_how": "''",
    }
    return insert("contacts_consent", columns, dialect.series.format(contacts) + " AS n")


def suppressions(dialect: Dialect, contacts: int, now: int) -> str:
    columns = {
        "number": "CASE WHEN i <= 20 THEN '+190' || i ELSE '+1' || (2000000000 + (i * 4 * 39119)) END",
        "is_prefix": f"CASE WHEN i <= 20 THEN {dialect.yes} ELSE {dialect.no} END",
        "reason": pick(REASONS, "i"),
        "source": "''",
        "created_by": "'import'",
        "created_at": dialect.moment.format(f"{now} - i"),
        "lifted_by": "''",
    }
    return insert("contacts_suppression", columns, dialect.series.format(contacts // 5) + " AS n")


def _campaigns(dialect: Dialect, now: int) -> str:
    at = dialect.moment.format(f"{now} - i * {DAY_S}")
    columns = {
        "id": id_of(dialect, "camp", "i"),
        "name": "'Campaign ' || i",
        "status": "CASE WHEN i < 20 THEN 'running' ELSE 'completed' END",
        "mode": f"CASE WHEN i % {CAMPAIGNS // 4} = 0 THEN 'live' ELSE 'test' END",
        "purpose": "'informational'",
        "created_at": at,
        "updated_at": at,
    }
    return insert("campaigns_campaign", columns, dialect.series.format(CAMPAIGNS) + " AS n")


# Of each hundred calls: 0 to 39 to come, 40 to 79 completed, 80 to 93 failed, the rest canceled. Those
# numbered 0 to 9 belong to a campaign that begins at one instant, those numbered 40 to 49 to one that did.
STATUS = (
    "CASE WHEN k < 40 THEN 'scheduled' WHEN k < 80 THEN 'completed' WHEN k < 94 THEN 'failed' "
    "ELSE 'canceled' END"
)
CAMPAIGN = (
    f"CASE WHEN k < 10 THEN 1 WHEN k >= 40 AND k < 50 THEN 21 WHEN k % 3 = 0 THEN NULL "
    f"ELSE 2 + i / 100 % {CAMPAIGNS - 1} END"
)


def _calls(dialect: Dialect, calls: int, contacts: int, now: int) -> list[str]:
    moment = (
        f"CASE WHEN k < 10 THEN {now} + {DAY_S} WHEN k < 40 THEN {now} + 60 + i * 131 % {30 * DAY_S} "
        f"WHEN k < 50 AND k >= 40 THEN {now} - {DAY_S} ELSE {now} - 60 - i * 131 % {365 * DAY_S} END"
    )
    numbers = f"(SELECT i, i % 100 AS k, i / 100 AS h FROM {dialect.series.format(calls)} AS n)"
    rows = f"(SELECT i, k, h, {STATUS} AS status, {CAMPAIGN} AS c, {moment} AS at FROM {numbers} AS m) AS r"
    priority = "CASE WHEN i % 10 = 0 THEN 'high' ELSE 'low' END"
    metadata = f"""'{{"order": "' || i || '", "priority": "' || {priority} || '"}}'"""
    outcome = (
        f"CASE status WHEN 'completed' THEN {pick(COMPLETED, 'i / 7')} WHEN 'failed' THEN "
        f"{pick(FAILED, 'i / 7')} WHEN 'canceled' THEN 'canceled_by_user' END"
    )
    some = min(60, contacts // 100)
    at = dialect.moment.format("at")
    before = dialect.moment.format(f"at - {DAY_S}")
    columns = {
        "id": id_of(dialect, "call", "i"),
        "contact_id": id_of(dialect, "ctc", f"(i * 7919) % {contacts} + 1"),
        "campaign_id": f"CASE WHEN c IS NOT NULL THEN {id_of(dialect, 'camp', 'c')} END",
        "mode": "CASE WHEN i % 50 = 7 THEN 'live' ELSE 'test' END",
        "status": "status",
        "version": "1",
        "outcome": outcome,
        "answered_by": "CASE WHEN status = 'completed' THEN 'human' END",
        "scheduled_at": at,
        "due_at": at,
        "timezone": pick(ZONES, "i"),
        "initial_message": "'Hi {{first_name}}, this is the assistant, following up on your renewal.'",
        "max_duration_s": "900",
        "max_attempts": "3",
        "caller_id": "''",
        "metadata": f"CASE WHEN i % 2 = 0 THEN {dialect.json.format(metadata)} END",
        "recording_enabled": dialect.yes,
        "webhook_url": "''",
        "events_sent": "0",
        "created_at": before,
        "updated_at": before,
    }
    return [
        insert("calls_call", columns, rows),
        # Some are up now, each to a number of its own; as many were due five minutes ago, and wait.
        *(
            f"UPDATE calls_call SET status = '{status}', scheduled_at = {then}, due_at = {then} WHERE id IN "
            f"(SELECT {id_of(dialect, 'call', f'i * 100 + {k}')} FROM {dialect.series.format(some)} AS n)"
            for status, k, then in (
                ("in_progress", 20, dialect.moment.format(f"{now} - 30")),
                ("scheduled", 21, dialect.moment.format(f"{now} - 300")),
            )
        ),
    ]


# Of a call ``c``, what each keeps of it.
DELIVERED = {
    "event_id": "'msg_' || substr(c.id, 6)",
    "type": "'call.completed'",
    "subject": "c.id",
    "sequence": "1",
    "url": "'https://hooks.example.com/calls'",
    "receiver": "'hooks.example.com:443'",
    "body": "'{}'",
    "state": "'delivered'",
    "tries": "1",
    "next_try_at": "c.due_at",
    "created_at": "c.due_at",
}


def scheduled(dialect: Dialect) -> dict[str, str]:
    """The first event of a call ``c``."""
    return {
        "call_id": "c.id",
        "name": "'scheduled'",
        "from_status": "''",
        "to_status": "'scheduled'",
        "reason": "''",
        "data": dialect.json.format("'{}'"),
        "at": "c.created_at",
    }


def decided(dialect: Dialect) -> dict[str, str]:
    """What the gates said when a call ``c`` was made."""
    return {
        "call_id": "c.id",
        "stage": "'creation'",
        "verdict": "CASE WHEN c.mode = 'test' THEN 'warn' ELSE 'allow' END",
        "rule": "'consent'",
        "checks": dialect.json.format(f"'{CHECKS}'"),
        "at": "c.created_at",
    }


def audited(dialect: Dialect) -> dict[str, str]:
    """Who made a call ``c``."""
    return {
        "at": "c.created_at",
        "actor_kind": "'key'",
        "actor_id": "'bench'",
        "actor_label": "'A program'",
        "action": "'call.schedule'",
        "target": "c.id",
        "details": dialect.json.format("'{}'"),
    }


def _histories(dialect: Dialect) -> list[str]:
    dialled = "(SELECT * FROM calls_call WHERE status IN ('completed', 'failed', 'in_progress')) AS c"
    number = "(SELECT phone FROM contacts_contact WHERE id = c.contact_id)"
    attempts = {
        "id": "'att_' || substr(c.id, 6)",
        "call_id": "c.id",
        "number": "1",
        "state": "CASE WHEN c.status = 'in_progress' THEN 'answered' ELSE 'ended' END",
        "outcome": "c.outcome",
        "answered_by": "c.answered_by",
        "carrier": "'simulated'",
        "to": number,
        "caller_id": "'+14155550199'",
        "rendered_message": "'Hi, this is the assistant, following up on your renewal.'",
        "not_after": "c.due_at",
        "lease_until": "c.due_at",
        "sequence": "3",
        "created_at": "c.due_at",
        "accepted_at": "c.due_at",
        "answered_at": "c.due_at",
        "ended_by": "''",
        "hangup_cause": "''",
        "duration_s": "60",
        "evidence": dialect.json.format("'{}'"),
        "summary": "''",
        "extracted": dialect.json.format("'{}'"),
        "analyzed_by": "''",
    }
    event = scheduled(dialect)
    end = {**event, "name": "'ended'", "from_status": "'in_progress'", "to_status": "c.status"}
    turn = {
        "attempt_id": "a.id",
        "sequence": "1",
        "speaker": "'agent'",
        "text": "a.rendered_message",
        "offset_ms": "0",
        "at": "a.created_at",
    }
    return [
        insert("calls_attempt", attempts, dialled),
        insert("calls_callevent", event, "calls_call AS c"),
        insert("calls_callevent", end, dialled),
        insert("calls_decision", decided(dialect), "calls_call AS c"),
        insert("calls_transcriptturn", turn, "calls_attempt AS a"),
        insert("accounts_auditentry", audited(dialect), "calls_call AS c"),
        insert("webhooks_delivery", DELIVERED, "(SELECT * FROM calls_call WHERE status = 'completed') AS c"),
    ]
