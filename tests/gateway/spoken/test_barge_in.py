"""The callee interrupts."""

import pytest

from temphone.gateway.conversation.moves import Speech, Tone
from temphone.gateway.legs.base import Spoken
from tests.gateway.spoken.fakes import Does, heard, says
from tests.gateway.spoken.legs import on_call
from tests.gateway.spoken.sounds import WORD_MS, beep, frames, noise, voice

TEXT = "one two three four five six seven eight nine ten"


def cut(*does):
    """What came of saying the text, and the line."""

    async def test(leg, line):
        return await leg.say(TEXT), line

    return on_call(test, *does)


def test_who_speaks_is_heard_out():
    spoken, _ = cut(says("stop calling me", 500))
    assert spoken.cut_in == Speech("stop calling me", offset_ms=500, lasts_ms=3 * WORD_MS)


def test_the_agent_is_silent_within_400_ms():
    _, line = cut(says("please stop calling me at this number", 500))
    assert len(line.cleared) == 1
    assert line.quiet_from_ms() - 500 < 400


def test_what_was_said_until_then_counts():
    spoken, line = cut(says("please stop calling me", 500))
    assert line.words.startswith(spoken.text)
    assert spoken.text == "one two three"


def test_a_cough_does_not_stop_it():
    spoken, line = cut(Does(noise(160), 500))
    assert (spoken, line.words, line.cleared) == (Spoken(TEXT, None), TEXT, [])


@pytest.mark.parametrize("ms", [260, 1_500])
def test_after_a_noise_it_speaks_on_where_it_stopped(ms):
    spoken, line = cut(Does(noise(ms), 500))
    assert len(line.cleared) == 1
    assert spoken == Spoken(TEXT, None)
    assert b"".join(frame for frame in frames(bytes(line.heard)) if any(frame)) == voice(TEXT)


def test_a_noise_of_agreement_does_not_stop_it():
    spoken, _ = cut(says("mm-hm", 500))
    assert spoken == Spoken(TEXT, None)


def test_a_short_word_stops_it_when_it_is_understood():
    spoken, _ = cut(says("no", 500))
    assert spoken.cut_in == Speech("no", offset_ms=500, lasts_ms=WORD_MS)


def test_who_speaks_on_when_it_begins_to_speak_stops_it():
    async def test(leg, line):
        await leg.say("hello")
        assert (await leg.listen(5)).text == "hello"
        spoken = await leg.say(TEXT)
        assert (spoken.text, spoken.cut_in.text) == ("one", "who is it then")

    on_call(test, says("hello", 400), says("who is it then", 360))


def test_a_beep_stops_it_as_long_as_nobody_has_answered():
    spoken, _ = cut(Does(beep(300), 500))
    assert spoken.cut_in == Tone()


def test_a_beep_is_nothing_to_who_has_answered():
    async def test(leg, line):
        await leg.say("how are you")
        assert (await leg.listen(5)).text == "very well"
        assert await leg.say(TEXT) == Spoken(TEXT, None)

    on_call(test, says("very well", 2_500, when=heard("how are you")), Does(beep(300), 300, heard("one two")))
