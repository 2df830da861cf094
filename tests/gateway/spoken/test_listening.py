"""Where utterances begin and end, and what is heard in which order."""

import asyncio

from temphone.gateway.conversation.moves import Key, Silence, Speech, Tone
from tests.gateway.spoken.fakes import Does, FakeEar, FakeEngines, FakeTurns, presses, says
from tests.gateway.spoken.legs import on_call
from tests.gateway.spoken.sounds import WORD_MS, beep, noise, voice

HELLO_MS = 220  # the agent's, to which the callee answers


def hear(*does, times=1, timeout_s=2.0, **fields):
    """What a leg heard after it spoke, and when it knew, counted from when it began to listen."""

    async def test(leg, line):
        await leg.say("hello")
        began_ms = leg.offset_ms
        assert began_ms == HELLO_MS
        return [(await leg.listen(timeout_s), leg.offset_ms - began_ms) for _ in range(times)]

    return on_call(test, *does, **fields)


def greeted(*does, times=1, timeout_s=1.5, **fields):
    """What a leg heard before it spoke, and when it knew."""

    async def test(leg, line):
        return [(await leg.listen(timeout_s), leg.offset_ms) for _ in range(times)]

    return on_call(test, *does, **fields)


def spoke(text, at_ms, lasts_ms=None):
    return Speech(text, offset_ms=at_ms, lasts_ms=lasts_ms or len(text.split()) * WORD_MS)


def test_who_says_nothing_is_silent_for_as_long_as_was_listened():
    assert hear() == [(Silence(), 2_000)]


def test_what_they_say_is_known_soon_after_a_pause():
    [(said, at_ms)] = hear(says("yes please", 500))
    assert said == spoke("yes please", 500)
    assert at_ms + HELLO_MS - (500 + 2 * WORD_MS) <= 340


def test_a_pause_in_the_middle_is_no_end():
    turns = FakeTurns(unfinished=("and",))
    [(said, _)] = hear(says("yes and", 500), says("another thing", 600), speech=FakeEngines(turns=turns))
    assert said == spoke("yes and another thing", 500, 4 * WORD_MS + 600)


def test_who_has_not_finished_is_waited_for_no_longer_than_1200_ms():
    turns = FakeTurns(unfinished=("and",))
    [(said, at_ms)] = hear(says("yes and", 500), speech=FakeEngines(turns=turns))
    assert said == spoke("yes and", 500)
    assert at_ms + HELLO_MS - (500 + 2 * WORD_MS) == 1_200


def test_who_speaks_on_while_it_thinks_is_heard_out():
    class Slow(FakeTurns):
        async def is_over(self, utterance):
            await super().is_over(utterance)
            for _ in range(100):
                await asyncio.sleep(0)
            return True

    heard = hear(says("yes", 500), says("indeed", 340), times=2, speech=FakeEngines(turns=Slow()))
    assert [one for one, _ in heard] == [spoke("yes indeed", 500, 740), Silence()]


def test_a_speech_ends_after_30_s():
    long = " ".join(["la"] * 200)
    (first, _), (second, _) = hear(says(long, 500), times=2)
    assert (first.lasts_ms, second.lasts_ms) == (30_000, 10_000)


def test_who_begins_in_time_is_heard_out():
    [(said, _)] = hear(says("I am still here", 2_000), timeout_s=2.0)
    assert said == spoke("I am still here", 2_000)


def test_a_noise_is_nothing():
    assert hear(Does(noise(500), 500)) == [(Silence(), 2_000)]


def test_a_click_is_not_even_written_down():
    ear = FakeEar()
    assert hear(Does(noise(60), 500), speech=FakeEngines(stt=ear)) == [(Silence(), 2_000)]
    assert ear.asked == 0


def test_a_noise_that_outlasts_the_time_is_waited_for():
    assert hear(Does(noise(500), 2_000)) == [(Silence(), 2_580)]


def test_the_word_before_voice_is_noticed_is_not_cut_off():
    # The first 240 ms are not taken for voice; the transcriber gets them all the same.
    class Late(FakeTurns):
        def activity(self):
            return LateActivity()

    class LateActivity:
        seen = 0

        def feed(self, frame):
            self.seen = self.seen + 1 if any(frame) else 0
            return self.seen > 12

    [(said, _)] = hear(says("yes please", 500), speech=FakeEngines(turns=Late()))
    assert said.text == "yes please"


def test_keys_are_heard_in_turn():
    assert [one for one, _ in hear(presses("1", 500), presses("2"), presses("#"), times=3)] == [
        Key("1", 500),
        Key("2", 500),
        Key("#", 500),
    ]


def test_a_key_that_was_pressed_before_anybody_listened_is_heard():
    assert hear(presses("1", 0, when=lambda line: line.now_ms >= HELLO_MS)) == [(Key("1", HELLO_MS), 0)]


def test_a_key_overtakes_speech_that_is_not_understood_yet():
    ear = FakeEar(takes_frames=50)
    heard = hear(says("yes please", 500), presses("9", 400), times=2, speech=FakeEngines(stt=ear))
    assert [one for one, _ in heard] == [Key("9", 1_300), spoke("yes please", 500)]


def test_what_is_said_while_the_last_is_written_down_is_kept_apart():
    ear = FakeEar(takes_frames=50)
    heard = hear(says("yes please", 500), says("and hurry up", 420), times=2, speech=FakeEngines(stt=ear))
    assert [one.text for one, _ in heard] == ["yes please", "and hurry up"]


def test_a_beep_is_heard_when_it_has_ended():
    [(heard, at_ms)] = hear(Does(beep(400), 500))
    assert heard == Tone()
    assert 0 <= at_ms + HELLO_MS - 900 <= 60


def test_a_tone_that_does_not_end_is_nothing():
    assert hear(Does(beep(5_000), 500), timeout_s=3.0) == [(Silence(), 3_320)]


def test_a_greeting_may_pause_for_800_ms():
    said, at_ms = greeted(says("hi", 300), says("you have reached Alex", 700))[0]
    assert said.text == "hi you have reached Alex"
    assert at_ms == 300 + WORD_MS + 700 + 4 * WORD_MS + 800


def test_a_human_is_answered_800_ms_after_a_short_greeting():
    assert greeted(says("hello", 300)) == [(spoke("hello", 300), 300 + WORD_MS + 800)]


def test_the_words_of_a_greeting_are_known_when_its_pause_is_over():
    ear = FakeEar(takes_frames=20)  # 400 ms
    assert greeted(says("hello", 300), speech=FakeEngines(stt=ear))[0][1] == 300 + WORD_MS + 800


def test_a_greeting_ends_with_its_beep_which_comes_after_it():
    (said, at_ms), (tone, _) = greeted(says("leave a message", 300), Does(beep(400), 200), times=2)
    assert (said.text, tone) == ("leave a message", Tone())
    assert at_ms < 300 + 3 * WORD_MS + 200 + 400


def test_a_beep_before_the_greeting_comes_before_it():
    heard = greeted(Does(beep(400), 100), Does(voice("you have reached Alex"), 200), times=2)
    assert [one for one, _ in heard] == [Tone(), spoke("you have reached Alex", 700)]


def test_a_voice_that_sounds_with_the_beep_is_no_speech():
    assert [one for one, _ in greeted(Does(beep(1_500), 100), times=2)] == [Tone(), Silence()]
