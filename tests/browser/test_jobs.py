"""The main jobs of the pages that no other test walks, as people do them, in each look that differs most."""

import re

import pytest
from playwright.sync_api import expect

from calls.models import Call
from temphone.accounts.actors import Role
from temphone.accounts.models import ApiKey, User
from temphone.webhooks.models import Delivery, DeliveryState
from tests.browser.conftest import both_looks
from tests.builders import a_delivery
from tests.pages.conftest import a_live_call, say

pytestmark = pytest.mark.browser


@both_looks
def test_a_live_call_is_hung_up(window, look):
    call, attempt = a_live_call()
    say(attempt, "Hello?")
    shown = window(look, role=Role.OPERATOR)
    page = shown.open(f"/calls/{call.pk}/")

    page.get_by_role("link", name="Hang up").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Hang up?")
    shown.assert_sound()
    dialog.get_by_role("button", name="Hang up").click()

    expect(page.locator("#actions")).not_to_contain_text("Hang up")
    shown.assert_sound()
    assert Call.objects.get().hang_up_requested_at


@both_looks
def test_a_message_that_was_given_up_is_sent_again(window, look):
    delivery = a_delivery()
    Delivery.objects.update(state=DeliveryState.EXHAUSTED, tries=10)
    shown = window(look, role=Role.ADMIN)
    page = shown.open("/setup/webhooks/log/")

    page.get_by_role("link", name=re.compile(delivery.type)).first.click()
    page.get_by_role("button", name="Send again").click()

    expect(page.get_by_text("Waiting").first).to_be_visible()
    shown.assert_sound()
    assert Delivery.objects.get().state == "pending"


@both_looks
def test_the_zone_of_the_browser_is_taken(window, look):
    shown = window(look, timezone_id="America/New_York")
    page = shown.open("/overview/")
    offer = page.get_by_text("Your browser is in America/New York. Times are shown in Madrid.")
    expect(offer).to_be_visible()
    shown.assert_sound()

    page.get_by_role("button", name="Use the browser's").click()

    expect(page.get_by_text("Times are shown in America/New_York.")).to_be_visible()
    expect(offer).to_have_count(0)
    assert User.objects.get().timezone == "America/New_York"


@both_looks
def test_a_key_is_made_shown_once_and_revoked(window, look):
    shown = window(look, role=Role.ADMIN)
    page = shown.open("/setup/keys/new/")
    page.get_by_label("Name").fill("CRM")
    page.get_by_role("button", name="Make the key").click()

    expect(page.get_by_role("heading", name="The key for CRM")).to_be_visible()
    shown.assert_sound()
    page.get_by_role("link", name="I have kept it").click()
    page.get_by_role("link", name="CRM").click()
    page.get_by_role("link", name="Revoke").click()
    dialog = page.get_by_role("dialog")
    shown.assert_sound()
    dialog.get_by_role("button", name="Revoke the key").click()

    expect(page.get_by_text("Revoked").first).to_be_visible()
    shown.assert_sound()
    assert ApiKey.objects.get().revoked_at
