"""Which role may what, over every address of the API; a new address needs a line here."""

import pytest
from django.urls import URLPattern

from temphone.accounts.actors import Role
from temphone.accounts.models import AuditEntry, Mode
from temphone.api.base import ApiView
from temphone.api.urls import urlpatterns
from tests.api.client import Program, a_body, code
from tests.builders import a_call, a_campaign, a_contact, a_key, a_recording, an_endpoint
from tests.pages.conftest import an_attempt

pytestmark = pytest.mark.django_db

LEAST = {
    ("api-calls", "get"): Role.VIEWER,
    ("api-calls-scheduled", "post"): Role.OPERATOR,
    ("api-calls-batch", "post"): Role.OPERATOR,
    ("api-call", "get"): Role.VIEWER,
    ("api-call", "patch"): Role.OPERATOR,
    ("api-call-cancel", "post"): Role.OPERATOR,
    ("api-call-recording", "get"): Role.OPERATOR,
    ("api-contacts", "get"): Role.VIEWER,
    ("api-contacts", "post"): Role.MANAGER,
    ("api-contact", "get"): Role.VIEWER,
    ("api-contact", "patch"): Role.MANAGER,
    ("api-consents", "get"): Role.VIEWER,
    ("api-consents", "post"): Role.MANAGER,
    ("api-consent-revoke", "post"): Role.MANAGER,
    ("api-suppressions", "get"): Role.VIEWER,
    ("api-suppressions", "post"): Role.OPERATOR,
    ("api-suppression", "get"): Role.VIEWER,
    ("api-suppression-lift", "post"): Role.MANAGER,
    ("api-campaigns", "get"): Role.VIEWER,
    ("api-campaigns", "post"): Role.MANAGER,
    ("api-campaign", "get"): Role.VIEWER,
    ("api-campaign", "patch"): Role.MANAGER,
    ("api-campaign-pause", "post"): Role.MANAGER,
    ("api-campaign-resume", "post"): Role.MANAGER,
    ("api-campaign-cancel", "post"): Role.MANAGER,
    ("api-endpoints", "get"): Role.ADMIN,
    ("api-endpoints", "post"): Role.ADMIN,
    ("api-endpoint", "get"): Role.ADMIN,
    ("api-endpoint", "patch"): Role.ADMIN,
    ("api-endpoint", "delete"): Role.ADMIN,
    ("api-endpoint-enable", "post"): Role.ADMIN,
    ("api-endpoint-disable", "post"): Role.ADMIN,
    ("api-endpoint-rotate", "post"): Role.ADMIN,
    ("api-endpoint-end-overlap", "post"): Role.ADMIN,
}
# What live calls go by, so no test key changes it.
LIVE_ALONE = {
    ("api-consents", "post"),
    ("api-suppression-lift", "post"),
    ("api-endpoints", "post"),
    ("api-endpoint", "patch"),
    ("api-endpoint", "delete"),
    ("api-endpoint-enable", "post"),
    ("api-endpoint-disable", "post"),
    ("api-endpoint-rotate", "post"),
    ("api-endpoint-end-overlap", "post"),
}
PUBLIC = {"api-schema", "api-docs"}
CONSENT = {"purpose": "marketing", "kind": "written", "source": "web form"}


def routes() -> list[tuple[str, str, str]]:
    """Name, address and method of everything that asks for a key."""
    return [
        (str(pattern.name), str(pattern.pattern), method)
        for pattern in urlpatterns
        if isinstance(pattern, URLPattern) and hasattr(pattern.callback, "cls")
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(pattern.callback.cls, method) and pattern.name not in PUBLIC
    ]


def test_every_address_has_its_line_and_every_line_its_address():
    assert {(name, method) for name, _, method in routes()} == set(LEAST)


def test_every_address_asks_for_a_key():
    for name, address, method in routes():
        path = "/" + address.replace("<row:", "<").translate({ord("<"): None, ord(">"): None})
        path = path.replace("id:", "").replace("suppression_id", "1").replace("consent_id", "1")
        answer = Program("").send(method.upper(), path)
        assert (answer.status_code, code(answer)) == (401, "unauthorized"), name
    views = [pattern.callback.cls for pattern in urlpatterns if hasattr(pattern.callback, "cls")]
    assert [view.__name__ for view in views if not issubclass(view, ApiView)] == ["Document", "Pages"]


def request_for(name: str, address: str, manager: Program) -> tuple[str, object]:
    """A path and a body that would succeed for who may do it."""
    contact = a_contact()
    if name == "api-consent-revoke":
        number = manager.post(f"/contacts/{contact.pk}/consents", CONSENT).json()["data"]["consent_id"]
    else:
        number = manager.post("/suppressions", {"number": "+14155550166"}).json()["data"]["suppression_id"]
    call = a_call(contact)
    if name == "api-call-recording":
        a_recording(an_attempt(call, state="ended", outcome="no_answer"))
    paused = name == "api-campaign-resume"
    path = (
        address.replace("<id:call_id>", call.pk)
        .replace("<id:contact_id>", contact.pk)
        .replace("<id:campaign_id>", a_campaign(status="paused" if paused else "running").pk)
        .replace("<id:endpoint_id>", an_endpoint().pk)
        .replace("<row:suppression_id>", str(number))
        .replace("<row:consent_id>", str(number))
    )
    bodies = {
        "api-calls-scheduled": a_body(contact.pk),
        "api-calls-batch": {"calls": [a_body(contact.pk)]},
        "api-contacts": {"phone": "+442079460018"},
        "api-consents": CONSENT,
        "api-consent-revoke": {"how": "by phone"},
        "api-suppressions": {"number": "+14155550177"},
        "api-campaigns": {"name": "Renewals"},
        "api-endpoints": {"name": "CRM", "url": "https://crm.example.com/", "events": ["call.failed"]},
    }
    return f"/{path}", bodies.get(name, {})


@pytest.mark.parametrize(("name", "address", "method"), routes(), ids=str)
def test_a_role_may_what_its_line_says(name, address, method, live_program):
    mode = Mode.LIVE if (name, method) in LIVE_ALONE else Mode.TEST
    for role in Role:
        path, body = request_for(name, address, live_program)
        program = Program(a_key(mode=mode, role=role)[1], in_envelope=name != "api-call-recording")
        answer = program.send(method.upper(), path, body if method != "get" else None)
        if role.includes(LEAST[name, method]):
            assert answer.status_code in {200, 201}, role
        else:
            assert (answer.status_code, code(answer)) == (403, "forbidden"), role


@pytest.mark.parametrize(
    ("name", "address", "method"), [route for route in routes() if route[::2] in LIVE_ALONE], ids=str
)
def test_a_test_key_changes_nothing_that_live_calls_go_by(name, address, method, live_program):
    path, body = request_for(name, address, live_program)
    before = AuditEntry.objects.count()
    answer = Program(a_key(role=Role.ADMIN)[1]).send(method.upper(), path, body)
    assert (answer.status_code, code(answer)) == (403, "live_key_needed")
    assert AuditEntry.objects.count() == before + 1  # the key's own
