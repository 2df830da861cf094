"""The site that is photographed: the demo, some calls under way, in a folder of its own, in this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from calls.actions.carrier_events import record_carrier_events
from calls.actions.dialing import claim_due
from calls.actions.remarks import add_note
from calls.actions.scheduling import CallRequest, schedule_call
from calls.models import Beat, Call, Gateway
from campaigns.models import Agent, Campaign
from temphone import skew
from temphone.accounts.actors import Actor
from temphone.accounts.models import Mode, User
from temphone.lib.clock import iso
from temphone.management.demo import CONTACT
from temphone.management.demo.bustle import RENEWAL
from temphone.management.demo.crowd import CROWD
from temphone.management.demo.history import dated, events_of
from temphone.management.demo.stories import AGREED, MOVED, THANKED, Told
from temphone.telephony.messages import DialRequest, Outcome
from temphone.webhooks.models import Delivery
from tests.builders import a_delivery, a_number, a_trunk, an_endpoint, ready
from tests.contacts.builders import a_checked_import
from tests.pictures.still import MOMENT

ZONE = "America/New_York"
GATEWAY = "gateway-1"
MESSAGE = (
    "Hi {{first_name}}, your plan for {{ contact.company }} is due next week. Shall we keep it as it is?"
)
ADDRESSES = """\
name,mobile,company,city,plan
Ada Byron,+44 20 7946 0771,Analytical Engines,London,Gold
Charles Mill,+1 212 555 0171,Mill & Sons,New York,Silver
Rosa Perez,555 0172,Perez Foods,,Gold
Tom Sawyer,+1 212 555 01,Sawyer Paints,Chicago,Silver
Greta Lind,+49 30 23125 171,Lind Optik,Berlin,
"""


@dataclass(frozen=True, slots=True)
class Live:
    """A call that is under way: to whom of the crowd, since when, and how it goes."""

    place: int
    since_s: float
    told: Told


LIVE = (Live(33, 47, MOVED), Live(12, 26, AGREED), Live(18, 17, THANKED), Live(29, 2.5, AGREED))


class Quiet(WSGIRequestHandler):
    """Says nothing of what it serves."""

    def log_message(self, *_: object) -> None:
        """Not a word."""


def furnish() -> dict[str, str]:
    """Fill the empty database; the ids by which addresses are made."""
    call_command("migrate", verbosity=0)
    call_command("seed_demo", verbosity=0)
    User.objects.update(timezone=ZONE, zone_chosen=True)
    for program in ("clock", "worker"):
        Beat.objects.update_or_create(name=program, defaults={"at": MOMENT})
    skew.is_off = lambda: False  # the clock that stands still is not the database's
    Gateway.objects.create(ledger=GATEWAY, legs=["simulated"], lines=100, last_seen_at=MOMENT)
    for live in LIVE:
        _ring(live)
    Gateway.objects.update(last_seen_at=MOMENT)
    return {**_calls(), **_campaigns(), **_setup()}


def _ring(live: Live) -> None:
    due = MOMENT - timedelta(seconds=live.since_s)
    request = CallRequest(contact_id=CROWD[live.place].id, scheduled_at=iso(due), initial_message=RENEWAL)
    schedule_call(actor=_actor("operator"), mode=Mode.TEST, request=request, now=MOMENT - timedelta(days=1))
    Gateway.objects.update(last_seen_at=due)
    (dial,), _ = claim_due(mode=Mode.TEST, now=due)
    _tell(dial, live, due)


def _tell(dial: DialRequest, live: Live, due: object) -> None:
    happened = [event for event in dated(events_of(dial, live.told), due) if event.at <= MOMENT]
    record_carrier_events(ledger=GATEWAY, events=happened, now=MOMENT)


def _calls() -> dict[str, str]:
    done = Call.objects.filter(contact=CONTACT, outcome=Outcome.ANSWERED_HUMAN).latest("due_at")
    text = "Sent the papers for the renewal by e-mail. Jordan calls if anything is unclear."
    add_note(actor=_actor("manager"), call_id=done.pk, text=text, now=MOMENT - timedelta(hours=3))
    return {
        "done": done.pk,
        "live": Call.objects.get(contact=CROWD[LIVE[0].place].id, status="in_progress").pk,
        "missed": Call.objects.get(outcome=Outcome.EXPIRED).pk,
        "contact": CONTACT,
    }


def _campaigns() -> dict[str, str]:
    ids = dict(Campaign.objects.values_list("name", "pk"))
    return {
        "running": ids["Yearly check-ups"],
        "over": ids["New delivery days"],
        "draft": ids["Holiday opening hours"],
        "agent": Agent.objects.get(name__startswith="Marco").pk,
    }


def _setup() -> dict[str, str]:
    trunk = a_trunk(name="Main line", host="sip.example.com", user="7001", secret="kept")
    Gateway.objects.update(trunks=ready(trunk), legs=["simulated", "sip"])
    a_number(trunk=trunk, name="Front desk")
    endpoint = an_endpoint(name="Customer database", url="https://crm.example.com/hooks/calls")
    for call in Call.objects.filter(campaign__name="Yearly check-ups", status="completed")[:6]:
        a_delivery(
            subject=call.pk, endpoint_id=endpoint.pk, sequence=0, event="call.completed", at=call.updated_at
        )
    Delivery.objects.filter(endpoint=endpoint).update(state="delivered", tries=1)
    return {"import": a_checked_import(ADDRESSES).pk, "trunk": trunk.pk, "endpoint": endpoint.pk}


def _actor(username: str) -> Actor:
    return User.objects.get(username=username).actor()


@contextmanager
def served() -> Iterator[str]:
    """The site, at the address that is given."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.daemon_threads = True
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
