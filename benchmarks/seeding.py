"""Fill a fresh database: contacts with consents, and their calls as scheduling leaves them.

Run with the environment of the installation: ``python -m benchmarks.seeding CALLS FUTURE``. The calls are
due in a year; whoever measures moves them. FUTURE: so many copies of the calls that are there, due later.
"""

import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import django
from django.core.management import call_command
from django.db import connection, transaction

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

    from campaigns.models import Campaign
    from contacts.models import Contact

ZONES = ("America/Los_Angeles", "America/New_York", "Europe/Madrid", "Asia/Kolkata")
MESSAGE = "Hi {{first_name}}, this is the TemPhone AI assistant following up on your renewal."
FAR = timedelta(days=365)
# Where the numbers of +1 415 that are given out begin: who has none of its plan is sought for long.
FIRST = 2_000_000


def main() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    calls, future = int(sys.argv[1]), int(sys.argv[2])
    for add, count in ((seed, calls), (add_future, future)):
        if count:
            with transaction.atomic():
                add(count)
    settle()


def seed(count: int) -> None:
    """A gateway with lines for all, and ``count`` calls, each to a contact with a number of its own."""
    from calls.models import Call, CallEvent, Decision, Gateway
    from campaigns.models import Campaign
    from contacts.models import Consent, Contact, PhoneNumber
    from temphone.lib.clock import now as utc_now

    now = utc_now()
    # No gateway runs: its last heartbeat lies in the future instead.
    Gateway.objects.create(
        ledger="gw_benchmark",
        url="http://127.0.0.1:9",
        legs=["simulated"],
        lines=10_000_000,
        last_seen_at=now + FAR,
    )
    campaign = Campaign.objects.create(name="Renewals")
    contacts = [
        Contact(first_name=f"Jordan{n}", last_name="Lee", phone=phone_of(n), timezone=ZONES[n % len(ZONES)])
        for n in range(count)
    ]
    Contact.objects.bulk_create(contacts, batch_size=500)
    PhoneNumber.objects.bulk_create([PhoneNumber(e164=one.phone) for one in contacts], batch_size=500)
    Consent.objects.bulk_create(
        [
            Consent(contact=one, phone=one.phone, purpose="informational", kind="express", source="form")
            for one in contacts
        ],
        batch_size=500,
    )
    calls = [
        Call(
            contact=one, campaign=campaign, mode="test", scheduled_at=now + FAR, due_at=now + FAR,
            timezone=one.timezone, initial_message=MESSAGE, metadata={"plan": "gold"},
            webhook_url="https://hooks.example.com/calls", created_at=now, updated_at=now,
        )
        for one in contacts
    ]  # fmt: skip
    Call.objects.bulk_create(calls, batch_size=500)
    CallEvent.objects.bulk_create(
        [CallEvent(call=call, name="scheduled", to_status=call.status, at=now) for call in calls],
        batch_size=500,
    )
    _add_history(contacts, campaign, now - timedelta(days=1))
    said = _said_at_creation(contacts[0], campaign, now)
    Decision.objects.bulk_create([Decision(call=call, at=now, **said) for call in calls], batch_size=500)


def _said_at_creation(contact: "Contact", campaign: "Campaign", now: datetime) -> dict[str, object]:
    """What the gates say of such a call when it is scheduled, as a decision keeps it."""
    from calls.actions.scheduling import CallRequest, preview_call
    from temphone.accounts.actors import SYSTEM
    from temphone.accounts.models import Mode
    from temphone.lib.clock import iso

    request = CallRequest(
        contact_id=contact.pk,
        campaign_id=campaign.pk,
        scheduled_at=iso(now + FAR),
        initial_message=MESSAGE,
    )
    seen = preview_call(actor=SYSTEM, mode=Mode.TEST, request=request, now=now)
    rule = next(check["rule"] for check in seen.checks if check["verdict"] == seen.verdict)
    return {"stage": "creation", "verdict": seen.verdict, "rule": rule, "checks": seen.checks}


def _add_history(contacts: "list[Contact]", campaign: "Campaign", at: datetime) -> None:
    """One finished call for each contact: no planner takes the tables for empty ones, as none is for long."""
    from calls.models import Attempt, Call, CallEvent, Decision

    over = {"status": "completed", "outcome": "message_delivered", "answered_by": "human"}
    shared = {
        "campaign": campaign,
        "mode": "test",
        "scheduled_at": at,
        "due_at": at,
        "initial_message": MESSAGE,
    }
    calls = [Call(contact=one, timezone=one.timezone, **shared, **over) for one in contacts]
    dialled = {"carrier": "simulated", "gateway_id": "gw_benchmark", "caller_id": "+14155550199"}
    moments = dict.fromkeys(
        ("not_after", "lease_until", "created_at", "accepted_at", "ringing_at", "answered_at", "ended_at"), at
    )
    attempts = [
        Attempt(
            call=call, number=1, state="ended", outcome="message_delivered", to=one.phone,
            rendered_message=MESSAGE, sequence=4, **dialled, **moments,
        )
        for call, one in zip(calls, contacts, strict=True)
    ]  # fmt: skip
    names = ("dialing", "carrier_accepted", "carrier_answered", "completed")
    events = [CallEvent(call=one.call, attempt=one, name=name, at=at) for one in attempts for name in names]
    decisions = [
        Decision(
            call=one.call, attempt=one, stage="claim", verdict="allow", rule="stop_switch", checks=[], at=at
        )
        for one in attempts
    ]
    for rows in (calls, attempts, events, decisions):
        type(rows[0]).objects.bulk_create(rows, batch_size=500)


def phone_of(n: int) -> str:
    """The number of the contact ``n``, in E.164."""
    return f"+1415{FIRST + n}"


def add_future(count: int) -> None:
    """Copies of the calls, due one after the other from the second year on: what is scheduled, not due."""
    from calls.models import Call

    table = Call._meta.db_table
    columns = [column.column for column in Call._meta.concrete_fields]
    copies = -(-count // Call.objects.filter(status="scheduled").count())
    fresh = {"id": "c.id || '_' || n.i"}
    if connection.vendor == "postgresql":
        numbers = f"generate_series(1, {copies}) AS n(i)"
        later = "c.due_at + make_interval(secs => n.i * 60 + abs(hashtext(c.id)) % 86400)"
        fresh |= {"due_at": later, "scheduled_at": later}
    else:
        counting = f"SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {copies}"
        numbers = f"(WITH RECURSIVE s(i) AS ({counting}) SELECT i FROM s) AS n"
        later = "datetime(c.due_at, '+' || (n.i * 60 + abs(c.rowid * 7919) % 86400) || ' seconds')"
        fresh |= {"due_at": later, "scheduled_at": later}
    wanted = ", ".join(fresh.get(name, f'c."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    insert = (
        f'INSERT INTO "{table}" ({names}) SELECT {wanted} FROM "{table}" c, {numbers} '
        f"WHERE c.status = 'scheduled' LIMIT {count}"
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The copies refer to what is there: a million foreign keys need not be looked up.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        # Indexes are made faster than they are kept.
        indexes = _indexes(cursor, table)
        for name in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute(insert)
        for made in indexes.values():
            cursor.execute(made)


def _indexes(cursor: "CursorWrapper", table: str) -> dict[str, str]:
    """The table's indexes that no constraint needs: by name, the statement that makes them."""
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN "
            "(SELECT conname FROM pg_constraint)",
            [table],
        )
    else:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL",
            [table],
        )
    return dict(cursor.fetchall())


def settle() -> None:
    """As the database is some time after so much was written."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute("CHECKPOINT")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


if __name__ == "__main__":
    main()
