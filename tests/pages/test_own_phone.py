"""Call my phone: from the form of a call and from an agent's page."""

from html import unescape

import pytest

from calls.models import Call
from campaigns.actions.agents import save_agent
from contacts.models import Contact, Suppression
from temphone.accounts.actors import SYSTEM, Role
from tests.builders import NOON, a_contact
from tests.pages.conftest import text_of
from tests.pages.test_agents import Fields
from tests.pages.test_scheduling_a_call import values

NUMBER = "+14155550123"
MINE = {"own_phone": "+1 415 555 0123", "is_own": "on"}
CALL = "/calls/new/own/"


@pytest.fixture
def contact(db):
    return a_contact(first_name="Jordan")


@pytest.fixture
def agent(db):
    return save_agent(actor=SYSTEM, agent_id=None, values={"name": "Anna"}, now=NOON)


def words_of(answer):
    return unescape(answer.content.decode())


def test_the_form_has_me_called_with_what_they_would_hear(browse, contact, agent):
    operator = browse()
    answer = operator.post(
        CALL, values(contact, agent=agent.pk, webhook_url="https://x.example.com/", **MINE)
    )
    call = Call.objects.get()
    assert answer.url == f"/calls/{call.pk}/"
    assert (call.contact.phone, call.agent, call.webhook_url) == (NUMBER, agent, "")
    assert "Hi Jordan." in text_of(operator, answer.url)
    assert f'value="{NUMBER}"' in operator.get("/calls/new/").content.decode()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"own_phone": ""}, "Give your number with its country"),
        ({"own_phone": "0123"}, "Give your number with its country"),
        ({"is_own": ""}, "Only your own phone can be called so."),
        ({"message": "{{ nobody }}"}, "nobody"),
        ({"contact": ""}, "Choose whom to call."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nobody_is_called(browse, contact, changed, said):
    answer = browse().post(CALL, values(contact, **{**MINE, **changed}))
    assert answer.status_code == 200
    assert said in words_of(answer)
    assert not Call.objects.exists()
    assert Contact.objects.count() == 1


def test_a_form_whose_time_is_past_meanwhile_has_me_called_all_the_same(browse, contact):
    assert browse().post(CALL, values(contact, date="2020-01-01", **MINE)).status_code == 302


def test_a_number_that_must_not_be_called_is_not(browse, contact):
    Suppression.objects.create(number=NUMBER, reason="opted_out")
    assert "must not be called" in words_of(browse().post(CALL, values(contact, **MINE)))
    assert not Call.objects.exists()


def test_an_agent_calls_me_as_it_is_saved(browse, contact, agent):
    manager = browse(Role.MANAGER)
    page = manager.get(f"/agents/{agent.pk}/").content.decode()
    sent = {**Fields(page).sent, **MINE, "goodbye": "Unsaved.", "preview_message": "Hello {{ first_name }}."}
    answer = manager.post(f"/agents/{agent.pk}/call/", sent)
    call = Call.objects.get()
    assert answer.url == f"/calls/{call.pk}/"
    assert (call.agent, call.contact.phone) == (agent, NUMBER)
    assert "Hello Jordan." in text_of(manager, answer.url)
    agent.refresh_from_db()
    assert agent.version == 1


def test_what_is_wrong_there_is_shown_with_the_draft_which_can_still_be_saved(browse, contact, agent):
    manager = browse(Role.MANAGER)
    sent = {"name": "Anna", "goodbye": "Unsaved.", **MINE, "is_own": ""}
    answer = manager.post(f"/agents/{agent.pk}/call/", sent)
    assert "Only your own phone can be called so." in words_of(answer)
    assert "Unsaved." in answer.content.decode()
    assert (
        f'id="agent-form" class="stack" method="post" action="/agents/{agent.pk}/"' in answer.content.decode()
    )
    assert not Call.objects.exists()


def test_an_agent_that_is_not_saved_cannot_call(browse, contact):
    assert "Call my phone" not in text_of(browse(Role.MANAGER), "/agents/new/")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_may_not_do_it_is_refused(browse, contact, agent, role):
    assert browse(role).post(f"/agents/{agent.pk}/call/", MINE).status_code == 403
    expected = 403 if role == Role.VIEWER else 302
    assert browse(role).post(CALL, values(contact, **MINE)).status_code == expected
