"""Fill the database of ``DATABASE_URL``, or open every page on it and print the figures as JSON.

Started by ``benchmarks.pages``, which sets Django up, since one process of it knows one database. A request
goes through the whole of Django by its test client, middleware and session included: the figures are the
server's time without the network's.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from benchmarks.frame.figures import percentile
from benchmarks.lists_watched import Statements, how, watched
from benchmarks.pages import PEER
from benchmarks.pages_data import AHEAD, BEHIND, CAMPAIGNS, fill
from calls.actions.counting import count_days
from calls.models import Attempt, Call, Gateway, TranscriptTurn
from calls.states import CallStatus
from campaigns.actions.tallies import OUTCOMES, TALLIES
from campaigns.models import Campaign
from contacts.models import Contact, ContactImport, Suppression
from temphone import pages
from temphone.accounts.actors import Role
from temphone.accounts.models import AuditEntry, User
from temphone.lib import garbage
from temphone.lib.clock import now as utc_now
from temphone.webhooks.models import Delivery, Endpoint

MANY_TURNS = 300
UNCOUNTED = 5  # times that a page is opened with nothing kept
WATCHED = 3  # times that its statements are watched
PART = "part"  # what a fragment's name ends with


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A page, or the part of one that htmx asks for."""

    path: str
    is_part: bool = False
    data: Mapping[str, str] = field(default_factory=dict)  # sent, where it is a form's

    def by(self, client: Client) -> int:
        """Ask for it; how many bytes came, of a download the first piece's."""
        headers = {"HX-Request": "true"} if self.is_part else {}
        answer = (
            client.post(self.path, self.data, headers=headers)
            if self.data
            else client.get(self.path, headers=headers)
        )
        if answer.status_code != 200:
            raise RuntimeError(f"{self.path}: {answer.status_code} {answer.content[:200]!r}")
        return len(next(iter(answer.streaming_content))) if answer.streaming else len(answer.content)


# ---------------------------------------------------------------- measuring


def measured(pages: Mapping[str, Callable[[], int]], *, times: int) -> dict[str, dict[str, Any]]:
    """Each page with nothing kept of what was counted, then as it is opened again and again; milliseconds.

    Round after round, each page once: so a minute in which others use the machine falls on all of them.
    """
    garbage.leave_what_is_loaded()  # as the web program does
    for ask in pages.values():
        ask()  # templates are compiled, the connection is open
    first = _rounds(pages, UNCOUNTED, forgetting=True)
    spent = _rounds(pages, times)
    return {name: _told(ask, spent[name], first[name]) for name, ask in pages.items()}


def queries(pages: Mapping[str, Callable[[], int]]) -> dict[str, dict[str, float]]:
    """How many each page asks with nothing kept."""
    for ask in pages.values():
        ask()  # what is looked up once in a process's life
    return {name: {"queries": len(_watched(ask, forgetting=True)[0].asked)} for name, ask in pages.items()}


def _rounds(
    pages: Mapping[str, Callable[[], int]], rounds: int, *, forgetting: bool = False
) -> dict[str, list[tuple[float, float]]]:
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in pages}
    for number in range(1, rounds + 1):
        begun = time.monotonic()
        for name, ask in pages.items():
            spent[name].append(_timed(ask, forgetting=forgetting))
        said = "nothing kept, " if forgetting else ""
        print(
            f"{said}round {number} of {rounds}: {time.monotonic() - begun:.1f} s", file=sys.stderr, flush=True
        )
    return spent


def _told(
    ask: Callable[[], int], spent: Sequence[tuple[float, float]], first: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    wall, used = [one[0] for one in spent], [one[1] for one in spent]
    begun = [_watched(ask, forgetting=True) for _ in range(WATCHED)]
    again = [_watched(ask) for _ in range(WATCHED)]
    return {
        "queries": len(begun[0][0].asked),
        "least, ms": min(wall),
        "median, ms": statistics.median(wall),
        "p95, ms": percentile(wall, 0.95),
        "p99, ms": percentile(wall, 0.99),
        "CPU, ms": statistics.median(used),
        "first, ms": min(one[0] for one in first),
        "first CPU, ms": min(one[1] for one in first),
        **_counts([statements for statements, _ in begun]),
        **{f"first {name}": value for name, value in _parts([one for one, _ in begun]).items()},
        **_parts([one for one, _ in again]),
        "queries again": len(again[0][0].asked),
        "bytes": begun[0][1],
    }


def _parts(runs: Sequence[Statements]) -> dict[str, Any]:
    """Where the time goes: to the database, to Python, to one statement."""
    middle = sorted(runs, key=lambda run: run.slowest.ms)[len(runs) // 2].slowest
    return {
        "database, ms": statistics.median(run.database_ms for run in runs),
        "Python, ms": statistics.median(run.ms - run.database_ms for run in runs),
        "slowest query, ms": middle.ms,
        "slowest query, how": how(middle),
    }


def _counts(runs: Sequence[Statements]) -> dict[str, Any]:
    """The slowest of the statements that count, and nothing else."""
    middle = sorted(runs, key=lambda run: run.slowest_count.ms)[len(runs) // 2].slowest_count
    return {"slowest count, ms": middle.ms, "slowest count, how": how(middle)}


def _watched(ask: Callable[[], int], *, forgetting: bool = False) -> tuple[Statements, int]:
    """What it asks of the database, and how many bytes came."""
    if forgetting:
        _forget()
    with watched() as statements:
        size = ask()
    return statements, size


def _forget() -> None:
    cache.clear()
    TALLIES.forget()
    OUTCOMES.forget()


def _timed(ask: Callable[[], int], *, forgetting: bool = False) -> tuple[float, float]:
    """Milliseconds on the clock, and of this process."""
    if forgetting:
        _forget()
    begun, used = time.perf_counter(), time.process_time()
    ask()
    return (time.perf_counter() - begun) * 1000, (time.process_time() - used) * 1000


# ---------------------------------------------------------------- what is asked for


def every_page() -> dict[str, Asked]:
    """Each by a name."""
    return {
        name: Asked(path=path, is_part=name.endswith(PART))
        for paths in (
            _overview(),
            _calls(),
            _calendar(),
            _campaigns(),
            _people(),
            _setup(),
            _found(),
            _peers(),
        )
        for name, path in paths.items()
    } | dict(_forms())


def _overview() -> dict[str, str]:
    return {
        f"overview, {mode}, {days} days": f"/overview/?mode={mode}&days={days}"
        for mode in ("live", "test")
        for days in (7, 30, 90)
    }


def _calls() -> dict[str, str]:
    calls, newest = Call.objects.all(), ("-scheduled_at", "-id")
    big, over = _campaign(1), _campaign(2)
    # So that someone is found in each view, however few calls there are.
    to_come = calls.filter(status="scheduled").values("contact")
    somebody = calls.filter(status="failed", seen_at=None, contact__in=to_come).order_by(*newest)[0].contact
    views = ("upcoming", "live", "attention", "completed", "all")
    week = f"since={utc_now() - timedelta(days=7):%Y-%m-%d}&until={utc_now():%Y-%m-%d}"
    filters = {
        "live mode": "mode=live",
        "an outcome": "outcome=opted_out",
        "a status": "status=failed",
        "the big campaign": f"campaign={big}",
        "a campaign that is over": f"campaign={over}",
        "a week": week,
        "a name": f"q={quote(somebody.name)}",
        "a letter": "q=a",
        "last digits": "q=9119",
        "nobody": "q=zzyzx",
    }
    later, before = utc_now() + timedelta(days=AHEAD / 2), utc_now() - timedelta(days=BEHIND / 2)
    deep = {
        "upcoming": _cursor(calls.filter(status="scheduled", due_at__gt=later), ("due_at", "id")),
        "completed": _cursor(calls.filter(status="completed", scheduled_at__lt=before), newest),
        "all": _cursor(calls.filter(scheduled_at__lt=before), newest),
    }
    (last,) = TranscriptTurn.objects.filter(sequence=MANY_TURNS).order_by()[:1]
    long = last.attempt.call_id
    live = calls.filter(status=CallStatus.IN_PROGRESS)[0].pk
    return {
        **{f"calls, {view}": f"/calls/?view={view}" for view in views},
        f"calls, live, {PART}": "/calls/?view=live",
        f"calls, upcoming, {PART}": "/calls/?view=upcoming",
        **{f"calls, {view}, half way": f"/calls/?view={view}&after={at}" for view, at in deep.items()},
        **{
            f"calls, {view}, {what}": f"/calls/?view={view}&{query}"
            for what, query in filters.items()
            for view in ("upcoming", "attention", "all")
        },
        "calls, by id": f"/calls/?view=all&q={long}",
        f"call, {MANY_TURNS} turns": f"/calls/{long}/",
        f"call, {MANY_TURNS} turns, {PART}": f"/calls/{long}/",
        "call, live": f"/calls/{live}/",
        f"call, live, {PART}": f"/calls/{live}/",
        "call, to come": f"/calls/{calls.filter(status='scheduled').order_by('-due_at')[0].pk}/",
        "calls' export, first bytes": f"/calls/export/?view=all&{week}",
        **{
            f"calls, all that match, to {verb}": f"/calls/{verb}/?view={view}&everything=1"
            for verb, view in (
                ("move", "upcoming"),
                ("cancel", "upcoming"),
                ("again", "attention"),
                ("seen", "attention"),
            )
        },
        "call, to be edited": f"/calls/{calls.filter(status='scheduled').order_by('-due_at')[0].pk}/edit/",
        "new call": "/calls/new/",
        f"frame, {PART}": "/frame/",
        "stop": "/stop/",
    }


def _calendar() -> dict[str, str]:
    before = f"{timezone.localdate() - timedelta(days=21):%Y-%m-%d}"
    return {
        "calendar, week": "/calendar/",
        f"calendar, week, {PART}": "/calendar/",
        "calendar, week before": f"/calendar/?date={before}",
        "calendar, week, contacts' time": "/calendar/?clock=contact",
        "calendar, day": "/calendar/?view=day",
        "calendar, day, contacts' time": "/calendar/?view=day&clock=contact",
    }


def _campaigns() -> dict[str, str]:
    big, over, small = (_campaign(number) for number in (1, 2, 50))
    draft = Campaign.objects.filter(name="Draft")[0].pk
    middle = utc_now() - timedelta(days=CAMPAIGNS / 2)
    cursor = _cursor(Campaign.objects.filter(created_at__lt=middle), ("-created_at", "-id"))
    return {
        "campaigns": "/campaigns/",
        f"campaigns, {PART}": "/campaigns/",
        "campaigns, half way": f"/campaigns/?after={cursor}",
        "campaigns, running": "/campaigns/?state=running",
        "campaign, running, 200,000 people": f"/campaigns/{big}/",
        f"campaign, running, 200,000 people, {PART}": f"/campaigns/{big}/",
        "campaign, its completed": f"/campaigns/{big}/?view=completed",
        "campaign, its failed": f"/campaigns/{big}/?view=failed",
        "campaign, over": f"/campaigns/{over}/",
        "campaign, small": f"/campaigns/{small}/",
        "campaign, to be paused": f"/campaigns/{big}/pause/",
        "campaign, new": "/campaigns/new/",
        "campaign, edited": f"/campaigns/{draft}/edit/",
        "campaign, before its launch": f"/campaigns/{draft}/launch/",
        f"campaign, its check before the launch, {PART}": f"/campaigns/{draft}/launch/?check",
        "agents": "/agents/",
    }


def _people() -> dict[str, str]:
    middle = _cursor(Contact.objects.filter(last_name__gt="M"), ("last_name", "first_name", "id"))
    person = Call.objects.filter(status=CallStatus.COMPLETED)[0].contact_id
    own = ContactImport.objects.get(pk="imp_bench1").pk
    searches = {
        "a name": "alan+anderson",
        "a letter": "a",
        "a company": "harbor+insurance",
        "last digits": "9119",
        "nobody": "zzyzx",
    }
    return {
        "contacts": "/contacts/",
        "contacts, half way": f"/contacts/?after={middle}",
        **{f"contacts, {what}": f"/contacts/?q={text}" for what, text in searches.items()},
        "contact": f"/contacts/{person}/",
        "contact, edited": f"/contacts/{person}/edit/",
        "contact, to be erased": f"/contacts/{person}/erase/",
        "contact, all decisions": f"/contacts/{person}/decisions/",
        "contacts' export, first bytes": "/contacts/export/",
        "imports": "/contacts/import/",
        "import, 200,000 rows": f"/contacts/import/{own}/",
        f"import, 200,000 rows, {PART}": f"/contacts/import/{own}/",
        "import's problems, first bytes": f"/contacts/import/{own}/problems/",
    }


def _setup() -> dict[str, str]:
    log = Delivery.objects.filter(state="exhausted")[0].pk
    before = utc_now() - timedelta(days=BEHIND / 2)
    audit = _cursor(AuditEntry.objects.filter(at__lt=before), ("-at", "-id"))
    sent = _cursor(Delivery.objects.filter(pk__lt=Delivery.objects.count() // 2), ("-id",))
    middle = utc_now() - timedelta(seconds=Suppression.objects.count() // 2)
    suppressions = _cursor(Suppression.objects.filter(created_at__lt=middle), ("-created_at", "-id"))
    return {
        "audit log": "/setup/audit/",
        "audit log, half way": f"/setup/audit/?after={audit}",
        "audit log, an action": "/setup/audit/?action=call.schedule",
        "audit log's export, first bytes": "/setup/audit/export/",
        "webhooks": "/setup/webhooks/",
        "an endpoint": f"/setup/webhooks/{Endpoint.objects.all()[0].pk}/",
        "failed messages, to be sent again": "/setup/webhooks/log/resend/",
        "webhooks' log": "/setup/webhooks/log/",
        "webhooks' log, half way": f"/setup/webhooks/log/?after={sent}",
        "webhooks' log, failed": "/setup/webhooks/log/?state=exhausted",
        "webhooks' log, a type": "/setup/webhooks/log/?type=call.completed",
        "a message": f"/setup/webhooks/log/{log}/",
        "do not call": "/setup/do-not-call/",
        "do not call, half way": f"/setup/do-not-call/?after={suppressions}",
        "do not call, over": "/setup/do-not-call/?view=over",
        "do not call, digits": "/setup/do-not-call/?q=1200",
        "team": "/setup/team/",
        "API keys": "/setup/keys/",
        "trunks": "/setup/trunks/",
        "calling hours": "/setup/calling-hours/",
        "where calls may go": "/setup/destinations/",
        "system": "/setup/system/",
        f"system, {PART}": "/setup/system/",
        "account": "/account/",
    }


def _found() -> dict[str, str]:
    texts = {"a name": "jordan", "two words": "alan+anderson", "a letter": "a", "digits": "9119"}
    return {
        **{f"palette, {what}, {PART}": f"/find/?q={text}" for what, text in texts.items()},
        f"palette, a campaign, {PART}": "/find/?q=campaign",
        f"palette, nothing, {PART}": "/find/?q=zzyzx",
        "palette's page": "/find/?q=jordan",
    }


def _peers() -> dict[str, str]:
    """The lists of Django's own back office, over the same rows."""
    return {f"{PEER}, {what}": f"/admin/{what}/" for what in ("calls/call", "contacts/contact")}


def _forms() -> Iterator[tuple[str, Asked]]:
    """What a form shows while it is filled in."""
    audiences = {"half of all": "customer", "one in fifty": "vip", "ten people": "board", "nobody": "none"}
    for what, tag in audiences.items():
        data = {"name": "New", "kind": "tag", "audience": "tag", "tag": tag, "message": "Hi {{first_name}}."}
        asked = Asked(path="/campaigns/new/preview/", is_part=True, data=data)
        yield f"campaign's audience, {what}, {PART}", asked


def _campaign(number: int) -> str:
    return Campaign.objects.get(name=f"Campaign {number}").pk


def _cursor(rows: QuerySet, keys: tuple[str, ...]) -> str:
    """The first of these, as a list's address names it."""
    return pages._cursor(rows.order_by(*keys)[0], keys)


# ---------------------------------------------------------------- the child


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--times", type=int, default=25, help="How often each is opened; 0: queries alone.")
    parser.add_argument("--fill", action="store_true", help="Fill it, where it is empty, and nothing else.")
    parser.add_argument("--only", default="", help="Names that hold this text.")
    given = parser.parse_args()
    if given.fill:
        call_command("migrate", verbosity=0)
        if not Call.objects.exists():
            _fill(given.calls)
        _client()  # whose zone it is
        while count_days(now=utc_now()):  # as the worker did on each day
            pass
        json.dump({}, sys.stdout)
        return
    client = _client()
    asked = {name: partial(one.by, client) for name, one in every_page().items() if given.only in name}
    found = measured(asked, times=given.times) if given.times else queries(asked)
    json.dump(found, sys.stdout)


def _fill(calls: int) -> None:
    begun, now = time.monotonic(), utc_now()
    fill(connection, calls=calls, contacts=calls // 5, now=now)
    Campaign.objects.create(
        name="Draft",
        status="draft",
        message="Hi {{first_name}}.",
        audience={"kind": "tag", "text": "customer", "ids": []},
    )
    talk = Attempt.objects.filter(state="ended").exclude(summary="").order_by("-created_at", "-id")[0]
    TranscriptTurn.objects.filter(attempt=talk).delete()
    TranscriptTurn.objects.bulk_create(
        TranscriptTurn(
            attempt=talk,
            sequence=number,
            speaker=("callee", "agent")[number % 2],
            text="I would like to know more about that before I say yes.",
            offset_ms=number * 3000,
            at=talk.created_at,
        )
        for number in range(1, MANY_TURNS + 1)
    )
    print(f"filled in {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def _client() -> Client:
    """Of an admin; and as though the gateway were there, and an endpoint."""
    defaults = {"url": "http://127.0.0.1:9", "legs": ["simulated"], "lines": 100}
    Gateway.objects.update_or_create(ledger="gw", defaults={**defaults, "last_seen_at": utc_now()})
    user, _made = User.objects.get_or_create(
        username="bench",
        defaults={"role": Role.ADMIN, "timezone": "Europe/Madrid", "is_staff": True, "is_superuser": True},
    )
    if not Endpoint.objects.exists():
        endpoint = Endpoint(name="CRM", url="https://crm.example.com/hooks", events=[])
        endpoint.new_secret()
        endpoint.save()
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client
