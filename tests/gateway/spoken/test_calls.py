"""Whole calls by sound: who answered, what was said, how it ended."""

import pytest

from temphone.telephony.messages import EndedBy, EventType, Outcome
from tests.gateway.builders import script
from tests.gateway.spoken.fakes import Does, FakeEar, FakeEngines, FakeVoice, hangs_up, heard, presses, says
from tests.gateway.spoken.legs import converse
from tests.gateway.spoken.sounds import WORD_MS, beep, noise

TEXTS = script()
GREETING = "Hi, you have reached Alex. Please leave a message after the tone."
GREETED_MS = 800 + len(GREETING.split()) * WORD_MS
LAST = "nine."  # of the message


def test_a_human_hears_everything_and_answers():
    told = converse(says("Hello?", 400), says("Yes, thank you.", 400, when=heard(LAST)))
    assert told.ending.outcome is Outcome.ANSWERED_HUMAN
    assert told.turns == [
        ("callee", "Hello?"),
        ("agent", TEXTS.preface),
        ("agent", TEXTS.message),
        ("callee", "Yes, thank you."),
        ("agent", TEXTS.goodbye),
    ]
    assert told.line.words == f"{TEXTS.preface} {TEXTS.message} {TEXTS.goodbye}"


def test_who_waits_silently_is_spoken_to():
    told = converse(hangs_up(200, when=heard(LAST)))
    assert told.answered_by == ["human"]
    assert told.ending.outcome is Outcome.MESSAGE_DELIVERED


def test_who_says_stop_calling_and_hangs_up_has_opted_out():
    told = converse(says("Hello?", 400), says("Stop calling me!", 0, when=heard("automated")), hangs_up())
    assert (told.ending.outcome, told.ending.ended_by) == (Outcome.OPTED_OUT, EndedBy.CALLEE)
    assert [type_ for type_, _ in told.events].count(EventType.OPTED_OUT) == 1
    assert told.ending.evidence["said"] == "Stop calling me!"


def test_who_presses_nine_and_hangs_up_has_opted_out():
    told = converse(says("Hello?", 400), presses("9", 0, when=heard("automated")), hangs_up())
    assert told.ending.outcome is Outcome.OPTED_OUT


def test_who_presses_nine_again_and_again_hears_that_it_is_understood():
    nine = presses("9", 60)
    told = converse(says("Hello?", 400), presses("9", 0, when=heard("automated")), nine, presses("9", 60))
    assert told.ending.outcome is Outcome.OPTED_OUT
    assert TEXTS.opt_out_confirmation in told.line.words


@pytest.mark.parametrize("at", ["Thank", "goodbye."])
def test_who_says_stop_calling_in_the_goodbye_has_opted_out(at):
    told = converse(
        says("Hello?", 400), says("Yes.", 400, when=heard(LAST)), says("Stop calling me.", 0, when=heard(at))
    )
    assert told.ending.outcome is Outcome.OPTED_OUT


def test_a_voicemail_gets_its_message_after_the_beep():
    told = converse(says(GREETING, 800), Does(beep(400), 1_200))
    assert (told.ending.outcome, told.answered_by) == (Outcome.VOICEMAIL_LEFT, ["voicemail"])
    assert told.line.words == TEXTS.voicemail_message
    assert 0 <= told.line.loud_from_ms() - (GREETED_MS + 1_200 + 400) <= 100


def test_a_voicemail_without_a_beep_gets_its_message_after_silence():
    told = converse(says(GREETING, 800))
    assert told.ending.outcome is Outcome.VOICEMAIL_LEFT
    assert told.line.loud_from_ms() - GREETED_MS >= 1_500


def test_a_beep_before_the_greeting_is_not_waited_upon():
    told = converse(Does(beep(300), 200), says(GREETING, 500), Does(beep(400), 1_200))
    assert told.line.words == TEXTS.voicemail_message
    assert told.turns[0] == ("callee", GREETING)


def test_a_greeting_that_goes_on_after_a_long_pause_is_a_voicemails_after_all():
    rest = "I cannot come to the phone right now, leave a message after the tone."
    told = converse(says("Hi, this is Alex.", 400), says(rest, 1_500), Does(beep(400), 1_000))
    assert (told.ending.outcome, told.answered_by) == (Outcome.VOICEMAIL_LEFT, ["human", "voicemail"])
    assert told.line.words.endswith(TEXTS.voicemail_message)


def test_a_beep_after_an_unusual_greeting_is_a_voicemails():
    told = converse(says("Alex here, do your thing!", 400), Does(beep(400), 900))
    assert (told.ending.outcome, told.answered_by) == (Outcome.VOICEMAIL_LEFT, ["human", "voicemail"])
    assert told.line.words.endswith(TEXTS.voicemail_message)


def test_a_beep_after_a_greeting_that_went_on_is_a_voicemails():
    told = converse(
        says("Hi, this is Alex.", 400), says("You know what I want.", 1_000), Does(beep(400), 500)
    )
    assert (told.ending.outcome, told.answered_by) == (Outcome.VOICEMAIL_LEFT, ["human", "voicemail"])


def test_a_beep_after_they_have_answered_changes_nothing():
    told = converse(
        says("Hello?", 400),
        says("Who is it?", 0, when=heard("calling.")),
        Does(beep(400), 200, heard("tomorrow")),
    )
    assert told.answered_by == ["human"]


def test_a_deaf_engine_is_no_silence():
    told = converse(says("Hello?", 400), speech=FakeEngines(stt=FakeEar(deaf=2)))
    assert told.answered_by == ["unknown"]
    assert told.turns[0] == ("callee", "[not understood]")
    assert told.ending.outcome is Outcome.MESSAGE_DELIVERED


def test_an_engine_that_was_deaf_once_is_not_noticed():
    told = converse(says("Hello?", 400), speech=FakeEngines(stt=FakeEar(deaf=1)))
    assert (told.answered_by, told.turns[0]) == (["human"], ("callee", "Hello?"))


def test_with_a_deaf_engine_keys_still_count():
    told = converse(
        says("Hello?", 400), presses("9", when=heard(LAST)), speech=FakeEngines(stt=FakeEar(deaf=100))
    )
    assert told.ending.outcome is Outcome.OPTED_OUT


def test_an_answer_that_was_not_understood_is_shown():
    ear = FakeEar()

    def now_deaf(line):
        ear.deaf = 2 if LAST in line.words else 0
        return bool(ear.deaf)

    told = converse(says("Hello?", 400), says("Yes.", 400, when=now_deaf), speech=FakeEngines(stt=ear))
    assert told.ending.evidence == {
        "said": "",
        "offset_ms": told.ending.evidence["offset_ms"],
        "not_understood_ms": 200,
    }


def test_a_voice_that_is_lost_ends_it_honestly():
    fails = {TEXTS.silence_reminder: [0] * 4, TEXTS.goodbye: [0] * 4}
    told = converse(says("Hello?", 400), speech=FakeEngines(tts=FakeVoice(fails=fails)))
    assert (told.ending.outcome, told.ending.ended_by) == (Outcome.MESSAGE_DELIVERED, EndedBy.SYSTEM)
    assert told.ending.evidence["voice_lost"] == "no voice"


def test_a_voicemail_message_that_cannot_be_spoken_was_not_left():
    fails = {TEXTS.voicemail_message: [0] * 4}
    told = converse(says(GREETING, 400), speech=FakeEngines(tts=FakeVoice(fails=fails)))
    assert (told.ending.outcome, told.ending.ended_by) == (Outcome.VOICEMAIL_HUNGUP, EndedBy.SYSTEM)


def test_a_noise_is_no_greeting():
    told = converse(Does(noise(400), 300))
    assert told.answered_by == ["human"]
    assert told.turns[0][0] == "agent"


def test_a_call_ends_at_its_maximum_duration():
    told = converse(says("la " * 100, 400), max_duration_s=10)
    assert (told.ending.outcome, told.ending.duration_s) == (Outcome.MAX_DURATION, 10)
