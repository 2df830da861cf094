"""Every page, and every state of it: nothing that axe finds, no word of the console, nothing too wide."""

import pytest

from tests.browser import states
from tests.browser.everything import (
    EVERY_PAGE,
    NO_PAGES,
    OTHERS,
    address_of,
    something_on_every_page,
)
from tests.security.test_routes import PAGES

AT_ONCE = 16  # pages a test; axe takes half a second for each look


def parts(pages: list[str]) -> range:
    """Where the pages of each test begin."""
    return range(0, len(pages), AT_ONCE)


OF_SOMETHING = [
    states.without_matches,
    states.for_viewers,
    states.in_spanish,
    states.standings,
    states.troubles,
    states.mishaps,
]
# Around it stands what stands around every page, where axe has looked already: which is a fifth of its work.
STATE = "main"
OF_NOTHING = [states.shown_once, states.imports, states.two_steps, states.doors]


def test_what_is_excepted_is_there_and_is_no_page(db):
    assert {*NO_PAGES, *OTHERS} <= {route for route, methods in PAGES.items() if "GET" in methods}

    ids, client = something_on_every_page(), states.a_browser()
    for route, reason in NO_PAGES.items():
        answer = client.get(address_of(route).format(**ids))
        is_page = answer.status_code == 200 and not answer.streaming and b"<html" in answer.content
        assert not is_page, (route, reason)


@pytest.mark.browser
@pytest.mark.parametrize("start", parts(EVERY_PAGE))
def test_every_page_is_sound(stage, start):
    stage.look_at(states.usual(something_on_every_page(), start, AT_ONCE))

    assert not stage.wrong, "\n".join(stage.wrong)


@pytest.mark.browser
@pytest.mark.parametrize("start", parts(states.OF_NOTHING))
def test_every_page_is_sound_before_there_is_anything(stage, start):
    stage.look_at(states.empty(start, AT_ONCE), part=STATE)

    assert not stage.wrong, "\n".join(stage.wrong)


@pytest.mark.browser
@pytest.mark.parametrize("start", parts(states.FORMS))
def test_every_form_is_sound_when_it_is_refused(stage, start):
    stage.look_at(states.answered(something_on_every_page(), start, AT_ONCE), part=STATE)

    assert not stage.wrong, "\n".join(stage.wrong)


@pytest.mark.browser
@pytest.mark.parametrize("told", OF_SOMETHING, ids=lambda told: told.__name__)
def test_every_state_of_something_is_sound(stage, told):
    stage.look_at(told(something_on_every_page()), part=STATE)

    assert not stage.wrong, "\n".join(stage.wrong)


@pytest.mark.browser
@pytest.mark.parametrize("told", OF_NOTHING, ids=lambda told: told.__name__)
def test_every_other_state_is_sound(stage, told):
    stage.look_at(told(), part=STATE)

    assert not stage.wrong, "\n".join(stage.wrong)
