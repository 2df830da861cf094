"""Hear it, in a real browser: pressed, heard, stopped, and what it says when nobody can speak."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from temphone import wiring
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.telephony.port import Speechless
from tests.browser.conftest import LOOKS
from tests.builders import a_contact, a_gateway
from tests.sounds import a_wav, tone

pytestmark = pytest.mark.browser


class FakeCarrier:
    """Speaks as many seconds of a tone as it is told, or says why it cannot."""

    def __init__(self):
        self.texts = []
        self.seconds = 20
        self.problem = ""

    async def speak(self, _gateway, texts, *, language, voice):
        self.texts.append(texts[1])
        if self.problem:
            raise Speechless(self.problem)
        return a_wav(tone(self.seconds))


@pytest.fixture
def carrier(monkeypatch, live_server):
    one = FakeCarrier()
    monkeypatch.setattr(wiring, "carrier", lambda: one)
    a_gateway(now=clock.now() + timedelta(hours=1), speaks=True)  # however long the test takes
    return one


@pytest.mark.parametrize("look", LOOKS)
def test_the_opening_is_heard_and_stopped(window, carrier, look):
    contact = a_contact(first_name="Jordan")
    shown = window(look, role=Role.OPERATOR)
    page = shown.open(f"/calls/new/?contact={contact.pk}")
    page.get_by_label("Message").fill("Hi {{ first_name }}.")
    page.get_by_role("button", name="Hear it").click()
    stop = page.get_by_role("button", name="Stop", exact=True).and_(page.locator("[data-hear]"))
    expect(stop).to_be_visible()
    assert carrier.texts == ["Hi Jordan."]
    shown.assert_sound()
    stop.click()
    expect(page.get_by_role("button", name="Hear it")).to_be_visible()


def test_at_its_end_it_can_be_heard_again_and_another_text_is_another_sound(window, carrier):
    contact = a_contact(first_name="Jordan")
    carrier.seconds = 0.3
    page = window(role=Role.OPERATOR).open(f"/calls/new/?contact={contact.pk}")
    message = page.get_by_label("Message")
    message.fill("One.")
    for text in ("One.", "Two."):
        message.fill(text)
        page.get_by_role("button", name="Hear it").click()
        expect(page.locator("[data-hear][aria-busy=false]")).to_have_text("Hear it")
    assert carrier.texts == ["One.", "Two."]
    carrier.seconds = 20
    page.get_by_role("button", name="Hear it").click()
    expect(page.locator("[data-hear]")).to_have_text("Stop")
    message.fill("Three.")
    expect(page.locator("[data-hear]")).to_have_text("Hear it")


def test_why_it_cannot_be_heard_stands_beside_the_button_until_the_text_changes(window, carrier):
    a_contact(first_name="Jordan")
    carrier.problem = "Piper hangs"
    shown = window(role=Role.MANAGER)
    page = shown.open("/agents/new/")
    page.get_by_role("button", name="Hear it").click()
    expect(page.locator("[data-hear-told]")).to_have_text("The gateway cannot speak it: Piper hangs.")
    page.get_by_label("A call's message").fill("Another.")
    expect(page.locator("[data-hear-told]")).not_to_have_text("The gateway cannot speak it: Piper hangs.")
    shown.complaints.clear()  # of the answer 503, which the browser itself notes
    shown.assert_sound()
