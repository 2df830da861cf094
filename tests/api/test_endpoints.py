"""Webhook endpoints by the API: added, changed, switched, given a new secret, deleted."""

import pytest

from temphone.accounts.actors import Role
from temphone.accounts.models import AuditEntry, Mode
from temphone.webhooks.models import Endpoint
from tests.api.client import Program, code, data, message
from tests.builders import a_key, an_endpoint

pytestmark = pytest.mark.django_db

ENDPOINTS = "/webhook-endpoints"
CRM = {"name": "CRM", "url": "https://crm.example.com/hooks", "events": ["call.failed", "call.completed"]}


@pytest.fixture
def admin() -> Program:
    return Program(a_key(mode=Mode.LIVE, role=Role.ADMIN)[1])


def path_of(endpoint: Endpoint, verb: str = "") -> str:
    return f"{ENDPOINTS}/{endpoint.pk}{verb and '/'}{verb}"


def signs(endpoint: Endpoint) -> list[str]:
    """The secrets that a message to it is signed with now."""
    endpoint.refresh_from_db()
    before = [endpoint.sealed_before] if endpoint.before_until else []
    return [one for one in (endpoint.sealed, *before) if one]


def test_an_endpoint_is_added_with_a_secret_that_one_answer_shows(admin):
    answer = admin.post(ENDPOINTS, CRM)
    assert answer.status_code == 201
    shown = data(answer)
    endpoint = Endpoint.objects.get()
    assert shown["secret"] in endpoint.signing_secrets(endpoint.created_at)
    names = "endpoint_id name url events enabled created_at updated_at secret"
    assert list(shown) == names.split()
    assert shown["events"] == ["call.completed", "call.failed"]

    for later in (admin.get(ENDPOINTS), admin.get(path_of(endpoint))):
        assert endpoint.pk in later.content.decode()
        assert "secret" not in later.content.decode()
    entry = AuditEntry.objects.get(action="endpoint.create")
    assert (entry.actor_kind, entry.target) == ("key", endpoint.pk)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "Field 'name'"),
        ({"url": "http://user@example.com/"}, "Field 'url' must be a public HTTP(S) URL."),
        ({"url": "https://127.0.0.1/"}, "Field 'url' must be a public HTTP(S) URL."),
        ({"events": []}, "Field 'events' must name at least one event, and only those that there are."),
        ({"events": ["call.failed", "call.rang"]}, "Field 'events' must name at least one event"),
        ({"events": "call.failed"}, "Field 'events' must be a list"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(admin, change, said):
    endpoint = an_endpoint()
    for answer in (admin.post(ENDPOINTS, {**CRM, **change}), admin.patch(path_of(endpoint), change)):
        assert answer.status_code == 400
        assert message(answer).startswith(said)
    assert Endpoint.objects.values_list("name", "url").get() == (endpoint.name, endpoint.url)


def test_only_what_is_named_is_changed(admin):
    endpoint = an_endpoint(events=["call.failed"])
    changed = data(admin.patch(path_of(endpoint), {"url": "https://new.example.com/"}))
    assert (changed["name"], changed["url"], changed["events"]) == (
        endpoint.name,
        "https://new.example.com/",
        ["call.failed"],
    )
    assert data(admin.patch(path_of(endpoint), {"name": "Shop"}))["url"] == "https://new.example.com/"
    moved = [
        entry.details["moved"] for entry in AuditEntry.objects.filter(action="endpoint.change").order_by("id")
    ]
    assert moved == [True, False]


def test_it_is_switched_off_and_on(admin):
    endpoint = an_endpoint()
    assert data(admin.post(path_of(endpoint, "disable")))["enabled"] is False
    assert data(admin.post(path_of(endpoint, "enable")))["enabled"] is True
    actions = AuditEntry.objects.filter(target=endpoint.pk).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["endpoint.off", "endpoint.on"]


def test_a_new_secret_signs_beside_the_one_before_or_alone(admin):
    endpoint = an_endpoint()
    first = signs(endpoint)
    answer = data(admin.post(path_of(endpoint, "rotate"), {}))
    assert answer["secret"].startswith("whsec_")
    assert "old_secret_until" in answer
    assert signs(endpoint)[1:] == first

    refused = admin.post(path_of(endpoint, "rotate"), {"keep_old": True})
    assert (refused.status_code, code(refused)) == (409, "secrets_overlap")
    assert "old_secret_until" not in data(admin.post(path_of(endpoint, "end-overlap")))
    assert len(signs(endpoint)) == 1

    assert "old_secret_until" not in data(admin.post(path_of(endpoint, "rotate"), {"keep_old": False}))
    assert len(signs(endpoint)) == 1


def test_a_deleted_endpoint_is_gone(admin):
    endpoint = an_endpoint()
    assert admin.send("DELETE", path_of(endpoint)).status_code == 200
    answer = admin.get(path_of(endpoint))
    assert (answer.status_code, code(answer)) == (404, "endpoint_not_found")
    assert data(admin.get(ENDPOINTS))["items"] == []


def test_keys_of_both_modes_see_the_same(admin):
    endpoint = an_endpoint()
    live = Program(a_key(role=Role.ADMIN, mode=Mode.LIVE)[1])
    assert data(live.get(path_of(endpoint))) == data(admin.get(path_of(endpoint)))
