"""SIP trunks as they come, change and go while the gateway runs."""

import asyncio

import msgspec
import pytest

from temphone.telephony.messages import TrunkState
from tests.gateway.fake_django import until
from tests.gateway.sip.calling import Ear, Remembers, answered, failure, request, settings, sip, trunk
from tests.gateway.sip.uas import Manners, Uas

pytestmark = pytest.mark.sip
USERS = {"acme": "s3cret"}


def registering(port, **fields):
    return trunk(port, **({"registers": True, "user": "acme", "password": "s3cret"} | fields))


def test_a_trunk_registers_with_the_right_password():
    async def test():
        async with Uas() as peer:
            peer.users = USERS
            async with sip(registering(peer.port)) as network:
                await until(lambda: network.state("trunk_1").ready)
                assert "acme" in peer.requests[0].headers["from"]
                line = await answered(network)
                assert "<sip:+14155550199@" in peer.requests[-1].headers["from"]
                line.hang_up()

    asyncio.run(test())


def test_a_trunk_that_cannot_register_says_why_and_does_when_it_is_put_right():
    async def test():
        async with Uas() as peer:
            peer.users = USERS
            async with sip(registering(peer.port, password="wrong")) as network:
                await until(lambda: network.state("trunk_1").problem.startswith("403: wrong password"))
                assert not network.state("trunk_1").ready
                network.keep([registering(peer.port)])
                await until(lambda: network.state("trunk_1").ready)

    asyncio.run(test())


def test_a_trunk_that_is_taken_away_is_unregistered():
    async def test():
        async with Uas() as peer, sip(registering(peer.port)) as network:
            await until(lambda: network.state("trunk_1").ready)
            network.keep([])
            await until(lambda: peer.requests[-1].headers["contact"].endswith("expires=0"))

    asyncio.run(test())


def test_a_registrar_that_cannot_be_reached_is_told():
    async def test():
        async with sip(registering(9, transport="tcp")) as network:
            await until(lambda: "cannot be reached" in network.state("trunk_1").problem)

    asyncio.run(test())


def test_a_trunk_that_needs_no_registration_is_ready():
    async def test():
        async with Uas() as peer, sip(trunk(peer.port)) as network:
            await until(lambda: network.state("trunk_1") == TrunkState(ready=True, most=100))
            assert not peer.requests

    asyncio.run(test())


def test_two_trunks_at_once_each_with_its_own_user():
    async def test():
        async with Uas() as one, Uas() as other:
            other.users = {"acme": "s3cret"}
            trunks = trunk(one.port), registering(other.port, id="trunk_2")
            async with sip(*trunks) as network:
                await until(lambda: network.state("trunk_2").ready)
                lines = await asyncio.gather(
                    *(answered(network, attempt_id=f"att_{id_}", trunk=id_) for id_ in ("trunk_1", "trunk_2"))
                )
                assert (set(one.calls_of), set(other.calls_of)) == ({"att_trunk_1"}, {"att_trunk_2"})
                for line in lines:
                    line.hang_up()

    asyncio.run(test())


def test_a_changed_trunk_takes_its_new_settings_for_the_next_call_and_the_live_one_goes_on():
    async def test():
        async with Uas() as before, Uas() as after, sip(trunk(before.port)) as network:
            line = await answered(network)
            ear = Ear(line)
            network.keep([trunk(after.port)])
            following = await answered(network, attempt_id="att_2")
            assert set(after.calls_of) == {"att_2"}
            heard = len(ear.frames)
            await until(lambda: len(ear.frames) > heard + 20)
            line.hang_up()
            following.hang_up()
            await until(lambda: before.count("BYE") == after.count("BYE") == 1)

    asyncio.run(test())


def test_a_trunk_that_came_back_is_ready_again():
    """What a call met there is held against it for a minute, or until the next goes through."""

    async def test():
        forbids = Manners(rings_after=None, status="401 Unauthorized")
        async with Uas(forbids) as peer, sip(trunk(peer.port)) as network:
            await failure(network.line(request(), Remembers()))
            assert "401" in network.state("trunk_1").problem
            peer.manners = Manners()
            (await answered(network, attempt_id="att_2")).hang_up()
            assert network.state("trunk_1").ready

    asyncio.run(test())


async def handles(network):
    """How many agents and calls the stack holds, by its own count."""
    from baresip._native import lib

    _, told = await network._stack._runtime.cmd(lib.BP_CMD_TEST_HANDLE_COUNT)
    counts = msgspec.json.decode(told)
    return counts["ua"], counts["call"]


def test_calls_leave_nothing_in_the_stack():
    async def test():
        async with Uas() as peer, sip(trunk(peer.port)) as network:
            for number in range(30):
                line = await answered(network, attempt_id=f"att_{number}")
                line.hang_up()
                await Ear(line).over()
            await until(lambda: not network._lines)
            assert await handles(network) == (1, 0)
            assert not network._stack._takers
            assert not network._stack._by_call_id
            assert len(network._stack._runtime._listeners) == 1

    asyncio.run(test())


def test_agents_of_many_numbers_are_let_go_of_when_no_call_is_up(monkeypatch):
    monkeypatch.setattr("temphone.gateway.legs.sip.stack.MANY_AGENTS", 3)

    async def test():
        async with Uas() as peer, sip(registering(peer.port)) as network:
            await until(lambda: network.state("trunk_1").ready)
            for number in range(9):
                line = await answered(network, attempt_id=f"att_{number}", caller_id=f"+1415555019{number}")
                line.hang_up()
            await until(lambda: not network._lines)
            await until(lambda: network._stack._made <= 3)
            await until(lambda: network.state("trunk_1").ready)
            assert (await handles(network))[0] <= 3

    asyncio.run(test())


def test_a_cancellation_that_comes_with_the_result_is_not_lost():
    """Lost, a network that is told to stop would go on for ever."""
    from temphone.gateway.legs.sip.stack import apart

    async def test():
        result = asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(apart(asyncio.wait_for(result, 10)))
        await asyncio.sleep(0.01)
        result.set_result("answered")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(test())


@pytest.mark.parametrize("moments", [0, 1, 2, 5, 20])
def test_a_network_that_is_closed_while_it_starts_leaves_nothing_running(moments):
    from baresip import Runtime

    from temphone.gateway.legs.sip.network import SipNetwork

    async def test():
        network = SipNetwork(settings())
        network.keep([trunk(9)])
        running = asyncio.create_task(network.run())
        for _ in range(moments):
            await asyncio.sleep(0)
        await network.close()
        await asyncio.wait_for(running, 5)
        assert Runtime._active is None

    asyncio.run(test())
