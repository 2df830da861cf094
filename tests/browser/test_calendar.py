from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from calls.models import Call
from temphone.accounts.actors import Role
from temphone.lib import clock
from tests.builders import a_call, a_contact, a_gateway

pytestmark = pytest.mark.browser
MADRID = ZoneInfo("Europe/Madrid")


@pytest.fixture
def tomorrow(live_server) -> datetime:
    """Ten o'clock of the next day in Madrid."""
    a_gateway(now=clock.now())
    day = clock.now().astimezone(MADRID).date() + timedelta(days=1)
    return datetime.combine(day, time(10, 15), MADRID)


def test_a_call_is_moved_by_dragging_and_by_keys_undone_and_refused(window, tomorrow):
    call = a_call(a_contact(first_name="Ada", timezone="Europe/Madrid"))
    Call.objects.filter(pk=call.pk).update(due_at=tomorrow, scheduled_at=tomorrow)
    shown = window(role=Role.OPERATOR)
    page = shown.open(f"/calendar/?date={tomorrow:%Y-%m-%d}&view=day")
    card, hour = page.locator(f"#slot-{call.pk}"), "td[data-hour='{}']"
    expect(page.locator(hour.format("10"))).to_contain_text("10:15 Ada Lee")

    card.drag_to(page.locator(hour.format("14")))
    expect(page.locator(hour.format("14"))).to_contain_text("14:15 Ada Lee")
    expect(page.locator("#toast")).to_contain_text("14:15, Madrid.")
    call.refresh_from_db()
    assert call.due_at == tomorrow.replace(hour=14)

    page.get_by_role("button", name="Undo").click()
    expect(page.locator(hour.format("10"))).to_contain_text("10:15 Ada Lee")
    call.refresh_from_db()
    assert call.due_at == tomorrow

    card.focus()
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(hour.format("11"))).to_contain_text("11:15 Ada Lee")
    expect(card).to_be_focused()
    shown.assert_sound()

    page.evaluate("document.documentElement.dataset.keys = 'off'")  # as the switch in the account does
    page.keyboard.press("m")
    expect(page.locator(".is-carried")).to_have_count(0)
    expect(page.get_by_text("Or press M on it")).to_be_hidden()

    Call.objects.filter(pk=call.pk).update(status="in_progress")
    card.drag_to(page.locator(hour.format("14")))
    expect(page.locator("#toast")).to_contain_text("is in progress.")
    expect(page.locator(hour.format("11"))).to_contain_text("Ada Lee")
    assert "422" in shown.complaints.pop()


def test_on_a_phone_a_call_is_moved_by_its_form(window, tomorrow):
    call = a_call(a_contact(first_name="Ada", timezone="Europe/Madrid"))
    Call.objects.filter(pk=call.pk).update(due_at=tomorrow, scheduled_at=tomorrow)
    shown = window("dark phone", role=Role.OPERATOR, has_touch=True, is_mobile=True)
    page = shown.open(f"/calendar/?date={tomorrow:%Y-%m-%d}&view=day")

    page.locator(f"#slot-{call.pk}").tap()
    page.wait_for_url(f"**/calls/{call.pk}/**")
    page.get_by_role("link", name="Move").tap()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Time", exact=True).fill("14:15")
    shown.assert_sound()
    dialog.get_by_role("button", name="Move the call").tap()

    expect(page.locator("main")).to_contain_text("14:15")
    shown.assert_sound()
    call.refresh_from_db()
    assert call.due_at == tomorrow.replace(hour=14)


def test_a_phone_shows_a_day_from_the_morning_on_and_a_week_if_asked(window, tomorrow):
    shown = window("phone", role=Role.OPERATOR, has_touch=True, is_mobile=True)
    page = shown.open(f"/calendar/?date={tomorrow + timedelta(days=7):%Y-%m-%d}")

    page.wait_for_url("**view=day")
    expect(page.locator("#hour-8 th")).to_be_in_viewport()
    expect(page.locator("#hour-6 th")).not_to_be_in_viewport()
    expect(page.get_by_text("Open a call to move it.")).to_be_visible()
    expect(page.get_by_text("drag it to another hour")).to_be_hidden()

    page.get_by_role("link", name="Week").click()
    page.wait_for_url("**view=week**")
    expect(page.locator("#calendar th[scope=col]")).to_have_count(8)
