import pytest
from django.test import Client

from calls.models import Beat, Call, StopSwitch
from contacts.models import Consent, Suppression
from temphone.accounts.actors import Role
from temphone.accounts.models import User
from tests.builders import a_call, a_contact, a_delivery, a_key, a_number, a_trunk, an_endpoint
from tests.contacts.builders import an_import
from tests.pages.conftest import EARLIER, text_of

EVERYBODY, OPERATORS, MANAGERS, ADMINS = Role
PAGES = {
    "/calendar/": EVERYBODY,
    "/overview/": EVERYBODY,
    "/frame/": EVERYBODY,
    "/calls/": EVERYBODY,
    "/calls/{call}/": EVERYBODY,
    "/contacts/": EVERYBODY,
    "/contacts/{contact}/": EVERYBODY,
    "/contacts/{contact}/decisions/": EVERYBODY,
    "/account/": EVERYBODY,
    "/campaigns/": EVERYBODY,
    "/calls/new/": OPERATORS,
    "/calls/new/contact/": OPERATORS,
    "/calls/{call}/cancel/": OPERATORS,
    "/calls/{call}/edit/": OPERATORS,
    "/calls/{call}/move/": OPERATORS,
    "/calls/{call}/mark/": OPERATORS,
    "/calls/again/": OPERATORS,
    "/contacts/{contact}/suppress/": OPERATORS,
    "/contacts/new/": MANAGERS,
    "/contacts/export/": MANAGERS,
    "/contacts/import/": MANAGERS,
    "/contacts/import/{import}/columns/": MANAGERS,
    "/contacts/import/{import}/abandon/": MANAGERS,
    "/contacts/import/{import}/undo/": MANAGERS,
    "/contacts/import/{import}/problems/": MANAGERS,
    "/contacts/{contact}/edit/": MANAGERS,
    "/contacts/{contact}/erase/": MANAGERS,
    "/contacts/{contact}/consents/new/": MANAGERS,
    "/contacts/{contact}/consents/{consent}/revoke/": MANAGERS,
    "/contacts/{contact}/lift/{suppression}/": MANAGERS,
    "/stop/": MANAGERS,
    "/setup/trunks/": ADMINS,
    "/setup/trunks/new/": ADMINS,
    "/setup/trunks/{trunk}/": ADMINS,
    "/setup/trunks/{trunk}/switch/": ADMINS,
    "/setup/trunks/{trunk}/delete/": ADMINS,
    "/setup/numbers/new/": ADMINS,
    "/setup/numbers/{number}/": ADMINS,
    "/setup/numbers/{number}/remove/": ADMINS,
    "/setup/keys/": ADMINS,
    "/setup/keys/new/": ADMINS,
    "/setup/keys/{key}/": ADMINS,
    "/setup/keys/{key}/revoke/": ADMINS,
    "/setup/team/": ADMINS,
    "/setup/audit/": ADMINS,
    "/setup/team/new/": ADMINS,
    "/setup/team/{person}/": ADMINS,
    "/setup/team/{person}/link/": ADMINS,
    "/setup/team/{person}/switch/": ADMINS,
    "/setup/team/{person}/two-steps/": ADMINS,
    "/account/two-steps/": EVERYBODY,
    "/setup/do-not-call/": EVERYBODY,
    "/setup/do-not-call/new/": OPERATORS,
    "/setup/do-not-call/{suppression}/lift/": MANAGERS,
    "/setup/calling-hours/": MANAGERS,
    "/setup/destinations/": MANAGERS,
    "/setup/system/": ADMINS,
    "/setup/webhooks/": ADMINS,
    "/setup/webhooks/new/": ADMINS,
    "/setup/webhooks/log/": ADMINS,
    "/setup/webhooks/log/resend/": ADMINS,
    "/setup/webhooks/log/{delivery}/": ADMINS,
    "/setup/webhooks/{endpoint}/": ADMINS,
    "/setup/webhooks/{endpoint}/switch/": ADMINS,
    "/setup/webhooks/{endpoint}/secret/": ADMINS,
    "/setup/webhooks/{endpoint}/delete/": ADMINS,
}
POSTS = {
    "/calls/new/": OPERATORS,
    "/calls/new/preview/": OPERATORS,
    "/calls/cancel/": OPERATORS,
    "/calls/seen/": OPERATORS,
    "/calls/{call}/notes/": OPERATORS,
    "/calls/{call}/cancel/": OPERATORS,
    "/calls/{call}/edit/": OPERATORS,
    "/calls/{call}/move/": OPERATORS,
    "/calls/{call}/mark/": OPERATORS,
    "/calls/again/": OPERATORS,
    "/contacts/{contact}/suppress/": OPERATORS,
    "/contacts/new/": MANAGERS,
    "/contacts/{contact}/edit/": MANAGERS,
    "/contacts/{contact}/erase/": MANAGERS,
    "/contacts/{contact}/consents/new/": MANAGERS,
    "/contacts/{contact}/consents/{consent}/revoke/": MANAGERS,
    "/contacts/{contact}/lift/{suppression}/": MANAGERS,
    "/stop/": MANAGERS,
    "/setup/trunks/new/": ADMINS,
    "/setup/trunks/{trunk}/": ADMINS,
    "/setup/trunks/{trunk}/switch/": ADMINS,
    "/setup/trunks/{trunk}/delete/": ADMINS,
    "/setup/destinations/": ADMINS,
    "/setup/numbers/new/": ADMINS,
    "/setup/numbers/{number}/": ADMINS,
    "/setup/numbers/{number}/default/": ADMINS,
    "/setup/numbers/{number}/remove/": ADMINS,
    "/setup/keys/new/": ADMINS,
    "/setup/keys/{key}/": ADMINS,
    "/setup/keys/{key}/revoke/": ADMINS,
    "/setup/team/new/": ADMINS,
    "/setup/team/{person}/": ADMINS,
    "/setup/team/{person}/link/": ADMINS,
    "/setup/team/{person}/switch/": ADMINS,
    "/setup/team/{person}/two-steps/": ADMINS,
    "/account/two-steps/": EVERYBODY,
    "/setup/do-not-call/new/": OPERATORS,
    "/setup/do-not-call/{suppression}/lift/": MANAGERS,
    "/setup/webhooks/new/": ADMINS,
    "/setup/webhooks/log/resend/": ADMINS,
    "/setup/webhooks/log/{delivery}/resend/": ADMINS,
    "/setup/webhooks/{endpoint}/": ADMINS,
    "/setup/webhooks/{endpoint}/switch/": ADMINS,
    "/setup/webhooks/{endpoint}/secret/": ADMINS,
    "/setup/webhooks/{endpoint}/test/": ADMINS,
    "/setup/webhooks/{endpoint}/delete/": ADMINS,
}
VALUES = {
    "how": "by phone",
    "source": "letter",
    "kind": "express",
    "purpose": "informational",
    "reason": "staff",
}


@pytest.fixture
def ids(db) -> dict[str, object]:
    contact = a_contact()
    call = a_call(contact)
    consent = Consent.objects.create(
        contact=contact, phone=contact.phone, purpose="informational", kind="express", source="web form"
    )
    suppression = Suppression.objects.create(number=contact.phone)
    return {
        "call": call.pk,
        "contact": contact.pk,
        "consent": consent.pk,
        "suppression": suppression.pk,
        "import": an_import().pk,
        "trunk": a_trunk().pk,
        "number": a_number().pk,
        "key": a_key()[0].public_id,
        "person": User.objects.create(username="somebody else").pk,
        "endpoint": an_endpoint().pk,
        "delivery": a_delivery(subject=call.pk).pk,
    }


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("path", "least"), PAGES.items())
def test_a_page_is_shown_to_the_roles_that_may_see_it(browse, ids, path, least, role):
    response = browse(role).get(path.format(**ids))

    assert response.status_code == (200 if role.includes(least) else 403)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("path", "least"), POSTS.items())
def test_a_form_works_for_the_roles_that_may_send_it(browse, ids, path, least, role):
    response = browse(role).post(path.format(**ids), VALUES)

    assert (response.status_code in {200, 302}) == role.includes(least)
    assert (response.status_code == 403) != role.includes(least)


@pytest.mark.parametrize("path", [*PAGES, "/calls/cancel/", "/calls/new/preview/", "/account/password/"])
def test_every_page_asks_for_the_login(ids, path):
    response = Client().get(path.format(**ids))

    assert response.status_code == 302
    assert response.url.startswith("/login/?next=/")


def test_a_refusal_changes_nothing_and_says_why(browse, ids):
    response = browse(Role.VIEWER).post(f"/calls/{ids['call']}/cancel/")

    assert "This needs the role operator; yours is viewer." in response.content.decode()
    assert Call.objects.get().status == "scheduled"


def test_a_fragment_without_a_login_lets_the_whole_page_ask_for_it(db):
    response = Client().get("/calls/", headers={"HX-Request": "true"})

    assert (response.status_code, response["HX-Refresh"]) == (204, "true")


@pytest.mark.parametrize(
    ("sent_from", "back"),
    [
        ("http://testserver/calls/?view=all", "/calls/%3Fview%3Dall"),
        ("https://elsewhere.example/calls/", "/"),
        ("", "/"),
    ],
)
def test_who_sends_a_form_without_a_login_comes_back_to_its_page(ids, sent_from, back):
    response = Client().post(f"/calls/{ids['call']}/notes/", {"text": "Hi"}, headers={"Referer": sent_from})

    assert (response.status_code, response.url) == (302, f"/login/?next={back}")


def test_a_page_and_its_fragment_are_not_taken_for_each_other(browse):
    response = browse().get("/calls/")

    assert "HX-Request" in response["Vary"]
    assert response["Cache-Control"] == "private, no-store"


def test_a_viewer_is_shown_no_button_that_would_be_refused(browse, ids):
    client = browse(Role.VIEWER)
    for path in ("/calls/", f"/calls/{ids['call']}/", f"/contacts/{ids['contact']}/", "/contacts/"):
        page = text_of(client, path)

        for refused in (
            "/calls/new/",
            "/cancel/",
            "/move/",
            "/stop/",
            "/edit/",
            "/consents/",
            "/suppress/",
            "/erase/",
            "/lift/",
            "/setup/trunks/",
            "/setup/calling-hours/",
            "/setup/destinations/",
            "/setup/keys/",
            "/setup/webhooks/",
            "/setup/team/",
            "/setup/audit/",
            "/setup/system/",
        ):
            assert refused not in page


def test_the_first_page_is_the_overview(browse):
    assert browse().get("/").url == "/overview/"


def test_an_unknown_page_says_so_kindly(browse):
    response = browse().get("/calls/call_none/")

    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_a_form_without_its_token_says_what_to_do(browse, ids):
    client = browse()
    client.handler.enforce_csrf_checks = True

    response = client.post(f"/calls/{ids['call']}/cancel/")

    assert response.status_code == 403
    assert "open for too long" in response.content.decode()


def test_a_manager_stops_all_calls_and_lets_them_go_on(browse):
    client = browse(Role.MANAGER)
    client.post("/stop/", {"on": "1", "reason": "wrong script"})

    assert StopSwitch.read().on
    assert "wrong script" in text_of(browse(Role.VIEWER), "/calls/")

    client.post("/stop/", {"on": "0"})

    assert not StopSwitch.read().on
    assert "All calling is stopped." not in text_of(browse(Role.VIEWER), "/calls/")


def test_the_frame_says_why_nothing_would_be_dialled(browse):
    client = browse()
    assert "Nothing is dialled: the clock does not run." in text_of(client, "/calls/")

    Beat.mark("clock", EARLIER)
    assert "Nothing is dialled: no worker runs." in text_of(client, "/calls/")

    Beat.mark("worker", EARLIER)
    assert "Ready to dial" in text_of(client, "/calls/")


@pytest.mark.parametrize(
    "path",
    [
        "/calls/call_%00/",
        "/calls/?q=%00",
        "/contacts/?q=a%00",
        "/calls/new/?contact=%00",
        "/calls/?after=%00",
    ],
)
def test_a_nul_is_found_nowhere(browse, path):
    assert browse().get(path).status_code == 404
