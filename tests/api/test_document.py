import io
import json
import re
from pathlib import Path

import jsonschema
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from calls.states import FINAL, CallStatus
from campaigns.states import CampaignStatus
from temphone.accounts.actors import Role
from temphone.accounts.models import Mode
from temphone.api.envelope import REFUSALS
from tests.api.client import Program, a_body, data
from tests.builders import a_contact, a_key

SOUND = "/v1/calls/{call_id}/recording"
CODE = re.compile(r"""\bcode ?= ?"([a-z_]+)\"""")
# What the gates that can block at creation answer.
BLOCKED = {"blocked_suppressed", "blocked_consent", "blocked_hours", "blocked_destination"}
# Raised where no program comes: pages and actions that the API does not offer, and bases of others.
# Of pages alone, or what others are kinds of.
ELSEWHERE = {
    "called_again",
    "campaign_incomplete",
    "campaign_launched",
    "campaign_not_waiting",
    "campaign_too_long",
    "conflict",
    "contact_has_calls",
    "error",
    "import_forgotten",
    "import_not_found",
    "import_state",
    "key_not_found",
    "key_revoked",
    "last_admin",
    "link_over",
    "match_twice",
    "number_is_default",
    "number_not_found",
    "own_account",
    "person_inactive",
    "person_not_found",
    "refused",
    "session_not_found",
    "superuser_is_admin",
    "trunk_in_use",
    "trunk_not_found",
    "two_steps_off",
    "two_steps_on",
    "two_steps_unreadable",
    "username_taken",
}


def document() -> dict[str, object]:
    text = io.StringIO()
    call_command("spectacular", format="openapi-json", validate=True, fail_on_warn=True, stdout=text)
    found: dict[str, object] = json.loads(text.getvalue())
    return found


def test_the_document_is_valid_and_served_to_everybody(db):
    served = Client().get("/v1/schema/")
    assert served.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    assert json.loads(served.content)["paths"] == document()["paths"]


def test_every_method_tells_its_envelope_its_refusals_and_its_key():
    for path, methods in document()["paths"].items():
        for method, described in methods.items():
            assert described["security"] == [{"ApiKey": []}], path
            assert {"400", "401", "429", "500"} < set(described["responses"])
            for code, answer in described["responses"].items():
                if list(answer["content"]) == ["audio/wav"]:
                    assert (path, code) in {(SOUND, "200"), (SOUND, "206")}
                    continue
                schema = answer["content"]["application/json"]["schema"]
                wanted = {"$ref": "#/components/schemas/Problem"}
                assert (schema == wanted) == (code >= "400"), (path, method, code)
                assert code >= "400" or list(schema["properties"]) == ["status", "message", "data"]


def strict(schema: object) -> object:
    """The same as JSON Schema has it: null where it is nullable, and no key that is not described."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: strict(part) for name, part in schema.items() if name != "nullable"}
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") is True else found


def conforms(whole: dict[str, object], answer, path: str, method: str) -> None:
    """The answer is what the document says."""
    described = whole["paths"][f"/v1{path}"][method]["responses"][str(answer.status_code)]
    schema = described["content"]["application/json"]["schema"]
    jsonschema.validate(
        json.loads(answer.content), {**strict(schema), "components": strict(whole["components"])}
    )


@pytest.mark.django_db
def test_what_is_answered_is_what_the_document_says(program, live_program):
    whole, contact = document(), a_contact()
    full = a_body(contact.pk, metadata={"a": 1}, caller_id="+14155550100", webhook_url="https://example.com/")
    made = program.post("/calls/scheduled", full)
    path = f"/calls/{made.json()['data']['call_id']}"
    conforms(whole, made, "/calls/scheduled", "post")
    conforms(whole, program.post("/calls/scheduled?dry_run=true", full), "/calls/scheduled", "post")
    conforms(whole, program.post("/calls/scheduled", {}), "/calls/scheduled", "post")
    batch = {"calls": [full, {**full, "contact_id": "ctc_nobody"}, {}]}
    conforms(whole, program.post("/calls/scheduled/batch", batch), "/calls/scheduled/batch", "post")
    batch = {"calls": [full]}
    conforms(whole, program.post("/calls/scheduled/batch", batch), "/calls/scheduled/batch", "post")
    conforms(whole, program.get("/calls?limit=1"), "/calls", "get")
    conforms(whole, program.get(path), "/calls/{call_id}", "get")
    conforms(whole, program.patch(path, {"metadata": {}}), "/calls/{call_id}", "patch")
    conforms(whole, program.post(f"{path}/cancel"), "/calls/{call_id}/cancel", "post")
    conforms(whole, program.post(f"{path}/cancel"), "/calls/{call_id}/cancel", "post")
    conforms(whole, Program("").get(path), "/calls/{call_id}", "get")

    conforms(whole, program.get(f"/contacts/{contact.pk}"), "/contacts/{contact_id}", "get")
    consent = live_program.post(
        f"/contacts/{contact.pk}/consents", {"purpose": "marketing", "kind": "written", "source": "form"}
    )
    conforms(whole, consent, "/contacts/{contact_id}/consents", "post")
    revoked = program.post(f"/consents/{consent.json()['data']['consent_id']}/revoke", {"how": "by phone"})
    conforms(whole, revoked, "/consents/{consent_id}/revoke", "post")
    suppressed = program.post("/suppressions", {"number": "+14155550101", "source": "letter"})
    conforms(whole, suppressed, "/suppressions", "post")
    lift = f"/suppressions/{suppressed.json()['data']['suppression_id']}/lift"
    conforms(whole, program.post(lift), "/suppressions/{suppression_id}/lift", "post")
    conforms(whole, live_program.post(lift), "/suppressions/{suppression_id}/lift", "post")
    conforms(whole, program.post("/campaigns", {"name": "Renewals"}), "/campaigns", "post")

    admin = Program(a_key(mode=Mode.LIVE, role=Role.ADMIN)[1])
    endpoint = {"name": "CRM", "url": "https://crm.example.com/", "events": ["call.failed"]}
    added = admin.post("/webhook-endpoints", endpoint)
    conforms(whole, added, "/webhook-endpoints", "post")
    path, named = f"/webhook-endpoints/{data(added)['endpoint_id']}", "/webhook-endpoints/{endpoint_id}"
    conforms(whole, admin.post(f"{path}/rotate", {}), f"{named}/rotate", "post")
    conforms(whole, admin.post(f"{path}/rotate", {}), f"{named}/rotate", "post")
    conforms(whole, admin.get("/webhook-endpoints"), "/webhook-endpoints", "get")
    conforms(whole, program.get("/webhook-endpoints"), "/webhook-endpoints", "get")
    conforms(whole, admin.patch(path, {"url": "ftp://x"}), named, "patch")
    for verb in ("end-overlap", "disable", "enable"):
        conforms(whole, admin.post(f"{path}/{verb}"), f"{named}/{verb}", "post")
    conforms(whole, admin.send("DELETE", path), named, "delete")
    conforms(whole, admin.get(path), named, "get")


def codes_in_source() -> set[str]:
    """Every code that is written out: ``code="..."`` where it is raised, ``code = "..."`` on an error."""
    folders = [Path(settings.BASE_DIR) / name for name in ("calls", "campaigns", "contacts", "temphone")]
    texts = [file.read_text(encoding="utf-8") for folder in folders for file in folder.rglob("*.py")]
    return {code for text in texts for code in CODE.findall(text)}


def test_every_error_code_has_its_line_in_the_docs():
    page = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text(encoding="utf-8")
    codes = page.partition("## Error codes")[2]
    rows = [line.split("|") for line in codes.splitlines() if line.startswith("| `")]
    listed = [row[1].strip(" `") for row in rows]
    wanted = codes_in_source() - ELSEWHERE
    wanted |= {code for _, code, _ in REFUSALS.values()} | {"server_error"} | BLOCKED
    wanted |= {f"call_{status}" for status in {CallStatus.IN_PROGRESS, *FINAL}}
    wanted |= {f"campaign_{status}" for status in CampaignStatus}
    assert sorted(listed) == sorted(wanted)
    assert all(len(row) == 6 and row[3].strip() and row[4].strip() for row in rows)


@pytest.mark.django_db
def test_the_policies_codes_are_those_of_the_docs(program, live_program, settings):
    settings.POLICIES = {"test": {"consent": "require", "hours": "reject"}}
    settings.CALLING_HOURS = settings.CALLING_HOURS[1], settings.CALLING_HOURS[1]
    contact = a_contact()
    assert program.post("/calls/scheduled", a_body(contact.pk)).json()["code"] == "blocked_consent"
    live_program.post(
        f"/contacts/{contact.pk}/consents",
        {"purpose": "informational", "kind": "express", "source": "form"},
    )
    assert program.post("/calls/scheduled", a_body(contact.pk)).json()["code"] == "blocked_hours"
    program.post("/suppressions", {"number": contact.phone})
    assert program.post("/calls/scheduled", a_body(contact.pk)).json()["code"] == "blocked_suppressed"
