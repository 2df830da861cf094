"""Call my phone, in a real browser: the call opens beside the form, which stays as it is."""

import pytest
from playwright.sync_api import expect

from calls.models import Call
from temphone.accounts.actors import Role
from temphone.lib import clock
from tests.browser.conftest import LOOKS
from tests.builders import a_contact, a_gateway

pytestmark = pytest.mark.browser
MESSAGE = "Hi {{ first_name }}."


@pytest.mark.parametrize("look", LOOKS)
def test_my_phone_is_called_in_a_tab_of_its_own(window, live_server, look):
    a_gateway(now=clock.now())
    contact = a_contact(first_name="Jordan")
    shown = window(look, role=Role.OPERATOR)
    page = shown.open(f"/calls/new/?contact={contact.pk}")
    page.get_by_label("Message").fill(MESSAGE)
    page.get_by_text("Call my phone").click()
    page.get_by_label("Your number").fill("+1 415 555 0123")
    shown.assert_sound()

    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Call me now").click()
    tab = opened.value
    expect(tab.get_by_text("Only your own phone can be called so.")).to_be_visible()
    tab.get_by_label("It is my own phone").check()
    with page.context.expect_page() as opened:
        tab.get_by_role("button", name="Call me now").click()
    expect(opened.value.get_by_text("Hi Jordan.").first).to_be_visible()
    assert Call.objects.get().contact.phone == "+14155550123"
    expect(page.get_by_label("Message")).to_have_value(MESSAGE)
