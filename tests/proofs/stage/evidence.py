"""All that is known of a number, for whoever looks into what was flagged."""

from typing import Any

from tests.proofs.stage import ledgers
from tests.proofs.stage.installation import Installation

QUERIES = {
    "calls": "SELECT calls_call.* FROM contacts_contact"
    " JOIN calls_call ON calls_call.contact_id = contacts_contact.id"
    " WHERE phone = %s",
    "attempts": "SELECT calls_attempt.* FROM contacts_contact"
    " JOIN calls_call ON calls_call.contact_id = contacts_contact.id"
    " JOIN calls_attempt ON calls_attempt.call_id = calls_call.id"
    " WHERE phone = %s",
    "events": "SELECT calls_callevent.* FROM contacts_contact"
    " JOIN calls_call ON calls_call.contact_id = contacts_contact.id"
    " JOIN calls_callevent ON calls_callevent.call_id = calls_call.id"
    " WHERE phone = %s ORDER BY calls_callevent.id",
    "deliveries": "SELECT webhooks_delivery.* FROM contacts_contact"
    " JOIN calls_call ON calls_call.contact_id = contacts_contact.id"
    " JOIN webhooks_delivery ON webhooks_delivery.subject = calls_call.id"
    " WHERE phone = %s ORDER BY webhooks_delivery.id",
}
MOST = 100  # are written down with all that is known; of what breaks more often, the rest is the same


def evidence(number: str, installation: Installation, cursor: Any) -> dict[str, object]:
    """What database and ledgers say of it. ``cursor``: of its database, whatever the driver."""
    rows = {name: _rows(cursor, query, number) for name, query in QUERIES.items()}
    attempts = [str(row["id"]) for row in rows["attempts"]]
    return {
        "number": number,
        "rings": [ring for ring in installation.heard() if ring.to == number],
        "rows": rows,
        "ledgers": {path.name: ledgers.rows(path, attempts) for path in installation.ledgers()},
    }


def _rows(cursor: Any, query: str, number: str) -> list[dict[str, object]]:
    cursor.execute(query, [number])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
