"""The page about where calls may go."""

import pytest

from calls.actions.destinations import set_destinations
from contacts.models import Destinations
from temphone.accounts.actors import SYSTEM, Role
from tests.builders import NOON
from tests.pages.conftest import text_of

PAGE = "/setup/destinations/"


def sent(client, **values):
    """What the page answers to the form."""
    return client.post(PAGE, {"scope": "chosen", "version": Destinations.read().version, **values})


def test_from_the_start_it_is_every_country_and_nothing_costly(browse):
    shown = text_of(browse(Role.ADMIN), PAGE)
    assert "Calls may go to every country." in shown
    assert "Jamaica (+1)" in shown
    assert "Premium-rate numbers" in shown
    assert 'value="premium_rate" checked' not in shown


def test_an_admin_chooses_countries_and_kinds(browse):
    client = browse(Role.ADMIN)
    answer = sent(client, countries=["US", "ES"], kinds=["pager"])
    assert answer.url == PAGE
    found = Destinations.read()
    assert (found.countries, found.kinds) == (["ES", "US"], ["pager"])
    shown = client.get(PAGE)
    assert found.changed_by == shown.wsgi_request.user.actor().label
    assert "Saved. It holds from the next call on." in shown.content.decode()
    assert "Spain, United States" in shown.content.decode()
    sent(client, scope="everywhere", countries=["US"])
    assert Destinations.read().countries == []


def test_no_country_at_all_is_asked_about_and_not_taken_for_every_one(browse):
    shown = sent(browse(Role.ADMIN)).content.decode()
    assert "Tick a country, or let calls go to every country." in shown
    assert Destinations.read().version == 0


def test_who_is_late_is_told_and_overwrites_nothing(browse):
    client = browse(Role.ADMIN)
    set_destinations(actor=SYSTEM, countries=["PT"], kinds=[], now=NOON)
    shown = sent(client, countries=["US"], version=0).content.decode()
    assert "has changed meanwhile" in shown
    assert Destinations.read().countries == ["PT"]


def test_a_manager_sees_it_without_a_form(browse):
    set_destinations(actor=SYSTEM, countries=["PT"], kinds=["network"], now=NOON)
    shown = text_of(browse(Role.MANAGER), PAGE)
    assert "Portugal" in shown
    assert "Satellites and networks of no country" in shown
    assert "Jamaica" not in shown
    assert "An admin changes it." in shown


@pytest.mark.parametrize("values", [{"countries": ["XX"]}, {"kinds": ["dear"]}, {"scope": "nowhere"}])
def test_what_there_is_not_is_refused(browse, values):
    answer = sent(browse(Role.ADMIN), **{"countries": ["US"], **values})
    assert answer.status_code == 200
    assert 'class="errors" role="alert"' in answer.content.decode()
    assert Destinations.read().version == 0


def test_it_costs_few_queries(browse, django_assert_max_num_queries):
    client = browse(Role.ADMIN)
    client.get(PAGE)
    with django_assert_max_num_queries(9):
        client.get(PAGE)
