"""What a forger or a broken gateway sends as a recording changes nothing."""

import hashlib
import json

import pytest
from django.core.files.storage import storages

from calls.actions.dialing import claim_due
from calls.models import Attempt, Call, Recording
from temphone.accounts.models import Mode
from temphone.telephony.messages import (
    Find,
    Received,
    RecordingFailed,
    RecordingPart,
    RecordingProblem,
    decode,
    encode,
)
from temphone.telephony.signing import sign
from tests.builders import NOON, a_call, a_gateway
from tests.security.test_carrier_events import forgeries
from tests.sounds import a_wav

pytestmark = pytest.mark.django_db
PATH, FAILED = "/carriers/gateway/recording", "/carriers/gateway/recording-failed"
SOUND = a_wav()


@pytest.fixture
def attempt() -> Attempt:
    """An attempt that gw_test carries; gw_other is there, too."""
    a_gateway()
    call = a_call()
    claim_due(mode=Mode.TEST, now=NOON)
    a_gateway(ledger="gw_other")
    return call.attempts.get()


def part(attempt_id, **fields):
    defaults = {
        "ledger": "gw_test",
        "attempt_id": attempt_id,
        "offset": 0,
        "total": len(SOUND),
        "sha256": hashlib.sha256(SOUND).hexdigest(),
        "data": SOUND,
    }
    return RecordingPart(**(defaults | fields))


def failed(attempt_id, **fields):
    defaults = {"ledger": "gw_test", "attempt_id": attempt_id, "problem": RecordingProblem.EMPTY}
    return RecordingFailed(**(defaults | fields))


def nothing_changed() -> bool:
    return not Recording.objects.exists() and Call.objects.get().recording_ms is None


def test_what_is_not_signed_by_us_is_401(post, attempt):
    for path, message in ((PATH, part(attempt.pk)), (FAILED, failed(attempt.pk))):
        body = encode(message)
        for name, how in forgeries(body):
            assert post(path, body, **how) == 401, name
    assert nothing_changed()


def test_the_signature_covers_what_is_said_and_every_byte_of_sound(post, attempt):
    body = encode(part(attempt.pk))
    told = json.loads(body)
    sound = told["data"]
    flipped = sound[:50_000] + ("A" if sound[50_000] != "A" else "B") + sound[50_001:]
    changes = {
        "ledger": "gw_other",
        "attempt_id": "att_other",
        "offset": 1,
        "total": len(SOUND) + 1,
        "sha256": "0" * 64,
        "data": flipped,
    }
    for name, value in changes.items():
        assert post(PATH, json.dumps({**told, name: value}).encode(), signed=body) == 401, name
    assert nothing_changed()


def test_another_gateway_or_another_attempt_brings_nothing(client, attempt, settings):
    for message in (part(attempt.pk, ledger="gw_other"), part("att_nobody"), part("../../etc/passwd")):
        body = encode(message)
        headers = sign(body, secret=settings.GATEWAY_SECRET)
        answer = client.post(PATH, body, content_type="application/json", headers=headers)
        assert decode(answer.content, Received).verdict == "refused"
    assert nothing_changed()


def test_a_message_means_nothing_at_another_address(post, attempt):
    recording, failure = encode(part(attempt.pk)), encode(failed(attempt.pk))
    find = encode(Find(ledger="gw_test", attempt_id=attempt.pk))
    for path, bodies in ((PATH, (failure, find)), (FAILED, (recording, find))):
        for body in bodies:
            assert post(path, body, signed=body) == 400
    assert post("/carriers/gateway/events", recording, signed=recording) == 400
    assert nothing_changed()


WRONG = {
    "ledger": (None, "", "x" * 65),
    "attempt_id": (None, "", 1, "x" * 65),
    "offset": (-1, 2**31, "0", 0.5, None),
    "total": (-1, 2**31, None),
    "sha256": ("", "0" * 63, "0" * 65, "G" * 64, "0" * 64 + "\n", None),
    "data": ("no base64!", 1, None, ["a"]),
}


def test_the_wrong_shape_is_400(post, attempt):
    told = json.loads(encode(part(attempt.pk)))
    for field, values in WRONG.items():
        for value in values:
            body = json.dumps({**told, field: value}).encode()
            assert post(PATH, body, signed=body) == 400, (field, value)
    assert nothing_changed()


def test_a_storage_that_is_away_is_503_and_takes_the_same_later(post, attempt, monkeypatch):
    def fails(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    body = encode(part(attempt.pk))
    with monkeypatch.context() as patch:
        patch.setattr(storages["recordings"], "save", fails)
        assert post(PATH, body, signed=body) == 503
        assert Recording.objects.get().received == 0
    assert post(PATH, body, signed=body) == 200
    assert Recording.objects.get().is_ready
