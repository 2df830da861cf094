"""Who answered: precision and recall over made greetings, in whole calls with the engines of this machine.

The greetings are made reproducibly of ``benchmarks/spoken/greetings.txt``, after which rules were mended, and
of ``held_out.txt`` beside it, after which none is to be.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.frame.command import options, say
from benchmarks.frame.report import Report
from benchmarks.spoken.callees import Samples, Speaker, beep, over_the_phone, silence, speakers, speech_of
from benchmarks.spoken.calling import Told, a_request, call
from benchmarks.spoken.engines import Busy, Watched, engines, model_name
from benchmarks.spoken.line import Act, EnginePace, PlayedLine
from temphone.gateway.speech.engines import Speech
from temphone.gateway.speech.ports import RATE_HZ
from temphone.telephony.messages import Outcome

NOTE = """\
{calls} calls, each answered by a made greeting in {voices} voices (Piper's joe at several paces, \
espeak-ng), 300 to 3,400 Hz, white noise 35 or 15 dB below it, through mu-law, sentences 0.25 to 0.9 s \
apart, the beep of 350 to 1,500 Hz 0.3 to 1.5 s after them. The rules were fitted to the {known} texts of \
`greetings.txt`, so these say how well they do what they were made for. The {fresh} of `held_out.txt` \
("held out") were written later, without a look at the rules' phrases, none of which was made from them. \
Whole calls by the spoken leg with Silero, smart-turn and the Whisper model {model}; what is counted is who \
the call in the end took them for. No person spoke, and no real machine."""
KNOWN, HELD_OUT = "", "held out"
SETS = {KNOWN: "greetings.txt", HELD_OUT: "held_out.txt"}
CLASSES = ("human", "voicemail", "screening", "ivr")
VOICES_EACH = 2
BYTES_A_MS = RATE_HZ // 1000 * 2


@dataclass(frozen=True, slots=True)
class Greeting:
    """One call to be: who answers, with what, in which voice and noise."""

    who: str
    text: str
    speaker: Speaker
    snr_db: float
    seed: int
    of: str = KNOWN  # the set


@dataclass(frozen=True, slots=True)
class Made:
    """Its sound; where the last word ends and where the beep does, if there is one, in ms."""

    sound: bytes
    words_end_ms: int
    beep_end_ms: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One call: what answered, and whom it was taken for."""

    greeting: Greeting
    sound: Made
    told: Told

    @property
    def right(self) -> bool:
        """Whether it was taken for what it is."""
        return self.told.last == self.greeting.who


def texts(of: str) -> list[tuple[str, str]]:
    """Who answers, and what they say."""
    lines = (Path(__file__).parent / "spoken" / SETS[of]).read_text(encoding="utf-8").splitlines()
    split = (line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    return [(who, text) for who, text in split]


def greetings() -> Iterator[Greeting]:
    """Of both sets, each text in some of the voices."""
    voices = speakers()
    for of in SETS:
        for place, (who, text) in enumerate(texts(of)):
            for turn in range(VOICES_EACH):
                seed = place * 10 + turn
                speaker = voices[(place + 2 * turn) % len(voices)]
                yield Greeting(who, text, speaker, 35.0 if seed % 2 else 15.0, seed, of)


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


async def answered(greeting: Greeting, speech: Speech) -> Answer:
    sound = await made(greeting, speech)
    busy = Busy()
    line = PlayedLine(EnginePace(busy.idle), [Act(sound.sound, 0)], hangs_up_after_ms=60_000)
    told = await call(a_request(), line, Watched(speech, busy))
    return Answer(greeting, sound, told)


async def all_answered(which: Sequence[Greeting]) -> list[Answer]:
    found = []
    async with engines(patient=True) as speech:
        for greeting in which:
            found.append(await answered(greeting, speech))
            _tell(found[-1])
    return found


def _tell(answer: Answer) -> None:
    """What went wrong, if anything did."""
    if answer.right:
        return
    greeting, told = answer.greeting, answer.told
    heard = " / ".join(turn.text for turn in told.turns if turn.speaker == "callee")
    taken = ", ".join(told.classes) or "nobody"
    named = _named(greeting.who, greeting.of)
    say(f"  {named}, {greeting.speaker.name}, {greeting.snr_db:.0f} dB: {taken}; heard: {heard}")


def main() -> None:
    given = options(__doc__)
    which = list(greetings())[:: given.pick(1, quick=20)]
    found = asyncio.run(all_answered(which))
    report = Report(
        "answering",
        title="Who answered",
        note=NOTE.format(
            calls=len(which),
            voices=len(speakers()),
            known=len(texts(KNOWN)),
            fresh=len(texts(HELD_OUT)),
            model=model_name(),
        ),
    )
    rows(report, found)
    report.finish(given)


def rows(report: Report, found: Sequence[Answer]) -> None:
    """Both sets by who answered, by voice and by noise; then the messages that were left."""
    for of in SETS:
        answers = [one for one in found if one.greeting.of == of]
        for who in CLASSES:
            if any(one.greeting.who == who for one in answers):
                report.row(_named(who, of), [_class(who, answers)])
    for of in SETS:
        answers = [one for one in found if one.greeting.of == of]
        for name in sorted({one.greeting.speaker.name for one in answers}):
            _right(report, name, of, [one for one in answers if one.greeting.speaker.name == name])
        for snr in sorted({one.greeting.snr_db for one in answers}, reverse=True):
            noise = f"noise {snr:.0f} dB below"
            _right(report, noise, of, [one for one in answers if one.greeting.snr_db == snr])
    _messages(report, found)


def _named(what: str, of: str) -> str:
    return f"{what}, {of}" if of else what


def _class(who: str, answers: Sequence[Answer]) -> dict[str, float]:
    """Of those who are it: whom they were taken for. Precision is that of the set, with its own mixture."""
    counts = Counter((one.greeting.who, one.told.last) for one in answers)
    real = sum(count for (truth, _), count in counts.items() if truth == who)
    taken = sum(count for (_, guess), count in counts.items() if guess == who)
    return {
        "calls": real,
        **{f"taken for {guess}": counts[who, guess] for guess in (*CLASSES, "unknown", "nobody")},
        "precision": counts[who, who] / taken if taken else 0.0,
        "recall": counts[who, who] / real if real else 0.0,
    }


def _right(report: Report, what: str, of: str, answers: Sequence[Answer]) -> None:
    right = sum(one.right for one in answers)
    figures = {"calls": len(answers), "right": right, "share right": right / len(answers)}
    report.row(_named(what, of), [figures])


def _messages(report: Report, found: Sequence[Answer]) -> None:
    """Of the voicemails that were left a message: whether it came after the beep, or after enough silence."""
    left = [one for one in found if one.told.outcome is Outcome.VOICEMAIL_LEFT]
    beeps = [one for one in left if one.sound.beep_end_ms is not None]
    whole = [one.told.message_began_ms >= (one.sound.beep_end_ms or 0) for one in beeps]
    waits = [one.told.message_began_ms - one.sound.words_end_ms for one in left if one not in beeps]
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
