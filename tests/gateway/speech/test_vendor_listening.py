"""Vendors that listen to whole utterances: what they are sent, what becomes of their answer, and of none."""

import asyncio
import io
import wave
from contextlib import asynccontextmanager

import pytest

from temphone.gateway.speech.ports import FRAME_BYTES, RATE_HZ, SpeechFailed, Unfit
from temphone.gateway.speech.settings import VENDORS, SpeechSettings
from tests.gateway.speech.fake_vendors import KEY, Vendor, running

pytestmark = pytest.mark.voice
SECOND = b"\x10\x00\xf0\xff" * (RATE_HZ // 2)
each_vendor = pytest.mark.parametrize("name", ["cartesia", "deepgram", "elevenlabs", "openai"])


@pytest.fixture
def vendor():
    vendor = Vendor()
    vendor.hears = " Yes, please. "
    return vendor


@asynccontextmanager
async def listener_of(name, vendor, **settings):
    from temphone.gateway.speech.vendors.listening import VendorListener

    async with running(vendor) as url:
        chosen = {"stt": name, "stt_url": url, "keys": dict.fromkeys(VENDORS, KEY)}
        listener = VendorListener(SpeechSettings(**(chosen | settings)))
        await listener.start()
        try:
            yield listener
        finally:
            await listener.close()


async def heard(listener, sound=SECOND, language="de-AT"):
    transcriber = await listener.listen(language)
    for start in range(0, len(sound), FRAME_BYTES):
        transcriber.feed(sound[start : start + FRAME_BYTES])
    return await transcriber.finish()


@each_vendor
def test_it_is_sent_the_utterance_and_tells_its_words(name, vendor):
    async def story():
        async with listener_of(name, vendor) as listener:
            return await heard(listener)

    assert asyncio.run(story()) == "Yes, please."
    with wave.open(io.BytesIO(vendor.asked[0]["recording"])) as recording:
        assert recording.getframerate() == RATE_HZ
        assert recording.readframes(RATE_HZ * 2) == SECOND
    assert any(KEY in value for value in vendor.headers[0].values())


@pytest.mark.parametrize(
    ("name", "field", "language", "expected"),
    [
        ("cartesia", "language", "de-AT", "de"),
        ("cartesia", "model", "de-AT", "ink-whisper"),
        ("deepgram", "language", "de-AT", "de"),
        ("elevenlabs", "language_code", "de-AT", "deu"),
        ("elevenlabs", "language_code", "xx", None),
        ("openai", "language", "de-AT", "de"),
        ("openai", "language", "xx", "en"),
    ],
)
def test_it_is_told_the_language_by_its_own_name(name, field, language, expected, vendor):
    async def story():
        async with listener_of(name, vendor) as listener:
            return await heard(listener, language=language)

    assert asyncio.run(story()) == "Yes, please."
    assert vendor.asked[0].get(field) == expected


@each_vendor
def test_where_it_hears_nothing_there_are_no_words(name, vendor):
    vendor.hears = ""

    async def story():
        async with listener_of(name, vendor) as listener:
            return await heard(listener), listener.problem()

    assert asyncio.run(story()) == ("", None)


@each_vendor
def test_of_no_sound_it_is_not_asked(name, vendor):
    async def story():
        async with listener_of(name, vendor) as listener:
            return await heard(listener, b"")

    assert asyncio.run(story()) == ""
    assert vendor.asked == []


@each_vendor
def test_a_refusal_is_told_without_what_was_said_and_twice_is_a_problem(name, vendor, capfd):
    vendor.status = 401

    async def story():
        async with listener_of(name, vendor) as listener:
            for expected in (None, f"{name} refuses (401)"):
                with pytest.raises(SpeechFailed, match=rf"^{name} refuses \(401\)$"):
                    await heard(listener)
                assert listener.problem() == expected
            vendor.status = 200
            await heard(listener)
            assert listener.problem() is None

    asyncio.run(story())
    assert capfd.readouterr() == ("", "")


@each_vendor
def test_a_language_that_it_does_not_take_is_no_trouble_of_one_that_has_heard(name, vendor):
    async def story():
        async with listener_of(name, vendor) as listener:
            await heard(listener)
            vendor.status = 422
            for _ in range(3):
                with pytest.raises(Unfit):
                    await heard(listener, language="la")
            assert listener.problem() is None

    asyncio.run(story())


@each_vendor
def test_one_that_does_not_answer_fails(name, vendor, monkeypatch):
    monkeypatch.setattr("temphone.gateway.speech.vendors.listening.ANSWER_S", 0.2)
    vendor.hangs = True

    async def story():
        async with listener_of(name, vendor) as listener:
            with pytest.raises(SpeechFailed, match=f"{name} does not answer"):
                await heard(listener)

    asyncio.run(story())


@each_vendor
def test_one_that_is_not_there_fails(name, vendor):
    async def story():
        async with listener_of(name, vendor, stt_url="http://127.0.0.1:9") as listener:
            with pytest.raises(SpeechFailed, match=f"{name} cannot be reached"):
                await heard(listener)

    asyncio.run(story())


def test_what_deepgram_answers_without_a_transcript_fails(vendor, monkeypatch):
    monkeypatch.setattr("tests.gateway.speech.fake_vendors.deepgram_answer", lambda _: {"results": {}})

    async def story():
        async with listener_of("deepgram", vendor) as listener:
            with pytest.raises(SpeechFailed, match="no transcript"):
                await heard(listener)

    asyncio.run(story())
