"""Somebody new goes from the login to a first call, by what the pages offer and nothing else."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from calls.models import Call
from temphone.accounts.actors import Role
from temphone.lib import clock
from tests.browser.conftest import both_looks
from tests.builders import a_gateway

pytestmark = pytest.mark.browser


@both_looks
def test_three_steps_lead_from_the_login_to_a_first_call(window, look):
    a_gateway(now=clock.now())
    shown = window(look, role=Role.MANAGER)
    page = shown.page
    expect(page.get_by_role("heading", name="Your first call")).to_be_visible()
    shown.assert_sound()

    page.get_by_role("main").get_by_role("link", name="Add a contact").click()
    page.get_by_label("First name").fill("Ada")
    expect(page.get_by_role("textbox", name="Phone")).to_have_value("+1 415 555 0100")
    page.get_by_role("button", name="Add the contact").click()

    page.wait_for_url(re.compile(r"/calls/new/\?contact=ctc_\w+$"))
    expect(page.locator("#picker")).to_contain_text("Ada")
    page.get_by_label("Message").fill("Hi {{ first_name }}, this is the assistant.")
    expect(page.locator("#preview .bubble")).to_contain_text("Hi Ada, this is the assistant.")
    page.get_by_text("In 1 minute").click()
    shown.assert_sound()
    page.locator("#preview button.primary").click()

    page.wait_for_url(re.compile(r"/calls/call_\w+/$"))
    expect(page.get_by_text("The call is scheduled.")).to_be_visible()
    call = Call.objects.get()
    assert (call.mode, call.contact.first_name) == ("test", "Ada")
    assert timedelta() < call.due_at - clock.now() < timedelta(minutes=2)
    shown.open("/overview/")
    expect(page.get_by_role("heading", name="Your first call")).to_have_count(0)
