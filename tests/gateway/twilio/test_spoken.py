"""A call that is spoken over a media stream: heard, interrupted, recorded, at the pace of the line."""

import asyncio
import wave
from array import array

import pytest

from temphone.gateway.legs.spoken.network import SpokenNetwork
from temphone.gateway.legs.twilio import ulaw
from temphone.gateway.recorder import Recorder
from tests.gateway.builders import script
from tests.gateway.fake_django import until
from tests.gateway.spoken import sounds
from tests.gateway.spoken.fakes import FakeEngines
from tests.gateway.twilio.fake import FakeStream, answers
from tests.gateway.twilio.lines import Note, request, stage

pytestmark = pytest.mark.voice

TEXT = "one two three four five six seven eight nine ten"
TEXTS = (
    *("preface", "message", "voicemail_message", "screening_message"),
    *("goodbye", "opt_out_confirmation", "silence_reminder"),
)
PER_MS = 8  # samples
FROM_ASKED_TO_QUIET_MS = 2_000  # barge-in is heard after 200 ms; the rest is the machine's
ASTRAY_MS = 350  # between what the callee heard and what was recorded: messages on their way


@pytest.fixture(autouse=True)
def words_that_the_coding_keeps(monkeypatch):
    """Far enough from each other: mu-law knows a loud level to 512 of 32,768."""
    monkeypatch.setattr(sounds, "STEP", 1_100)
    monkeypatch.setattr(sounds, "_words", [])


def heard_by_callee(media: FakeStream) -> str:
    return sounds.words(ulaw.decode(bytes(media.heard)))


def says(media: FakeStream, text: str) -> None:
    media.says(ulaw.encode(sounds.voice(text)))


def recorded(path) -> tuple[bytes, bytes]:
    """The agent's track and the callee's."""
    with wave.open(str(path)) as file:
        both = array("h", file.readframes(file.getnframes()))
    return both[0::2].tobytes(), both[1::2].tobytes()


def begins_ms(track: bytes, word: str) -> int:
    """When this word begins in it."""
    for at, level in enumerate(array("h", track)):
        if level and sounds.words(array("h", [level]).tobytes()) == word:
            return at // PER_MS
    raise AssertionError(f"Nobody says {word}.")


def ends_ms(track: bytes) -> int:
    """When the last sound of it ends."""
    return len(track.rstrip(b"\0")) // 2 // PER_MS


async def converse(leg, media: FakeStream) -> int:
    """They say hello, and cut in when the third word began; how many ms of ours they had heard then."""
    says(media, "hello")
    assert (await leg.listen(5)).text == "hello"

    speaking = asyncio.create_task(leg.say(TEXT))
    await until(lambda: "three" in heard_by_callee(media))
    asked_at_ms = len(media.heard) // PER_MS
    says(media, "stop calling me")
    spoken = await asyncio.wait_for(speaking, 10)

    assert spoken.cut_in.text == "stop calling me"
    assert media.clears == 1
    heard = heard_by_callee(media)
    assert heard != TEXT
    assert heard.startswith(spoken.text)
    assert len(heard.split()) - len(spoken.text.split()) <= 2  # the word that was cut, and one under way
    assert len(media.heard) // PER_MS - asked_at_ms < FROM_ASKED_TO_QUIET_MS
    return asked_at_ms


def test_a_call_over_the_stream_is_heard_interrupted_and_recorded(tmp_path):
    async def test() -> tuple[int, str]:
        async with stage(plan=answers, paced=True) as here:
            recorder = Recorder(tmp_path, lambda _: None, lambda *_: None)
            network = SpokenNetwork(here.network, FakeEngines(), recorder)
            texts = script(**dict.fromkeys(TEXTS, "one"))
            leg = network.leg(request(record=True, script=texts), Note())
            await leg.ring()
            await leg.answer()
            call = here.twilio.call("att_1")
            await until(lambda: call.stream and call.stream.open.is_set())
            asked_at_ms = await converse(leg, call.stream)
            await network.close()
            await recorder.close()
            await until(lambda: call.status == "completed")
            return asked_at_ms, heard_by_callee(call.stream)

    asked_at_ms, heard = asyncio.run(test())

    agent, callee = recorded(tmp_path / "att_1.wav")
    assert sounds.words(callee) == "hello stop calling me"
    assert abs(len(sounds.words(agent).split()) - len(heard.split())) <= 1
    assert TEXT.startswith(sounds.words(agent))
    assert begins_ms(callee, "hello") < begins_ms(agent, "one")
    astray = begins_ms(callee, "stop") - begins_ms(agent, "one") - asked_at_ms
    assert abs(astray) < ASTRAY_MS
    assert 0 < ends_ms(agent) - begins_ms(callee, "stop") < FROM_ASKED_TO_QUIET_MS
