"""The palette, and single keys, as a person with a keyboard uses them."""

import pytest
from playwright.sync_api import expect

from temphone.accounts.actors import Role
from temphone.lib import clock
from tests.builders import a_call, a_contact, a_gateway

pytestmark = pytest.mark.browser


def test_people_are_found_and_opened_with_the_keyboard_alone(window):
    a_gateway(now=clock.now())
    ada = a_contact(first_name="Ada", last_name="Lovelace")
    a_call(ada)
    shown = window(role=Role.MANAGER)
    page = shown.open("/calls/")

    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Find people, calls, campaigns and pages")
    expect(field).to_be_focused()
    page.keyboard.type("ada")
    option = page.get_by_role("option", name="Ada Lovelace").first
    expect(option).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", f"found-{ada.pk}")
    shown.assert_sound()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/contacts/{ada.pk}/")

    # Lately opened, by a button this time; then a page of the sidebar, by arrow.
    page.get_by_role("link", name="Find").click()
    expect(page.get_by_role("option", name="Ada Lovelace")).to_be_visible()
    page.keyboard.type("calls")
    expect(page.get_by_role("option", name="Ada Lovelace")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/calls/")

    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/contacts/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_contain_text("Contacts")


def test_what_can_be_done_is_found_there_too(window):
    a_gateway(now=clock.now())
    call = a_call()
    shown = window(role=Role.MANAGER)
    page = shown.open(f"/calls/{call.pk}/")

    # Of the page, and of others.
    page.keyboard.press("Control+k")
    page.keyboard.type("cance")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Cancel this call?")).to_be_visible()
    page.keyboard.press("Escape")

    page.keyboard.press("Control+k")
    page.keyboard.type("new camp")
    expect(page.get_by_role("option", name="New campaign")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/campaigns/new/")
