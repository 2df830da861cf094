"""A gateway that is told to stop: what the callees of its calls did by then is known before it is gone."""

import asyncio
import time
from dataclasses import dataclass

from temphone.gateway import gateway as gateways
from temphone.gateway.call import Call
from temphone.gateway.legs.spoken import leg as legs
from temphone.gateway.legs.spoken import network as networks
from temphone.gateway.legs.spoken.network import SpokenNetwork
from temphone.gateway.thinking import Mind
from temphone.telephony.messages import Branch, EndedBy, EventType, Instructions, Outcome, Step
from tests.gateway.builders import dial, script
from tests.gateway.fake_django import FakeDjango, until
from tests.gateway.running import gateway
from tests.gateway.spoken.fakes import (
    FakeEar,
    FakeEngines,
    FakeLine,
    FakeTranscriber,
    heard,
    presses,
    says,
)
from tests.gateway.spoken.legs import Told, leg_on
from tests.gateway.spoken.test_network import Lines
from tests.gateway.talks import plain

TEXTS = script()


class Paced(FakeLine):
    """A line that lets the test do something between two frames."""

    async def receive(self):
        await asyncio.sleep(0.001)
        return await super().receive()


@dataclass
class SlowEar(FakeEar):
    """Understands in real time, from the ``begun``th part on."""

    takes_s: float = 0.0
    begun: int = 0

    async def listen(self, language):
        return Slow(self)


class Slow(FakeTranscriber):
    async def finish(self):
        self.ear.begun += 1
        if self.ear.begun > 1:
            await asyncio.sleep(self.ear.takes_s)
        return await super().finish()


def stopped(tmp_path, line, when, *, ear=None, **fields):
    """What Django knows of a call whose gateway was stopped ``when``, and how long that took."""
    talks = plain(lambda _: SpokenNetwork(Lines(line), FakeEngines(stt=ear or FakeEar())))

    async def whole():
        async with FakeDjango() as django:
            async with gateway(tmp_path, django, talks=talks) as client:
                await client.dial(dial("att_1", leg="twilio", **fields))
                await until(when)
                began = time.monotonic()
            return django, time.monotonic() - began

    return asyncio.run(whole())


def test_who_was_just_saying_that_they_want_no_more_calls_has_opted_out(tmp_path):
    ear = SlowEar(takes_s=0.3)
    line = Paced([says("Hello?", 100), says("Stop calling me!", when=heard("automated"))])
    django, _ = stopped(tmp_path, line, lambda: ear.begun > 1, ear=ear)
    ending = django.ending("att_1")
    assert EventType.OPTED_OUT in django.types("att_1")
    assert (ending.outcome, ending.ended_by) == (Outcome.OPTED_OUT, EndedBy.SYSTEM)
    assert ending.hangup_cause == "gateway_stopped"
    assert line.hung_up


def test_a_call_in_its_goodbye_ends_as_what_it_came_to(tmp_path):
    line = Paced([says("Hello?", 100), says("Yes.", 100, when=heard("nine."))])
    django, _ = stopped(tmp_path, line, lambda: "Thank" in line.words)
    ending = django.ending("att_1")
    assert (ending.outcome, ending.hangup_cause) == (Outcome.MESSAGE_DELIVERED, "gateway_stopped")
    assert django.said("att_1", "agent")[:2] == [TEXTS.preface, TEXTS.message]


def test_who_pressed_nine_while_they_were_handed_over_has_opted_out(tmp_path, monkeypatch):
    monkeypatch.setattr(legs, "TAKEN_S", 0.1)
    handing = asyncio.Event()

    class Handing(Paced):
        async def transfer(self, to):
            handing.set()
            await asyncio.Event().wait()

    ask = Step(name="ask", say="Shall I connect you?", branches=(Branch(phrases=("yes",), transfer="desk"),))
    told = script(steps=(ask,), transfers={"desk": "+14155550142"})
    pressed = presses("9", when=lambda _: handing.is_set())
    line = Handing([says("Hello?", 100), says("Yes.", 100, when=heard("connect you?")), pressed])
    django, _ = stopped(tmp_path, line, lambda: handing.is_set() and not line._todo, script=told)
    assert django.ending("att_1").outcome is Outcome.OPTED_OUT


def test_who_pressed_nine_while_the_model_thought_has_opted_out():
    class Thinking:
        asked = False

        async def reply(self, script_, lines):
            self.asked = True
            await asyncio.Event().wait()
            yield

        async def complete(self, script_, prompt):
            raise AssertionError("it is not asked any more")

    async def whole():
        model = Thinking()
        pressed = presses("9", when=lambda _: model.asked)
        line = FakeLine([says("Hello?", 100), says("What is it?", 100, when=heard("nine.")), pressed])
        told, texts = Told(line), script(llm=Instructions(text=""))
        call = Call(
            dial("a1", script=texts),
            leg_on(line, script=texts),
            told,
            told,
            mind=Mind(model, texts, timeout_s=60),
        )
        running = asyncio.create_task(call.run())
        await until(lambda: model.asked and not line._todo)
        assert call.stop()
        async with asyncio.timeout(5):
            await running
        return told

    told = asyncio.run(whole())
    assert told.ending.outcome is Outcome.OPTED_OUT


def test_an_engine_that_never_understands_does_not_keep_the_gateway(tmp_path, monkeypatch):
    monkeypatch.setattr(gateways, "LAST_WORDS_S", 0.2)
    monkeypatch.setattr(networks, "CLOSING_S", 0.1)
    ear = SlowEar(takes_s=60)
    line = Paced([says("Hello?", 100), says("Stop calling me!", when=heard("automated"))])
    django, took_s = stopped(tmp_path, line, lambda: ear.begun > 1, ear=ear)
    assert django.ending("att_1") is None  # the next gateway says that nobody knows
    assert took_s < 5


def test_a_phone_that_rings_is_left_alone_and_its_end_is_the_next_gateways_to_tell(tmp_path):
    class Ringing(FakeLine):
        async def answer(self):
            await asyncio.Event().wait()

    line = Ringing()
    django, took_s = stopped(tmp_path, line, lambda: line.rang)
    assert line.hung_up
    assert django.ending("att_1") is None
    assert took_s < gateways.LAST_WORDS_S
