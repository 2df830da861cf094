"""What is said aloud, and what counts as said."""

import pytest

from temphone.gateway.conversation.moves import Key, Mute, Over
from temphone.gateway.legs.base import Spoken
from temphone.telephony.messages import EndedBy
from tests.gateway.spoken.fakes import FakeEngines, FakeVoice, hangs_up, heard, presses
from tests.gateway.spoken.legs import on_call
from tests.gateway.spoken.sounds import WORD_MS

TEXT = "one two three four five six seven eight nine ten"


def test_it_says_a_text_to_its_end():
    async def test(leg, line):
        spoken = await leg.say(TEXT)
        assert (spoken, line.words) == (Spoken(TEXT, None), TEXT)
        assert line.unplayed_ms == 0

    on_call(test)


def test_it_takes_as_long_as_the_sound():
    async def test(leg, line):
        await leg.say(TEXT)
        assert leg.offset_ms == pytest.approx(10 * WORD_MS, abs=20)

    on_call(test)


def test_it_keeps_little_ahead_of_what_is_heard():
    async def test(leg, line):
        await leg.say(TEXT)
        assert 100 <= line.most_unplayed_ms <= 200

    on_call(test)


def test_one_text_follows_the_other_whole():
    async def test(leg, line):
        await leg.say("one two")
        await leg.say("three four")
        assert line.words == "one two three four"

    on_call(test)


def test_of_a_text_that_a_key_cuts_short_whole_words_count():
    async def test(leg, line):
        spoken = await leg.say(TEXT)
        assert spoken.cut_in == Key("1", 4 * WORD_MS + 100)
        assert spoken.text == "one two three four"
        assert line.words == "one two three four five"  # of which they heard the beginning

    on_call(test, presses("1", 4 * WORD_MS + 100))


def test_it_is_silent_at_once_when_a_key_is_pressed():
    async def test(leg, line):
        await leg.say(TEXT)
        await leg.listen(1)
        assert line.quiet_from_ms() <= 500 + 40

    on_call(test, presses("1", 500))


def test_what_was_in_the_line_when_they_hung_up_was_not_said():
    async def test(leg, line):
        spoken = await leg.say(TEXT)
        assert spoken == Spoken("one two three", Over(EndedBy.CALLEE))

    on_call(test, hangs_up(3 * WORD_MS + 60))


def test_a_text_that_was_heard_whole_was_said_though_they_hang_up_then():
    async def test(leg, line):
        return await leg.say(TEXT)

    assert on_call(test, hangs_up(20, when=heard("ten"))).text != TEXT
    assert on_call(test, hangs_up(WORD_MS, when=heard("ten"))) == Spoken(TEXT, None)


def test_nothing_is_said_after_the_end():
    async def test(leg, line):
        await leg.say(TEXT)
        assert await leg.say(TEXT) == Spoken("", Over(EndedBy.CALLEE))

    on_call(test, hangs_up(100))


def test_a_voice_that_fails_once_is_not_noticed():
    async def test(leg, line):
        assert await leg.say("unheard of by now") == Spoken("unheard of by now", None)
        assert line.words == "unheard of by now"

    on_call(test, speech=FakeEngines(tts=FakeVoice(fails={"unheard of by now": [4_000]})))


def test_a_voice_that_fails_twice_says_so_and_what_went_out():
    async def test(leg, line):
        spoken = await leg.say(TEXT)
        assert spoken == Spoken("one two", Mute("no voice"))
        assert line.words == "one two three"

    # 600 ms of it, twice; the length of the whole is estimated.
    on_call(test, speech=FakeEngines(tts=FakeVoice(fails={TEXT: [9_600, 9_600]})))


def test_a_voice_that_makes_no_sound_has_said_nothing():
    async def test(leg, line):
        assert await leg.say(TEXT) == Spoken("", Mute("it has no sound"))

    class Silent(FakeVoice):
        async def speak(self, text, voice_, wish):
            if text != TEXT:
                yield bytes(320)

    on_call(test, speech=FakeEngines(tts=Silent()))


def test_a_voice_that_recovered_may_speak_again():
    async def test(leg, line):
        assert (await leg.say(TEXT)).cut_in == Mute("no voice")
        assert await leg.say(TEXT) == Spoken(TEXT, None)

    on_call(test, speech=FakeEngines(tts=FakeVoice(fails={TEXT: [0, 0]})))
