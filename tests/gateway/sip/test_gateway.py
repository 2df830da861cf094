"""A whole gateway that carries calls over SIP, also killed at any moment: a phone rings once."""

import asyncio
import random
import signal
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from temphone.gateway import heartbeat
from temphone.gateway.ledger import Ledger
from temphone.gateway.trunks import Trunks
from temphone.telephony.messages import EndedBy, EventType, Outcome, Placed, Refused, TrunkState
from tests.gateway.builders import SECRET, config
from tests.gateway.fake_django import FakeDjango, until
from tests.gateway.running import Process, gateway
from tests.gateway.sip.calling import request, settings, trunk
from tests.gateway.sip.playing import SAID, PlayingNetwork
from tests.gateway.sip.sounds import ALIKE, found, speech
from tests.gateway.sip.uas import Manners, Uas
from tests.gateway.talks import plain

pytestmark = [pytest.mark.sip, pytest.mark.processes]


@asynccontextmanager
async def a_process(tmp_path, django):
    """A gateway as a process of its own, with legs that play a sound."""
    async with Process(tmp_path, django, speed=1.0, module="tests.gateway.sip.playing") as process:
        await start(process)
        yield process


async def start(process):
    await process.start(TEMPHONE_SIP_LISTEN="127.0.0.1:0")


async def ready(django, trunk_id="trunk_1"):
    await until(
        lambda: django.beats and django.beats[-1].trunks.get(trunk_id) == TrunkState(ready=True, most=100), 40
    )


def test_a_call_from_the_dial_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.1)
    theirs = speech(2, seed=4)
    made = []

    def talks(lines):
        made.append(PlayingNetwork(lines))
        return made[0]

    async def test():
        async with Uas(Manners(says=theirs, ends_after=3.5)) as peer, FakeDjango() as django:
            django.trunks = [trunk(peer.port)]
            async with gateway(tmp_path, django, talks=plain(talks), sip=settings()) as client:
                await ready(django)
                assert django.beats[-1].legs == ["simulated", "sip", "twilio"]
                assert await client.dial(request()) == [Placed(attempt_id="att_1")]
                await django.ended("att_1")
                (dialog,) = peer.dialogs.values()
                return django, dialog

    django, dialog = asyncio.run(test())
    types = django.types("att_1")
    assert types[:4] == [EventType.ACCEPTED, EventType.DIALING, EventType.RINGING, EventType.ANSWERED]
    assert django.ending("att_1").ended_by is EndedBy.CALLEE
    assert found(dialog.rtp.sound, SAID) > ALIKE
    assert found(made[0].legs["att_1"].heard, theirs) > ALIKE


def test_the_lines_of_a_trunk_are_kept_to(tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.1)

    async def test():
        async with Uas(Manners(answers_after=None)) as peer, FakeDjango() as django:
            django.trunks = [trunk(peer.port, lines=2), trunk(peer.port, id="trunk_2", lines=1)]
            async with gateway(tmp_path, django, talks=plain(PlayingNetwork), sip=settings()) as client:
                await ready(django)
                answers = await client.dial(*(request(f"att_{number}") for number in range(4)))
                assert [type(answer) for answer in answers] == [Placed, Placed, Refused, Refused]
                assert (answers[2].cause, answers[2].retry) == ("no free line of the trunk", True)
                (other,) = await client.dial(request("att_other", trunk="trunk_2"))
                assert isinstance(other, Placed)
                (none,) = await client.dial(request("att_none", trunk="trunk_9"))
                assert (none.cause, none.retry) == ("no such trunk", True)
                await client.hang_up("att_0")
                await django.ended("att_0")
                (again,) = await client.dial(request("att_again"))
                assert isinstance(again, Placed)

    asyncio.run(test())


def test_a_gateway_that_stops_hangs_up(tmp_path):
    async def test():
        async with Uas() as peer, FakeDjango() as django:
            django.trunks = [trunk(peer.port)]
            async with a_process(tmp_path, django) as process:
                client = await process.client()
                await ready(django)
                await client.dial(request("att_1"))
                await until(lambda: EventType.ANSWERED in django.types("att_1"))
                assert await process.stop() == 0
                await until(lambda: peer.count("BYE") == 1)

    asyncio.run(test())


@pytest.mark.parametrize(
    "reached",
    [
        lambda peer, django: peer.calls_of["att_1"],
        lambda peer, django: EventType.RINGING in django.types("att_1"),
        lambda peer, django: EventType.ANSWERED in django.types("att_1"),
        lambda peer, django: django.said("att_1", "agent"),
    ],
    ids=["dialled", "ringing", "answered", "talking"],
)
def test_a_call_whose_gateway_is_killed_is_never_dialled_again(tmp_path, reached):
    async def test():
        async with Uas(Manners(rings_after=0.3, answers_after=0.5)) as peer, FakeDjango() as django:
            django.trunks = [trunk(peer.port)]
            async with a_process(tmp_path, django) as process:
                client = await process.client()
                await ready(django)
                await client.dial(request("att_1", not_after=datetime.now(UTC) + timedelta(seconds=60)))
                await until(lambda: reached(peer, django), 20)
                await process.kill()
                await start(process)
                await django.ended("att_1", within_s=40)
                await process.stop()
                return len(peer.calls_of["att_1"]), django.ending("att_1")

    calls, ending = asyncio.run(test())
    assert calls == 1
    assert (ending.outcome, ending.ended_by) == (Outcome.UNKNOWN, EndedBy.SYSTEM)
    assert ending.hangup_cause == "gateway_restarted"


@pytest.mark.timeout(600)
def test_killed_again_and_again_no_phone_rings_twice(tmp_path):
    """Django is told nothing of the trunk after the first kill: the gateway has it on its disk."""
    moment = random.Random(11)
    late = datetime.now(UTC) + timedelta(seconds=300)
    ids = [f"att_{number}" for number in range(30)]

    async def test():
        async with (
            Uas(Manners(rings_after=0.1, answers_after=0.3, ends_after=1.0)) as peer,
            FakeDjango() as django,
        ):
            django.trunks = [trunk(peer.port)]
            async with a_process(tmp_path, django) as process:
                client = await process.client()
                await ready(django)
                left = list(ids)
                while left:
                    some, left = left[:5], left[5:]
                    await asyncio.gather(
                        *(client.dial(request(id_, not_after=late)) for id_ in some), return_exceptions=True
                    )
                    await asyncio.sleep(moment.uniform(0, 0.6))
                    await process.kill()
                    await start(process)
                    client = await process.client()
                await django.ended(*ids, within_s=60)
                await process.stop()
                return peer.calls_of, django

    calls_of, django = asyncio.run(test())
    assert max(len(calls) for calls in calls_of.values()) == 1
    for id_ in ids:
        dialled = EventType.DIALING in django.types(id_)
        assert dialled >= (id_ in calls_of), id_
        if django.ending(id_).outcome is Outcome.UNKNOWN:
            assert dialled


def left_open(tmp_path, left, *trunks):
    path = config(tmp_path, "").ledger
    Trunks(path.with_suffix(".trunks"), secret=SECRET).learn(trunks)
    ledger = Ledger(path)
    with ledger.transaction():
        ledger.admit([left], lambda request, open_count: None)
    ledger.close()


@pytest.mark.parametrize("late", [False, True])
def test_what_was_taken_and_surely_not_dialled_is_dialled_after_a_restart_if_it_is_not_too_late(
    tmp_path, late
):
    not_after = datetime.now(UTC) + timedelta(seconds=0 if late else 60)

    async def test():
        async with Uas(Manners(ends_after=0.1)) as peer, FakeDjango() as django:
            left_open(tmp_path, request("att_1", not_after=not_after), trunk(peer.port))
            django.trunks = [trunk(peer.port)]
            async with gateway(tmp_path, django, talks=plain(PlayingNetwork), sip=settings()):
                await django.ended("att_1", within_s=40)
                return len(peer.calls_of["att_1"]), django.ending("att_1")

    calls, ending = asyncio.run(test())
    if late:
        assert (calls, ending.outcome, ending.rang) == (0, Outcome.CARRIER_ERROR, False)
    else:
        assert (calls, ending.ended_by) == (1, EndedBy.CALLEE)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2], ids=["dies", "goes deaf"])
def test_a_gateway_whose_stack_fails_ends_itself_and_the_next_tells_what_became(tmp_path, number):
    async def test():
        async with Uas() as peer, FakeDjango() as django:
            django.trunks = [trunk(peer.port)]
            async with a_process(tmp_path, django) as process:
                client = await process.client()
                await ready(django)
                await client.dial(request("att_1"))
                await until(lambda: EventType.ANSWERED in django.types("att_1"))
                process._process.send_signal(number)
                code, said = await asyncio.wait_for(process.refusal(), 40)
                assert code == 3
                assert "The SIP stack has died" in said
                await start(process)
                await django.ended("att_1", within_s=40)
                await process.stop()
                return django.ending("att_1"), len(peer.calls_of["att_1"])

    ending, calls = asyncio.run(test())
    assert (ending.outcome, ending.hangup_cause, calls) == (Outcome.UNKNOWN, "gateway_restarted", 1)


def test_no_number_or_name_of_a_sip_call_is_in_the_log(tmp_path):
    async def test():
        async with Uas(Manners(ends_after=0.2)) as peer, FakeDjango() as django:
            nowhere = trunk(9, id="trunk_2", transport="tcp", user="acme", password="s3cret", registers=True)
            django.trunks = [trunk(peer.port, user="acme", password="s3cret"), nowhere]
            async with Process(tmp_path, django, speed=1.0, module="tests.gateway.sip.playing") as process:
                await process.start(TEMPHONE_SIP_LISTEN="127.0.0.1:0", TEMPHONE_LOG_LEVEL="DEBUG")
                client = await process.client()
                await ready(django)
                await client.dial(request("att_1"))
                await django.ended("att_1")
                process._process.send_signal(signal.SIGTERM)
                return await process.refusal()

    code, said = asyncio.run(test())
    assert code == 0
    assert not any(word in said for word in ("+1415", "s3cret", "acme", "INVITE"))
