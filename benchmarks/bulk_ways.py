"""The ways to schedule a campaign's calls, each timed in a process of its own; and the people to call.

Run with the environment of the installation: ``python -m benchmarks.bulk_ways seed CONTACTS``, or with the
name of a way. A way prints JSON: the seconds that it took, from its first look at the contacts to its last
commit.
"""

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import django
from django.core.management import call_command
from django.db import connection, transaction

from benchmarks.lists_data import fill_contacts

MESSAGE = "Hi {{first_name}}, this is the TemPhone AI assistant following up on your renewal."
BATCH = 1_000
PORT = "BENCHMARK_PORT"


def main() -> None:
    django.setup()
    what = sys.argv[1]
    if what == "seed":
        print(json.dumps({"key": seed(int(sys.argv[2]))}))
        return
    way = {"ours": ours, "copy": copy, "bulk_create": bulk_create, "requests": requests}[what]
    import_module("campaigns.actions.launching")  # web and worker have it already
    connection.ensure_connection()
    began = time.monotonic()
    way()
    print(json.dumps({"s": time.monotonic() - began}))


def seed(contacts: int) -> str:
    """Migrate; people, a campaign, a key. Gives the key."""
    from temphone.accounts.actions import create_key
    from temphone.accounts.actors import SYSTEM, Role
    from temphone.accounts.models import Mode
    from temphone.lib.clock import now as utc_now

    call_command("migrate", verbosity=0)
    fill_contacts(connection, contacts, now=utc_now())
    draft()
    return create_key(
        actor=SYSTEM,
        name="bench",
        mode=Mode.TEST,
        role=Role.MANAGER,
        requests_per_minute=1_000_000,
        now=utc_now(),
    )[1]


def draft() -> None:
    """A campaign as staff have it before they launch it: everybody, a month from now, all at once."""
    from campaigns.models import Campaign
    from campaigns.models.audience import EVERYBODY, Audience
    from campaigns.states import CampaignStatus

    Campaign.objects.create(
        name="Renewals",
        status=CampaignStatus.DRAFT,
        message=MESSAGE,
        audience=Audience(kind=EVERYBODY).kept,
        starts_on=_moments()[1].date(),
    )


def _campaign() -> Any:
    from campaigns.models import Campaign

    return Campaign.objects.get()


def _moments() -> tuple[datetime, datetime]:
    """Now, and when to call."""
    from temphone.lib.clock import now as utc_now

    now = utc_now()
    return now, now + timedelta(days=30)


# ---------------------------------------------------------------- the ways


def ours() -> None:
    """As a launch does it: asked for, then scheduled batch by batch, as the worker's task does."""
    from campaigns.actions.launching import launch_campaign, schedule_some
    from temphone.accounts.actors import SYSTEM
    from temphone.lib.clock import now as utc_now

    campaign = _campaign()
    launch_campaign(actor=SYSTEM, campaign_id=campaign.pk, version=campaign.version, now=utc_now())
    while schedule_some(campaign_id=campaign.pk, now=utc_now()):
        pass


def copy() -> None:
    """The same rows by COPY, in one transaction: the floor. The contacts are read, and nothing is checked."""
    from calls.models import Call, CallEvent

    now, at = _moments()
    campaign = _campaign().pk
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id, timezone FROM contacts_contact WHERE erased_at IS NULL")
        people = cursor.fetchall()
        made = [_call_row(campaign, contact, zone, at, now) for contact, zone in people]
        events = ({**EVENT, "call_id": row["id"], "at": now} for row in made)
        for model, rows in ((Call, iter(made)), (CallEvent, events)):
            _copy(cursor, model._meta.db_table, rows)


def _copy(cursor: Any, table: str, rows: Iterator[dict[str, Any]]) -> None:
    first = next(rows)
    with cursor.copy(f"COPY {table} ({', '.join(first)}) FROM STDIN") as writing:
        writing.write_row(list(first.values()))
        for row in rows:
            writing.write_row(list(row.values()))


EVENT = {"name": "scheduled", "from_status": "", "to_status": "scheduled", "reason": "", "data": "{}"}


def _call_row(campaign: str, contact: str, zone: str, at: datetime, now: datetime) -> dict[str, Any]:
    from temphone.lib import ids

    return {
        "id": ids.call_id(),
        "contact_id": contact,
        "campaign_id": campaign,
        "mode": "test",
        "status": "scheduled",
        "version": 1,
        "scheduled_at": at,
        "due_at": at,
        "timezone": zone,
        "initial_message": MESSAGE,
        "max_duration_s": 900,
        "max_attempts": 3,
        "caller_id": "",
        "recording_enabled": True,
        "webhook_url": "",
        "events_sent": 0,
        "created_at": now,
        "updated_at": now,
    }


def bulk_create() -> None:
    """As one writes it with Django's ORM, 1,000 rows a statement."""
    from calls.models import Call, CallEvent
    from contacts.models import Contact

    now, at = _moments()
    campaign = _campaign()
    with transaction.atomic():
        calls = [
            Call(
                contact=one, campaign=campaign, mode="test", scheduled_at=at, due_at=at,
                timezone=one.timezone, initial_message=MESSAGE, created_at=now, updated_at=now,
            )
            for one in Contact.objects.filter(erased_at=None)
        ]  # fmt: skip
        Call.objects.bulk_create(calls, batch_size=BATCH)
        CallEvent.objects.bulk_create(
            [CallEvent(call=call, name="scheduled", to_status="scheduled", at=now) for call in calls],
            batch_size=BATCH,
        )


def requests() -> None:
    """By HTTP, 1,000 calls a request, one request after the other. Each is checked, and its gates asked."""
    from contacts.models import Contact
    from temphone.lib.clock import iso

    campaign, at = _campaign().pk, iso(_moments()[1])
    people = list(Contact.objects.filter(erased_at=None).values_list("pk", flat=True))
    server = http.client.HTTPConnection("127.0.0.1", int(os.environ[PORT]), timeout=120)
    headers = {"Authorization": f"Bearer {os.environ['BENCHMARK_KEY']}", "Content-Type": "application/json"}
    asked = {"campaign_id": campaign, "scheduled_at": at, "initial_message": MESSAGE}
    for start in range(0, len(people), BATCH):
        calls = [{"contact_id": one, **asked} for one in people[start : start + BATCH]]
        server.request("POST", "/v1/calls/scheduled/batch", json.dumps({"calls": calls}), headers)
        answer = server.getresponse()
        told = answer.read()
        if answer.status != http.HTTPStatus.CREATED:
            raise RuntimeError(f"{answer.status} {told[:300]!r}")


if __name__ == "__main__":
    main()
