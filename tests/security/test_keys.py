"""API keys: none in the database or the logs, none of test mode that reaches the live network."""

import logging

import pytest
from django.apps import apps
from django.core import serializers
from django.db import connection

from calls.actions.dialing import claim_due
from calls.models import Call
from temphone.accounts.actions import revoke_key
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import ApiKey, Mode, digest
from tests.api.client import Program, a_body, code, data
from tests.builders import NOON, a_call, a_contact, a_gateway, a_key, a_number, a_trunk, ready

pytestmark = pytest.mark.django_db


def dump() -> str:
    """Everything that a thief of the database has."""
    rows = (row for model in apps.get_models() for row in model.objects.all())
    return serializers.serialize("json", rows)


def test_a_dump_of_the_database_holds_no_key():
    key, whole = a_key()
    program = Program(whole)
    contact = a_contact()
    answer = program.post("/calls/scheduled", a_body(contact.pk), **{"Idempotency-Key": "one"})
    assert answer.status_code == 201
    stolen = dump()
    assert key.public_id in stolen
    assert data(answer)["call_id"] in stolen
    assert whole not in stolen
    assert whole.rsplit("_", 1)[1] not in stolen


def test_a_stolen_hash_opens_nothing():
    key, _ = a_key()
    for given in (
        key.hash,
        f"sk_test_{key.public_id}_{key.hash}",
        f"sk_test_{key.public_id}_{key.hash[:32]}",
    ):
        assert Program(given).get("/calls").status_code == 401


def test_secrets_are_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(
        "temphone.accounts.models.hmac.compare_digest", lambda a, b: compared.append((a, b)) or a == b
    )
    key, whole = a_key()
    assert Program(whole).get("/calls").status_code == 200
    assert Program(whole + "x").get("/calls").status_code == 401
    assert compared == [(key.hash, digest(whole)), (key.hash, digest(whole + "x"))]


def test_a_revoked_key_works_on_no_address():
    key, whole = a_key()
    call = a_call()
    revoke_key(actor=SYSTEM, public_id=key.public_id, now=NOON)
    for method, path in (
        ("GET", "/calls"),
        ("GET", f"/calls/{call.pk}"),
        ("POST", f"/calls/{call.pk}/cancel"),
        ("POST", "/calls/scheduled"),
        ("GET", "/contacts"),
    ):
        assert Program(whole).send(method, path).status_code == 401
    assert Call.objects.get().status == "scheduled"


def test_whatever_a_test_key_asks_for_its_calls_ring_the_simulated_network():
    trunk = a_trunk()
    a_number(trunk=trunk)
    a_gateway(legs=["simulated", "sip"], trunks=ready(trunk))
    ours = {"caller_id": "+14155550190", "trunk": trunk.pk, "leg": "sip"}
    for extra in ({}, {"mode": "live"}, {"metadata": {"mode": "live"}}, ours):
        program, contact = Program(a_key()[1]), a_contact()
        program.post("/calls/scheduled?mode=live", a_body(contact.pk, **extra), **{"X-Mode": "live"})
    Call.objects.update(due_at=NOON, scheduled_at=NOON)
    assert set(Call.objects.values_list("mode", flat=True)) == {Mode.TEST}
    assert claim_due(mode="live", now=NOON) == ([], 0)
    dials, _ = claim_due(mode="test", now=NOON)
    assert {(dial.leg, dial.trunk) for dial in dials} == {("simulated", "")}
    assert len(dials) == 4


@pytest.fixture
def live_call() -> Call:
    """A call that will ring somebody."""
    call = a_call()
    Call.objects.filter(pk=call.pk).update(mode=Mode.LIVE)
    return call


@pytest.mark.parametrize("change", [{"phone": "+14155550155"}, {"timezone": "Asia/Tokyo"}])
def test_a_test_key_lets_no_live_call_ring_elsewhere_or_at_another_hour(live_call, change):
    test, live = (Program(a_key(mode=mode)[1]) for mode in (Mode.TEST, Mode.LIVE))
    path, before = f"/contacts/{live_call.contact_id}", live_call.contact.phone
    refused = test.patch(path, change)
    assert (refused.status_code, code(refused)) == (403, "live_key_needed")
    live_call.contact.refresh_from_db()
    assert (live_call.contact.phone, live_call.contact.timezone) == (before, "America/Los_Angeles")

    assert test.patch(path, {"company": "New", "phone": before}).status_code == 200
    assert live.patch(path, change).status_code == 200
    only_test = a_call().contact_id
    assert test.patch(f"/contacts/{only_test}", change).status_code == 200
    Call.objects.filter(pk=live_call.pk).update(status="completed", outcome="message_delivered")
    assert test.patch(path, {"phone": "+14155550156"}).status_code == 200


def test_what_makes_things_safer_a_test_key_may(live_call):
    test, live = (Program(a_key(mode=mode)[1]) for mode in (Mode.TEST, Mode.LIVE))
    given = {"purpose": "marketing", "source": "web form"}
    path = f"/contacts/{live_call.contact_id}/consents"
    assert test.post(path, {**given, "kind": "none"}).status_code == 201
    consent = data(live.post(path, {**given, "kind": "express"}))["consent_id"]
    assert test.post(f"/consents/{consent}/revoke", {"how": "by phone"}).status_code == 200
    assert test.post("/suppressions", {"number": live_call.contact.phone}).status_code == 201
    live_call.refresh_from_db()
    assert live_call.status == "canceled"


def test_no_log_of_a_request_holds_the_key(caplog):
    caplog.set_level(logging.DEBUG)
    key, whole = a_key()
    for given in (whole, whole + "x"):
        Program(given).get("/calls")
        Program(given).get("/nowhere")
        Program(given).post("/calls/scheduled", b"{")
    assert whole not in caplog.text
    assert key.hash not in caplog.text
    assert ApiKey.objects.get().matches(whole)


def test_the_database_itself_keeps_no_key(tmp_path):
    """Not in a column that no model names either."""
    _, whole = a_key()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_apikey")
        assert whole.rsplit("_", 1)[1] not in str(cursor.fetchall())
