"""The player of a call's page, in a real browser: what is heard, seen and pressed."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from calls.models import Attempt, Call
from temphone.accounts.actors import Role
from temphone.accounts.models import AuditEntry
from temphone.lib import clock
from tests.browser.conftest import LOOKS
from tests.builders import a_gateway, a_recording
from tests.pages.conftest import a_finished_call, say
from tests.sounds import a_wav, silence, tone

pytestmark = pytest.mark.browser
SECONDS = 60
MOVES = re.compile("0:0[1-9]")  # a crowded machine may not see the first second


@pytest.fixture
def call(live_server) -> Call:
    """A finished call of a minute: a turn every ten seconds, the sound of whoever speaks."""
    a_gateway(now=clock.now())
    call = a_finished_call()
    attempt = call.attempts.get()
    attempt.evidence = {"said": "Yes.", "offset_ms": 50_000}
    attempt.save()
    for number in range(SECONDS // 10):
        turn = say(attempt, f"Turn {number}.", speaker="callee" if number % 2 else "agent")
        turn.offset_ms = number * 10_000
        turn.save()
    speech, pause = tone(4), silence(6)
    left, right = (speech + pause + silence(10)) * 3, (silence(10) + speech + pause) * 3
    a_recording(attempt, a_wav(left, right))
    return call


def time_of(page: Page) -> float:
    return page.evaluate("document.querySelector('[data-player] audio').currentTime")


def is_playing(page: Page) -> bool:
    return not page.evaluate("document.querySelector('[data-player] audio').paused")


def test_it_plays_and_the_transcript_goes_along(window, call):
    shown = window(role=Role.OPERATOR)
    page = shown.open(f"/calls/{call.pk}/")
    assert not AuditEntry.objects.filter(action="recording.play").exists()

    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator("[data-time]")).to_have_text(MOVES)
    expect(page.locator("#turns [aria-current]")).to_contain_text("Turn 0.")
    assert AuditEntry.objects.filter(action="recording.play").count() == 1

    page.get_by_text("Turn 3.").click()
    expect(page.locator("#turns [aria-current]")).to_contain_text("Turn 3.")
    assert 30 <= time_of(page) < 35
    assert is_playing(page)

    page.locator(".strip-shown a").click()
    expect(page.locator("#turns [aria-current]")).to_contain_text("Turn 5.")
    assert 50 <= time_of(page) < 55
    shown.assert_sound()


def test_what_was_said_is_searched_and_ten_seconds_are_heard_again(window, call):
    shown = window(role=Role.OPERATOR)
    page = shown.open(f"/calls/{call.pk}/")
    search = page.get_by_role("searchbox", name="Search in what was said")

    search.fill("túrn 3")
    expect(page.locator("#turns .is-hit")).to_have_count(1)
    expect(page.get_by_text("Once", exact=True)).to_be_visible()
    search.fill("turn")
    expect(page.get_by_text("6 times")).to_be_visible()
    search.press("Enter")
    search.press("Enter")
    expect(page.get_by_text("2 of 6")).to_be_visible()
    expect(page.locator("#turns .is-at")).to_contain_text("Turn 1.")
    shown.assert_sound()
    search.fill("nobody said this")
    expect(page.get_by_text("Nothing was said so")).to_be_visible()

    slider = page.get_by_role("slider", name="Position")
    slider.focus()
    slider.press("PageUp")
    page.get_by_role("button", name="Back 10 seconds").click()
    expect(slider).to_have_attribute("aria-valuetext", "0:20 of 1:00")


def test_the_waveform_is_a_slider(window, call):
    page = window(role=Role.OPERATOR).open(f"/calls/{call.pk}/")
    slider = page.get_by_role("slider", name="Position")
    expect(slider).to_have_attribute("aria-valuetext", "0:00 of 1:00")
    expect(slider).to_have_attribute("aria-valuemax", "60")

    slider.focus()
    for key, text in {
        "ArrowRight": "0:05",
        "ArrowUp": "0:10",
        "ArrowLeft": "0:05",
        "PageUp": "0:35",
        "PageDown": "0:05",
        "End": "0:59",
        "Home": "0:00",
    }.items():
        page.keyboard.press(key)
        expect(slider).to_have_attribute("aria-valuetext", f"{text} of 1:00")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()

    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    expect(slider).to_have_attribute("aria-valuenow", re.compile("29|30"))
    expect(page.locator("#turns [aria-current]")).to_contain_text(re.compile("Turn [23]."))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20)
    page.mouse.up()
    expect(slider).to_have_attribute("aria-valuenow", re.compile("53|54"))


def test_it_plays_faster(window, call):
    page = window(role=Role.OPERATOR).open(f"/calls/{call.pk}/")
    page.get_by_label("Speed").select_option("2")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("[data-time]")).not_to_have_text("0:00")
    assert page.evaluate("document.querySelector('[data-player] audio').playbackRate") == 2


def test_it_seeks_beyond_the_first_piece(window, call, monkeypatch):
    monkeypatch.setattr("temphone.ranged.PIECE_BYTES", 100_000)  # three seconds
    page = window(role=Role.OPERATOR).open(f"/calls/{call.pk}/")
    page.get_by_text("Turn 5.").click()
    page.wait_for_function("() => document.querySelector('[data-player] audio').currentTime > 50.5")
    page.get_by_text("Turn 1.").click()
    page.get_by_label("Speed").select_option("2")
    page.wait_for_function("() => document.querySelector('[data-player] audio').currentTime > 18")
    assert time_of(page) < 30


def test_a_sound_that_is_away_is_told(window, call):
    shown = window(role=Role.OPERATOR)
    page = shown.open(f"/calls/{call.pk}/")
    page.route("**/recording/**", lambda route: route.fulfill(status=503))
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("status").filter(has_text="cannot be played now")).to_be_visible()
    page.unroute("**/recording/**")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("[data-time]")).to_have_text(MOVES)
    expect(page.get_by_text("cannot be played now")).to_be_hidden()
    shown.complaints = [text for text in shown.complaints if "503" not in text]


def test_without_javascript_it_is_the_browsers_player(window, call):
    shown = window(role=Role.OPERATOR, java_script_enabled=False)
    page = shown.page
    page.goto(f"{shown.server}/calls/{call.pk}/")
    expect(page.locator("audio[controls]")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_hidden()
    link = page.get_by_role("link", name="00:30")
    assert link.get_attribute("href").endswith(f"/calls/{call.pk}/recording/1/#t=30.0")


def test_a_recording_that_arrives_appears_by_itself(window, live_server):
    a_gateway(now=clock.now())
    call = a_finished_call()
    Attempt.objects.update(carrier="sip", ended_at=clock.now() - timedelta(seconds=5))
    shown = window(role=Role.OPERATOR)
    page = shown.open(f"/calls/{call.pk}/")
    expect(page.get_by_text("The recording is on its way.")).to_be_visible()
    a_recording(call.attempts.get())
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    expect(page.locator("[data-time]")).to_have_text(MOVES)
    expect(page.locator("main [data-poll]")).to_have_count(0)
    shown.assert_sound()


@pytest.mark.parametrize("look", LOOKS)
def test_it_is_sound_in_every_look(window, call, look):
    shown = window(look, role=Role.OPERATOR)
    page = shown.open(f"/calls/{call.pk}/")
    shown.assert_sound()
    page.get_by_text("Turn 2.").click()
    expect(page.locator("#turns [aria-current]")).to_contain_text("Turn 2.")
    page.get_by_role("button", name="Pause").click()
    shown.assert_sound()
