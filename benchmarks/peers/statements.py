"""The state writes of a start in the most direct SQL: made once, by Django, for programs without it.

They are the rows that TemPhone's claim writes, with columns as wide; what they do not name, but must have, is
the model's default. Nothing is asked and nothing is rendered. ``benchmarks.peers.writes`` runs them.
"""

import json

from django.db import connection

from benchmarks.lists_data import dialect_of, insert

ONE = "SELECT id, contact_id FROM calls_call WHERE id = %(call)s AND status = 'scheduled' FOR UPDATE"
BATCH = """
    SELECT id, contact_id FROM calls_call WHERE status = 'scheduled' AND due_at <= now()
    ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
# Not looked for again for each of them, so that no more are locked than taken.
DUE = "due AS MATERIALIZED ({due})"
TAKE = """
    UPDATE calls_call SET status = 'in_progress', version = version + 1, updated_at = now()
    FROM due WHERE calls_call.id = due.id RETURNING calls_call.id, calls_call.contact_id
"""
PEOPLE = "taken JOIN contacts_contact ON contacts_contact.id = taken.contact_id"


def main() -> None:
    """Print them as JSON."""
    print(json.dumps(statements()))


def statements() -> dict[str, str]:
    """Those that write all rows of one call or of a batch, and the one that only takes a batch."""
    one, batch = DUE.format(due=ONE), DUE.format(due=BATCH)
    return {"one": _writing(one), "batch": _writing(batch), "claim": f"WITH {batch} {TAKE}"}


def _writing(due: str) -> str:
    return f"""
        WITH {due},
        taken AS ({TAKE}),
        attempt AS ({insert("calls_attempt", _attempt(), PEOPLE)} RETURNING id, call_id),
        event AS ({insert("calls_callevent", _event(), "attempt")}),
        decision AS ({insert("calls_decision", _decision(), "attempt")})
        SELECT call_id FROM attempt
    """


def _attempt() -> dict[str, str]:
    return {
        "id": "'att_' || substr(md5(random()::text || taken.id), 1, 12)",
        "call_id": "taken.id",
        "number": "1",
        "carrier": "'simulated'",
        "gateway_id": "'gw_benchmark'",
        "to": "phone",
        "caller_id": "'+14155550199'",
        "rendered_message": "%(message)s",
        "agent_version_id": "%(agent)s",
        "not_after": "now() + interval '10 s'",
        "lease_until": "now() + interval '8 s'",
        "created_at": "now()",
    }


def _event() -> dict[str, str]:
    return {
        "call_id": "call_id",
        "attempt_id": "id",
        "name": "'dialing'",
        "from_status": "'scheduled'",
        "to_status": "'in_progress'",
        "at": "now()",
    }


def _decision() -> dict[str, str]:
    return {
        "call_id": "call_id",
        "attempt_id": "id",
        "stage": "'claim'",
        "verdict": "'allow'",
        "rule": "'stop_switch'",
        "checks": dialect_of(connection).json.format("%(checks)s"),
        "at": "now()",
    }
