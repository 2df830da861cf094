"""The gateway killed at any moment of a call over Twilio: no phone rings twice, and nobody hears silence."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from temphone.telephony.messages import EventType, Outcome, Placed, Sighting
from tests.gateway.fake_django import FakeDjango, until
from tests.gateway.running import Process
from tests.gateway.twilio.fake import FakeTwilio, answers, rings
from tests.gateway.twilio.lines import (
    ACCOUNT,
    OTHER_ACCOUNT,
    OTHER_TOKEN,
    PUBLIC_URL,
    TOKEN,
    request,
    trunks,
)

pytestmark = [pytest.mark.voice, pytest.mark.processes]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def scene(folder, **settings):
    port = free_port()
    async with FakeTwilio({ACCOUNT: TOKEN, OTHER_ACCOUNT: OTHER_TOKEN}) as twilio, FakeDjango() as django:
        for name, value in settings.items():
            setattr(twilio, name, value)
        twilio.public[PUBLIC_URL] = f"http://127.0.0.1:{port}"
        django.trunks = trunks(twilio.url)
        async with Process(folder, django, speed=1.0, module="tests.gateway.twilio.program") as process:
            process._environment |= {
                "TEMPHONE_PUBLIC_URL": PUBLIC_URL,
                "TEMPHONE_PUBLIC_LISTEN": f"127.0.0.1:{port}",
                "TEMPHONE_SIP_LISTEN": "off",
            }
            yield twilio, django, process
        assert twilio.complaints == []


async def ready(django: FakeDjango, process: Process, **environment):
    """A gateway that has its trunks; its client."""
    await process.start(**environment)
    client = await process.client()
    await until(lambda: django.beats[-1].trunks and all(s.ready for s in django.beats[-1].trunks.values()))
    return client


async def over(twilio: FakeTwilio) -> None:
    await until(lambda: all(call.over.is_set() for call in twilio.calls.values()))


def killed_when(tmp_path, reached, *, plan, **settings):
    """One call, its gateway killed when ``reached(twilio, django)``, then started again."""

    async def test():
        async with scene(tmp_path, plan=plan, **settings) as (twilio, django, process):
            client = await ready(django, process)
            assert await client.dial(request()) == [Placed(attempt_id="att_1")]
            await until(lambda: reached(twilio, django))
            await process.kill()
            again = await ready(django, process)
            assert await again.dial(request()) == [Placed(attempt_id="att_1")]
            await django.ended("att_1")
            await over(twilio)
            await process.stop()
            return twilio, django

    twilio, django = asyncio.run(test())
    assert twilio.created == {"att_1": 1}
    assert twilio.rung == {"att_1": 1}
    return twilio, django.ending("att_1")


def test_a_call_goes_through_django_sees_no_difference(tmp_path):
    async def test():
        async with scene(tmp_path, plan=answers) as (twilio, django, process):
            client = await ready(django, process)
            await client.dial(request(), request("att_2", trunk="second", to="+14155552672"))
            await until(lambda: all(EventType.ANSWERED in django.types(id_) for id_ in ("att_1", "att_2")))
            await until(twilio.call("att_1").stream.open.is_set)
            await twilio.call("att_1").stream.presses("9")
            await django.ended("att_1")
            await client.hang_up("att_2")
            await django.ended("att_2")
            await over(twilio)
            assert await client.find("att_1") is Sighting.ENDED
            await process.stop()
            return django

    django = asyncio.run(test())
    assert django.ending("att_1").outcome is Outcome.OPTED_OUT
    assert EventType.RINGING in django.types("att_1")


@pytest.mark.parametrize("dies", ["before", "after"])
def test_killed_around_the_create_it_is_never_created_again(tmp_path, dies):
    async def test():
        async with scene(tmp_path, plan=rings) as (twilio, django, process):
            client = await ready(django, process, TEST_DIES=dies)
            await client.dial(request())
            await process._process.wait()
            await process._process.communicate()
            again = await ready(django, process)
            await again.dial(request())
            await django.ended("att_1")
            await over(twilio)
            await process.stop()
            return twilio, django.ending("att_1")

    twilio, ending = asyncio.run(test())
    assert ending.rang
    if dies == "before":
        assert not twilio.created
        assert ending.outcome is Outcome.UNKNOWN
    else:
        assert twilio.created == twilio.rung == {"att_1": 1}
        assert ending.outcome is Outcome.NO_ANSWER
        assert twilio.call("att_1").status == "canceled"


def test_killed_while_it_rings_the_call_is_canceled(tmp_path):
    twilio, ending = killed_when(
        tmp_path, lambda _, django: EventType.RINGING in django.types("att_1"), plan=rings
    )
    assert (ending.outcome, ending.hangup_cause) == (Outcome.NO_ANSWER, "restarted while it rang")
    assert twilio.call("att_1").status == "canceled"


def test_killed_while_it_talks_the_call_is_over_and_its_words_unknown(tmp_path):
    twilio, ending = killed_when(
        tmp_path,
        lambda twilio, _: (
            twilio.calls and len(next(iter(twilio.calls.values())).stream.heard) > 800
            if twilio.calls and next(iter(twilio.calls.values())).stream
            else False
        ),
        plan=answers,
    )
    assert ending.outcome is Outcome.UNKNOWN
    assert ending.hangup_cause.startswith("restarted; completed after")
    assert twilio.call("att_1").status == "completed"


def test_killed_while_the_create_waits_for_its_answer_the_call_is_found(tmp_path):
    _twilio, ending = killed_when(
        tmp_path,
        lambda twilio, _: twilio.rung["att_1"],
        plan=rings,
        callbacks="lost",
        fault=lambda kind, form: "slow 30" if kind == "create" else None,
    )
    assert ending.outcome is Outcome.NO_ANSWER


def test_what_was_hung_up_before_the_kill_is_ended_after_it(tmp_path):
    async def test():
        async with scene(tmp_path, plan=rings) as (twilio, django, process):
            client = await ready(django, process)
            await client.dial(request(ring_timeout_s=60))
            await until(lambda: EventType.RINGING in django.types("att_1"))
            twilio.fault = lambda kind, form: "500 before" if kind == "update" else None
            django.up = False
            await asyncio.gather(client.hang_up("att_1"))
            await process.kill()
            twilio.fault = lambda kind, form: None
            django.up = True
            await ready(django, process)
            await django.ended("att_1")
            await process.stop()
            return twilio, django.ending("att_1")

    twilio, ending = asyncio.run(test())
    assert ending.outcome is Outcome.CANCELED_BY_USER
    assert twilio.created == {"att_1": 1}


def test_it_says_no_number_and_no_token_in_its_log(tmp_path):
    async def test():
        async with scene(tmp_path, plan=answers) as (_twilio, django, process):
            client = await ready(django, process, TEMPHONE_LOG_LEVEL="DEBUG")
            await client.dial(request())
            await until(lambda: EventType.ANSWERED in django.types("att_1"))
            await client.hang_up("att_1")
            await django.ended("att_1")
            process._process.terminate()
            return await process.refusal()

    code, said = asyncio.run(test())
    assert code == 0
    assert not any(word in said for word in ("+1415", TOKEN, "Authorization", "<Stream"))
