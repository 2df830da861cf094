"""What a peer without an ORM reads and writes: a key, its requests, one SELECT that locks, one INSERT of all.

The parameters are PostgreSQL's own, ``$1``; Django is set up only to tell the models' columns.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from benchmarks.ingest_peers.facts import Agreement, Errand, Person, Plan, Programme, Reach, Switch
from benchmarks.lists_data import insert
from temphone.lib.errors import NotFound, Refused

if TYPE_CHECKING:
    from benchmarks.ingest_peers.asked import Asked

KEY = (
    "SELECT id, hash, mode, name, public_id FROM accounts_apikey WHERE public_id = $1 AND revoked_at IS NULL"
)
TAKE = """
    INSERT INTO accounts_keyminute (key_id, minute, requests) VALUES ($1, $2, $3)
    ON CONFLICT (key_id, minute) DO UPDATE SET requests = accounts_keyminute.requests + excluded.requests
    RETURNING requests
"""
# One row per consent in force, the newest first; the contact is locked against erasing.
LOOK = """
    SELECT c.id, c.first_name, c.last_name, c.phone, c.timezone, c.language, c.company, c.attributes,
        p.id AS campaign, p.name AS campaign_name, p.status, p.mode, p.purpose AS campaign_purpose,
        p.opens, p.closes, s."on" AS stopped, s.changed_by, d.countries, d.kinds,
        k.purpose, k.kind, k.captured_at,
        EXISTS (SELECT 1 FROM contacts_suppression WHERE number = c.phone AND lifted_at IS NULL)
        OR EXISTS (
            SELECT 1 FROM contacts_suppression WHERE is_prefix AND lifted_at IS NULL
            AND c.phone LIKE number || '%'
        ) AS listed
    FROM contacts_contact c
    LEFT JOIN campaigns_campaign p ON p.id = $2
    LEFT JOIN calls_stopswitch s ON s.id = 1
    LEFT JOIN contacts_destinations d ON d.id = 1
    LEFT JOIN contacts_consent k ON k.contact_id = c.id AND k.captured_at <= $3 AND k.revoked_at IS NULL
    WHERE c.id = $1 AND c.erased_at IS NULL
    ORDER BY k.captured_at DESC, k.id DESC
    FOR SHARE OF c
"""
PERSON = ("id", "first_name", "last_name", "phone", "timezone", "language", "company", "attributes")


def write() -> str:
    """The four rows in one statement, so one message; the foreign keys are looked at when it ends."""
    call = {
        "id": "$1",
        "contact_id": "$2",
        "campaign_id": "$3",
        "mode": "'test'",
        "scheduled_at": "$4",
        "due_at": "$5",
        "timezone": "$6",
        "initial_message": "$7",
        "max_duration_s": "$8",
        "caller_id": "$9",
        "metadata": "$10",
        "recording_enabled": "$11",
        "webhook_url": "$12",
        "created_by_key_id": "$13",
        "created_at": "$14",
        "updated_at": "$14",
    }
    decision = {
        "call_id": "$1",
        "stage": "'creation'",
        "verdict": "$15",
        "rule": "$16",
        "checks": "$17",
        "at": "$14",
    }
    event = {"call_id": "$1", "name": "'scheduled'", "to_status": "'scheduled'", "at": "$14"}
    audited = {
        "at": "$14",
        "actor_kind": "'key'",
        "actor_id": "$18",
        "actor_label": "$19",
        "action": "'call.schedule'",
        "target": "$1",
    }
    return f"""
        WITH call AS ({insert("calls_call", call)}),
        decision AS ({insert("calls_decision", decision)}),
        event AS ({insert("calls_callevent", event)})
        {insert("accounts_auditentry", audited)}
    """


def errand(found: Sequence[Mapping[str, Any]]) -> Errand:
    """Whom and what a request names, from the rows of ``LOOK``.

    Raises:
        NotFound: there is no such contact.
        Refused: the number must not be called.
    """
    if not found:
        raise NotFound("Contact not found.", code="contact_not_found")
    first = found[0]
    if first["listed"]:
        raise Refused("The number must not be called.", code="blocked_suppressed")
    campaign = first["campaign"] and Programme(
        pk=first["campaign"],
        name=first["campaign_name"],
        status=first["status"],
        mode=first["mode"],
        purpose=first["campaign_purpose"],
        opens=first["opens"],
        closes=first["closes"],
    )
    consents = [
        Agreement(purpose=row["purpose"], kind=row["kind"], captured_at=row["captured_at"])
        for row in found
        if row["kind"]
    ]
    return Errand(
        person=Person(**{name: first[name] for name in PERSON}),
        campaign=campaign,
        consents=consents,
        switch=Switch(on=bool(first["stopped"]), changed_by=first["changed_by"] or ""),
        reach=Reach(countries=first["countries"] or (), kinds=first["kinds"] or ()),
    )


def values(asked: "Asked", plan: Plan, key: Mapping[str, Any], now: datetime) -> list[Any]:
    """What ``write`` writes."""
    return [
        plan.call_id, asked.contact_id, asked.campaign_id, plan.when, plan.due, plan.zone_name,
        asked.initial_message, asked.max_duration_seconds, asked.caller_id or "", asked.metadata,
        asked.recording_enabled, asked.webhook_url or "", key["id"], now,
        plan.decision["verdict"], plan.decision["rule"], plan.decision["checks"],
        key["public_id"], key["name"],
    ]  # fmt: skip
