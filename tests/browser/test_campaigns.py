"""A campaign in a real browser: written, checked, launched, paused, and watched until it is over."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from calls.models import Call
from campaigns.models import Campaign
from temphone.lib import clock
from tests.builders import a_contact, a_gateway

pytestmark = pytest.mark.browser


def test_a_campaign_from_the_first_word_to_the_last_call(window, live_server, monkeypatch):
    monkeypatch.setattr("campaigns.actions.tallies.QUICK_S", 600.0)
    a_gateway(now=clock.now())
    for name in ("Ada", "Bob", "Cleo"):
        a_contact(first_name=name, tags=["vip"], created_at=clock.now() - timedelta(days=1))
    shown = window()
    page = shown.open("/campaigns/")

    page.get_by_role("link", name="New campaign").first.click()
    page.get_by_label("Name", exact=True).fill("Renewals")
    page.get_by_label("Message").fill("Hi {{ first_name }}, this is the assistant.")
    page.get_by_label("Tag", exact=True).fill("vip")
    expect(page.locator("#preview")).to_contain_text("people would be called")
    expect(page.locator("#preview .bubble")).to_contain_text(re.compile("Hi (Ada|Bob|Cleo), this is"))
    page.get_by_role("radio", name="People whom I pick").check()
    page.get_by_label("Search contacts").fill("bob")
    expect(page.locator("#people label")).to_have_count(1)
    expect(page.locator("#people label")).to_contain_text("Bob")
    page.get_by_role("radio", name="Everybody with a tag").check()
    shown.assert_sound()
    page.locator("#save-button").click()

    expect(page.get_by_role("heading", name="Before the launch")).to_be_visible()
    page.get_by_role("button", name="Launch: 3 calls").click()
    expect(page.get_by_text("3 calls, 0% done")).to_be_visible()
    page.locator("#do-pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.locator("#state")).to_contain_text("Paused")
    page.locator("#do-resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.locator("#state")).to_contain_text("Running")
    assert Call.objects.filter(status="scheduled").count() == 3

    Call.objects.update(status="completed", outcome="answered_human")
    Campaign.objects.update(status="completed")
    expect(page.locator("#state")).to_contain_text("Completed", timeout=10_000)
    expect(page.locator("#actions a")).to_have_count(0)
    expect(page.get_by_text("3 calls, 100% done")).to_be_visible()
    assert page.locator("#results[hx-trigger]").count() == 0
    shown.assert_sound()
