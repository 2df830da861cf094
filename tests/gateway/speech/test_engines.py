"""The engines of this machine, for real: a voice, ears, and a sense of when it is one's turn."""

import array
import asyncio
import math
import os
import random
import signal
import subprocess
from dataclasses import replace

import pytest

from temphone.gateway.speech import models, packages
from temphone.gateway.speech.engines import Absent, build
from temphone.gateway.speech.ports import FRAME_BYTES, RATE_HZ, SpeechFailed, Voice
from temphone.gateway.speech.settings import SpeechSettings
from tests.gateway.fake_django import until
from tests.gateway.speech.fakes import a_speech

SENTENCE = "Hello, this is a test. Your appointment is tomorrow morning."
PAUSE = bytes(RATE_HZ)  # half a second
voice = pytest.mark.voice


async def spoken(speech, text):
    return b"".join([piece async for piece in speech.tts.speak(text, Voice())])


async def heard(speech, sound, language="en"):
    transcriber = await speech.stt.listen(language)
    for start in range(0, len(sound), FRAME_BYTES):
        transcriber.feed(sound[start : start + FRAME_BYTES])
    words = await transcriber.finish()
    await transcriber.close()
    return words.lower()


def samples(values):
    return array.array("h", (int(value) for value in values)).tobytes()


def workers_of(module):
    found = subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", module], capture_output=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def test_without_the_voice_installation_they_are_absent_and_the_mend_is_said(monkeypatch):
    monkeypatch.setattr(packages, "folder_of", lambda module: None)
    with pytest.raises(Absent, match="piper-tts, faster-whisper are not installed: make voice"):
        build(SpeechSettings())


def test_without_a_model_for_whisper_they_are_absent_and_the_setting_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(packages, "folder_of", lambda module: tmp_path)
    voice = tmp_path / "voice.onnx"
    voice.touch()
    with pytest.raises(Absent, match="TEMPHONE_WHISPER_MODEL"):
        build(replace(SpeechSettings(), piper_voice=voice))


@pytest.mark.parametrize("part", ["_speaker", "_listener"])
def test_one_that_is_mute_or_deaf_is_a_problem_for_all(tmp_path, part):
    speech = a_speech(tmp_path)
    assert speech.problem() is None
    getattr(speech, part).trouble = "it hangs"
    assert speech.problem() == "it hangs"


def test_without_a_sense_of_turns_calls_go_on(tmp_path):
    speech = a_speech(tmp_path)
    speech._turns.trouble = "it hangs"
    assert speech.problem() is None


@voice
def test_the_model_of_these_tests_is_the_published_one(whisper_model):
    assert models.PUBLISHED[models.checksum(whisper_model)] == "tiny.en"


@voice
def test_what_is_spoken_is_heard(runner, speech):
    sound = runner.run(spoken(speech, SENTENCE))
    assert 2.5 < len(sound) / RATE_HZ / 2 < 6
    words = runner.run(heard(speech, PAUSE + sound + PAUSE))
    assert "appointment is tomorrow morning" in words
    assert speech.problem() is None


@voice
def test_a_text_comes_sentence_by_sentence(runner, speech):
    async def story():
        return [
            piece async for piece in speech.tts.speak("One is here. Two is there. Three is gone.", Voice())
        ]

    assert len(runner.run(story())) == 3


@voice
def test_a_long_first_sentence_begins_with_a_clause_of_it(runner, speech):
    text = (
        "This is Anna from Riverside Dental, calling about the appointment that you have tomorrow at three."
    )

    async def story():
        return [piece async for piece in speech.tts.speak(text, Voice())]

    pieces = runner.run(story())
    assert len(pieces) == 2
    assert len(pieces[0]) < len(pieces[1])


@voice
@pytest.mark.parametrize("text", ["Hello \ud83d there.", "Hello\x00there.", "Hello [[ there ]]."])
def test_strange_signs_do_not_hinder_it(runner, speech, text):
    assert "hello there" in runner.run(heard(speech, PAUSE + runner.run(spoken(speech, text)) + PAUSE))


@voice
@pytest.mark.parametrize("language", ["xx", "", "de-AT", "zh-Hant-TW", "english"])
def test_whatever_the_language_is_called_it_is_not_deaf(runner, speech, language):
    sound = runner.run(spoken(speech, SENTENCE))
    assert "tomorrow" in runner.run(heard(speech, PAUSE + sound + PAUSE, language))


@voice
@pytest.mark.parametrize(
    "sound",
    [
        b"",
        bytes(2 * RATE_HZ * 2),
        samples(random.Random(1).gauss(0, 100) for _ in range(2 * RATE_HZ)),
        samples(random.Random(1).gauss(0, 3000) for _ in range(2 * RATE_HZ)),
        samples(8000 * math.sin(i * 2 * math.pi * 1000 / RATE_HZ) for i in range(2 * RATE_HZ)),
        samples(8000 * (i % 2000 < 5) for i in range(2 * RATE_HZ)),
    ],
    ids=["nothing", "silence", "hiss", "noise", "beep", "clicks"],
)
def test_where_nobody_speaks_no_words_are_made_up(runner, speech, sound):
    assert runner.run(heard(speech, sound)) == ""


@voice
def test_one_utterance_is_not_heard_in_the_next(runner, speech):
    sound = runner.run(spoken(speech, SENTENCE))

    async def story():
        transcriber = await speech.stt.listen("en")
        transcriber.feed(PAUSE + sound + PAUSE)
        return await transcriber.finish(), await transcriber.finish()

    first, second = runner.run(story())
    assert first
    assert second == ""


@voice
@pytest.mark.parametrize("module", ["workers.piper", "workers.whisper"])
def test_an_engine_that_is_killed_comes_back(runner, speech, module):
    sound = runner.run(spoken(speech, SENTENCE))
    (before,) = workers_of(module)

    async def story():
        os.kill(before, signal.SIGKILL)
        return await asyncio.gather(
            spoken(speech, f"Goodbye, {module}."), heard(speech, PAUSE + sound + PAUSE)
        )

    said, words = runner.run(story())
    assert said
    assert "tomorrow" in words
    assert workers_of(module) != [before]
    assert speech.problem() is None


@voice
def test_a_recogniser_that_hangs_is_a_problem_until_it_is_renewed(runner, speech, monkeypatch):
    program = speech._listener._pool._program
    monkeypatch.setattr(speech._listener._pool, "_program", replace(program, work_s=1.0))
    sound = runner.run(spoken(speech, SENTENCE))
    (before,) = workers_of("workers.whisper")

    async def story():
        os.kill(before, signal.SIGSTOP)
        with pytest.raises(SpeechFailed, match="Whisper hangs"):
            await heard(speech, PAUSE + sound)
        async with asyncio.timeout(10):  # the one that hung is killed
            for _ in iter(speech.problem, "Whisper is starting"):
                await asyncio.sleep(0)
        monkeypatch.undo()
        return await heard(speech, PAUSE + sound + PAUSE)

    assert "tomorrow" in runner.run(story())
    assert speech.problem() is None


@voice
def test_it_tells_who_speaks_and_who_does_not(runner, speech):
    sound = runner.run(spoken(speech, "Yes, that works for me."))
    activity = speech.turns.activity()
    told = [activity.feed(piece) for piece in frames(bytes(3 * RATE_HZ * 2) + sound + bytes(RATE_HZ * 2))]
    onset, length = 3 * 50, len(sound) // FRAME_BYTES
    assert not any(told[:onset])
    assert any(told[onset : onset + 10]), "within 200 ms"
    assert not any(told[onset + length + 15 :]), "over after 300 ms"


@voice
def test_noise_is_no_speech(speech):
    activity = speech.turns.activity()
    noise = samples(random.Random(1).gauss(0, 1000) for _ in range(5 * RATE_HZ))
    assert not any(activity.feed(frame) for frame in frames(noise))


@voice
def test_it_hears_speech_after_a_long_silence(runner, speech):
    """The model's memory of a silence makes it deaf, unless it is wiped."""
    sound = runner.run(spoken(speech, "Yes, that works for me."))
    activity = speech.turns.activity()
    for frame in frames(bytes(60 * RATE_HZ * 2)):
        activity.feed(frame)
    assert any(activity.feed(frame) for frame in frames(sound[: RATE_HZ // 5 * 2]))


@voice
def test_calls_do_not_hear_each_other(runner, speech):
    sound = runner.run(spoken(speech, "Yes, that works for me."))
    one, other = speech.turns.activity(), speech.turns.activity()
    told = [(one.feed(frame), other.feed(bytes(len(frame)))) for frame in frames(sound)]
    assert any(first for first, _ in told)
    assert not any(second for _, second in told)


@voice
def test_whoever_has_said_all_has_finished(runner, speech):
    sound = runner.run(spoken(speech, "Yes, that works for me."))
    assert runner.run(speech.turns.is_over(sound + bytes(RATE_HZ // 5 * 2)))


@voice
def test_whoever_was_cut_off_in_a_word_has_not_finished(runner, speech, monkeypatch):
    pool = speech.turns._pool  # patient: a machine under test may be slow
    monkeypatch.setattr(pool, "_program", replace(pool._program, patience_s=30.0))
    sound = runner.run(spoken(speech, "Well, I wanted to ask you whether the appointment could"))
    runner.run(until(lambda: speech.turns.problem() is None, 60))  # who cannot be asked says yes
    assert not runner.run(speech.turns.is_over(sound[: len(sound) // 2 * 6 // 10 * 2]))


@voice
@pytest.mark.parametrize("sound", [b"", b"\0\0", bytes(3333), bytes(60 * RATE_HZ * 2)])
def test_of_any_sound_it_is_told_whether_it_is_over(runner, speech, sound):
    assert runner.run(speech.turns.is_over(sound)) in {True, False}
    assert speech._turns.problem() is None


@voice
def test_without_its_model_a_pause_is_an_end(runner, settings):
    turns = build(replace(settings, turns="smart")).turns
    assert runner.run(turns.is_over(bytes(RATE_HZ))) is True
    turns = build(replace(settings, turns="silence")).turns
    assert runner.run(turns.is_over(bytes(RATE_HZ))) is True


def frames(sound):
    return [sound[start : start + FRAME_BYTES] for start in range(0, len(sound), FRAME_BYTES)]
