"""What must be ready before a phone rings."""

import asyncio

import pytest

from temphone.gateway.legs.base import Failed, Spoken
from temphone.gateway.speech.ports import Urgency
from temphone.telephony.messages import EndedBy, Outcome
from tests.gateway.builders import script
from tests.gateway.spoken.fakes import FakeEar, FakeEngines, FakeLine, FakeVoice
from tests.gateway.spoken.legs import leg_on, on_call

TEXTS = script()
BUSY = Failed(Outcome.BUSY, by=EndedBy.CARRIER, cause="486 Busy Here")


def ring(line, speech, *, then=None, **fields):
    """What ringing came to: an exception, or None."""

    async def whole():
        leg = leg_on(line, speech, **fields)
        if then:
            asyncio.get_running_loop().call_soon(then, leg)
        try:
            async with asyncio.timeout(4):  # less than a hanging voice is waited for
                await leg.ring()
            await leg.answer()
        except Failed as failed:
            return failed
        finally:
            leg.hang_up()
            await leg.closed()

    return asyncio.run(whole())


def test_what_is_said_first_is_there_before_it_rings():
    class Watching(FakeLine):
        async def ring(self):
            assert voice.spoken[:2] == [TEXTS.preface, TEXTS.message]

    voice = FakeVoice()
    assert ring(Watching(), FakeEngines(tts=voice)) is None


def test_the_rest_is_made_while_it_rings():
    async def test(leg, line):
        assert await line.reaches(500)
        assert TEXTS.voicemail_message in voice.spoken
        made = len(voice.spoken)
        assert await leg.say(TEXTS.goodbye) == Spoken(TEXTS.goodbye, None)
        assert len(voice.spoken) == made

    voice = FakeVoice()
    on_call(test, speech=FakeEngines(tts=voice))


def test_what_is_made_ahead_lets_others_go_first_until_it_is_to_be_said():
    async def test(leg, line):
        assert await line.reaches(500)
        wish = voice.wishes[TEXTS.voicemail_message]
        assert wish() is Urgency.AHEAD
        saying = asyncio.create_task(leg.say(TEXTS.voicemail_message))
        await asyncio.sleep(0)
        assert wish() is Urgency.LIVE
        voice.may_go_on.set()
        assert await saying == Spoken(TEXTS.voicemail_message, None)

    class Held(FakeVoice):
        async def speak(self, text, voice_, wish):
            async for piece in super().speak(text, voice_, wish):
                if text == TEXTS.voicemail_message:
                    await self.may_go_on.wait()
                yield piece

    voice = Held()
    voice.may_go_on = asyncio.Event()
    on_call(test, speech=FakeEngines(tts=voice))
    assert voice.wishes[TEXTS.preface]() is Urgency.SOON


def test_the_first_word_is_in_the_line_at_once():
    async def test(leg, line):
        saying = asyncio.create_task(leg.say(TEXTS.preface))
        await asyncio.sleep(0)
        assert line.unplayed_ms == 200
        await saying

    on_call(test)


@pytest.mark.parametrize(
    "speech",
    [
        FakeEngines(tts=FakeVoice(fails={TEXTS.preface: [0, 0]})),
        FakeEngines(tts=FakeVoice(fails={TEXTS.message: [5_000, 5_000]})),
        FakeEngines(stt=FakeEar(refuses=1)),
    ],
    ids=["no preface", "half a message", "nobody listens"],
)
def test_without_speech_nobody_is_rung(speech):
    line = FakeLine()
    failed = ring(line, speech)
    assert (failed.outcome, failed.cause, failed.rang) == (
        Outcome.CARRIER_ERROR,
        "speech_unavailable",
        False,
    )
    assert line.rang == 0


@pytest.mark.parametrize(
    ("texts", "why"),
    [({"voice": "nobody"}, "no such voice"), ({"message": "..."}, "it has no sound")],
    ids=["no such voice", "nothing to say"],
)
def test_what_can_never_be_spoken_is_tried_once_and_not_dialled_anew_at_once(texts, why):
    class Mute(FakeVoice):
        async def speak(self, text, voice_, wish):
            async for piece in super().speak(text, voice_, wish):
                if text != "...":
                    yield piece

    line, voice = FakeLine(), Mute()
    failed = ring(line, FakeEngines(tts=voice), script=script(**texts))
    assert (failed.outcome, failed.cause) == (Outcome.CARRIER_ERROR, f"speech_refused: {why}")
    assert failed.rang  # else it would be dialled anew at once, and its trunk would rest
    assert (line.rang, len(voice.spoken)) == (0, 2 if why == "it has no sound" else 1)


def test_a_voice_that_fails_once_is_tried_again():
    assert ring(FakeLine(), FakeEngines(tts=FakeVoice(fails={TEXTS.preface: [0]}))) is None


def test_it_does_not_wait_for_a_voice_beyond_the_last_instant_to_ring():
    line = FakeLine()
    failed = ring(line, FakeEngines(tts=FakeVoice(hangs=True)), seconds=0.6)
    assert (failed.cause, line.rang) == ("speech_unavailable", 0)


def test_a_hang_up_while_it_gets_ready_cancels_it():
    line = FakeLine()
    failed = ring(line, FakeEngines(tts=FakeVoice(hangs=True)), then=lambda leg: leg.hang_up())
    assert (failed.outcome, failed.by, line.rang) == (Outcome.CANCELED_BY_USER, EndedBy.STAFF, 0)


@pytest.mark.parametrize("where", ["fails_to_ring", "fails_to_answer"])
def test_who_does_not_answer_needs_no_engine_any_more(where):
    ear = FakeEar()
    assert ring(FakeLine(**{where: BUSY}), FakeEngines(stt=ear)) is BUSY
    assert ear.opened[0].closed


def test_a_text_without_words_is_not_made():
    voice = FakeVoice()
    assert ring(FakeLine(), FakeEngines(tts=voice), script=script(preface="")) is None
    assert "" not in voice.spoken


def test_the_voice_and_the_language_are_the_scripts():
    asked = []

    class Polyglot(FakeVoice):
        async def speak(self, text, voice_, wish):
            asked.append((voice_.name, voice_.language))
            async for piece in super().speak(text, voice_, wish):
                yield piece

    class Listening(FakeEar):
        async def listen(self, language):
            asked.append(language)
            return await super().listen(language)

    spanish = script(language="es", voice="lupe")
    ring(FakeLine(), FakeEngines(tts=Polyglot(knows=("lupe",)), stt=Listening()), script=spanish)
    assert set(asked) == {"es", ("lupe", "es")}


def test_what_is_in_english_for_want_of_another_is_spoken_as_english():
    asked = {}

    class Polyglot(FakeVoice):
        async def speak(self, text, voice_, wish):
            asked[text] = voice_.language
            async for piece in super().speak(text, voice_, wish):
                yield piece

    polish = script(language="pl", notices_in="en")
    ring(FakeLine(), FakeEngines(tts=Polyglot()), script=polish)
    assert (asked[polish.preface], asked[polish.message]) == ("en", "pl")
