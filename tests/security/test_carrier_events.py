"""What a forger, a replayer or a broken gateway sends to the carriers' doors changes nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from calls.actions.dialing import claim_due
from calls.models import Attempt, Call, CallEvent, Gateway, TranscriptTurn
from contacts.models import Suppression
from temphone.telephony.messages import CarrierEvent as Event
from temphone.telephony.messages import (
    Dial,
    Events,
    EventType,
    Find,
    Heartbeat,
    Outcome,
    Turn,
    encode,
)
from temphone.webhooks.models import Delivery
from tests.builders import NOON, a_call, a_gateway, events_of

pytestmark = pytest.mark.django_db
EVENTS, HEARTBEAT = "/carriers/gateway/events", "/carriers/gateway/heartbeat"
STRANGER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STORY = (EventType.ACCEPTED, EventType.RINGING, EventType.ANSWERED, Outcome.ANSWERED_HUMAN)
NOW = object()


@pytest.fixture
def attempt():
    """An attempt that its gateway, gw_test, carries just now."""
    a_gateway()
    a_call()
    (request,), _ = claim_due(mode="test", now=NOON)
    a_gateway(ledger="gw_other")
    return request.attempt_id


def story(attempt_id, *, ledger="gw_test"):
    return encode(Events(ledger=ledger, events=events_of(attempt_id, *STORY)))


def everything():
    """All that events can change."""
    kinds = (Attempt, Call, CallEvent, TranscriptTurn, Suppression, Delivery)
    ledgers = list(Gateway.objects.order_by("pk").values("ledger", "url"))
    return [list(kind.objects.order_by("pk").values()) for kind in kinds], ledgers


MINUTE = timedelta(minutes=1)


def forgeries(body):
    """Each way to come without our signature over just this body: what is signed, and how it is sent."""
    yield "nothing is signed", {}
    yield "a stranger's secret", {"signed": body, "secret": STRANGER}
    yield "another body", {"signed": body + b" "}
    yield "an empty body", {"signed": b""}
    for minutes in (-6, 6, -60 * 24 * 365):
        yield f"signed {minutes} minutes off", {"signed": body, "at": datetime.now(UTC) + minutes * MINUTE}
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        yield f"without {name}", {"signed": body, "drop": name}
    for field, values in {
        "webhook_id": ("msg_other", ""),
        "webhook_timestamp": ("0", "", "now", "-1", "1e3", "9" * 40, "nan", "\u0663"),
        "webhook_signature": (
            "",
            "v1,",
            "v1",
            ",",
            "v2,AAAA",
            "v1,%%%",
            "v1a,x v1,y",
            "\u00fc",
            "v1,\u0663\u00e9",
        ),
    }.items():
        for value in values:
            yield f"{field} {value!r}", {"signed": body, field: value}


def test_what_is_not_signed_by_us_changes_nothing(post, attempt):
    body = story(attempt)
    before = everything()
    for path in (EVENTS, HEARTBEAT):
        for name, how in forgeries(body):
            assert post(path, body, **how) == 401, name
    assert everything() == before


def test_the_five_minutes_are_five(post, attempt):
    body = story(attempt)
    for seconds, status in ((-310, 401), (310, 401), (290, 200), (-290, 200)):
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        assert post(EVENTS, body, signed=body, at=at) == status, seconds


def test_a_replay_is_acknowledged_and_changes_nothing(post, attempt):
    body = story(attempt)
    assert post(EVENTS, body, signed=body) == 200
    before = everything()
    assert Call.objects.get().status == "completed"
    for _ in range(3):
        assert post(EVENTS, body, signed=body) == 200
    assert everything() == before


def test_in_any_order_and_any_pieces_the_story_is_the_same(post, attempt):
    events = events_of(attempt, *STORY)
    for batch in ([3], [1, 2, 3], [0], [2], [3, 1], [0, 1], [3, 2, 1, 0]):
        body = encode(Events(ledger="gw_test", events=[events[index] for index in batch]))
        assert post(EVENTS, body, signed=body) == 200
    told = CallEvent.objects.filter(attempt=attempt, sequence__isnull=False).order_by("sequence")
    assert [row.sequence for row in told] == [1, 2, 3, 4]
    assert Call.objects.get().status == "completed"


@pytest.mark.parametrize("ledger", ["gw_other", "gw_nobody", "", "gw_test'--", "x" * 5000])
def test_another_ledger_says_nothing_of_this_attempt(post, attempt, ledger):
    body = story(attempt, ledger=ledger)
    before = everything()
    assert post(EVENTS, body, signed=body) == 200
    assert everything() == before


def test_attempts_that_are_not_there_are_passed_over(post, attempt):
    before = everything()
    for name, status in (("att_nobody", 200), ("a\x00b", 200), ("\ud7ff", 200), ("", 400), ("x" * 5000, 400)):
        body = story(name)
        assert post(EVENTS, body, signed=body) == status, name
    assert everything() == before


def other_kinds(attempt_id):
    at = datetime.now(UTC)
    yield Heartbeat(
        ledger="gw_new",
        url="http://127.0.0.1:1",
        version="1",
        lines=1,
        live=0,
        outbox=0,
        legs=["simulated"],
        at=at,
    )
    yield Find(ledger="gw_test", attempt_id=attempt_id)
    yield Dial(ledger="gw_test", requests=[])
    yield Events(ledger="gw_test", events=events_of(attempt_id, *STORY))


def test_a_signed_body_means_nothing_at_another_address(post, attempt):
    before = everything()
    beat, *others, events = map(encode, other_kinds(attempt))
    for path, bodies in ((EVENTS, (beat, *others)), (HEARTBEAT, (events, *others))):
        for body in bodies:
            assert post(path, body, signed=body) == 400
    assert everything() == before


def broken_bodies(attempt_id):
    whole = json.loads(story(attempt_id))
    yield from (b"", b"{", b"[]", b"null", b"1", b'"x"', b"\x00", b"\xff\xfe", b"{}" * 2, b"[" * 100_000)
    yield b'{"type":"events","ledger":"gw_test","events":' + b"[" * 50_000
    for field in ("ledger", "events"):
        yield json.dumps({name: value for name, value in whole.items() if name != field}).encode()
    event = whole["events"][0]
    for field, values in {
        "attempt_id": (None, 1, [], {}),
        "sequence": ("1", 1.5, None),
        "type": ("exploded", 1, None),
        "at": ("soon", "2026-03-15T15:00:00", None, 1),
        "turn": ({"speaker": "eve", "text": "x", "offset_ms": 0}, 1),
        "ending": ({"outcome": "rich", "ended_by": "carrier"}, {}, 1),
        "evidence": ({"a": {}}, [], 1),
    }.items():
        for value in values:
            yield json.dumps({**whole, "events": [{**event, field: value}]}).encode()


def is_utf8(body):
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_a_signed_body_of_the_wrong_shape_is_400(post, attempt):
    before = everything()
    for body in broken_bodies(attempt):
        for path in (EVENTS, HEARTBEAT):
            # Our own signer signs text alone, so what is none comes unsigned.
            is_text = is_utf8(body)
            assert post(path, body, signed=body if is_text else None) == (400 if is_text else 401), body[:80]
    assert everything() == before


def test_values_that_no_database_holds_are_no_error(post, attempt):
    """What a gateway in its right mind never says: numbers, texts and instants beyond every column."""
    turn = Turn(speaker="callee", text="a\x00b" + "x" * 200_000, offset_ms=2**40)
    for sequence, event in enumerate(
        (
            Event(attempt_id=attempt, sequence=1, type=EventType.TURN, at=NOON, turn=turn),
            Event(attempt_id=attempt, sequence=2**70, type=EventType.RINGING, at=NOON),
            Event(attempt_id=attempt, sequence=-1, type=EventType.RINGING, at=NOON),
            Event(
                attempt_id=attempt, sequence=2, type=EventType.ANSWERED, at=NOON, evidence={"a\x00": "b\x00"}
            ),
            Event(attempt_id=attempt, sequence=3, type=EventType.ENDED, at=NOON),
            Event(
                attempt_id=attempt, sequence=3, type=EventType.RINGING, at=datetime.min.replace(tzinfo=UTC)
            ),
        )
    ):
        body = encode(Events(ledger="gw_test", events=[event]))
        assert post(EVENTS, body, signed=body) < 500, sequence


def test_what_is_huge_is_refused_and_not_an_error(post, attempt):
    before = everything()
    body = b'{"type":"events","ledger":"gw_test","events":[],"x":"' + b"x" * 3_000_000 + b'"}'
    assert post(EVENTS, body, signed=body) in {400, 413}
    assert everything() == before
