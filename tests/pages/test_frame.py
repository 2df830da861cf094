"""What the frame of each page tells, and how a page that stays open learns of it."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calls.actions.stop import set_stop_switch
from calls.models import Beat
from temphone.accounts.actors import SYSTEM, Role
from tests.builders import NOON, a_call
from tests.pages.conftest import EARLIER, a_live_call, htmx, text_of


def part(markup: str, name: str) -> str:
    """A part of the frame, by its id."""
    return re.search(rf'<(\w+) id="{name}".*?</\1>', markup, re.DOTALL)[0]


def stop(*, on: bool) -> None:
    set_stop_switch(actor=SYSTEM, on=on, reason="wrong script", now=NOON)


def test_an_open_page_learns_that_all_calling_is_stopped_and_goes_on(browse):
    client = browse(Role.MANAGER)
    assert "Stop all calls" in part(htmx(client, "/frame/"), "stop-offer")

    stop(on=True)
    told = htmx(client, "/frame/")
    assert "wrong script" in part(told, "alarms")
    assert "Let calling go on" in told
    assert "<a" not in part(told, "stop-offer")

    stop(on=False)
    assert "wrong script" not in htmx(client, "/frame/")


def test_an_open_page_learns_why_nothing_would_be_dialled(browse):
    client = browse()
    told = htmx(client, "/frame/")
    for name in ("alarms", "health"):
        assert "Nothing is dialled: the clock does not run." in part(told, name)

    Beat.mark("clock", EARLIER)
    Beat.mark("worker", EARLIER)
    told = htmx(client, "/frame/")
    assert "Nothing is dialled" not in told
    assert "Ready to dial" in part(told, "health")


def test_an_open_page_learns_how_many_calls_are_up(browse):
    client = browse()
    assert " hidden" in part(htmx(client, "/frame/"), "live-count")

    a_live_call()
    assert ">1<" in part(htmx(client, "/frame/"), "live-count")


def test_what_is_told_is_what_the_page_itself_shows(browse):
    # As it is the same, it is not put into the page again.
    client = browse(Role.MANAGER)
    stop(on=True)
    page, told = text_of(client, "/contacts/"), htmx(client, "/frame/")

    for name in ("alarms", "health", "stop-offer", "live-count"):
        again = re.sub(r' hx-swap-oob="\w+"', "", part(told, name))
        assert again.split() == part(page, name).split()


@pytest.mark.parametrize("path", ["/overview/", "/calls/", "/contacts/", "/account/", "/calls/new/"])
def test_every_page_asks_for_it(browse, path):
    a_call()
    assert re.search(r'id="frame" hidden hx-get="/frame/" hx-trigger="every 15s', text_of(browse(), path))


def test_asking_costs_little_however_much_there_is(browse):
    client = browse(Role.ADMIN)
    with CaptureQueriesContext(connection) as few:
        htmx(client, "/frame/")
    for _ in range(5):
        a_live_call()

    with CaptureQueriesContext(connection) as many:
        htmx(client, "/frame/")

    assert len(many) == len(few) <= 8


def test_whoever_is_logged_out_meanwhile_keeps_the_form_they_write(db):
    answer = Client().get("/frame/", headers={"HX-Request": "true"})

    # With 286 htmx asks no more.
    assert (answer.status_code, answer.content) == (286, b"")
    assert "HX-Refresh" not in answer


def test_the_trouble_leads_admins_to_the_system_page(browse):
    assert part(htmx(browse(Role.ADMIN), "/frame/"), "alarms").count('href="/setup/system/"') == 1
    assert "/setup/system/" not in htmx(browse(Role.MANAGER), "/frame/")


@pytest.mark.parametrize(
    ("role", "offered", "withheld"),
    [
        (Role.VIEWER, [], ["/setup/do-not-call/new/", "/campaigns/new/", "/setup/keys/new/"]),
        (Role.OPERATOR, ["/setup/do-not-call/new/"], ["/campaigns/new/", "/contacts/new/"]),
        (Role.MANAGER, ["/campaigns/new/", "/contacts/import/", "/agents/new/"], ["/setup/keys/new/"]),
        (Role.ADMIN, ["/campaigns/new/", "/setup/numbers/new/", "/setup/keys/new/", "/setup/team/new/"], []),
    ],
)
def test_the_palette_offers_what_one_may_make(browse, role, offered, withheld):
    a_call()
    page = text_of(browse(role), "/account/")
    palette = page[page.index('<dialog id="palette"') :]

    for path in offered:
        assert f'href="{path}" data-palette=' in palette
    for path in withheld:
        assert path not in palette
    assert 'type="submit" data-palette="Log out"' in page


def test_what_is_kept_of_the_frame_is_shown_to_those_alone_whom_it_concerns(browse):
    admin, viewer = browse(Role.ADMIN), browse(Role.VIEWER)
    for _ in range(2):  # made, then kept
        assert all(says in text_of(admin, "/calls/") for says in FOR_ADMINS)
        assert not any(says in text_of(viewer, "/calls/") for says in FOR_ADMINS)

    admin.cookies["django_language"] = "es"
    assert "Claves de API" in text_of(admin, "/calls/")
    assert 'aria-current="page"' in navigated(text_of(viewer, "/calls/"), "/calls/")
    assert 'aria-current="page"' not in navigated(text_of(viewer, "/contacts/"), "/calls/")
    assert ">1<" not in part(text_of(viewer, "/contacts/"), "live-count")
    a_live_call()
    assert ">1<" in part(text_of(viewer, "/contacts/"), "live-count")


FOR_ADMINS = ("API keys", "Make a key", "In the calendar: move the call")


def navigated(markup: str, path: str) -> str:
    """The link of the navigation that leads there."""
    return re.search(rf'<nav class="nav".*?(<a href="{path}"[^>]*>)', markup, re.DOTALL)[1]
