"""How a call will sound: by whom, of what, and what is said when nobody can speak."""

import asyncio

import pytest

from calls.actions import hearing
from calls.actions.hearing import NoVoice, can_speak, opening, script_of
from campaigns.actions.agents import save_agent
from temphone import wiring
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import Mode
from temphone.lib.errors import Forbidden, Invalid
from temphone.telephony.port import Speechless, Unreachable
from tests.builders import NOON, a_campaign, a_contact, a_gateway, a_request
from tests.calls.test_scheduling import NOW

pytestmark = pytest.mark.django_db
VIEWER = Actor(kind="user", id="7", label="Vic", role=Role.VIEWER)


class FakeCarrier:
    """Speaks, or does as it is told for a gateway."""

    def __init__(self):
        self.asked = []
        self.fails = {}

    async def speak(self, gateway, texts, *, language, voice):
        self.asked.append((gateway.ledger, tuple(texts), language, voice))
        if gateway.ledger in self.fails:
            raise self.fails[gateway.ledger]
        return b"RIFF"


@pytest.fixture
def carrier(monkeypatch):
    one = FakeCarrier()
    monkeypatch.setattr(wiring, "carrier", lambda: one)
    return one


def script(contact, **fields):
    return script_of(actor=SYSTEM, mode=Mode.TEST, request=a_request(contact, **fields), now=NOW)


def test_the_preface_and_the_rendered_message_are_spoken_as_the_contact_would_hear_them(carrier):
    a_gateway(now=NOW, speaks=True)
    contact = a_contact(first_name="Jordan", language="es")
    asked = script(contact, initial_message="Hola {{ first_name }}.")
    assert opening(script=asked, now=NOW) == b"RIFF"
    assert carrier.asked == [("gw_test", (asked.preface, "Hola Jordan."), "es", "")]
    assert "asistente automático" in asked.preface


def test_a_call_that_is_not_recorded_does_not_say_that_it_is():
    contact = a_contact()
    assert "recorded" in script(contact).preface
    assert "recorded" not in script(contact, recording_enabled=False).preface


def test_the_campaigns_agent_speaks():
    agent = save_agent(actor=SYSTEM, agent_id=None, values={"name": "A", "voice": "anna"}, now=NOW)
    campaign = a_campaign(agent=agent)
    contact = a_contact()
    assert script(contact, campaign_id=campaign.pk).voice == "anna"
    assert script(contact).voice == ""


def test_who_may_not_schedule_may_not_listen():
    with pytest.raises(Forbidden):
        script_of(actor=VIEWER, mode=Mode.TEST, request=a_request(a_contact()), now=NOW)


def test_a_message_that_cannot_be_rendered_is_refused_by_name():
    with pytest.raises(Invalid, match="initial_message"):
        script(a_contact(), initial_message="{{ nonsense }}")


def test_a_gateway_that_fails_is_passed_over(carrier):
    for ledger in ("gw_1", "gw_2", "gw_3"):
        a_gateway(now=NOW, ledger=ledger, speaks=True)
    carrier.fails = {"gw_1": Unreachable("gone"), "gw_2": Speechless("it hangs")}
    assert opening(script=script(a_contact()), now=NOW) == b"RIFF"
    assert [ledger for ledger, *_ in carrier.asked] == ["gw_1", "gw_2", "gw_3"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Speechless("The voice is broken"), "The gateway cannot speak it: The voice is broken."),
        (Unreachable("gone"), "The gateway did not answer in time. Try again."),
    ],
)
def test_where_the_only_one_fails_it_is_said_why(carrier, error, said):
    a_gateway(now=NOW, speaks=True)
    carrier.fails = {"gw_test": error}
    with pytest.raises(NoVoice) as told:
        opening(script=script(a_contact()), now=NOW)
    assert told.value.message == said


def test_while_one_listens_others_are_told_to_wait(carrier):
    a_gateway(now=NOW, speaks=True)
    asked = script(a_contact())
    with hearing.ONE_AT_A_TIME, pytest.raises(NoVoice, match="Somebody else is listening"):
        opening(script=asked, now=NOW)
    assert opening(script=asked, now=NOW) == b"RIFF"


def test_one_that_takes_too_long_is_given_up(carrier, monkeypatch):
    monkeypatch.setattr(hearing, "PATIENCE_S", 0.05)

    async def for_ever(*_, **__):
        await asyncio.sleep(60)

    monkeypatch.setattr(carrier, "speak", for_ever)
    for ledger in ("gw_1", "gw_2"):
        a_gateway(now=NOW, ledger=ledger, speaks=True)
    with pytest.raises(NoVoice, match="did not answer in time"):
        opening(script=script(a_contact()), now=NOW)


def test_only_a_gateway_that_lives_and_says_that_it_speaks_is_asked(carrier):
    contact = a_contact()
    a_gateway(now=NOW, ledger="gw_mute")
    a_gateway(now=NOW - 10 * (NOON - NOW), ledger="gw_gone", speaks=True)
    assert not can_speak(NOW)
    with pytest.raises(NoVoice) as told:
        opening(script=script(contact), now=NOW)
    assert told.value.message == hearing.NOBODY
    assert not carrier.asked
    a_gateway(now=NOW, speaks=True)
    assert can_speak(NOW)
