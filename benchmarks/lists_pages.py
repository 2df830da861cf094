"""Fill the database of ``DATABASE_URL``, ask for every list and page, and print the figures as JSON.

Started by ``benchmarks.lists``, which sets Django up, since one process of it knows one database. A request
goes through the whole of Django by its test client: the figures are the server's time without the network's.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta

from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.db.models import Model, QuerySet
from django.test import Client
from django.urls import resolve, reverse

from benchmarks.lists_data import fill
from benchmarks.lists_watched import how, watched
from calls.models import Call, CallEvent, Gateway
from calls.states import CallStatus
from campaigns.models import Campaign
from contacts.models import Contact, Suppression
from temphone import pages
from temphone.accounts.actions import create_key
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import Mode, User
from temphone.api import pagination
from temphone.lib.clock import iso
from temphone.lib.clock import now as utc_now

Ask = Callable[[], object]
DEEP = 0.9  # of a list's length
SLOW_MS = 2_000  # whatever takes longer is not repeated


def measure(ask: Ask, *, times: int, explain: bool) -> dict[str, object]:
    """The first request on a new connection, then ``times`` more; milliseconds."""
    connection.close()
    connection.ensure_connection()
    first = _timed(ask)
    slow = first > SLOW_MS
    spent = [first] if slow else [_timed(ask) for _ in range(times)]
    runs = []
    for _ in range(1 if slow else 3):
        with watched() as statements:
            ask()
        runs.append(statements)
    middle = sorted(runs, key=lambda run: run.slowest.ms)[len(runs) // 2]
    used = time.process_time()
    ask()
    figures: dict[str, object] = {
        "CPU, ms": (time.process_time() - used) * 1000,
        "cold, ms": first,
        "least, ms": min(spent),
        "p50, ms": statistics.median(spent),
        "max, ms": max(spent),
        "database, ms": statistics.median(run.database_ms for run in runs),
        "Python, ms": statistics.median(run.ms - run.database_ms for run in runs),
        "queries": len(middle.asked),
        "slowest query, ms": middle.slowest.ms,
        "slowest count, ms": statistics.median(run.slowest_count.ms for run in runs),
        "slowest query, how": how(middle.slowest),
        "slowest count, how": how(middle.slowest_count),
    }
    if explain:
        figures["sql"] = middle.slowest.sql
    return figures


def _timed(ask: Ask) -> float:
    begun = time.perf_counter()
    ask()
    return (time.perf_counter() - begun) * 1000


def _getting(client: Client, url: str) -> Ask:
    def ask() -> None:
        answer = client.get(url)
        if answer.status_code != 200:
            raise RuntimeError(f"{url}: {answer.status_code} {answer.content[:200]!r}")

    return ask


# ---------------------------------------------------------------- what is asked for


def every_page() -> dict[str, Ask]:
    """Each by a name: the API's lists, the staff's pages, the back office."""
    user = User.objects.create(
        username="bench", role=Role.ADMIN, is_staff=True, is_superuser=True, timezone="Europe/Madrid"
    )
    staff = Client(SERVER_NAME="localhost")
    staff.force_login(user)
    asked: dict[str, Ask] = {}
    for mode, paths in (("test", _api_paths()), ("live", LIVE_PATHS)):
        program = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {_key(Mode(mode))}"})
        asked |= {f"API {mode}: {name}": _getting(program, f"/v1{path}") for name, path in paths.items()}
    asked |= {f"page: {name}": _getting(staff, path) for name, path in _page_paths().items()}
    asked |= {f"admin: {name}": _getting(staff, path) for name, path in _admin_paths().items()}
    return asked


def _key(mode: Mode) -> str:
    return create_key(
        actor=SYSTEM,
        name="bench",
        mode=mode,
        role=Role.MANAGER,
        requests_per_minute=1_000_000,
        now=utc_now(),
    )[1]


LIVE_PATHS = {
    "calls": "/calls",
    "calls, completed": "/calls?status=completed",
    "calls, an outcome": "/calls?outcome=callback_requested",
    "calls, in progress": "/calls?status=in_progress",
}


def _api_cursor(rows: QuerySet, by: str) -> str:
    row = _deep(rows.order_by(f"-{by}", "-pk"))
    return pagination._cursor(row, by, f"cursor:{row._meta.label}:{by}")


def _page_cursor(rows: QuerySet, keys: tuple[str, ...]) -> str:
    return pages._cursor(_deep(rows.order_by(*keys)), keys)


def _deep(rows: QuerySet) -> Model:
    return rows[int(rows.count() * DEEP)]


def _big_campaigns() -> tuple[str, str]:
    """The campaign whose calls are to come, and the one whose calls are over."""
    found = dict(Campaign.objects.filter(name__in=["Campaign 1", "Campaign 21"]).values_list("name", "pk"))
    return found["Campaign 1"], found["Campaign 21"]


def _api_paths() -> dict[str, str]:
    calls, now = Call.objects.filter(mode="test"), utc_now()
    call = calls.filter(status=CallStatus.COMPLETED, attempts__isnull=False).first()
    coming, over = _big_campaigns()
    small = Campaign.objects.get(name="Campaign 100").pk
    month = f"scheduled_from={iso(now - timedelta(days=60))}&scheduled_to={iso(now - timedelta(days=30))}"
    return {
        "calls": "/calls",
        "calls, 100 of them": "/calls?limit=100",
        "calls, deep": f"/calls?cursor={_api_cursor(calls, 'scheduled_at')}",
        **{f"calls, {status}": f"/calls?status={status}" for status in CallStatus.values},
        "calls, completed, deep": (
            f"/calls?status=completed&cursor={_api_cursor(calls.filter(status='completed'), 'scheduled_at')}"
        ),
        "calls, a common outcome": "/calls?outcome=message_delivered",
        "calls, a rare outcome": "/calls?outcome=opted_out",
        "calls, an outcome that none has": "/calls?outcome=spend_cap",
        "calls, an outcome and another status": "/calls?outcome=opted_out&status=scheduled",
        "calls of a contact": f"/calls?contact_id={call.contact_id}",
        "calls of a campaign": f"/calls?campaign_id={small}",
        "calls of a tenth's campaign": f"/calls?campaign_id={coming}",
        "calls of a tenth's campaign, deep": (
            f"/calls?campaign_id={coming}&cursor={_api_cursor(calls.filter(campaign=coming), 'scheduled_at')}"
        ),
        "calls of a tenth's campaign, failed": f"/calls?campaign_id={over}&status=failed",
        "calls of a tenth's campaign, a rare outcome": f"/calls?campaign_id={over}&outcome=opted_out",
        "calls of a month": f"/calls?{month}",
        "calls of a month, failed": f"/calls?{month}&status=failed",
        "calls by metadata, common": "/calls?metadata.priority=low",
        "calls by metadata, one": "/calls?metadata.order=777776",
        "calls by metadata, none": "/calls?metadata.order=nothing",
        "a call": f"/calls/{call.pk}",
        "contacts": "/contacts",
        "contacts, deep": f"/contacts?cursor={_api_cursor(Contact.objects.present(), 'created_at')}",
        **{f"contacts, {what}": f"/contacts?q={q}" for what, q in SEARCHES.items()},
        "consents of a contact": f"/contacts/{call.contact_id}/consents",
        "suppressions": "/suppressions",
        "suppressions, deep": f"/suppressions?cursor={_api_cursor(Suppression.objects.all(), 'created_at')}",
        "campaigns": "/campaigns",
    }


SEARCHES = {
    "found by a name": "jordan+anderman",
    "found by a last name": "kirchwick",
    "found by a letter": "a",
    "found by a company": "harbor+insurance",
    "found by digits": "%2B1+200+978",
    "found by last digits": "6841",
    "nobody found": "zzyzx",
}


def _page_paths() -> dict[str, str]:
    calls, newest = Call.objects.all(), ("-scheduled_at", "-id")
    call = calls.filter(status=CallStatus.COMPLETED, attempts__isnull=False).first()
    live = calls.filter(status=CallStatus.IN_PROGRESS).first()
    coming, over = _big_campaigns()
    upcoming = _page_cursor(calls.filter(status="scheduled"), ("due_at", "id"))
    views = ("upcoming", "live", "attention", "completed", "all")
    filters = {
        "live mode": "mode=live",
        "an outcome": "outcome=opted_out",
        "a status": "status=canceled",
        "a tenth's campaign to come": f"campaign={coming}",
        "a tenth's campaign that is over": f"campaign={over}",
        "a month": "since=2026-01-01&until=2026-01-31",
        "last month": f"since={utc_now() - timedelta(days=31):%Y-%m-%d}&until={utc_now():%Y-%m-%d}",
    }
    return {
        **{f"calls, {view}": f"/calls/?view={view}" for view in views},
        "calls, upcoming, deep": f"/calls/?after={upcoming}",
        "calls, upcoming, deep, back": f"/calls/?before={upcoming}",
        "calls, all, deep": f"/calls/?view=all&after={_page_cursor(calls, newest)}",
        **{
            f"calls, {view}, {what}": f"/calls/?view={view}&{query}"
            for what, query in filters.items()
            for view in views
        },
        **{
            f"calls, {view}, {what}": f"/calls/?view={view}&q={q}"
            for what, q in SEARCHES.items()
            for view in ("upcoming", "all")
        },
        "calls, by id": f"/calls/?view=all&q={call.pk}",
        "a call": f"/calls/{call.pk}/",
        "a live call": f"/calls/{live.pk}/",
        "new call": "/calls/new/",
        "contacts": "/contacts/",
        "contacts, deep": (
            f"/contacts/?after={_page_cursor(Contact.objects.present(), ('last_name', 'first_name', 'id'))}"
        ),
        **{f"contacts, {what}": f"/contacts/?q={q}" for what, q in SEARCHES.items()},
        "a contact": f"/contacts/{call.contact_id}/",
        "account": "/account/",
    }


def _admin_paths() -> dict[str, str]:
    found = {}
    resolve("/admin/")  # which registers what the back office shows
    for model in admin.site._registry:
        label, name = model._meta.app_label, model._meta.model_name
        if label != "django_q":
            found[name] = reverse(f"admin:{label}_{name}_changelist")
    calls = found["call"]
    call = Call.objects.filter(status="completed", attempts__isnull=False).first()
    event = CallEvent.objects.filter(call=call).first()
    return {
        **{f"{name} list": path for name, path in found.items()},
        "call list, last page": f"{calls}?p=99",
        "call list, failed": f"{calls}?status__exact=failed",
        "call list, live": f"{calls}?mode__exact=live",
        "call list, an outcome": f"{calls}?outcome=opted_out",
        "call list, a campaign": f"{calls}?campaign={_big_campaigns()[1]}",
        "call list, searched by name": f"{calls}?q=kirchwick",
        "call list, searched by contact": f"{calls}?q={call.contact_id}",
        "call": reverse("admin:calls_call_change", args=[call.pk]),
        "contact list, callable": f"{found['contact']}?callable=yes",
        "contact list, suppressed": f"{found['contact']}?callable=no",
        "contact list, a zone": f"{found['contact']}?timezone=Europe/London",
        "contact list, searched": f"{found['contact']}?q=kirchwick",
        "contact": reverse("admin:contacts_contact_change", args=[call.contact_id]),
        "attempt list, failed": f"{found['attempt']}?outcome__exact=busy",
        "attempt list, searched": f"{found['attempt']}?q={call.pk}",
        "callevent list, searched": f"{found['callevent']}?q={call.pk}",
        "callevent": reverse("admin:calls_callevent_change", args=[event.pk]),
        "decision list, blocked": f"{found['decision']}?verdict__exact=block",
        "transcriptturn list, searched": f"{found['transcriptturn']}?q={call.pk}",
        "suppression list, searched": f"{found['suppression']}?q=%2B1200",
        "consent list, searched": f"{found['consent']}?q={call.contact_id}",
        "delivery list, given up": f"{found['delivery']}?state__exact=exhausted",
        "delivery list, searched": f"{found['delivery']}?q={call.pk}",
        "auditentry list, searched": f"{found['auditentry']}?q={call.pk}",
    }


# ---------------------------------------------------------------- the child


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, help="Migrate and fill first, with so many calls.")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--only", default="", help="Names that hold this text.")
    parser.add_argument("--explain", action="store_true", help="With the slowest statement's SQL.")
    given = parser.parse_args()
    now = utc_now()
    if given.calls:
        call_command("migrate", verbosity=0)
        begun = time.monotonic()
        fill(connection, calls=given.calls, contacts=given.calls // 5, now=now)
        print(f"filled in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    Gateway.objects.get_or_create(ledger="gw", defaults={"url": "http://127.0.0.1:9", "last_seen_at": now})
    User.objects.filter(username="bench").delete()
    found = {}
    for name, ask in every_page().items():
        if given.only in name:
            found[name] = measure(ask, times=given.times, explain=given.explain)
            print(f"{found[name]['p50, ms']:10.1f} ms  {name}", file=sys.stderr, flush=True)
    json.dump(found, sys.stdout)
