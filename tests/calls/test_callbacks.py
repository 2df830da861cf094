"""What comes from gateways is signed, or it is nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from calls.actions.dialing import claim_due
from calls.models import Call, Gateway, TranscriptTurn
from temphone.telephony.messages import (
    Acknowledged,
    CarrierEvent,
    Events,
    EventType,
    Heartbeat,
    Outcome,
    TrunkState,
    Turn,
    Welcome,
    decode,
    encode,
)
from temphone.telephony.signing import sign
from tests.builders import NOON, a_call, a_gateway, events_of

pytestmark = pytest.mark.django_db
EVENTS, HEARTBEAT = "/carriers/gateway/events", "/carriers/gateway/heartbeat"


@pytest.fixture
def send(client, settings):
    def send(url, message, *, secret=settings.GATEWAY_SECRET, at=None, body=None, headers=None):
        signed = encode(message)
        headers = headers or sign(signed, secret=secret, at=at)
        return client.post(url, body or signed, content_type="application/json", headers=headers)

    return send


@pytest.fixture
def ended():
    """The whole story of a call that was just claimed."""
    a_gateway()
    a_call()
    (request,), _ = claim_due(mode="test", now=NOON)
    steps = (EventType.ACCEPTED, EventType.RINGING, EventType.ANSWERED, Outcome.ANSWERED_HUMAN)
    return Events(ledger="gw_test", events=events_of(request.attempt_id, *steps))


def heartbeat(**fields):
    return Heartbeat(
        ledger="gw_new",
        url="http://127.0.0.1:7000",
        version="1",
        lines=10,
        live=2,
        outbox=3,
        legs=["simulated"],
        at=datetime.now(UTC),
        **fields,
    )


def test_signed_events_are_applied_and_acknowledged(send, ended):
    answer = send(EVENTS, ended)
    assert answer.status_code == 200
    assert list(decode(answer.content, Acknowledged).sequences.values()) == [4]
    assert Call.objects.get().status == "completed"


def test_replayed_events_are_acknowledged_and_change_nothing(send, ended):
    send(EVENTS, ended)
    before = Call.objects.values().get()
    assert send(EVENTS, ended).status_code == 200
    assert Call.objects.values().get() == before


def test_a_foreign_signature_an_old_one_and_a_changed_body_are_refused(send, ended):
    stranger = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    changed = encode(ended).replace(b"answered_human", b"opted_out")
    assert send(EVENTS, ended, secret=stranger).status_code == 401
    assert send(EVENTS, ended, at=datetime.now(UTC) - timedelta(minutes=6)).status_code == 401
    assert send(EVENTS, ended, body=changed).status_code == 401
    assert Call.objects.get().status == "in_progress"


def test_without_a_signature_nothing_is_read(client):
    assert client.post(EVENTS, b"{}", content_type="application/json").status_code == 401


def test_a_signed_message_means_nothing_at_another_address(send, ended):
    assert send(EVENTS, heartbeat()).status_code == 400
    assert send(HEARTBEAT, ended).status_code == 400
    assert not Gateway.objects.filter(ledger="gw_new").exists()


def test_a_heartbeat_makes_the_gateway_known(send):
    assert send(HEARTBEAT, heartbeat()).status_code == 200
    gateway = Gateway.objects.get()
    assert (gateway.ledger, gateway.url, gateway.lines, gateway.legs) == (
        "gw_new",
        "http://127.0.0.1:7000",
        10,
        ["simulated"],
    )
    assert abs(gateway.clock_skew_ms) < 2000


def test_a_heartbeat_tells_how_the_trunks_are(send):
    long = "x" * 500
    states = {"trk_1": TrunkState(ready=True, most=100), "trk_2": TrunkState(ready=False, problem=long)}
    answer = send(HEARTBEAT, heartbeat(trunks=states))
    assert (answer.status_code, decode(answer.content, Welcome).trunks) == (200, [])
    assert Gateway.objects.get().trunks == {
        "trk_1": {"ready": True, "problem": "", "most": 100},
        "trk_2": {"ready": False, "problem": long[:200], "most": None},
    }
    send(HEARTBEAT, heartbeat())
    assert Gateway.objects.get().trunks == {}


def test_what_no_database_keeps_is_replaced_in_what_was_said(send, ended):
    attempt_id = ended.events[0].attempt_id
    said = Turn(speaker="callee", text="a\0\0b, as in \\u0000 and \\\0", offset_ms=1)
    turn = CarrierEvent(attempt_id=attempt_id, sequence=1, type=EventType.TURN, at=NOON, turn=said)
    assert send(EVENTS, Events(ledger="gw_test", events=[turn])).status_code == 200
    assert TranscriptTurn.objects.get().text == "a\ufffd\ufffdb, as in \\u0000 and \\\ufffd"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b'"duration_s":4', b'"duration_s":-1'),
        (b'"duration_s":4', b'"duration_s":2147483648'),
        (b'"sequence":1', b'"sequence":-1'),
        (b'"attempt_id":"', b'"attempt_id":"' + b"a" * 64),
    ],
)
def test_numbers_and_names_that_no_column_holds_are_refused(send, ended, was, becomes, settings):
    body = encode(ended)
    assert was in body
    changed = body.replace(was, becomes)
    headers = sign(changed, secret=settings.GATEWAY_SECRET)
    assert send(EVENTS, ended, body=changed, headers=headers).status_code == 400


@pytest.mark.parametrize("url", [EVENTS, HEARTBEAT])
def test_only_post_is_taken(client, url):
    assert client.get(url).status_code == 405
