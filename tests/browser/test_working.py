import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from calls.actions.stop import set_stop_switch
from calls.models import Call, StopSwitch
from calls.states import CallStatus
from temphone.accounts.actors import SYSTEM, Role
from temphone.lib import clock
from tests.browser.conftest import both_looks
from tests.builders import a_call, a_contact, a_gateway
from tests.pages.conftest import a_live_call, an_attempt, say

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def gateway(live_server):
    a_gateway(now=clock.now())


def soon(call: Call) -> Call:
    """The call, due in half a minute by the real clock."""
    Call.objects.filter(pk=call.pk).update(due_at=clock.now() + timedelta(seconds=30))
    return call


@both_looks
def test_a_call_is_scheduled_by_hand(window, look):
    contact = a_contact(first_name="Ada", last_name="Byron", timezone="America/Los_Angeles")
    a_contact(first_name="Bob")
    shown = window(look, role=Role.OPERATOR)
    page = shown.open("/calls/")

    page.keyboard.press("n")
    page.wait_for_url("**/calls/new/")
    page.keyboard.press("/")
    page.keyboard.type("byron")
    expect(page.locator("#contact-options button")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#picker")).to_contain_text("Ada Byron")

    page.get_by_label("Message").fill("Hi {{ first_name }}, it is {{ nickname }}.")
    expect(page.locator("#preview")).to_contain_text("The message uses 'nickname', which has no value")
    page.get_by_label("Message").fill("Hi {{ first_name }}, this is the assistant.")
    expect(page.locator("#preview .bubble")).to_contain_text("Hi Ada, this is the assistant.")
    page.get_by_label("On whose clock").select_option("contact")
    page.get_by_text("Tomorrow 10:00").click()
    button = page.locator("#preview button.primary")
    expect(button).to_contain_text("10:00, Los Angeles")
    expect(page.locator("#preview .clocks")).to_contain_text("Madrid, UTC+")
    shown.assert_sound()
    button.click()

    page.wait_for_url(re.compile(r"/calls/call_\w+/$"))
    expect(page.get_by_text("The call is scheduled.")).to_be_visible()
    call = Call.objects.get()
    assert (call.contact, call.mode) == (contact, "test")
    assert (call.scheduled_at - clock.now()) < timedelta(hours=48)


@pytest.mark.parametrize("pressed", ["#preview button.primary", "text=Tomorrow 10:00"])
def test_a_press_is_not_lost_when_the_preview_comes_before_its_release(window, pressed):
    contact = a_contact(first_name="Ada", timezone="America/Los_Angeles")
    shown = window(role=Role.OPERATOR)
    page = shown.open(f"/calls/new/?contact={contact.pk}")
    page.get_by_label("Message").fill("Hello, this is the assistant.")
    expect(page.locator("#preview .bubble")).to_contain_text("the assistant.")

    page.locator(pressed).hover()
    under_the_pointer = page.locator(pressed).element_handle()
    with page.expect_response("**/calls/new/preview/"):
        page.mouse.down()
    page.wait_for_timeout(200)
    assert under_the_pointer.evaluate("element => element.isConnected")
    page.mouse.up()

    if pressed.startswith("text"):
        expect(page.locator("#preview button.primary")).to_contain_text("10:00, Los Angeles")
        page.locator("#preview button.primary").click()
    page.wait_for_url(re.compile(r"/calls/call_\w+/$"))
    assert Call.objects.get().initial_message == "Hello, this is the assistant."


@both_looks
def test_the_conversation_grows_while_one_watches_and_then_rests(window, look):
    call, attempt = a_live_call()
    shown = window(look, role=Role.VIEWER)
    page = shown.open(f"/calls/{call.pk}/")
    expect(page.get_by_label("Search in what was said")).to_be_hidden()
    say(attempt, "Hello?")
    expect(page.locator("#turns .turn")).to_have_count(1)
    expect(page.get_by_label("Search in what was said")).to_be_visible()

    say(attempt, "Are you there?")
    expect(page.locator("#turns .turn")).to_have_count(2)
    page.locator(".why").last.locator("summary").first.click()
    say(attempt, "Goodbye.", speaker="agent")
    expect(page.locator("#turns .turn")).to_have_count(3)

    attempt.state, attempt.outcome = "ended", "message_delivered"
    attempt.save()
    Call.objects.filter(pk=call.pk).update(status=CallStatus.COMPLETED, outcome="message_delivered")
    expect(page.locator("#live")).to_contain_text("Message delivered")
    expect(page.locator("main [data-poll]")).to_have_count(0)
    shown.assert_sound()


def test_the_list_follows_a_call_that_begins_and_keeps_what_is_chosen(window):
    call, other = soon(a_call()), soon(a_call())
    shown = window()
    page = shown.open("/calls/")
    page.get_by_label(f"Choose the call to {other.contact}").last.check()
    expect(page.locator("#bulk")).to_contain_text("1 chosen")

    Call.objects.filter(pk=call.pk).update(status=CallStatus.IN_PROGRESS)
    say(an_attempt(call), "Could we talk on Friday?")

    expect(page.locator(".livecard")).to_contain_text("Could we talk on Friday?")
    expect(page.locator("#live-count")).to_contain_text("1")
    expect(page.locator("#results input[name=call]:checked")).to_have_count(1)
    page.locator("#bulk").get_by_role("button", name="Cancel calls").click()
    expect(page.get_by_role("dialog")).to_contain_text("Cancel 1 call?")
    shown.assert_sound()
    page.get_by_role("button", name="Cancel the calls").click()
    expect(page.get_by_text("1 call canceled.")).to_be_visible()


def test_keys_move_choose_open_and_help_and_have_a_switch(window):
    first = soon(a_call())
    soon(a_call())
    shown = window()
    page = shown.open("/calls/")

    for key in "jjk":
        page.keyboard.press(key)
    expect(page.locator(f"#row-{first.pk}")).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator(f"#pick-{first.pk}")).to_be_checked()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    shown.assert_sound()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#id_q")).to_be_focused()
    page.keyboard.press("n")  # typed, not obeyed
    expect(page.locator("#id_q")).to_have_value("n")
    # What is typed is looked for a moment later: the row must not go between its focus and its key.
    expect(page).to_have_url(re.compile(r"\?q=n"))
    page.locator("#id_q").clear()
    expect(page).not_to_have_url(re.compile("q=n"))
    page.locator(f"#row-{first.pk}").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/calls/{first.pk}/?view=upcoming")

    shown.open("/account/").get_by_label("Single-key shortcuts").uncheck()
    shown.open("/calls/").keyboard.press("n")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.endswith("/calls/")


def test_what_answers_after_its_part_is_replaced_is_dropped_without_a_word(window):
    soon(a_call(a_contact(first_name="Ada")))
    soon(a_call(a_contact(first_name="Bob")))
    page = window().open("/calls/")
    late = []

    def hold(route):
        late.append(route)

    page.route(lambda url: url.endswith("/calls/"), hold)
    page.evaluate("htmx.trigger('#results', 'refresh')")
    page.wait_for_timeout(100)
    assert late

    page.locator("#id_q").fill("ada")
    expect(page).to_have_url(re.compile("q=ada"))
    for route in late:
        with page.expect_response("**/calls/"):
            route.continue_()
    page.wait_for_timeout(100)
    expect(page.locator("#results")).not_to_contain_text("Bob")


def test_a_page_that_was_written_before_a_choice_was_kept_still_has_it(window):
    shown = window()
    page = shown.open("/account/")
    before = page.request.get(f"{shown.server}/overview/").text()
    with page.expect_response("**/look/"):
        page.get_by_label("Single-key shortcuts").uncheck()
    page.route("**/overview/", lambda route: route.fulfill(body=before, content_type="text/html"))
    page.goto(f"{shown.server}/overview/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)

    shown.open("/calls/")
    assert page.evaluate("localStorage.getItem('look-unsaved')") is None
    assert page.evaluate("document.documentElement.dataset.keys") == "off"


def test_filters_go_into_the_address_and_back(window):
    soon(a_call(a_contact(first_name="Ada")))
    soon(a_call(a_contact(first_name="Bob")))
    shown = window()
    page = shown.open("/calls/")

    page.locator("#id_q").fill("ada")
    expect(page.locator("[data-row]")).to_have_count(1)
    assert page.url.endswith("/calls/?q=ada&view=upcoming")
    page.get_by_text("Filters").click()
    page.get_by_label("Status").select_option("failed")
    expect(page.locator("[data-row]")).to_have_count(0)
    expect(page.locator(".chips")).to_contain_text("Status: Failed")
    shown.assert_sound()

    page.go_back()
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.locator("#id_q")).to_have_value("ada")


def test_the_theme_is_kept_and_shown_from_the_first_moment(window):
    shown = window("light")
    page = shown.open("/account/")

    page.get_by_label("Dark").check()
    shown.open("/calls/")

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    shown.assert_sound()
    page.get_by_role("button", name="Colour theme").click()
    assert page.evaluate("localStorage.getItem('theme')") == "light"


def test_a_manager_stops_all_calls_in_a_dialog(window):
    shown = window()
    page = shown.open("/calls/")

    page.get_by_role("link", name="Stop all calls").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("wrong script")
    page.get_by_role("dialog").get_by_role("button", name="Stop all calls").click()
    expect(page.locator(".stopped")).to_contain_text("wrong script")
    assert StopSwitch.read().on
    shown.assert_sound()

    page.get_by_role("link", name="Let calling go on").click()
    page.get_by_role("dialog").get_by_role("button").click()
    expect(page.locator(".stopped")).to_have_count(0)
    assert not StopSwitch.read().on


def test_a_call_is_scheduled_without_javascript(window):
    a_contact(first_name="Ada", last_name="Byron")
    page = window(role=Role.OPERATOR, java_script_enabled=False).open("/calls/new/")

    page.get_by_label("Search contacts").fill("ada")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("button", name="Ada Byron").click()
    page.get_by_label("Message").fill("Hi.")
    page.get_by_role("button", name="Schedule the call").click()

    page.wait_for_url(re.compile(r"/calls/call_\w+/$"))
    assert Call.objects.get().contact.first_name == "Ada"


def test_an_open_page_learns_of_a_stop_and_keeps_the_focus_where_it_is(window):
    set_stop_switch(actor=SYSTEM, on=True, reason="A storm", now=clock.now())
    shown = window("dark phone", role=Role.MANAGER)
    page = shown.open("/contacts/")
    alarms, go_on = page.locator("#alarms"), page.get_by_role("link", name="Let calling go on")
    expect(alarms).to_contain_text("A storm")
    expect(alarms.get_by_text("Nothing is dialled: the clock does not run.")).to_be_in_viewport()
    shown.assert_sound()

    go_on.focus()
    a_live_call()
    page.evaluate("htmx.trigger('#frame', 'refresh')")
    expect(page.locator("#live-count")).to_be_visible()
    expect(go_on).to_be_focused()

    set_stop_switch(actor=SYSTEM, on=False, now=clock.now())
    page.evaluate("htmx.trigger('#frame', 'refresh')")
    expect(go_on).to_have_count(0)
    expect(page.get_by_role("link", name="Stop all calls")).to_be_visible()
