"""Have one's own phone called: who is rung, by whose leave, and what they hear."""

from datetime import timedelta

import pytest

from calls.actions.forgetting import erase_contact
from calls.actions.own_phone import call_own_phone, literal
from calls.messages import render
from calls.models import Call
from campaigns.actions.agents import archive_agent, save_agent
from contacts.models import Consent, Contact, Suppression
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import AuditEntry, User
from temphone.lib.errors import Forbidden, Invalid, NotFound, Refused
from tests.builders import NOON, a_campaign, a_contact, a_number, a_request, a_trunk

pytestmark = pytest.mark.django_db
NUMBER = "+14155550123"


@pytest.fixture
def user():
    return User.objects.create(username="op", first_name="Olga", role=Role.OPERATOR, timezone="Europe/Madrid")


def called(user, number=NUMBER, now=NOON, **fields):
    request = a_request(a_contact(), **fields)
    return call_own_phone(user=user, number=number, request=request, now=now)


def test_their_own_number_becomes_a_contact_with_their_consent_and_is_called_at_once(user):
    call = called(user, number="+1 415 555 0123", initial_message="Hi Jordan.")
    contact = call.contact
    assert (contact.phone, contact.first_name, contact.timezone) == (NUMBER, "Olga", "America/Los_Angeles")
    consent = Consent.objects.get(contact=contact)
    assert (consent.purpose, consent.kind, consent.source) == ("informational", "express", "own phone")
    assert 0 < (call.due_at - NOON).total_seconds() <= 1
    assert (call.mode, call.created_by_user, call.max_attempts) == ("test", user, 1)
    assert User.objects.get().phone == NUMBER
    assert AuditEntry.objects.filter(action="contact.add", target=contact.pk).exists()


@pytest.mark.parametrize("revoked_at", [None, NOON])
def test_where_a_consent_was_ever_recorded_none_is_made_up(user, revoked_at):
    before = a_contact(phone=NUMBER)
    Consent.objects.create(
        contact=before, phone=NUMBER, purpose="marketing", kind="none", revoked_at=revoked_at
    )
    erase_contact(actor=SYSTEM, contact_id=before.pk, now=NOON)
    call = called(user)
    assert call.contact != before
    assert Consent.objects.count() == 1


def test_only_a_manager_has_another_phone_called(user):
    called(user)
    user.refresh_from_db()
    called(user)
    with pytest.raises(Forbidden, match=r"Your phone is \+14155550123"):
        called(user, number="+14155550124")
    assert Contact.objects.filter(phone="+14155550124").count() == 0
    user.role = Role.MANAGER
    called(user, number="+14155550124")
    assert User.objects.get().phone == "+14155550124"


def test_what_would_only_be_called_later_is_refused(user, settings):
    settings.POLICIES = {**settings.POLICIES, "test": {**settings.POLICIES["test"], "hours": "defer"}}
    with pytest.raises(Refused, match="It cannot be called now"):
        called(user, now=NOON - timedelta(hours=8))
    assert not Call.objects.exists()


def test_a_second_time_it_is_the_same_contact(user):
    assert called(user).contact == called(user).contact
    assert Consent.objects.count() == 1


def test_of_a_contact_that_is_there_nothing_changes_and_no_consent_is_made_up(user):
    known = a_contact(first_name="Petra", phone=NUMBER)
    assert called(user).contact == known
    known.refresh_from_db()
    assert known.first_name == "Petra"
    assert not Consent.objects.exists()


def test_it_is_live_where_there_are_real_lines(user):
    a_number("+14155550199", trunk=a_trunk())
    assert called(user).mode == "live"


def test_whoever_said_stop_is_not_rung_so_either(user):
    Suppression.objects.create(number=NUMBER, reason="opted_out")
    with pytest.raises(Refused, match="must not be called: opted out"):
        called(user)
    assert not Call.objects.exists()
    assert not Contact.objects.filter(phone=NUMBER).exists(), "all or nothing"
    assert User.objects.get().phone == ""


@pytest.mark.parametrize("number", ["", "12", "+1 900", "me"])
def test_a_number_that_is_none_is_refused(user, number):
    with pytest.raises(Invalid, match="phone"):
        called(user, number=number)


def test_who_may_not_schedule_may_not_have_themselves_called(user):
    user.role = Role.VIEWER
    with pytest.raises(Forbidden):
        called(user)


def test_the_agent_that_was_asked_for_speaks(user):
    agent = save_agent(actor=SYSTEM, agent_id=None, values={"name": "A"}, now=NOON)
    assert called(user, agent_id=agent.pk).speaker_id == agent.pk
    archive_agent(actor=SYSTEM, agent_id=agent.pk, now=NOON)
    with pytest.raises(NotFound):
        called(user, agent_id=agent.pk)


def test_the_agent_of_the_campaign_speaks_though_the_call_is_none_of_it(user):
    agent = save_agent(actor=SYSTEM, agent_id=None, values={"name": "A"}, now=NOON)
    call = called(user, campaign_id=a_campaign(agent=agent).pk)
    assert (call.campaign, call.speaker_id) == (None, agent.pk)


@pytest.mark.parametrize(
    "text",
    [
        "Hello.",
        "{{ first_name }}",
        "{% if x %}",
        "<<first_name>>",
        "a { b } c }} d {{",
        '{{ "{{" }}',
        "1 < 2 > 0",
        "<<{{x}}>>",
        "{" * 50,
    ],
)
def test_a_literal_is_rendered_as_it_stands(text):
    assert render(literal(text), contact=a_contact(), metadata=None, now=NOON) == text
