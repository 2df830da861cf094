from datetime import timedelta

import pytest

from calls.models import Call, Gateway
from campaigns.actions.agents import save_agent
from campaigns.models import Agent
from contacts.models import Consent, Suppression
from temphone.accounts.actors import SYSTEM, Role
from temphone.lib import clock
from tests.browser.conftest import LOOKS
from tests.builders import a_call, a_contact, a_delivery, a_gateway, a_number, a_trunk, a_twilio_trunk, ready
from tests.campaigns.builders import BOOKING, DESK, QUESTIONS
from tests.pages.conftest import a_finished_call, a_live_call, say

pytestmark = pytest.mark.browser


@pytest.fixture
def ids(live_server) -> dict[str, str]:
    """Something on every page: long names, other scripts, each state."""
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
    a_delivery(subject=done.pk)
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
        "agent": an_agent().pk,
    }


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
    "/calls/{upcoming}/move/",
    "/calls/{upcoming}/cancel/",
    "/contacts/",
    "/contacts/new/",
    "/contacts/{contact}/",
    "/contacts/{contact}/edit/",
    "/contacts/{contact}/consents/new/",
    "/contacts/{contact}/lift/{suppression}/",
    "/agents/",
    "/agents/new/",
    "/agents/{agent}/",
    "/agents/{agent}/archive/",
    "/account/",
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
]


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_sound_in_every_look(window, ids, look):
    shown = window(look)

    for path in PAGES:
        shown.open(path.format(**ids))
        shown.assert_sound()


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_of_admins_is_sound_in_every_look(window, ids, look):
    shown = window(look, role=Role.ADMIN)

    for path in OF_ADMINS:
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
