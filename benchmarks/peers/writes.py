"""The state writes of a start, in the most direct SQL, and the note that it happened.

The environment says what to do: ``BENCHMARK_DSN``, the database, empty for no writes; ``BENCHMARK_DIALS``,
the file that gets a line ``call instant`` a start.
"""

import os
import threading
import time
from collections.abc import Sequence
from functools import cache

import psycopg

DSN = os.environ.get("BENCHMARK_DSN", "")

ONE = "SELECT id, contact_id FROM calls_call WHERE id = %(call)s AND status = 'scheduled' FOR UPDATE"
BATCH = """
    SELECT id, contact_id FROM calls_call WHERE status = 'scheduled' AND due_at <= now()
    ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
# The rows that TemPhone's claim writes, with columns as wide; nothing is asked and nothing is rendered.
WRITE = """
    WITH due AS MATERIALIZED ({due}),
    taken AS (
        UPDATE calls_call SET status = 'in_progress', version = version + 1, updated_at = now()
        FROM due WHERE calls_call.id = due.id
        RETURNING calls_call.id, calls_call.contact_id
    ),
    attempt AS (
        INSERT INTO calls_attempt (
            id, call_id, number, state, carrier, gateway_id, "to", caller_id, rendered_message, not_after,
            lease_until, sequence, created_at, ended_by, hangup_cause, evidence
        )
        SELECT 'att_' || substr(md5(random()::text || taken.id), 1, 12), taken.id, 1, 'dialing', 'simulated',
            'gw_benchmark', phone, '+14155550199', %(message)s, now() + interval '10 s',
            now() + interval '8 s', 0, now(), '', '', '{{}}'
        FROM taken JOIN contacts_contact ON contacts_contact.id = taken.contact_id
        RETURNING id, call_id
    ),
    event AS (
        INSERT INTO calls_callevent (
            call_id, attempt_id, name, from_status, to_status, reason, data, at
        )
        SELECT call_id, id, 'dialing', 'scheduled', 'in_progress', '', '{{}}', now() FROM attempt
    ),
    decision AS (
        INSERT INTO calls_decision (call_id, attempt_id, stage, verdict, rule, checks, at)
        SELECT call_id, id, 'claim', 'allow', 'stop_switch', %(checks)s, now() FROM attempt
    )
    SELECT call_id FROM attempt
"""
WRITE_ONE, WRITE_BATCH = WRITE.format(due=ONE), WRITE.format(due=BATCH)
CLAIM_BATCH = f"""
    UPDATE calls_call SET status = 'in_progress', version = version + 1, updated_at = now()
    FROM ({BATCH}) AS due WHERE calls_call.id = due.id RETURNING calls_call.id
"""
MESSAGE = "Hi Jordan, this is the TemPhone AI assistant following up on your renewal."

_own = threading.local()  # a connection a thread, made on first use: after every fork


def connection() -> psycopg.Connection:
    """This thread's connection; every statement is a transaction."""
    if not hasattr(_own, "connection"):
        _own.connection = psycopg.connect(DSN, autocommit=True, prepare_threshold=1)
    return _own.connection


@cache
def checks() -> str:
    """What the gates say, as a decision keeps it: as long as ours."""
    kept = connection().execute("SELECT checks::text FROM calls_decision WHERE stage = 'creation' LIMIT 1")
    return str(kept.fetchone()[0])


@cache
def _log(_process: int) -> int:
    return os.open(os.environ["BENCHMARK_DIALS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def note(calls: Sequence[str]) -> None:
    """Write that these started now."""
    at = time.time()
    os.write(_log(os.getpid()), "".join(f"{call} {at:.6f}\n" for call in calls).encode())


def start(call: str) -> None:
    """What a peer's task does for its call."""
    if DSN:
        values = {"call": call, "message": MESSAGE, "checks": checks()}
        if not connection().execute(WRITE_ONE, values).fetchone():
            return  # somebody was first
    note([call])
