import asyncio
import base64
import gzip
import hashlib
import hmac
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from temphone import __version__
from temphone.lib.clock import now
from temphone.webhooks import sender
from temphone.webhooks.sender import Answer, Message, headers, send
from tests.webhooks.receiver import Reply

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
OLD_SECRET = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"
NOON = datetime(2026, 3, 15, 15, 0, tzinfo=UTC)
BODY = '{"type":"call.started","data":{"name":"Zoë"}}'


def sent(url: str, *, secrets=(SECRET,), body: str = BODY) -> Answer:
    return asyncio.run(send(Message(id="msg_1", url=url, body=body), secrets=secrets, at=now()))


def test_it_signs_as_the_standard_does():
    # Source: the vector in the documentation of Standard Webhooks' libraries.
    made = headers(
        Message(id="msg_p5jXN8AQM9LWM0D4loKWxJek", url="", body='{"test": 2432232314}'),
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        at=datetime.fromtimestamp(1614265330, UTC),
    )
    assert made["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert made["webhook-timestamp"] == "1614265330"
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_its_signature_is_a_plain_hmac_of_id_time_and_body():
    made = headers(Message(id="msg_1", url="", body=BODY), secrets=[SECRET], at=NOON)
    signed = f"msg_1.{int(NOON.timestamp())}.{BODY}".encode()
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert made["webhook-signature"] == f"v1,{expected}"


def test_the_library_verifies_what_the_receiver_got(allowed):
    assert sent(allowed.url()).is_success
    (got,) = allowed.received
    Webhook(SECRET).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD_SECRET).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(got.body + b" ", got.headers)


def test_while_the_secret_changes_both_verify(allowed):
    sent(allowed.url(), secrets=[SECRET, OLD_SECRET])
    (got,) = allowed.received
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    Webhook(SECRET).verify(got.body, got.headers)
    Webhook(OLD_SECRET).verify(got.body, got.headers)


def test_it_says_what_it_is_and_what_it_sends(allowed):
    sent(allowed.url("/calls?token=1"))
    (got,) = allowed.received
    assert got.path == "/calls?token=1"
    assert got.body == BODY.encode()
    assert got.headers["user-agent"] == f"TemPhone/{__version__}"
    assert got.headers["content-type"] == "application/json"
    assert "cookie" not in got.headers


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(allowed, status):
    allowed.replies.append(Reply(status, body=b""))
    assert sent(allowed.url()).is_success


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 400, 404, 410, 429, 500, 503])
def test_all_else_is_a_failure(allowed, status):
    allowed.replies.append(Reply(status, body=b"no"))
    answer = sent(allowed.url())
    assert (answer.is_success, answer.status_code, answer.text) == (False, status, "no")
    assert answer.is_gone == (status == 410)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_it_follows_no_redirect(allowed, receiver, status):
    allowed.replies.append(Reply(status, {"Location": allowed.url("/elsewhere")}))
    assert sent(allowed.url()).error == "redirects are not followed"
    assert [got.path for got in receiver.received] == ["/calls"]
    assert receiver.connections == 1


def test_it_keeps_no_cookies(allowed):
    allowed.replies.append(Reply(200, {"Set-Cookie": "a=b"}))
    sent(allowed.url())
    sent(allowed.url())
    assert all("cookie" not in got.headers for got in allowed.received)


def test_it_keeps_the_beginning_of_an_answer(allowed):
    allowed.replies.append(Reply(body=b"a" * 3000))
    assert sent(allowed.url()).text == "a" * 2048


def test_it_stops_reading_a_long_answer(allowed):
    allowed.replies.append(Reply(body=b"a" * 50_000_000))
    answer = sent(allowed.url())
    assert answer.is_success
    assert len(answer.text) == 2048
    assert allowed.hung_up.wait(10)


def test_it_unpacks_no_answer(allowed):
    bomb = gzip.compress(b"a" * 10_000_000)
    allowed.replies.append(Reply(headers={"Content-Encoding": "gzip"}, body=bomb))
    answer = sent(allowed.url())
    assert answer.is_success
    assert "aaaa" not in answer.text


def test_an_answer_that_is_no_text_is_kept_as_well_as_can_be(allowed):
    allowed.replies.append(Reply(body=b"\xff\xfe ok"))
    assert sent(allowed.url()).text == "\ufffd\ufffd ok"


def test_it_waits_no_longer_than_its_time_out(allowed, monkeypatch):
    monkeypatch.setattr(sender, "TIMEOUT_S", 0.2)
    gate = threading.Event()
    allowed.replies.append(Reply(gate=gate))
    answer = sent(allowed.url())
    gate.set()
    assert answer.status_code is None
    assert "no answer within" in answer.error
    assert answer.duration_ms >= 200


def test_nobody_listening_is_a_failure_with_its_reason(settings):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        settings.WEBHOOK_ALLOW = [host]
        answer = sent(f"http://{host}/")
    assert answer.status_code is None
    assert "Connect call failed" in answer.error


@pytest.mark.parametrize(
    "url",
    ["", "no url", "http://", "http://[::1", "ftp://hooks.example.com/", "//8.8.8.8/", "https://8.8.8.8\0/"],
)
def test_a_bad_address_is_a_failure_with_its_reason(url):
    answer = sent(url)
    assert not answer.is_success
    assert answer.error


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("", 0),
        ("-5", 0),
        ("soon", 0),
        ("٣", 0),
        ("9" * 50, 999_999_999),
        ("Sun, 15 Mar 2026 15:02:00 GMT", 120),
        ("Sun, 15 Mar 2026 14:00:00 GMT", 0),
        ("Sun, 99 Mar 2026 15:02:00 GMT", 0),
    ],
)
def test_it_reads_for_how_long_to_leave_the_receiver_alone(value, seconds):
    assert Answer(retry_after=value).retry_after_from(NOON) == timedelta(seconds=seconds)
