"""Vendors that speak: what they are asked, what becomes of their answer, and of none."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from temphone.gateway.speech.ports import RATE_HZ, SpeechFailed, Unfit, Voice, live
from temphone.gateway.speech.settings import VENDORS, SpeechSettings
from tests.gateway.speech.fake_vendors import KEY, Vendor, running

pytestmark = pytest.mark.voice
SECOND = b"\x10\x00\xf0\xff" * (RATE_HZ // 2)
ANNA = Voice(name="anna", language="de-AT")
NOBODY = Voice()
each_vendor = pytest.mark.parametrize("name", VENDORS)


@pytest.fixture
def vendor():
    vendor = Vendor()
    vendor.pieces = [SECOND[:5001], SECOND[5001:]]
    return vendor


@asynccontextmanager
async def speaker_of(name, vendor, **settings):
    from temphone.gateway.speech.vendors.speaking import VendorSpeaker

    async with running(vendor) as url:
        chosen = {"tts": name, "tts_url": url, "keys": dict.fromkeys(VENDORS, KEY), "tts_voice": "bert"}
        if name == "openai":
            chosen["tts_voice"] = "coral"
        speaker = VendorSpeaker(SpeechSettings(**(chosen | settings)))
        await speaker.start()
        try:
            yield speaker
        finally:
            await speaker.close()


async def spoken(speaker, voice=NOBODY):
    return [piece async for piece in speaker.speak("Hello there.", voice, live)]


@each_vendor
def test_its_sound_comes_in_pieces_of_whole_samples(name, vendor):
    async def story():
        async with speaker_of(name, vendor) as speaker:
            return await spoken(speaker)

    pieces = asyncio.run(story())
    seconds = len(b"".join(pieces)) / RATE_HZ / 2
    assert all(len(piece) % 2 == 0 for piece in pieces)
    if name == "openai":  # it speaks at three times the rate
        assert seconds == pytest.approx(1 / 3, abs=0.01)
    else:
        assert b"".join(pieces) == SECOND


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        (
            "cartesia",
            {
                "transcript": "Hello there.",
                "voice": {"mode": "id", "id": "anna"},
                "language": "de-AT",
                "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8000},
            },
        ),
        (
            "deepgram",
            {"text": "Hello there.", "model": "anna", "encoding": "linear16", "sample_rate": "8000"},
        ),
        ("elevenlabs", {"text": "Hello there.", "voice": "anna", "output_format": "pcm_8000"}),
    ],
)
def test_it_is_asked_for_text_voice_language_and_the_telephones_sound(name, asked, vendor):
    async def story():
        async with speaker_of(name, vendor) as speaker:
            await spoken(speaker, ANNA)

    asyncio.run(story())
    assert {key: vendor.asked[0].get(key) for key in asked} == asked


def test_openai_is_asked_for_a_voice_of_its_own(vendor):
    async def story():
        async with speaker_of("openai", vendor, tts_model="tts-1") as speaker:
            await spoken(speaker, Voice(name="nova"))

    asyncio.run(story())
    assert vendor.asked == [
        {"input": "Hello there.", "voice": "nova", "model": "tts-1", "response_format": "pcm"}
    ]


@each_vendor
def test_without_a_voice_in_the_call_it_has_that_of_the_settings(name, vendor):
    async def story():
        async with speaker_of(name, vendor) as speaker:
            await spoken(speaker)

    asyncio.run(story())
    assert "coral" in str(vendor.asked[0]) if name == "openai" else "bert" in str(vendor.asked[0])


@each_vendor
def test_it_is_shown_the_key(name, vendor):
    async def story():
        async with speaker_of(name, vendor) as speaker:
            await spoken(speaker)

    asyncio.run(story())
    assert any(KEY in value for value in vendor.headers[0].values())


@each_vendor
@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_refusal_is_told_without_what_was_said(name, vendor, status, capfd):
    vendor.status = status

    async def story():
        async with speaker_of(name, vendor) as speaker:
            with pytest.raises(SpeechFailed, match=rf"^{name} refuses \({status}\)$"):
                await spoken(speaker)

    asyncio.run(story())
    assert capfd.readouterr() == ("", "")


@each_vendor
def test_two_failures_in_a_row_are_a_problem_until_it_works(name, vendor):
    async def story():
        async with speaker_of(name, vendor) as speaker:
            vendor.status = 401
            for expected in (None, f"{name} refuses (401)"):
                with pytest.raises(SpeechFailed):
                    await spoken(speaker)
                assert speaker.problem() == expected
            vendor.status = 200
            await spoken(speaker)
            assert speaker.problem() is None

    asyncio.run(story())


@each_vendor
@pytest.mark.parametrize("status", [400, 404, 413, 415, 422])
def test_a_voice_that_it_does_not_take_is_no_trouble_of_the_engine(name, vendor, status):
    vendor.status = status

    async def story():
        async with speaker_of(name, vendor) as speaker:
            for _ in range(3):
                with pytest.raises(Unfit, match=rf"^{name} does not take .* \({status}\)$"):
                    await spoken(speaker, Voice(name="nova"))
            assert speaker.problem() is None

    asyncio.run(story())


@each_vendor
def test_what_it_does_not_take_in_the_voice_of_the_settings_is_their_fault_until_it_took_something(
    name, vendor
):
    async def story():
        async with speaker_of(name, vendor) as speaker:
            vendor.status = 404
            for expected in (False, True):
                with pytest.raises(SpeechFailed) as failure:
                    await spoken(speaker)
                assert not isinstance(failure.value, Unfit)
                assert bool(speaker.problem()) is expected
            vendor.status = 200
            await spoken(speaker)
            vendor.status = 404
            for _ in range(3):
                with pytest.raises(Unfit):
                    await spoken(speaker)
            assert speaker.problem() is None

    asyncio.run(story())


def test_a_voice_that_openai_has_not_is_not_even_asked_for(vendor):
    async def story():
        async with speaker_of("openai", vendor) as speaker:
            for _ in range(3):
                with pytest.raises(Unfit, match="openai has no voice of this name"):
                    await spoken(speaker, ANNA)
            assert speaker.problem() is None

    asyncio.run(story())
    assert vendor.asked == []


@each_vendor
def test_one_that_does_not_answer_fails(name, vendor, monkeypatch):
    monkeypatch.setattr("temphone.gateway.speech.vendors.speaking.PIECE_S", 0.2)
    vendor.hangs = True

    async def story():
        async with speaker_of(name, vendor) as speaker:
            with pytest.raises(SpeechFailed, match=f"{name} does not answer"):
                await spoken(speaker)

    asyncio.run(story())


@each_vendor
def test_one_that_is_not_there_fails(name, vendor):
    async def story():
        async with speaker_of(name, vendor, tts_url="http://127.0.0.1:9") as speaker:
            with pytest.raises(SpeechFailed, match=f"{name} cannot be reached"):
                await spoken(speaker)

    asyncio.run(story())


@each_vendor
def test_one_that_breaks_off_has_not_said_it(name, vendor):
    vendor.breaks_off = True

    async def story():
        async with speaker_of(name, vendor) as speaker:
            with pytest.raises(SpeechFailed):
                await spoken(speaker)

    asyncio.run(story())


@each_vendor
def test_what_one_call_said_is_not_told_in_the_next(name, vendor):
    async def story():
        async with speaker_of(name, vendor) as speaker:
            await spoken(speaker)
            await spoken(speaker)

    asyncio.run(story())
    assert vendor.asked[0] == vendor.asked[1]
