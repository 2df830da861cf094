"""Who answered: precision and recall over made greetings, in whole calls with the engines of this machine.

The greetings are made reproducibly of ``benchmarks/spoken/greetings.txt``.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.frame.command import options, say
from benchmarks.frame.report import Report
from benchmarks.spoken.callees import Samples, Speaker, beep, over_the_phone, silence, speakers, speech_of
from benchmarks.spoken.calling import Told, a_request, call
from benchmarks.spoken.engines import Busy, Watched, engines
from benchmarks.spoken.line import Act, EnginePace, PlayedLine
from temphone.gateway.speech.engines import Speech
from temphone.gateway.speech.ports import RATE_HZ
from temphone.telephony.messages import Outcome

NOTE = """\
{calls} calls, each answered by a greeting of `greetings.txt` in {voices} voices (Piper's joe at several \
paces, espeak-ng), 300 to 3,400 Hz, white noise 35 or 15 dB below it, through mu-law, sentences 0.25 to 0.9 \
s apart, the beep of 350 to 1,500 Hz 0.3 to 1.5 s after them. Whole calls by the spoken leg with Silero, \
smart-turn and the Whisper model {model}; what is counted is who the call in the end took them for. No \
person spoke."""
CLASSES = ("human", "voicemail", "screening", "ivr")
VOICES_EACH = {"human": 2, "voicemail": 2, "screening": 3, "ivr": 3}
BYTES_A_MS = RATE_HZ // 1000 * 2


@dataclass(frozen=True, slots=True)
class Greeting:
    """One call to be: who answers, with what, in which voice and noise."""

    who: str
    text: str
    speaker: Speaker
    snr_db: float
    seed: int


@dataclass(frozen=True, slots=True)
class Made:
    """Its sound; where the last word ends and where the beep does, if there is one, in ms."""

    sound: bytes
    words_end_ms: int
    beep_end_ms: int | None


def greetings() -> Iterator[Greeting]:
    voices = speakers()
    lines = (Path(__file__).parent / "spoken" / "greetings.txt").read_text(encoding="utf-8").splitlines()
    texts = [line.split(": ", 1) for line in lines if line and not line.startswith("#")]
    for place, (who, text) in enumerate(texts):
        for turn in range(VOICES_EACH[who]):
            seed = place * 10 + turn
            speaker = voices[(place + 2 * turn) % len(voices)]
            yield Greeting(who, text, speaker, 35.0 if seed % 2 else 15.0, seed)


async def made(greeting: Greeting, speech: Speech) -> Made:
    dice = np.random.default_rng(greeting.seed)
    parts: list[Samples] = [silence(int(dice.integers(200, 1_200)))]
    sentences = [sentence.strip() for sentence in greeting.text.removesuffix("*").split("/")]
    for place, sentence in enumerate(sentences):
        parts += [silence(int(dice.integers(250, 900)))] if place else []
        parts.append(await speech_of(sentence, greeting.speaker, speech))
    words_end = sum(map(len, parts))
    beep_end = None
    if greeting.text.endswith("*"):
        parts.append(silence(int(dice.integers(300, 1_500))))
        parts.append(beep(int(dice.integers(180, 900)), float(dice.uniform(350, 1_500))))
        beep_end = sum(map(len, parts)) * 1000 // RATE_HZ
    parts.append(silence(8_000))  # of noise
    sound = over_the_phone(np.concatenate(parts), snr_db=greeting.snr_db, dice=dice)
    return Made(sound, words_end * 1000 // RATE_HZ, beep_end)


async def answered(greeting: Greeting, speech: Speech) -> tuple[Greeting, Made, Told]:
    sound = await made(greeting, speech)
    busy = Busy()
    line = PlayedLine(EnginePace(busy.idle), [Act(sound.sound, 0)], hangs_up_after_ms=60_000)
    told = await call(a_request(), line, Watched(speech, busy))
    return greeting, sound, told


async def all_answered(which: list[Greeting]) -> list[tuple[Greeting, Made, Told]]:
    found = []
    async with engines(patient=True) as speech:
        for greeting in which:
            found.append(await answered(greeting, speech))
            _tell(greeting, found[-1][2])
    return found


def _tell(greeting: Greeting, told: Told) -> None:
    """What went wrong, if anything did."""
    if told.last == greeting.who:
        return
    heard = " / ".join(turn.text for turn in told.turns if turn.speaker == "callee")
    taken = ", ".join(told.classes) or "nobody"
    say(f"  {greeting.who}, {greeting.speaker.name}, {greeting.snr_db:.0f} dB: {taken}; heard: {heard}")


def main() -> None:
    given = options(__doc__)
    which = list(greetings())
    which = which[:: given.pick(1, quick=20)]
    found = asyncio.run(all_answered(which))
    report = Report(
        "answering",
        title="Who answered",
        note=NOTE.format(calls=len(which), voices=len(speakers()), model="tiny.en"),
    )
    _report(report, found)
    report.finish(given)


def _report(report: Report, found: list[tuple[Greeting, Made, Told]]) -> None:
    counts = Counter((greeting.who, told.last) for greeting, _, told in found)
    for who in CLASSES:
        right = counts[who, who]
        real = sum(count for (truth, _), count in counts.items() if truth == who)
        taken = sum(count for (_, guess), count in counts.items() if guess == who)
        report.row(
            who,
            [
                {
                    "calls": real,
                    **{f"taken for {guess}": counts[who, guess] for guess in (*CLASSES, "unknown", "nobody")},
                    "precision": right / taken if taken else 0.0,
                    "recall": right / real if real else 0.0,
                }
            ],
        )
    for name in sorted({greeting.speaker.name for greeting, _, _ in found}):
        of = [greeting.who == told.last for greeting, _, told in found if greeting.speaker.name == name]
        say(f"  {name}: {sum(of)} of {len(of)} right")
    for snr in (35.0, 15.0):
        of = [greeting.who == told.last for greeting, _, told in found if greeting.snr_db == snr]
        say(f"  {snr:.0f} dB: {sum(of)} of {len(of)} right")
    _report_messages(report, found)


def _report_messages(report: Report, found: list[tuple[Greeting, Made, Told]]) -> None:
    """Of the voicemails that were left a message: whether it came after the beep, or after enough silence."""
    left = [(sound, told) for _, sound, told in found if told.outcome is Outcome.VOICEMAIL_LEFT]
    beeps = [(sound, told) for sound, told in left if sound.beep_end_ms is not None]
    whole = [told.message_began_ms >= (sound.beep_end_ms or 0) for sound, told in beeps]
    waits = [told.message_began_ms - sound.words_end_ms for sound, told in left if sound.beep_end_ms is None]
    report.row(
        "messages left",
        [
            {
                "with a beep": len(beeps),
                "begun after it": sum(whole),
                "without a beep": len(waits),
                "least silence before, ms": min(waits, default=0),
            }
        ],
    )


if __name__ == "__main__":
    main()
