"""Who may speak to the gateway, and in what words."""

import asyncio
import base64
import hashlib
import hmac
import io
import time

import aiohttp
import pytest

from temphone.gateway.server import MAX_BODY
from temphone.telephony.adapters import gateway as adapter
from temphone.telephony.messages import Dial, Find, HangUp, Placed, Speak, encode
from temphone.telephony.signing import new_secret, sign
from tests.gateway.builders import SECRET, dial
from tests.gateway.fake_django import FakeDjango
from tests.gateway.running import gateway, rings


def posted(folder, path, body_of, headers_of=None, method="POST"):
    """The status of one request; the body may depend on the ledger's identity."""

    async def whole():
        async with (
            FakeDjango() as django,
            gateway(folder, django) as client,
            aiohttp.ClientSession() as session,
        ):
            body = body_of(client.ref.ledger)  # as a file: aiohttp warns of large bytes
            headers = headers_of(body) if headers_of else sign(body, secret=SECRET)
            async with session.request(
                method, client.ref.url + path, data=io.BytesIO(body), headers=headers
            ) as response:
                return response.status

    return asyncio.run(whole())


def a_dial(ledger):
    return encode(Dial(ledger=ledger, requests=[dial("att_1")]))


def test_a_signed_dial_is_taken(tmp_path):
    assert posted(tmp_path, "/dial", a_dial) == 200
    assert rings(tmp_path) == {"att_1": 1}


def test_a_plain_hmac_is_a_signature(tmp_path):
    def headers(body):
        stamp = str(int(time.time()))
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.new(key, f"msg_1.{stamp}.".encode() + body, hashlib.sha256).digest()
        signature = "v1," + base64.b64encode(digest).decode()
        return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": signature}

    assert posted(tmp_path, "/dial", a_dial, headers) == 200


@pytest.mark.parametrize("path", ["/dial", "/hang-up", "/find", "/speak"])
@pytest.mark.parametrize(
    "headers",
    [
        lambda body: sign(body, secret=new_secret()),
        lambda body: sign(body + b" ", secret=SECRET),
        lambda body: {},
        lambda body: sign(body, secret=SECRET) | {"webhook-signature": "v1,"},
        lambda body: sign(body, secret=SECRET) | {"webhook-signature": "nonsense"},
        lambda body: sign(body, secret=SECRET) | {"webhook-timestamp": "1700000000"},
        lambda body: sign(body, secret=SECRET) | {"webhook-id": "msg_other"},
    ],
    ids=["forged", "body changed", "none", "empty", "nonsense", "old", "other id"],
)
def test_what_django_did_not_sign_is_refused_and_rings_nothing(tmp_path, path, headers):
    assert posted(tmp_path, path, a_dial, headers) == 401
    assert not rings(tmp_path)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/dial", b""),
        ("/dial", b"{"),
        ("/dial", b"[]"),
        ("/dial", encode(Find(ledger="gw_1", attempt_id="att_1"))),
        ("/hang-up", encode(Find(ledger="gw_1", attempt_id="att_1"))),
        ("/find", encode(HangUp(ledger="gw_1", attempt_id="att_1"))),
        ("/dial", encode(Dial(ledger="gw_1", requests=[dial("att_1")])).replace(b'"+1', b"1")),
        ("/dial", encode(Dial(ledger="gw_1", requests=[dial("att_1")])).replace(b'Z"', b'"')),
    ],
    ids=["empty", "cut", "list", "find at dial", "find at hang-up", "hang-up at find", "number", "no zone"],
)
def test_a_body_of_the_wrong_shape_is_refused(tmp_path, path, body):
    assert posted(tmp_path, path, lambda _: body) == 400
    assert not rings(tmp_path)


@pytest.mark.parametrize("path", ["/dial", "/hang-up", "/find", "/speak"])
def test_a_request_for_another_ledger_is_refused_and_leaves_no_trace(tmp_path, path):
    kinds = {
        "/dial": lambda ledger: a_dial("gw_other"),
        "/hang-up": lambda ledger: encode(HangUp(ledger="gw_other", attempt_id="att_1")),
        "/find": lambda ledger: encode(Find(ledger="gw_other", attempt_id="att_1")),
        "/speak": lambda ledger: encode(Speak(ledger="gw_other", texts=["Hello."])),
    }
    assert posted(tmp_path, path, kinds[path]) == 409
    assert not rings(tmp_path)
    assert posted(tmp_path, "/dial", a_dial) == 200
    assert rings(tmp_path) == {"att_1": 1}


def test_a_body_that_is_too_large_is_refused(tmp_path):
    assert posted(tmp_path, "/dial", lambda _: b"x" * (MAX_BODY + 1)) == 413


def test_it_says_that_it_lives(tmp_path):
    assert posted(tmp_path, "/healthz", lambda _: b"", method="GET") == 200


def test_more_dials_than_a_request_may_hold_are_sent_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(adapter, "MOST_BYTES", 2 * len(encode(dial("att_1"))) + 200)
    requests = [dial(f"att_{number}") for number in range(1, 6)]
    assert [len(part) for part in adapter._parts(requests)] == [2, 2, 1]

    async def whole():
        async with FakeDjango() as django, gateway(tmp_path, django) as client:
            return await client.dial(*requests)

    results = asyncio.run(whole())
    assert [result.attempt_id for result in results] == [request.attempt_id for request in requests]
    assert all(isinstance(result, Placed) for result in results)
