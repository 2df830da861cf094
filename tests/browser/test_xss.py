"""Whatever somebody is called or says is shown as text, on every page; no browser runs it."""

import csv
import re
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse

from calls.models import Call, CallEvent, Gateway, Note, StopSwitch
from campaigns.models import Agent, AgentVersion
from contacts.models import Consent, ContactImport, Suppression
from temphone.accounts.actors import Role
from temphone.accounts.models import ApiKey, AuditEntry, User
from temphone.lib import clock
from temphone.webhooks.models import DeliveryTry
from tests.admin.test_pages import MODELS, address
from tests.browser.everything import EVERY_PAGE, an_agent
from tests.browser.stage import State
from tests.builders import (
    a_call,
    a_campaign,
    a_contact,
    a_delivery,
    a_gateway,
    a_number,
    a_run,
    a_trunk,
    a_twilio_trunk,
    an_endpoint,
)
from tests.campaigns.builders import a_step, an_answer
from tests.contacts.builders import a_checked_import, an_import, an_imported_file
from tests.pages.conftest import a_finished_call, a_live_call, say

MARK = "xss7b"
PAYLOADS = (
    f"<script>{MARK}=1</script>",
    f'"><img src=x onerror={MARK}=1>',
    f"'><svg/onload={MARK}=1>",
    f"</title></textarea></script><script>{MARK}=1</script>",
    f"javascript:{MARK}=1//",
    f"{{{{ {MARK} }}}}${{{MARK}}}<b onmouseover={MARK}=1 hx-get=/calls/ hx-trigger=load>",
)
PARTS = 4  # of the pages, each in a test: all of them are minutes of a crowded machine
NEVER = re.compile(rf"<(script|img|svg|b)[^>&]*{MARK}|<script>{MARK}|(href|src|action)=[\"']?\s*javascript:")


@pytest.fixture
def ids(db) -> dict[str, object]:
    return poisoned("".join(PAYLOADS))


def poisoned(payload: str) -> dict[str, object]:
    """The payload in every text that somebody else can write and a page shows."""
    short = payload[:60]
    gateway = a_gateway(now=clock.now(), version=payload[:20], url=f"http://x/{payload[:100]}")
    contact = a_contact(
        first_name=payload[:100],
        last_name=payload[-100:],
        company=payload[:100],
        tags=[short, payload[-40:]],
        attributes={short: payload, "plan": payload},
    )
    consent = Consent.objects.create(
        contact=contact,
        phone=contact.phone,
        purpose="marketing",
        kind="written",
        source=short,
        evidence=payload[:200],
    )
    suppression = Suppression.objects.create(number=contact.phone, source=short)
    campaign = a_campaign(name=payload[:100])
    upcoming = a_call(
        metadata={"order": payload[:400]}, initial_message="Hi.", contact=a_contact(first_name=short)
    )
    Call.objects.filter(pk=upcoming.pk).update(
        initial_message=payload, caller_id=payload[:32], campaign=campaign
    )
    live, attempt = a_live_call()
    say(attempt, payload)
    say(attempt, payload, speaker="agent")
    done = a_finished_call()
    Call.objects.filter(pk=done.pk).update(
        contact=contact, webhook_url=f"http://x/{payload[:100]}", campaign=campaign
    )
    shown = dict.fromkeys(("said", "pressed", "when", "transferred_to", "voice_lost"), payload)
    done.attempts.update(
        hangup_cause=payload[:100], rendered_message=payload, gateway=gateway, evidence=shown
    )
    say(done.attempts.get(), payload)
    CallEvent.objects.create(
        call=done, name="deferred", reason=payload[:200], data={"x": payload}, at=clock.now()
    )
    CallEvent.objects.create(call=done, name="carrier_noted", data={"model_problem": payload}, at=clock.now())
    delivery = a_delivery(subject=done.pk, url=f"http://x/{payload[:100]}", data={"call_id": payload})
    DeliveryTry.objects.create(
        delivery=delivery, status_code=500, answer=payload, error=payload[:200], duration_ms=1
    )
    endpoint = an_endpoint(
        name=payload[:60],
        url=f"http://x/{payload[:100]}",
        off_because=payload[:200],
        last_failure=payload[:200],
    )
    StopSwitch.objects.update_or_create(pk=1, defaults={"on": True, "reason": payload[:100]})
    ApiKey.objects.create(public_id="poison", hash="h", name=payload[:100], mode="test")
    AuditEntry.objects.create(
        actor_kind="user",
        actor_label=payload[:150],
        action=short[:50],
        target=done.pk,
        details={"x": payload},
    )
    trunk = a_trunk(name=short, host=payload[:100], user=payload[:100])
    broken = a_twilio_trunk(name=payload[-60:], account_sid=payload[:64], api_url=payload[:100])
    problems = {one.pk: {"ready": False, "problem": payload[:200]} for one in (trunk, broken)}
    Gateway.objects.update(trunks=problems)
    number = a_number(name=short, trunk=trunk)
    done.attempts.update(trunk=trunk)
    agent = poisoned_agent(payload)
    done.attempts.update(
        agent_version=agent.current, summary=payload, extracted={"who": payload}, analyzed_by="llm"
    )
    Note.objects.create(call=done, text=payload, by=short)
    return {
        **poisoned_imports(payload),
        "run": a_run(done, done=1, refused={payload[:200]: 1}).pk,
        "campaign": campaign.pk,
        "draft": a_campaign(
            status="draft", name=payload[-100:], message=payload, audience={"kind": "tag", "text": short}
        ).pk,
        "key": "poison",
        "person": User.objects.create(username=payload[:150], first_name=payload[:150]).pk,
        "agent": agent.pk,
        "endpoint": endpoint.pk,
        "delivery": delivery.pk,
        "trunk": trunk.pk,
        "broken": broken.pk,
        "number": number.pk,
        "contact": contact.pk,
        "consent": consent.pk,
        "suppression": suppression.pk,
        "upcoming": upcoming.pk,
        "live": live.pk,
        "done": done.pk,
    }


def poisoned_imports(payload: str) -> dict[str, object]:
    """A file at each step of its import, with the payload in its name, its heads and its cells."""
    table = StringIO()
    writer = csv.writer(table)
    writer.writerow(["Name", "Phone", payload[:60]])
    writer.writerow([payload, "+34911234567", payload])
    writer.writerow([payload, payload, payload])
    makers = {"matching": an_import, "checked": a_checked_import, "imported": an_imported_file}
    imports = {step: make(table.getvalue()).pk for step, make in makers.items()}
    ContactImport.objects.update(filename=payload[:100])
    return imports


def poisoned_agent(payload: str) -> Agent:
    """An agent of whom every text holds the payload, past what its form would refuse."""
    agent = an_agent()
    AgentVersion.objects.filter(agent=agent).update(
        name=payload[:100],
        voice=payload[:100],
        goodbye=payload,
        voicemail=payload,
        screening=payload,
        silence_reminder=payload,
        instructions=payload,
        model=payload[:100],
        transfers={payload: "+14155550100"},
        questions=[{"name": "who", "text": payload, "type": "text"}],
        steps=[a_step(payload, payload, an_answer(payload, say=payload, to=payload))],
    )
    return Agent.objects.get(pk=agent.pk)


def reader(**columns: object) -> Client:
    client = Client(raise_request_exception=False)
    payload = "".join(PAYLOADS)
    user = User.objects.create(
        username="ada", role=Role.ADMIN, is_staff=True, first_name=payload[:150], last_name=payload[-150:]
    )
    client.force_login(user)
    return client


def everywhere(ids: dict[str, object]) -> list[str]:
    """Every page and every list and row of the back office."""
    pages = [
        path.format(**ids) for path in (*EVERY_PAGE, "/contacts/?q={contact}", "/calls/?q=" + PAYLOADS[0])
    ]
    office = [address(model, "changelist") for model in MODELS]
    rows = [address(model, "change", row.pk) for model in MODELS for row in model.objects.all()[:3]]
    return [*pages, *office, *rows, reverse("admin:index")]


def test_what_others_wrote_is_shown_as_text_on_every_page(ids):
    client = reader()
    shown = 0
    for path in everywhere(ids):
        answer = client.get(path)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        found = NEVER.search(page)
        assert found is None, (path, page[max(0, found.start() - 200) : found.end() + 100])
        shown += MARK in page
    assert shown > 30


def test_what_is_refused_is_repeated_as_text(ids):
    client = reader()
    for payload in PAYLOADS:
        for path, sent in (
            ("/calls/new/", {"contact": payload, "message": payload, "when": payload}),
            ("/calls/new/preview/", {"contact": payload, "message": payload}),
            ("/calls/new/own/", {"contact": payload, "message": payload, "own_phone": payload}),
            ("/calls/new/sound/", {"contact": payload, "message": payload}),
            ("/contacts/new/", {"first_name": payload, "phone": payload, "timezone": payload}),
            ("/agents/new/", {"name": payload, "goodbye": payload, "engine": payload}),
            ("/setup/trunks/new/", {"kind": payload, "name": payload, "host": payload, "user": payload}),
            ("/setup/numbers/new/", {"number": payload, "name": payload, "trunk": payload}),
            ("/setup/destinations/", {"scope": payload, "countries": payload, "kinds": payload}),
            ("/account/", {"first_name": payload, "timezone": payload}),
            ("/login/", {"username": payload, "password": "x", "next": payload}),
        ):
            page = client.post(path, sent).content.decode()
            assert not NEVER.search(page), path


@pytest.mark.browser
@pytest.mark.parametrize("part", range(PARTS))
def test_no_browser_runs_what_others_wrote(part, stage, ids):
    client = reader()
    for path in EVERY_PAGE[part::PARTS]:
        page = stage.open(State(path, client.get(path.format(**ids))))
        assert page.evaluate(f"typeof window.{MARK}") == "undefined", path
        assert page.locator("img[src=x], [onerror], [onload], [onmouseover]").count() == 0, path
    assert stage.said == []
