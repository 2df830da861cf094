"""Handing a callee over to another number."""

import asyncio

import pytest

from tests.gateway.fake_django import until
from tests.gateway.sip.calling import Ear, answered, sip, trunk
from tests.gateway.sip.uas import Manners, Uas

pytestmark = pytest.mark.sip
STAFF = "+14155550142"


def transferred(manners, to=STAFF):
    """Whether the network took the callee; whether the line went on; and the peer."""

    async def test():
        async with Uas(manners) as peer, sip(trunk(peer.port)) as network:
            line = await answered(network)
            ear = Ear(line)
            taken = await line.transfer(to)
            heard = len(ear.frames)
            if taken:
                await ear.over()
            else:
                await until(lambda: len(ear.frames) > heard + 5)
                line.hang_up()
            await until(lambda: not network._lines)
            return taken, peer

    return asyncio.run(test())


@pytest.mark.parametrize(
    "manners",
    [
        Manners(refer=("202 Accepted", "100 Trying", "200 OK")),
        Manners(refer=("202 Accepted", "200 OK")),
        Manners(refer=("202 Accepted",), bye_after_refer=True),
    ],
    ids=["told step by step", "told", "hung up at once"],
)
def test_the_network_took_them(manners):
    taken, peer = transferred(manners)
    assert taken
    (refer,) = [request for request in peer.requests if request.method == "REFER"]
    assert f"sip:{STAFF}@127.0.0.1:{peer.port}" in refer.headers["refer-to"]


def test_a_network_that_says_no_more_than_that_it_took_them_is_believed(monkeypatch):
    monkeypatch.setattr("temphone.gateway.legs.sip.line.TRANSFER_S", 1.0)
    taken, peer = transferred(Manners(refer=("202 Accepted",)))
    assert taken
    assert peer.count("BYE") == 1


@pytest.mark.parametrize(
    "refer",
    [("403 Forbidden",), ("603 Decline",), ("202 Accepted", "100 Trying", "486 Busy Here")],
    ids=" then ".join,
)
def test_the_network_did_not_take_them_and_the_call_goes_on(refer):
    taken, peer = transferred(Manners(refer=refer))
    assert not taken
    assert peer.count("BYE") == 1  # ours, at the end


def test_where_the_callee_is_not_sent():
    taken, peer = transferred(Manners(), to="+1;x@evil")
    assert not taken
    assert not peer.count("REFER")
