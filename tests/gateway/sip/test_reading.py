"""What the answers of trunks mean, and what the stack's trace tells. Neither needs the stack."""

import pytest

from temphone.gateway.legs.sip import outcomes
from temphone.gateway.legs.sip.wire import Received, read
from temphone.telephony.messages import EndedBy, Outcome

ANSWER = (
    "RX UDP 192.0.2.1:5060 -> 192.0.2.2:5060\nSIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.2\r\n"
    "i: abc@192.0.2.2\r\nCSEQ: 7 invite\r\nContent-Length: 0\r\n\r\n"
)
NOTIFY = (
    "RX TLS 192.0.2.1:5061 -> 192.0.2.2:5061\nNOTIFY sip:us@192.0.2.2 SIP/2.0\r\nCall-ID: abc\r\n"
    "CSeq: 9 NOTIFY\r\nContent-Type: message/sipfrag\r\n\r\nSIP/2.0 486 Busy Here\r\n"
)


def test_an_answer_of_the_peer_is_read_however_it_is_written():
    assert read(ANSWER) == Received(call_id="abc@192.0.2.2", method="INVITE", status=200)


def test_what_a_notify_tells_is_in_its_body():
    assert read(NOTIFY) == Received(call_id="abc", method="NOTIFY", status=486)


@pytest.mark.parametrize(
    "message",
    [
        ANSWER.replace("RX", "TX", 1),
        "RX UDP a -> b\nINVITE sip:us@192.0.2.2 SIP/2.0\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n\r\nSIP/2.0 200",
        "RX UDP a -> b (9000 bytes, too large to trace)",
        "RX UDP a -> b\nSIP/2.0 200 OK\r\n\r\n",
        "RX UDP a -> b\n\r\n\r\n",
        "",
    ],
)
def test_nothing_else_is(message):
    assert read(message) is None


@pytest.mark.parametrize(
    ("text", "cause", "rang"),
    [
        ("Connection refused [111]", "cannot be reached: it refuses the connection", False),
        ("Protocol error [71]", "cannot be reached: its certificate is not to be trusted", False),
        ("Connection timed out [110]", "cannot be reached: no answer", True),
        ("Connection reset by peer [104]", "cannot be reached: no answer", True),
        ("", "cannot be reached: no answer", True),
    ],
)
def test_a_failure_of_the_way_there_rang_only_for_all_we_know(text, cause, rang):
    failed = outcomes.failure(text)
    assert (failed.outcome, failed.by) == (Outcome.CARRIER_ERROR, EndedBy.CARRIER)
    assert (failed.cause, failed.rang) == (cause, rang)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("403 Forbidden", "403: wrong password, or the provider does not let us"),
        ("486 Busy Here", ""),
        ("503 Service Unavailable", ""),
        ("Connection refused [111]", "cannot be reached: it refuses the connection"),
    ],
)
def test_a_trunk_has_a_problem_only_if_it_is_the_trunks(text, problem):
    assert outcomes.problem(text) == problem


def test_a_call_that_is_forbidden_is_not_held_against_its_trunk():
    """Providers mean the number with it as often as the password."""
    assert outcomes.trouble("403 Forbidden") == ""
    assert outcomes.trouble("401 Unauthorized") == "401: wrong user or password"
    assert outcomes.trouble("486 Busy Here") == ""


def test_every_answer_in_the_table_is_a_final_one_that_refuses():
    assert all(300 <= status < 700 for status in outcomes.STATUSES)
