"""What becomes of calls that nobody answers."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta

import pytest

from temphone.gateway.legs.sip import outcomes
from temphone.telephony.messages import EndedBy, Outcome
from tests.gateway.fake_django import until
from tests.gateway.sip.calling import Remembers, failure, request, sip, trunk
from tests.gateway.sip.uas import Manners, Uas

pytestmark = pytest.mark.sip


def how_it_fails(manners, *, hang_up_after=None, **fields):
    """The told, and the peer."""

    async def test():
        async with Uas(manners) as peer, sip(trunk(peer.port)) as network:
            line = network.line(request(**fields), Remembers())
            if hang_up_after is not None:
                asyncio.get_running_loop().call_later(hang_up_after, line.hang_up)
            told = await failure(line)
            await until(lambda: not network._lines)
            await asyncio.sleep(0.1)
            return told, peer

    return asyncio.run(test())


@pytest.mark.parametrize(
    ("status", "outcome", "by"),
    [
        ("486 Busy Here", Outcome.BUSY, EndedBy.CARRIER),
        ("600 Busy Everywhere", Outcome.BUSY, EndedBy.CARRIER),
        ("603 Decline", Outcome.REJECTED, EndedBy.CALLEE),
        ("607 Unwanted", Outcome.REJECTED, EndedBy.CALLEE),
        ("404 Not Found", Outcome.INVALID_NUMBER, EndedBy.CARRIER),
        ("484 Address Incomplete", Outcome.INVALID_NUMBER, EndedBy.CARRIER),
        ("604 Does Not Exist Anywhere", Outcome.INVALID_NUMBER, EndedBy.CARRIER),
        ("480 Temporarily Unavailable", Outcome.NO_ANSWER, EndedBy.CARRIER),
        ("408 Request Timeout", Outcome.CARRIER_ERROR, EndedBy.CARRIER),
        ("500 Server Internal Error", Outcome.CARRIER_ERROR, EndedBy.CARRIER),
        ("503 Service Unavailable", Outcome.CARRIER_ERROR, EndedBy.CARRIER),
        ("302 Moved Temporarily", Outcome.CARRIER_ERROR, EndedBy.CARRIER),
        ("488 Not Acceptable Here", Outcome.CARRIER_ERROR, EndedBy.CARRIER),
    ],
)
def test_the_trunks_answer_decides_the_outcome(status, outcome, by):
    told, peer = how_it_fails(Manners(status=status))
    assert (told.outcome, told.by, told.cause, told.rang) == (outcome, by, status, True)
    assert peer.count("ACK") == 1
    assert peer.count("INVITE") == 1


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "407 Proxy Authentication Required"])
def test_a_trunk_that_does_not_let_us_says_so(status):
    told, _ = how_it_fails(Manners(rings_after=None, status=status))
    assert told.outcome is Outcome.CARRIER_ERROR
    assert told.cause.startswith(status[:3])
    assert "password" in told.cause


def test_what_rings_too_long_is_canceled():
    told, peer = how_it_fails(Manners(answers_after=None), ring_timeout_s=1)
    assert (told.outcome, told.by) == (Outcome.NO_ANSWER, EndedBy.SYSTEM)
    assert told.cause == "487 Request Terminated"
    assert (peer.count("CANCEL"), peer.count("ACK"), peer.count("BYE")) == (1, 1, 0)


def test_what_is_answered_in_the_moment_of_the_cancel_is_hung_up_and_told():
    told, peer = how_it_fails(Manners(answers_after=None, cancel="200"), ring_timeout_s=1)
    assert told.outcome is Outcome.NO_ANSWER
    assert told.cause.startswith("200 OK: answered")
    assert (peer.count("CANCEL"), peer.count("ACK"), peer.count("BYE")) == (1, 1, 1)


def test_staff_end_it_before_the_answer():
    told, peer = how_it_fails(Manners(answers_after=None), hang_up_after=0.3)
    assert (told.outcome, told.by) == (Outcome.CANCELED_BY_USER, EndedBy.STAFF)
    assert peer.count("CANCEL") == 1


def test_staff_end_it_in_the_moment_of_the_answer():
    told, peer = how_it_fails(Manners(answers_after=None, cancel="200"), hang_up_after=0.3)
    assert told.outcome is Outcome.CANCELED_BY_USER
    assert told.cause.startswith("200 OK: answered")
    assert peer.count("BYE") == 1


def test_staff_end_it_before_it_was_dialled():
    told, peer = how_it_fails(Manners(), hang_up_after=0.0)
    assert told.outcome is Outcome.CANCELED_BY_USER
    assert peer.count("INVITE") == peer.count("CANCEL")


def test_a_trunk_that_never_says_a_word_cannot_be_reached():
    told, _ = how_it_fails(Manners(mute=True), ring_timeout_s=1)
    assert (told.outcome, told.by) == (Outcome.CARRIER_ERROR, EndedBy.CARRIER)
    assert told.cause == outcomes.LOST
    assert told.rang  # for all we know


def unused_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_where_nobody_listens_surely_nothing_rings(transport):
    async def test():
        async with sip(trunk(unused_port(), transport=transport, host="localhost")) as network:
            told = await failure(network.line(request(), Remembers()))
            return told, network.state("trunk_1")

    told, state = asyncio.run(test())
    assert (told.outcome, told.rang) == (Outcome.CARRIER_ERROR, False)
    assert told.cause.startswith("cannot be reached")
    assert (state.ready, state.problem) == (False, told.cause)


def test_it_is_too_late_to_ring():
    past = datetime.now(UTC) - timedelta(seconds=1)
    told, peer = how_it_fails(Manners(), not_after=past)
    assert (told.outcome, told.rang, told.cause) == (Outcome.CARRIER_ERROR, False, "not_rung")
    assert not peer.requests


def test_it_is_asked_whether_it_is_too_late_after_the_note_was_made():
    """The disk may take its time, and the INVITE must not leave after that."""

    class Slow(Remembers):
        async def about_to_dial(self):
            await asyncio.sleep(0.3)

    async def test():
        async with Uas() as peer, sip(trunk(peer.port)) as network:
            soon = datetime.now(UTC) + timedelta(seconds=0.2)
            told = await failure(network.line(request(not_after=soon), Slow()))
            return told, peer

    told, peer = asyncio.run(test())
    assert (told.rang, told.cause) == (False, "not_rung")
    assert not peer.requests


def test_what_could_not_be_noted_is_not_dialled():
    class Full(Remembers):
        async def about_to_dial(self):
            raise outcomes.not_rung("not_rung")

    async def test():
        async with Uas() as peer, sip(trunk(peer.port)) as network:
            told = await failure(network.line(request(), Full()))
            assert not network._lines
            return told, peer

    told, peer = asyncio.run(test())
    assert not told.rang
    assert not peer.requests


def test_the_note_is_made_before_the_invite_leaves():
    async def test():
        async with Uas(Manners(answers_after=None)) as peer, sip(trunk(peer.port)) as network:

            class Watched(Remembers):
                async def about_to_dial(self):
                    await asyncio.sleep(0.1)
                    assert not peer.requests
                    self.noted.set()

            history = Watched()
            line = network.line(request(), history)
            await line.ring()
            assert history.noted.is_set()
            line.hang_up()

    asyncio.run(test())


def test_what_was_begun_before_a_restart_is_never_dialled_again():
    async def test():
        async with Uas() as peer, sip(trunk(peer.port)) as network:
            told = await failure(network.line(request(), Remembers(begun=True)))
            return told, peer

    told, peer = asyncio.run(test())
    assert (told.outcome, told.by) == (Outcome.UNKNOWN, EndedBy.SYSTEM)
    assert told.cause == "gateway_restarted"
    assert not peer.requests


@pytest.mark.parametrize(
    "fields", [{"to": "+1415;x@evil"}, {"caller_id": "a b"}, {"to": ""}, {"trunk": "trunk_9"}]
)
def test_what_cannot_be_dialled_is_not(fields):
    told, peer = how_it_fails(Manners(), **fields)
    assert not told.rang
    assert not peer.requests


def test_a_call_more_than_a_process_carries_is_not_dialled(monkeypatch):
    monkeypatch.setattr("temphone.gateway.legs.sip.network.MAX_CALLS", 1)

    async def test():
        async with Uas(Manners(answers_after=None)) as peer, sip(trunk(peer.port)) as network:
            first = network.line(request("att_1"), Remembers())
            await first.ring()
            told = await failure(network.line(request("att_2"), Remembers()))
            assert (told.cause, told.rang) == ("no free line", False)
            assert network.state("trunk_1").problem == "1 calls are up, which is all a gateway carries"
            first.hang_up()
            await failure(first)
            await until(lambda: not network._lines)
            assert network.state("trunk_1").ready
            await network.line(request("att_3"), Remembers()).ring()

    asyncio.run(test())
