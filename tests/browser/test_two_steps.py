"""Two-step login as a person meets it: turned on with an app, kept, and used at the next login."""

import re
from datetime import timedelta

import pyotp
import pytest

from temphone.accounts.models import User
from temphone.lib import clock
from tests.browser.conftest import PASSWORD

pytestmark = pytest.mark.browser
ARRIVED = "(dialog) => Promise.all(dialog.getAnimations({subtree: true}).map((one) => one.finished))"


@pytest.mark.parametrize("look", ["light", "dark phone"])
def test_it_is_turned_on_and_asked_for_at_the_next_login(window, look, monkeypatch):
    shown = window(look)
    user = User.objects.get()
    page = shown.open("/account/")
    page.get_by_role("link", name="Turn it on").click()
    page.get_by_role("heading", name="Scan this with an authenticator app").wait_for()
    assert page.locator(".qr img").evaluate("image => image.complete && image.naturalWidth > 100")
    shown.assert_sound()

    app = pyotp.TOTP(page.locator("#secret").inner_text().replace(" ", ""))
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code").fill(app.at(clock.now()))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    shown.assert_sound()
    codes = page.locator(".codes li").all_inner_texts()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    assert all(code in downloading.value.path().read_text() for code in codes)
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_text("10 left").wait_for()
    shown.assert_sound()

    page.get_by_role("link", name="New recovery codes").click()
    page.get_by_role("dialog").get_by_label("Your password").wait_for()
    page.get_by_role("dialog").evaluate(ARRIVED)  # half-way its colours are pale
    shown.assert_sound()

    page.context.clear_cookies()
    page.goto(f"{shown.server}/calls/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/login/code/")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("was used already").wait_for()
    shown.assert_sound()

    later = clock.now() + timedelta(seconds=30)
    monkeypatch.setattr(clock, "now", lambda: later)
    page.get_by_label("Code").fill(app.at(later))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(re.compile("/calls/$"))
