"""Find people, calls and campaigns by a few letters."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from temphone.accounts.actors import Role
from tests.builders import a_call, a_campaign, a_contact
from tests.pages.conftest import htmx, text_of


@pytest.fixture
def ada(db):
    return a_contact(first_name="Ada", last_name="Lovelace", phone="+14155558812", company="Engines")


@pytest.mark.parametrize("text", ["ada", "LOVE", "ada lov", "engines", "8812", "+1 415 555 8812"])
def test_people_are_found_by_how_a_word_begins_or_their_number(browse, ada, text):
    a_contact(first_name="Bob")

    found = htmx(browse(), "/find/", q=text)

    assert f'href="/contacts/{ada.pk}/"' in found
    assert found.count('role="option"') == 1


def test_their_calls_are_found_with_them_and_a_call_by_its_id(browse, ada):
    call, other = a_call(ada), a_call()

    assert f'href="/calls/{call.pk}/"' in htmx(browse(), "/find/", q="ada")
    found = htmx(browse(), "/find/", q=other.pk)
    assert f'href="/calls/{other.pk}/"' in found
    assert found.count('role="option"') == 1


def test_campaigns_are_found_by_how_a_word_begins(browse):
    campaign = a_campaign(name="Spring renewals")
    a_campaign(name="Surveys")

    found = htmx(browse(), "/find/", q="ren spr")

    assert f'href="/campaigns/{campaign.pk}/"' in found
    assert f'href="/campaigns/{campaign.pk}/"' in text_of(browse(), "/find/?q=renew")
    assert found.count('role="option"') == 1


def test_what_was_opened_lately_is_told_by_its_ids(browse, ada):
    call = a_call(ada)

    found = htmx(browse(), "/find/", recent=f"{ada.pk},{call.pk},ctc_000000000000,nonsense")

    assert found.count('role="option"') == 2
    assert "Contacts, lately" in found


def test_nothing_found_says_so_and_names_are_escaped(browse):
    a_contact(first_name="<b>x</b>")

    assert "No contact, call or campaign begins so." in htmx(browse(), "/find/", q="zzz")
    assert "<b>x" not in htmx(browse(), "/find/", q="b")


def test_it_works_without_javascript(browse, ada):
    assert 'href="/find/"' in text_of(browse(), "/calls/")
    assert f'href="/contacts/{ada.pk}/"' in text_of(browse(), "/find/?q=ada")
    assert "Type the beginning of a name" in text_of(browse(), "/find/")


def test_pages_and_actions_of_other_roles_are_not_offered(browse):
    """The palette offers what stands on the page: so a viewer's has no STOP, and no new call."""
    page = text_of(browse(Role.VIEWER), "/find/")

    assert 'data-palette="Stop all calls"' not in page
    assert "nav-new" not in page
    assert 'data-palette="Stop all calls"' in text_of(browse(Role.MANAGER), "/find/")


def test_it_asks_a_few_questions_however_much_there_is(browse):
    client = browse()
    counts = []
    for _ in range(2):
        for _ in range(8):
            a_call(a_contact(first_name="Ada"))
            a_campaign(name="Ada's")
        with CaptureQueriesContext(connection) as queries:
            found = htmx(client, "/find/", q="ada")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 7
    assert found.count('role="option"') == 15
