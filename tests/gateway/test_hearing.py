"""How a call will sound: what Django asks a gateway to speak."""

import asyncio
import io
import wave
from dataclasses import replace

import pytest

from temphone.gateway.recorder import Recorder
from temphone.gateway.speech.ports import RATE_HZ
from temphone.gateway.talking import Silent, Spoken
from temphone.telephony.adapters.gateway import GatewayCarrier
from temphone.telephony.messages import GatewayRef
from temphone.telephony.port import Speechless, Unreachable
from tests.gateway.builders import SECRET
from tests.gateway.fake_django import FakeDjango, until
from tests.gateway.running import gateway
from tests.gateway.speech.fakes import FakeEngine, a_speech


def heard(folder, *, talks, texts=("Hello there", "Goodbye now"), **asked):
    """What a carrier hears of a gateway with these engines, and whether its heartbeat says that it speaks."""

    async def whole():
        async with FakeDjango() as django, gateway(folder, django, talks=talks) as client:
            await until(lambda: django.beats)
            ref = asked.pop("ref", lambda ref: ref)(client.ref)
            voice = {"language": "en", "voice": "", **asked}
            sound = await GatewayCarrier(secret=SECRET).speak(ref, texts, **voice)
            return sound, django.beats[-1].speaks

    return asyncio.run(whole())


def spoken_by(engine, folder):
    def made(config, uploads):
        recorder = Recorder(config.recordings, uploads.finished, lambda *_: None)
        return Spoken(a_speech(folder, speaker=engine), recorder)

    return made


def test_the_texts_are_one_sound_in_the_voice_that_was_asked_for(tmp_path):
    engine = FakeEngine()
    wav, speaks = heard(tmp_path, talks=spoken_by(engine, tmp_path), language="de", voice="anna")
    with wave.open(io.BytesIO(wav)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, RATE_HZ)
        assert sound.readframes(sound.getnframes()) == b"Hello   there   Goodbye now     "
    assert [(text, voice.name, voice.language) for text, voice in engine.asked] == [
        ("Hello there", "anna", "de"),
        ("Goodbye now", "anna", "de"),
    ]
    assert speaks


def test_an_engine_that_fails_says_so(tmp_path):
    with pytest.raises(Speechless, match="the engine broke"):
        heard(tmp_path, talks=spoken_by(FakeEngine(fails_after=1), tmp_path))


def test_without_engines_it_says_what_is_missing(tmp_path):
    with pytest.raises(Speechless, match="make voice"):
        heard(tmp_path, talks=lambda *_: Silent("make voice"))


def test_a_gateway_without_engines_does_not_say_that_it_speaks(tmp_path):
    async def whole():
        async with FakeDjango() as django, gateway(tmp_path, django, talks=lambda *_: Silent("nothing")):
            await until(lambda: django.beats)
            return django.beats[-1].speaks

    assert not asyncio.run(whole())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda ref: replace(ref, ledger="gw_other"),
        lambda ref: GatewayRef(ledger=ref.ledger, url="http://127.0.0.1:9"),
    ],
    ids=["another ledger", "nobody there"],
)
def test_a_gateway_that_is_not_there_cannot_be_asked(tmp_path, wrong):
    with pytest.raises(Unreachable):
        heard(tmp_path, talks=spoken_by(FakeEngine(), tmp_path), ref=wrong)
