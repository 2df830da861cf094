"""Hear it: the schedule form and the agent's form play the opening of a call."""

import pytest

from calls.models import Call, Gateway
from temphone import wiring
from temphone.accounts.actors import Role
from temphone.telephony.port import Speechless
from tests.builders import a_contact
from tests.pages.test_scheduling_a_call import PREVIEW, values

CALL, AGENT, CAMPAIGN = "/calls/new/sound/", "/agents/sound/", "/campaigns/new/sound/"
BUTTON = "data-hear"


class FakeCarrier:
    """Speaks a sound that tells what it was asked."""

    problem = ""

    async def speak(self, _gateway, texts, *, language, voice):
        if self.problem:
            raise Speechless(self.problem)
        return "|".join([*texts, language, voice]).encode()


@pytest.fixture
def carrier(monkeypatch):
    one = FakeCarrier()
    monkeypatch.setattr(wiring, "carrier", lambda: one)
    return one


@pytest.fixture
def contact(db):
    return a_contact(first_name="Jordan")


def draft(**changed):
    return {"name": "Anna", "mode": "deliver", "engine": "playbook", "goodbye": "Bye.", **changed}


def test_the_form_plays_what_would_be_spoken_and_schedules_nothing(browse, contact, carrier):
    Gateway.objects.update(speaks=True)
    answer = browse().post(CALL, values(contact))
    assert (answer.status_code, answer["Content-Type"]) == (200, "audio/wav")
    preface, message, language, _ = answer.content.decode().split("|")
    assert "press 9 or say stop calling" in preface
    assert (message, language) == ("Hi Jordan.", "en")
    assert answer["Cache-Control"] == "private, no-store"
    assert not Call.objects.exists()


@pytest.mark.parametrize("speaks", [True, False])
def test_the_button_is_there_where_somebody_can_speak(browse, contact, speaks):
    Gateway.objects.update(speaks=speaks)
    assert (BUTTON in browse().post(PREVIEW, values(contact)).content.decode()) is speaks
    shown = browse(Role.MANAGER).post("/campaigns/new/preview/", {"message": "Hi.", "kind": "tag"})
    assert (BUTTON in shown.content.decode()) is speaks
    assert (BUTTON in browse(Role.MANAGER).get("/agents/new/").content.decode()) is speaks


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"message": ""}, "Write what the assistant shall say first."),
        ({"contact": ""}, "Choose whom to call."),
        ({"message": "Hi {{ nobody }}"}, "nobody"),
        ({"date": "2020-01-01"}, "still to come"),
    ],
)
def test_what_cannot_be_scheduled_cannot_be_heard_and_it_is_said_why(browse, contact, carrier, changed, said):
    Gateway.objects.update(speaks=True)
    answer = browse().post(CALL, values(contact, **changed))
    assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert said in answer.content.decode()


@pytest.mark.parametrize("speaks", [True, False])
def test_an_engine_in_trouble_is_told_in_plain_words(browse, contact, carrier, speaks):
    Gateway.objects.update(speaks=speaks)
    carrier.problem = "Piper hangs"
    answer = browse().post(CALL, values(contact))
    assert answer.status_code == 503
    expected = "The gateway cannot speak it: Piper hangs." if speaks else "docs/voice.md"
    assert expected in answer.content.decode()


def test_an_agents_draft_is_heard_before_it_is_saved(browse, contact, carrier):
    Gateway.objects.update(speaks=True)
    sent = draft(voice="joe", language="de", preview_message="Hello {{ first_name }}.")
    answer = browse(Role.MANAGER).post(AGENT, sent)
    assert answer["Content-Type"] == "audio/wav"
    assert answer.content.decode().split("|")[1:] == ["Hello Jordan.", "de", "joe"]


def test_an_agents_draft_that_cannot_be_spoken_says_why(browse, carrier, db):
    Gateway.objects.update(speaks=True)
    manager = browse(Role.MANAGER)
    assert manager.post(AGENT, draft()).content.decode() == "Add a contact to hear it."
    a_contact()
    answer = manager.post(AGENT, draft(preview_message="{{ nobody }}"))
    assert answer.status_code == 400
    assert "nobody" in answer.content.decode()


def test_a_campaign_is_heard_as_one_of_its_people_would_hear_it(browse, contact, carrier):
    Gateway.objects.update(speaks=True)
    a_contact(first_name="Ada", tags=["vip"])
    sent = {"kind": "tag", "tag": "vip", "message": "Hi {{ first_name }}."}
    spoken, recorded = (
        browse(Role.MANAGER).post(CAMPAIGN, {**sent, **box}).content.decode().split("|")
        for box in ({}, {"recording_enabled": "on"})
    )
    assert spoken[1] == "Hi Ada."
    assert "recorded" not in spoken[0]
    assert "This call may be recorded." in recorded[0]
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"message": ""}, "Write what the assistant shall say first."),
        ({"message": "Hi {{ nobody }}"}, "nobody"),
        ({"caller_id": "12"}, "Write the number with its country"),
        ({}, "Add a contact to hear it."),
    ],
)
def test_a_campaign_that_cannot_be_spoken_says_why(browse, carrier, changed, said):
    Gateway.objects.update(speaks=True)
    manager = browse(Role.MANAGER)
    if changed:
        a_contact()
    answer = manager.post(CAMPAIGN, {"kind": "tag", "message": "Hi.", **changed})
    assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert said in answer.content.decode()


@pytest.mark.parametrize(
    ("address", "role"), [(CALL, Role.VIEWER), (AGENT, Role.OPERATOR), (CAMPAIGN, Role.OPERATOR)]
)
def test_who_may_not_write_it_may_not_hear_it(browse, contact, carrier, address, role):
    Gateway.objects.update(speaks=True)
    assert browse(role).post(address, values(contact)).status_code == 403
