"""The gateway killed at any moment: every call still completes, as if nothing had happened."""

import asyncio
import random
import signal
from dataclasses import replace

import pytest

from temphone.telephony.messages import EventType, Outcome, Placed, Refused, Sighting
from tests.gateway.builders import NO_ANSWER, TALKS_ON, dial
from tests.gateway.fake_django import FakeDjango, until
from tests.gateway.running import Process, gateway, rings

pytestmark = pytest.mark.processes

STORIES = {f"att_{number:02}": f"+141555501{number:02}" for number in range(16)}


def without_times(events):
    return [replace(event, at=None) for event in events]


def killed_when(tmp_path, reached, *, speed=20.0):
    """One call, its gateway killed when ``reached(django)``, then started again; the fake Django."""

    async def test():
        async with FakeDjango() as django, Process(tmp_path, django, speed=speed) as process:
            await process.start()
            client = await process.client()
            assert await client.dial(dial("att_1")) == [Placed(attempt_id="att_1")]
            await until(lambda: reached(django))
            await process.kill()
            await process.start()
            await django.ended("att_1")
            await process.stop()
            return django

    return asyncio.run(test())


def uninterrupted(folder, requests):
    """The events of the same attempts, undisturbed."""

    async def test():
        async with FakeDjango() as django, gateway(folder, django) as client:
            await client.dial(*requests)
            await django.ended(*(request.attempt_id for request in requests))
            return django

    return asyncio.run(test())


@pytest.mark.parametrize(
    "reached",
    [
        lambda django: EventType.ACCEPTED in django.types("att_1"),
        lambda django: EventType.RINGING in django.types("att_1"),
        lambda django: EventType.ANSWERED in django.types("att_1"),
        lambda django: django.said("att_1", "agent"),
        lambda django: len(django.said("att_1", "agent")) == 2,
    ],
    ids=["accepted", "ringing", "answered", "preface", "message"],
)
def test_a_call_whose_gateway_is_killed_goes_on_and_rings_once(tmp_path, reached):
    django = killed_when(tmp_path, reached)
    undisturbed = uninterrupted(tmp_path / "undisturbed", [dial("att_1")])
    assert without_times(django.events["att_1"]) == without_times(undisturbed.events["att_1"])
    assert rings(tmp_path) == {"att_1": 1}


def test_times_do_not_run_backwards_over_a_kill(tmp_path):
    django = killed_when(tmp_path, lambda django: EventType.ANSWERED in django.types("att_1"))
    times = [event.at for event in django.events["att_1"]]
    assert times == sorted(times)


def test_killed_again_and_again_every_call_of_every_story_completes(tmp_path):
    requests = [dial(id_, to, seconds=60) for id_, to in STORIES.items()]
    requests += [dial(f"att_h{number}", seconds=60) for number in range(30)]
    ids = [request.attempt_id for request in requests]
    moment = random.Random(7)

    async def test():
        async with FakeDjango() as django, Process(tmp_path, django, speed=15.0) as process:
            await process.start()
            client = await process.client()
            await asyncio.gather(*(client.dial(request) for request in requests))
            for _ in range(6):
                await asyncio.sleep(moment.uniform(0, 0.4))
                await process.kill()
                await process.start()
                await process.client()
            await process.stop()
            await process.start(TEMPHONE_SIMULATION_SPEED="1000")
            await django.ended(*ids)
            await process.stop()
            return django

    django = asyncio.run(test())
    assert rings(tmp_path) == dict.fromkeys(ids, 1)
    undisturbed = uninterrupted(tmp_path / "undisturbed", requests)
    for id_ in ids:
        assert without_times(django.events[id_]) == without_times(undisturbed.events[id_])


def test_a_hang_up_that_was_asked_before_the_kill_holds_after_it(tmp_path):
    async def test():
        async with FakeDjango() as django, Process(tmp_path, django, speed=1.0) as process:
            await process.start()
            client = await process.client()
            await client.dial(dial("att_1", NO_ANSWER))
            await until(lambda: EventType.RINGING in django.types("att_1"))
            django.up = False
            await client.hang_up("att_1")
            await process.kill()
            await process.start()
            django.up = True
            await django.ended("att_1")
            await process.stop()
            assert django.ending("att_1").outcome is Outcome.CANCELED_BY_USER

    asyncio.run(test())
    assert rings(tmp_path) == {"att_1": 1}


def test_answers_are_the_same_after_a_kill(tmp_path):
    """The record answers: placed, refused, withdrawn, ended, live."""

    async def test():
        async with FakeDjango() as django, Process(tmp_path, django, speed=100.0) as process:
            await process.start()
            client = await process.client()
            late = dial("att_late", seconds=-1)
            requests = [dial("att_1"), late, dial("att_2", TALKS_ON, max_duration_s=80_000)]
            before = await client.dial(*requests)
            await client.hang_up("att_gone")
            await django.ended("att_1")
            await process.kill()
            await process.start()
            again = await process.client()
            assert again.ref.ledger == client.ref.ledger
            assert await again.dial(*requests) == before
            assert [type(answer) for answer in before] == [Placed, Refused, Placed]
            assert isinstance((await again.dial(dial("att_gone")))[0], Refused)
            assert await again.find("att_1") is Sighting.ENDED
            assert await again.find("att_2") is Sighting.LIVE
            await process.stop()

    asyncio.run(test())
    assert rings(tmp_path) == {"att_1": 1, "att_2": 1}


def test_events_that_django_had_not_acknowledged_come_after_a_kill(tmp_path):
    async def test():
        async with FakeDjango() as django, Process(tmp_path, django, speed=1000.0) as process:
            await process.start()
            client = await process.client()
            django.up = False
            await client.dial(dial("att_1"))
            await asyncio.sleep(0.3)
            await process.kill()
            assert not django.events
            django.up = True
            await process.start()
            await django.ended("att_1")
            await process.stop()
            events = django.events["att_1"]
            assert [event.sequence for event in events] == list(range(1, len(events) + 1))

    asyncio.run(test())
    assert rings(tmp_path) == {"att_1": 1}


def test_it_stops_on_sigterm_and_leaves_its_calls_to_the_next(tmp_path):
    async def test():
        async with FakeDjango() as django, Process(tmp_path, django, speed=5.0) as process:
            await process.start()
            client = await process.client()
            await client.dial(dial("att_1"))
            await until(lambda: EventType.RINGING in django.types("att_1"))
            began = asyncio.get_running_loop().time()
            assert await process.stop() == 0
            assert asyncio.get_running_loop().time() - began < 3
            await process.start()
            await django.ended("att_1")
            await process.stop()

    asyncio.run(test())
    assert rings(tmp_path) == {"att_1": 1}


def test_it_does_not_say_numbers_names_or_speech_in_its_log(tmp_path):
    async def test():
        async with FakeDjango() as django, Process(tmp_path, django, speed=1000.0) as process:
            await process.start(TEMPHONE_LOG_LEVEL="DEBUG")
            client = await process.client()
            django.understands = lambda event: event.type is not EventType.TURN
            await client.dial(dial("att_1"), dial("att_2", "+14155550105"))
            await until(lambda: EventType.ANSWERED in django.types("att_2"))
            await asyncio.sleep(0.2)
            process._process.send_signal(signal.SIGTERM)
            return await process.refusal()

    code, said = asyncio.run(test())
    assert code == 0
    assert "cannot use" in said
    assert not any(word in said for word in ("+1415", "appointment", "Acme", "stop calling"))
