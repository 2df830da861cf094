"""The network that makes spoken legs: what it records, what it forgets, and how it closes."""

import asyncio
from dataclasses import dataclass, field

import pytest

from temphone.gateway.conversation.moves import Over
from temphone.gateway.legs.base import Failed
from temphone.gateway.legs.spoken.network import SpokenNetwork
from temphone.gateway.recorder import Recorder
from temphone.telephony.messages import EndedBy, Outcome
from tests.gateway.builders import dial
from tests.gateway.spoken.fakes import FakeEar, FakeEngines, FakeLine, FakeTranscriber, hangs_up, says


@dataclass
class Lines:
    """Makes this line for every request."""

    made: FakeLine
    asked: list = field(default_factory=list)

    def line(self, request, history):
        self.asked.append((request, history))
        return self.made


@dataclass
class Past:
    begun: bool = False
    replaying: bool = False


def test_it_makes_a_line_for_the_request():
    request, past, lines = dial("att_1"), Past(), Lines(FakeLine())
    SpokenNetwork(lines, FakeEngines()).leg(request, past)
    assert lines.asked == [(request, past)]


def test_of_a_call_that_was_up_before_a_restart_the_line_tells_and_nothing_is_rendered():
    async def test():
        lost = Failed(Outcome.UNKNOWN, by=EndedBy.SYSTEM, cause="gateway_restarted")
        engines = FakeEngines()
        network = SpokenNetwork(Lines(FakeLine(fails_to_ring=lost)), engines)
        leg = network.leg(dial("att_1"), Past(begun=True))
        with pytest.raises(Failed) as failed:
            await leg.ring()
        assert failed.value is lost
        assert engines.tts.spoken == []

    asyncio.run(test())


def recorder_in(folder):
    return Recorder(folder, lambda attempt_id: None, lambda attempt_id, problem: None)


async def call(network, **fields):
    leg = network.leg(dial("att_1", **fields), Past())
    await leg.ring()
    await leg.answer()
    return leg


@pytest.mark.parametrize("wanted", [True, False])
def test_it_records_when_it_is_asked_to_and_only_then(tmp_path, wanted):
    async def test():
        recorder = recorder_in(tmp_path)
        network = SpokenNetwork(Lines(FakeLine([hangs_up(500)])), FakeEngines(), recorder)
        leg = await call(network, record=wanted)
        assert await leg.listen(10) == Over(EndedBy.CALLEE)
        await network.close()
        await recorder.close()

    asyncio.run(test())
    assert [path.name for path in tmp_path.iterdir()] == ["att_1.wav"] * wanted


def test_without_a_recorder_nothing_is_recorded():
    async def test():
        network = SpokenNetwork(Lines(FakeLine([hangs_up(500)])), FakeEngines())
        leg = await call(network, record=True)
        assert await leg.listen(10) == Over(EndedBy.CALLEE)

    asyncio.run(test())


def test_nobody_is_recorded_before_the_answer(tmp_path):
    async def test():
        busy = Failed(Outcome.BUSY, by=EndedBy.CARRIER, cause="486 Busy Here")
        recorder = recorder_in(tmp_path)
        network = SpokenNetwork(Lines(FakeLine(fails_to_answer=busy)), FakeEngines(), recorder)
        with pytest.raises(Failed):
            await call(network, record=True)
        await recorder.close()

    asyncio.run(test())
    assert list(tmp_path.iterdir()) == []


def test_when_it_closes_it_hangs_up_and_keeps_what_was_recorded(tmp_path):
    async def test():
        recorder = recorder_in(tmp_path)
        line = FakeLine()
        network = SpokenNetwork(Lines(line), FakeEngines(), recorder)
        leg = await call(network, record=True)
        await line.reaches(1_000)
        await network.close()
        await recorder.close()
        assert line.hung_up
        assert await leg.listen(1) == Over(EndedBy.STAFF)

    asyncio.run(test())
    assert (tmp_path / "att_1.wav").stat().st_size >= 44 + 32_000


def test_when_it_closes_it_does_not_wait_for_an_engine_that_hangs(tmp_path, monkeypatch):
    monkeypatch.setattr("temphone.gateway.legs.spoken.network.CLOSING_S", 0.1)

    class Hanging(FakeEar):
        async def listen(self, language):
            return Forever(self)

    class Forever(FakeTranscriber):
        async def finish(self):
            began.set()
            await asyncio.Event().wait()

    began = asyncio.Event()

    async def test():
        recorder = recorder_in(tmp_path)
        network = SpokenNetwork(Lines(FakeLine([says("stop", 100)])), FakeEngines(stt=Hanging()), recorder)
        await call(network, record=True)
        await began.wait()
        async with asyncio.timeout(5):
            await network.close()
        await recorder.close()

    asyncio.run(test())
    assert (tmp_path / "att_1.wav").exists()
