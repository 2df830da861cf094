"""Something of everything that the pages show; the address of every page, from the matrix of routes."""

import re
from datetime import time, timedelta

from calls.models import Call, Gateway
from campaigns.actions.agents import save_agent
from campaigns.models import Agent, Campaign
from contacts.models import Consent, Suppression
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import User
from temphone.lib import clock
from temphone.webhooks.models import DeliveryTry
from tests.builders import (
    a_call,
    a_campaign,
    a_contact,
    a_delivery,
    a_gateway,
    a_key,
    a_number,
    a_run,
    a_trunk,
    a_twilio_trunk,
    an_endpoint,
    ready,
)
from tests.campaigns.builders import BOOKING, DESK, QUESTIONS
from tests.contacts.builders import a_checked_import, an_import, an_imported_file
from tests.pages.conftest import a_finished_call, a_live_call, say
from tests.security.test_routes import PAGES


def something_on_every_page() -> dict[str, str]:
    """Long names, other scripts, each state."""
    a_gateway(now=clock.now())
    contact = a_contact(
        first_name="Maximiliana-Theodora",
        last_name="von Hohenzollern-Sigmaringen",
        company="Gesellschaft für außergewöhnlich lange Firmennamen mbH",
        tags=["vip", "renewal"],
        attributes={"plan": "Gold"},
    )
    consent = Consent.objects.create(
        contact=contact,
        phone=contact.phone,
        purpose="marketing",
        kind="written",
        source="form",
        evidence="No. 7",
    )
    suppression = Suppression.objects.create(number=contact.phone, source="a letter")
    a_contact(first_name="ליאור", last_name="כהן", timezone="Asia/Jerusalem")
    upcoming = a_call(metadata={"order": "8841"})
    Call.objects.filter(pk=upcoming.pk).update(due_at=clock.now() + timedelta(hours=5))
    live, attempt = a_live_call()
    say(attempt, "Hello, this is an automated assistant.", speaker="agent")
    say(attempt, "Could we talk on Friday?")
    done = a_finished_call(webhook_url="https://hooks.example.com/calls")
    done.attempts.update(evidence={"said": "Yes, that works.", "offset_ms": 1_000, "voice_lost": "it ended"})
    say(done.attempts.get(), "Yes, speaking.")
    endpoint = an_endpoint(name="The customer relations program of the whole group")
    delivery = a_delivery(subject=done.pk, endpoint_id=endpoint.pk, sequence=0)
    DeliveryTry.objects.create(delivery=delivery, status_code=503, answer="<busy>", duration_ms=9)
    a_finished_call("no_answer")
    main = a_trunk(host="a-provider-with-a-very-long-name.telephony.example", user="7001", secret="kept")
    broken = a_twilio_trunk()
    problem = {"ready": False, "problem": "the account 401 answers: authentication failed, code 20003"}
    Gateway.objects.update(trunks={**ready(main), broken.pk: problem})
    number = a_number(trunk=main, name="Sales, Madrid")
    a_number("+34911234567")
    return {
        "trunk": main.pk,
        "broken": broken.pk,
        "number": number.pk,
        "contact": contact.pk,
        "consent": str(consent.pk),
        "suppression": str(suppression.pk),
        "upcoming": upcoming.pk,
        "live": live.pk,
        "done": done.pk,
        "run": str(a_run(done, done=1, refused={"over already": 1}).pk),
        "agent": an_agent().pk,
        "campaign": a_busy_campaign().pk,
        "draft": a_campaign(
            status="draft", message="Hi {{ first_name }}.", audience={"kind": "tag", "text": "vip"}
        ).pk,
        "matching": an_import().pk,
        "checked": a_checked_import().pk,
        "imported": an_imported_file().pk,
        "key": a_key()[0].public_id,
        "person": str(User.objects.create(username="maximiliana@a-company-with-a-long-name.example").pk),
        "endpoint": endpoint.pk,
        "delivery": str(delivery.pk),
    }


def a_busy_campaign() -> Campaign:
    campaign = a_campaign(name="Follow-up of the spring renewals", opens=time(9, 30), closes=time(17))
    a_call(a_contact(timezone="Pacific/Auckland"), campaign_id=campaign.pk)
    a_call(a_contact(timezone="Pacific/Honolulu"), campaign_id=campaign.pk)
    a_live_call(campaign_id=campaign.pk)
    a_finished_call(campaign_id=campaign.pk)
    a_finished_call("no_answer", campaign_id=campaign.pk)
    return campaign


def an_agent() -> Agent:
    values = {
        "name": "Booking",
        "engine": "llm",
        "instructions": "Find out whether they come.",
        "steps": BOOKING,
        "questions": QUESTIONS,
        "transfers": DESK,
    }
    return save_agent(actor=SYSTEM, agent_id=None, values=values, now=clock.now())


# What answers no page of its own, or one that only some state of the reader has.
NO_PAGES = {
    "frame/": "a part, which every page fetches",
    "calls/new/contact/": "a part of the page that schedules a call",
    "calls/export/": "a file",
    "calls/<call_id>/recording/<number>/": "a sound",
    "contacts/export/": "a file",
    "contacts/import/<import_id>/problems/": "a file",
    "setup/audit/export/": "a file",
    "account/two-steps/codes/": "for whoever has two steps",
    "account/two-steps/off/": "for whoever has two steps",
}
# Which of ``something_on_every_page`` stands for a part of an address, and where it is another one.
NAMES = {
    "call_id": "upcoming",
    "campaign_id": "campaign",
    "import_id": "checked",
    "public_id": "key",
    "user_id": "person",
}
OTHERS = {
    "calls/<call_id>/mark/": "/calls/{done}/mark/",
    "calls/move/": "/calls/move/?view=upcoming&everything=1",
    "calls/cancel/": "/calls/cancel/?view=upcoming&everything=1",
    "calls/again/": "/calls/again/?view=attention&everything=1",
    "calls/seen/": "/calls/seen/?view=attention&everything=1",
    "campaigns/<campaign_id>/edit/": "/campaigns/{draft}/edit/",
    "campaigns/<campaign_id>/launch/": "/campaigns/{draft}/launch/",
    "contacts/import/<import_id>/columns/": "/contacts/import/{matching}/columns/",
    "contacts/import/<import_id>/abandon/": "/contacts/import/{matching}/abandon/",
    "contacts/import/<import_id>/undo/": "/contacts/import/{imported}/undo/",
    "find/": "/find/?q=max",
}
MORE = [
    "/overview/?days=90",
    "/calendar/?view=day&clock=contact",
    "/calls/?view=all",
    "/calls/?view=live",
    "/calls/?view=attention",
    "/calls/?view=attention&status=failed",
    "/calls/new/?contact={contact}",
    "/calls/{live}/",
    "/calls/{live}/cancel/",
    "/calls/{done}/",
    "/calls/{done}/?view=completed",
    "/contacts/import/{imported}/",
    "/campaigns/{campaign}/?view=upcoming",
    "/campaigns/{draft}/",
    "/setup/calling-hours/?who={contact}&date=2030-01-01&time=03:00&whose=contact&mode=live",
    "/setup/do-not-call/?view=over",
    "/setup/trunks/new/?kind=twilio",
    "/setup/trunks/{broken}/",
    "/setup/trunks/{broken}/delete/",
    "/setup/keys/?view=revoked",
    "/setup/audit/?on=call_none&who=system:",
    "/setup/team/?view=off",
    "/setup/webhooks/log/?q=call_none",
]


def address_of(route: str) -> str:
    """Where a route of the matrix leads to, with places for the ids."""
    names = {**{part: part.removesuffix("_id") for part in re.findall(r"<(\w+)>", route)}, **NAMES}
    return OTHERS.get(route) or "/" + re.sub(r"<(\w+)>", lambda part: f"{{{names[part[1]]}}}", route)


EVERY_PAGE = [
    *(address_of(route) for route, methods in PAGES.items() if "GET" in methods and route not in NO_PAGES),
    *MORE,
]
