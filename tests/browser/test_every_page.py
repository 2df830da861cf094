from datetime import time, timedelta

import pytest

from calls.models import Call, Gateway
from campaigns.actions.agents import save_agent
from campaigns.models import Agent, Campaign
from contacts.models import Consent, Suppression
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import User
from temphone.lib import clock
from temphone.webhooks.models import DeliveryTry
from tests.browser.conftest import LOOKS
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

pytestmark = pytest.mark.browser


@pytest.fixture
def ids(live_server) -> dict[str, str]:
    return something_on_every_page()


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
    Consent.objects.create(
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


PAGES = [
    "/overview/",
    "/overview/?days=90",
    "/calendar/",
    "/calendar/?view=day&clock=contact",
    "/calls/",
    "/calls/?view=all",
    "/calls/?view=attention&status=failed",
    "/calls/?q=nobody",
    "/calls/new/",
    "/calls/new/?contact={contact}",
    "/calls/{upcoming}/",
    "/calls/{live}/",
    "/calls/{done}/",
    "/calls/{done}/?view=completed",
    "/calls/{done}/mark/",
    "/calls/move/?view=upcoming&everything=1",
    "/calls/again/?view=attention&everything=1",
    "/calls/runs/{run}/",
    "/calls/{upcoming}/move/",
    "/calls/{upcoming}/edit/",
    "/calls/{upcoming}/cancel/",
    "/contacts/",
    "/contacts/new/",
    "/contacts/import/",
    "/contacts/import/{matching}/columns/",
    "/contacts/import/{matching}/abandon/",
    "/contacts/import/{checked}/",
    "/contacts/import/{imported}/",
    "/contacts/import/{imported}/undo/",
    "/contacts/{contact}/",
    "/contacts/{contact}/edit/",
    "/contacts/{contact}/consents/new/",
    "/contacts/{contact}/lift/{suppression}/",
    "/campaigns/",
    "/campaigns/?state=paused",
    "/campaigns/{campaign}/",
    "/campaigns/{campaign}/?view=upcoming",
    "/campaigns/{campaign}/pause/",
    "/campaigns/new/",
    "/campaigns/{draft}/",
    "/campaigns/{draft}/edit/",
    "/campaigns/{draft}/launch/",
    "/campaigns/{campaign}/cancel/",
    "/agents/",
    "/agents/new/",
    "/agents/{agent}/",
    "/agents/{agent}/archive/",
    "/find/?q=max",
    "/setup/calling-hours/",
    "/setup/calling-hours/?who={contact}&date=2030-01-01&time=03:00&whose=contact&mode=live",
    "/setup/destinations/",
    "/setup/do-not-call/",
    "/setup/do-not-call/?view=over",
    "/setup/do-not-call/new/",
    "/setup/do-not-call/{suppression}/lift/",
    "/account/",
    "/account/two-steps/",
    "/stop/",
]
OF_ADMINS = [
    "/setup/trunks/",
    "/setup/trunks/new/",
    "/setup/trunks/new/?kind=twilio",
    "/setup/trunks/{trunk}/",
    "/setup/trunks/{broken}/",
    "/setup/trunks/{trunk}/switch/",
    "/setup/trunks/{broken}/delete/",
    "/setup/numbers/new/",
    "/setup/numbers/{number}/",
    "/setup/numbers/{number}/remove/",
    "/setup/keys/",
    "/setup/keys/?view=revoked",
    "/setup/keys/new/",
    "/setup/keys/{key}/",
    "/setup/keys/{key}/revoke/",
    "/setup/audit/",
    "/setup/audit/?on=call_none&who=system:",
    "/setup/team/",
    "/setup/team/?view=off",
    "/setup/team/new/",
    "/setup/team/{person}/",
    "/setup/team/{person}/link/",
    "/setup/team/{person}/switch/",
    "/setup/team/{person}/two-steps/",
    "/setup/system/",
    "/setup/webhooks/",
    "/setup/webhooks/new/",
    "/setup/webhooks/{endpoint}/",
    "/setup/webhooks/{endpoint}/switch/",
    "/setup/webhooks/{endpoint}/secret/",
    "/setup/webhooks/{endpoint}/delete/",
    "/setup/webhooks/log/",
    "/setup/webhooks/log/?q=call_none",
    "/setup/webhooks/log/resend/",
    "/setup/webhooks/log/{delivery}/",
]


AT_ONCE = 12  # pages a test; axe takes a second or two for each
PARTS = [
    (role, paths[start : start + AT_ONCE])
    for role, paths in ((Role.MANAGER, PAGES), (Role.ADMIN, OF_ADMINS))
    for start in range(0, len(paths), AT_ONCE)
]


# Light and dark, wide and narrow, each once.
@pytest.mark.parametrize("look", ["light", "dark phone"])
@pytest.mark.parametrize(("role", "paths"), PARTS, ids=[paths[0] for _, paths in PARTS])
def test_every_page_is_sound_in_every_look(window, ids, look, role, paths):
    shown = window(look, role=role)

    for path in paths:
        shown.open(path.format(**ids))
        shown.assert_sound()


@pytest.mark.parametrize("look", LOOKS)
def test_the_login_and_what_goes_wrong_are_sound(window, look):
    shown = window(look)
    shown.page.context.clear_cookies()

    shown.open("/login/")
    shown.assert_sound()
    shown.page.get_by_role("button", name="Log in").click()
    shown.page.get_by_text("This field is required.").first.wait_for()
    shown.assert_sound()

    shown.page.goto(f"{shown.server}/nowhere/")
    assert "404" in shown.complaints.pop()
    shown.assert_sound()
