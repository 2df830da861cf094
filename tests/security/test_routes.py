"""Every address of the product, by every role and method. A new address needs its line here."""

import json
import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from campaigns.models import Agent
from contacts.models import Consent, Suppression
from temphone.accounts.actors import Role
from temphone.accounts.models import Mode, User
from temphone.api.urls import urlpatterns as api_patterns
from tests.admin.test_pages import MODELS
from tests.api.client import a_body
from tests.api.test_roles import LEAST, PUBLIC
from tests.builders import (
    a_call,
    a_campaign,
    a_contact,
    a_delivery,
    a_key,
    a_number,
    a_recording,
    a_run,
    a_trunk,
    an_endpoint,
)
from tests.contacts.builders import an_import
from tests.pages.conftest import an_attempt

pytestmark = pytest.mark.django_db
EVERYBODY, OPERATORS, MANAGERS, ADMINS = Role
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# The least role that may, by method; another method is 405.
PAGES = {
    "calendar/": {"GET": EVERYBODY},
    "overview/": {"GET": EVERYBODY},
    "calls/": {"GET": EVERYBODY},
    "calls/cancel/": {"GET": OPERATORS, "POST": OPERATORS},
    "calls/move/": {"GET": OPERATORS, "POST": OPERATORS},
    "calls/again/": {"GET": OPERATORS, "POST": OPERATORS},
    "calls/seen/": {"GET": OPERATORS, "POST": OPERATORS},
    "calls/export/": {"GET": OPERATORS, "POST": OPERATORS},
    "calls/runs/<run_id>/": {"GET": OPERATORS},
    "calls/new/": {"GET": OPERATORS, "POST": OPERATORS},
    "calls/new/contact/": {"GET": OPERATORS},
    "calls/new/own/": {"POST": OPERATORS},
    "calls/new/preview/": {"POST": OPERATORS},
    "calls/new/sound/": {"POST": OPERATORS},
    "calls/<call_id>/": {"GET": EVERYBODY},
    "calls/<call_id>/cancel/": {"GET": OPERATORS, "POST": OPERATORS},
    "calls/<call_id>/edit/": {"GET": OPERATORS, "POST": OPERATORS},
    "calls/<call_id>/mark/": {"GET": OPERATORS, "POST": OPERATORS},
    "calls/<call_id>/move/": {"GET": OPERATORS, "POST": OPERATORS},
    "calls/<call_id>/notes/": {"POST": OPERATORS},
    "calls/<call_id>/recording/<number>/": {"GET": OPERATORS},
    "find/": {"GET": EVERYBODY},
    "frame/": {"GET": EVERYBODY},
    "stop/": {"GET": MANAGERS, "POST": MANAGERS},
    "contacts/": {"GET": EVERYBODY},
    "contacts/new/": {"GET": MANAGERS, "POST": MANAGERS},
    "contacts/export/": {"GET": MANAGERS},
    "contacts/import/": {"GET": MANAGERS, "POST": MANAGERS},
    "contacts/import/<import_id>/": {"GET": MANAGERS},
    "contacts/import/<import_id>/columns/": {"GET": MANAGERS, "POST": MANAGERS},
    "contacts/import/<import_id>/start/": {"POST": MANAGERS},
    "contacts/import/<import_id>/abandon/": {"GET": MANAGERS, "POST": MANAGERS},
    "contacts/import/<import_id>/undo/": {"GET": MANAGERS, "POST": MANAGERS},
    "contacts/import/<import_id>/problems/": {"GET": MANAGERS},
    "contacts/<contact_id>/": {"GET": EVERYBODY},
    "contacts/<contact_id>/decisions/": {"GET": EVERYBODY},
    "contacts/<contact_id>/edit/": {"GET": MANAGERS, "POST": MANAGERS},
    "contacts/<contact_id>/erase/": {"GET": MANAGERS, "POST": MANAGERS},
    "contacts/<contact_id>/consents/new/": {"GET": MANAGERS, "POST": MANAGERS},
    "contacts/<contact_id>/consents/<consent_id>/revoke/": {"GET": MANAGERS, "POST": MANAGERS},
    "contacts/<contact_id>/suppress/": {"GET": OPERATORS, "POST": OPERATORS},
    "contacts/<contact_id>/lift/<suppression_id>/": {"GET": MANAGERS, "POST": MANAGERS},
    "setup/trunks/": {"GET": ADMINS},
    "setup/trunks/new/": {"GET": ADMINS, "POST": ADMINS},
    "setup/trunks/<trunk_id>/": {"GET": ADMINS, "POST": ADMINS},
    "setup/trunks/<trunk_id>/switch/": {"GET": ADMINS, "POST": ADMINS},
    "setup/trunks/<trunk_id>/delete/": {"GET": ADMINS, "POST": ADMINS},
    "setup/numbers/new/": {"GET": ADMINS, "POST": ADMINS},
    "setup/numbers/<number_id>/": {"GET": ADMINS, "POST": ADMINS},
    "setup/numbers/<number_id>/default/": {"POST": ADMINS},
    "setup/numbers/<number_id>/remove/": {"GET": ADMINS, "POST": ADMINS},
    "campaigns/": {"GET": EVERYBODY},
    "campaigns/<campaign_id>/": {"GET": EVERYBODY},
    "campaigns/new/": {"GET": MANAGERS, "POST": MANAGERS},
    "campaigns/new/people/": {"POST": MANAGERS},
    "campaigns/new/preview/": {"POST": MANAGERS},
    "campaigns/new/sound/": {"POST": MANAGERS},
    "campaigns/<campaign_id>/edit/": {"GET": MANAGERS, "POST": MANAGERS},
    "campaigns/<campaign_id>/launch/": {"GET": MANAGERS, "POST": MANAGERS},
    "campaigns/<campaign_id>/pause/": {"GET": MANAGERS, "POST": MANAGERS},
    "campaigns/<campaign_id>/resume/": {"GET": MANAGERS, "POST": MANAGERS},
    "campaigns/<campaign_id>/let-on/": {"GET": MANAGERS, "POST": MANAGERS},
    "campaigns/<campaign_id>/cancel/": {"GET": MANAGERS, "POST": MANAGERS},
    "setup/do-not-call/": {"GET": EVERYBODY},
    "setup/do-not-call/new/": {"GET": OPERATORS, "POST": OPERATORS},
    "setup/do-not-call/<suppression_id>/lift/": {"GET": MANAGERS, "POST": MANAGERS},
    "setup/calling-hours/": {"GET": MANAGERS},
    "setup/destinations/": {"GET": MANAGERS, "POST": ADMINS},
    "setup/system/": {"GET": ADMINS},
    "setup/webhooks/": {"GET": ADMINS},
    "setup/webhooks/new/": {"GET": ADMINS, "POST": ADMINS},
    "setup/webhooks/log/": {"GET": ADMINS},
    "setup/webhooks/log/resend/": {"GET": ADMINS, "POST": ADMINS},
    "setup/webhooks/log/<delivery_id>/": {"GET": ADMINS},
    "setup/webhooks/log/<delivery_id>/resend/": {"POST": ADMINS},
    "setup/webhooks/<endpoint_id>/": {"GET": ADMINS, "POST": ADMINS},
    "setup/webhooks/<endpoint_id>/switch/": {"GET": ADMINS, "POST": ADMINS},
    "setup/webhooks/<endpoint_id>/secret/": {"GET": ADMINS, "POST": ADMINS},
    "setup/webhooks/<endpoint_id>/test/": {"POST": ADMINS},
    "setup/webhooks/<endpoint_id>/delete/": {"GET": ADMINS, "POST": ADMINS},
    "agents/": {"GET": MANAGERS},
    "agents/new/": {"GET": MANAGERS, "POST": MANAGERS},
    "agents/<agent_id>/": {"GET": MANAGERS, "POST": MANAGERS},
    "agents/sound/": {"POST": MANAGERS},
    "agents/<agent_id>/call/": {"POST": MANAGERS},
    "agents/<agent_id>/duplicate/": {"POST": MANAGERS},
    "agents/<agent_id>/default/": {"POST": MANAGERS},
    "agents/<agent_id>/archive/": {"GET": MANAGERS, "POST": MANAGERS},
    "setup/keys/": {"GET": ADMINS},
    "setup/keys/new/": {"GET": ADMINS, "POST": ADMINS},
    "setup/keys/<public_id>/": {"GET": ADMINS, "POST": ADMINS},
    "setup/keys/<public_id>/revoke/": {"GET": ADMINS, "POST": ADMINS},
    "setup/audit/": {"GET": ADMINS},
    "setup/audit/export/": {"GET": ADMINS},
    "setup/team/": {"GET": ADMINS},
    "setup/team/new/": {"GET": ADMINS, "POST": ADMINS},
    "setup/team/<user_id>/": {"GET": ADMINS, "POST": ADMINS},
    "setup/team/<user_id>/link/": {"GET": ADMINS, "POST": ADMINS},
    "setup/team/<user_id>/switch/": {"GET": ADMINS, "POST": ADMINS},
    "setup/team/<user_id>/two-steps/": {"GET": ADMINS, "POST": ADMINS},
    "account/": {"GET": EVERYBODY, "POST": EVERYBODY},
    "account/password/": {"POST": EVERYBODY},
    "account/look/": {"POST": EVERYBODY},
    "account/zone/": {"POST": EVERYBODY},
    "account/two-steps/": {"GET": EVERYBODY, "POST": EVERYBODY},
    "account/two-steps/codes/": {"GET": EVERYBODY, "POST": EVERYBODY},
    "account/two-steps/off/": {"GET": EVERYBODY, "POST": EVERYBODY},
    "account/sessions/end/": {"POST": EVERYBODY},
    "account/sessions/<fingerprint>/end/": {"POST": EVERYBODY},
}
# What is answered to whoever may, but sends nothing: there is no form, no voice, no file, no such session.
UNTOLD = {
    "calls/new/sound/": 400,
    "campaigns/new/sound/": 400,
    "agents/sound/": 503,
    "contacts/import/<import_id>/start/": 409,
    "account/sessions/<fingerprint>/end/": 404,
}
# What nobody needs a login or key for, and what it answers to each of METHODS.
OPEN = {
    "": (302, 302, 302, 302, 302),
    "login/": (200, 200, 200, 405, 405),
    "login/code/": (302, 302, 405, 405, 405),  # for nobody who has not typed a password
    "welcome/<user_id>/<token>/": (410, 410, 405, 405, 405),  # the token is the proof, and this is none
    "logout/": (405, 302, 405, 405, 405),
    "healthz": (200, 405, 405, 405, 405),
    "readyz": (503, 405, 405, 405, 405),
    "carriers/gateway/events": (405, 401, 405, 405, 405),  # signed, or nothing
    "carriers/gateway/heartbeat": (405, 401, 405, 405, 405),
    "carriers/gateway/recording": (405, 401, 405, 405, 405),
    "carriers/gateway/recording-failed": (405, 401, 405, 405, 405),
    "v1/schema/": (200, 405, 405, 405, 405),
    "v1/docs/": (200, 405, 405, 405, 405),
    "v1/^(?P<address>.*[^/])/$": (404, 404, 404, 404, 404),  # stands for the same without its slash
}
BACK_OFFICE = {
    "",
    "autocomplete/",
    "jsi18n/",
    "login/",
    "logout/",
    "password_change/",
    "password_change/done/",
    "r/<content_type_id>/<object_id>/",
    "(?P<url>.*)$",
    "^(?P<app_label>accounts|webhooks|contacts|campaigns|calls)/$",
    *(
        f"{model._meta.app_label}/{model._meta.model_name}/{page}"
        for model in MODELS
        for page in (
            "",
            "add/",
            "<object_id>/",
            *(f"<object_id>/{verb}/" for verb in ("history", "delete", "change")),
        )
    ),
}


def routes(patterns=None, prefix="") -> Iterator[str]:
    """Every address of the URLconf, without the kinds of its parts."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + re.sub(r"<\w+:", "<", str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern.url_patterns, route)


def api_routes() -> dict[str, dict[str, Role]]:
    named = {pattern.name: re.sub(r"<\w+:", "<", str(pattern.pattern)) for pattern in api_patterns}
    table: dict[str, dict[str, Role]] = {f"v1/{named[name]}": {} for name, _ in LEAST}
    for (name, method), least in LEAST.items():
        table[f"v1/{named[name]}"][method.upper()] = least
    return table


API = api_routes()


def test_every_address_has_its_line_and_every_line_its_address():
    assert set(routes()) == {*PAGES, *OPEN, *API, *(f"admin/{route}" for route in BACK_OFFICE)}
    assert {"api-schema", "api-docs"} == PUBLIC


@pytest.fixture
def ids() -> dict[str, object]:
    """Something for every part of an address."""
    contact = a_contact()
    consent = Consent.objects.create(
        contact=contact, phone=contact.phone, purpose="marketing", kind="written", source="web form"
    )
    call = a_call(contact)
    a_recording(an_attempt(call, state="ended", outcome="no_answer"))
    return {
        "call_id": call.pk,
        "number": 1,
        "contact_id": contact.pk,
        "campaign_id": a_campaign().pk,
        "run_id": a_run(call).pk,
        "agent_id": Agent.objects.get().pk,
        "consent_id": consent.pk,
        "import_id": an_import().pk,
        "suppression_id": Suppression.objects.create(number=contact.phone).pk,
        "trunk_id": a_trunk().pk,
        "number_id": a_number().pk,
        "public_id": a_key()[0].public_id,
        "user_id": User.objects.create(username="somebody else").pk,
        "token": "nowhere",
        "endpoint_id": an_endpoint().pk,
        "delivery_id": a_delivery(subject=call.pk).pk,
        "fingerprint": "nowhere",
        "object_id": contact.pk,
        "content_type_id": 1,
        "id": 1,
        "app_label": "calls",
        "url": "nowhere",
    }


def path_of(route: str, ids: dict[str, object]) -> str:
    route = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route).replace("^", "").rstrip("$")
    return "/" + re.sub(r"<(\w+)>", lambda part: str(ids[part[1]]), route)


BROWSERS: dict[bool, Client] = {}


def browser(role: Role | None, *, is_staff: bool = False) -> Client:
    """A browser of somebody with this role; of nobody without."""
    client = BROWSERS.setdefault(True, Client(raise_request_exception=False))
    client.cookies.clear()
    if role:
        user, _ = User.objects.get_or_create(username=role.value, role=role, is_staff=is_staff)
        client.force_login(user)
    return client


def statuses(client: Client, path: str, **headers: str) -> list[int]:
    return [
        client.generic(method, path, b"{}", content_type="application/json", headers=headers).status_code
        for method in METHODS
    ]


def read_out(answer):
    """The answer, a file that it sends read to its end, and so closed."""
    if answer.streaming:
        list(answer.streaming_content)
    return answer


@pytest.mark.parametrize("route", OPEN)
def test_what_is_open_answers_the_same_to_nobody(route, ids):
    path = path_of(route, {**ids, "address": "nowhere"})
    assert tuple(statuses(browser(None), path)) == OPEN[route]


@pytest.mark.parametrize("route", PAGES)
def test_a_page_is_for_the_roles_of_its_line(route, ids):
    path = path_of(route, ids)
    for method in METHODS:
        refused = browser(None).generic(method, path)
        assert (refused.status_code, refused.url.startswith("/login/?next=/")) == (302, True)
        for role in Role:
            answer = read_out(browser(role).generic(method, path)).status_code
            least = PAGES[route].get(method)
            if least is None:
                assert answer == 405, (role, method)
            elif role.includes(least):
                assert answer in {200, 302, UNTOLD.get(route)}, (role, method)
            else:
                assert answer == 403, (role, method)


@pytest.mark.parametrize("route", API)
def test_an_address_of_the_api_is_for_keys_of_the_roles_of_its_line(route, ids):
    path = path_of(route, ids)
    for method in METHODS:
        least = API[route].get(method)
        nobody = browser(None).generic(method, path, b"{}", content_type="application/json")
        assert nobody.status_code == (401 if least else 405), method
        # Whoever is logged in with a browser is nobody here: a foreign page could make them ask.
        staff = browser(Role.ADMIN).generic(method, path, b"{}", content_type="application/json")
        assert staff.status_code == (401 if least else 405), method


@pytest.mark.parametrize(
    "route", sorted(route for route in BACK_OFFICE if route not in {"login/", "logout/"})
)
def test_the_back_office_is_for_staff_alone(route, ids):
    path = path_of(f"admin/{route}", ids)
    for role in (None, Role.ADMIN):
        for method in ("GET", "POST"):
            answer = browser(role).generic(method, path)
            assert answer.status_code == 302, (role, method)
            assert answer.url.startswith("/admin/login/?next=/admin/")
    for role in (Role.VIEWER, Role.ADMIN):
        for method in ("GET", "POST"):
            assert browser_of_staff(role).generic(method, path).status_code < 500, (role, method)


def browser_of_staff(role: Role) -> Client:
    User.objects.filter(username=role.value).update(is_staff=True)
    return browser(role, is_staff=True)


MISSING = ("call_000000000000", "0", "9" * 30, "9" * 18, "%00", "..%2f..", "a" * 300)


@pytest.mark.parametrize("missing", MISSING)
def test_what_is_not_there_is_404_on_every_page(ids, missing):
    for route, methods in PAGES.items():
        for part in re.findall(r"<(\w+)>", route):
            for method in methods:
                path = path_of(route, {**ids, part: missing})
                answer = browser(Role.ADMIN).generic(method, path)
                assert answer.status_code == 404, (method, path)


def test_no_other_contacts_rows_are_changed_by_a_page(ids):
    other = {**ids, "contact_id": a_contact(phone="+14155559999").pk}
    for route in (
        "contacts/<contact_id>/lift/<suppression_id>/",
        "contacts/<contact_id>/consents/<consent_id>/revoke/",
    ):
        assert browser(Role.ADMIN).post(path_of(route, other), {"how": "by phone"}).status_code == 404
    assert Suppression.objects.get().lifted_at is None
    assert Consent.objects.get().revoked_at is None


@pytest.mark.parametrize("missing", MISSING)
def test_what_is_not_there_is_404_all_over_the_api(ids, missing):
    _, key = a_key(role=Role.ADMIN, mode=Mode.LIVE)  # a test key may not even ask of some
    for route in API:
        for part in re.findall(r"<(\w+)>", route):
            path = path_of(route, {**ids, part: missing})
            for method in API[route]:
                answer = ask(method, path, key, body_for(route, ids))
                assert answer.status_code == 404, (method, path, answer.content)


def test_a_key_of_one_mode_finds_and_touches_nothing_of_the_other(ids):
    _, live = a_key(mode=Mode.LIVE)
    for route in API:
        for part in {"call_id", "campaign_id"} & set(re.findall(r"<(\w+)>", route)):
            for method in API[route]:
                answer = ask(method, path_of(route, ids), live, {})
                assert answer.status_code == 404, (method, route, answer.content)
                assert str(ids[part]) in answer.json()["message"]
    for path in ("/v1/calls", "/v1/campaigns"):
        assert ask("GET", path, live).json()["data"]["items"] == []
    body = a_body(str(ids["contact_id"]), campaign_id=ids["campaign_id"])
    assert ask("POST", "/v1/calls/scheduled", live, body).status_code in {404, 422}


def body_for(route: str, ids: dict[str, object]) -> dict[str, object]:
    """A body of which nothing is wrong, so that only the address can be."""
    if route.endswith("consents"):
        return {"purpose": "marketing", "kind": "written", "source": "web form"}
    return {"how": "by phone"} if route.endswith("revoke") else {}


def ask(method: str, path: str, key: str, body: object = None):
    return browser(None).generic(
        method,
        path,
        b"" if body is None or method == "GET" else json.dumps(body).encode(),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
