"""Spoken calls, offline and at the pace of a phone: how soon the agent speaks, and what a call costs.

All of it on one core. A smoke run has all cores, and no pace but the engines': its figures mean nothing.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.frame.command import Options, options
from benchmarks.frame.figures import Figures, percentile, shown
from benchmarks.frame.programs import cpu_s, lines_of
from benchmarks.frame.report import Report
from benchmarks.spoken.callees import SPEAKERS, over_the_phone, silence, speech_of
from benchmarks.spoken.calling import SCRIPT, Told, a_request, call
from benchmarks.spoken.engines import Busy, Watched, engines
from benchmarks.spoken.line import Act, EnginePace, Pace, PhonePace, PlayedLine
from temphone.gateway.conversation.dialogue import GREETING_WAIT_S
from temphone.gateway.legs.spoken.engines import Engines
from temphone.gateway.speech.engines import Speech
from temphone.gateway.speech.ports import Voice
from temphone.telephony.messages import Branch, Script, Step

NOTE = """\
At the pace of a phone, with Piper, Silero, smart-turn and Whisper on this machine, {cores}, calls begun \
{apart} s apart, {voice} over the telephone's band with noise 35 dB below it, in {turns} turns a call; \
prompts were made ahead, as a script's are. The callees are played on the same cores. Times are from the \
last loud sound of the one to the first of the other, in frames of 20 ms, percentiles those of all turns of \
all runs together; there is no network between. The answer to first audio is that of a callee who says \
nothing. CPU and memory are the gateway's and the engines' together; a core is 1. The goals are those of \
one call, asked of several at once as well."""
P50_MS, P95_MS, BARGE_IN_MS = 1_000, 2_000, 400
APART_S = 1.7
BARGE_IN_AFTER_MS = 1_500
STEPS = (
    Step(name="time", say="Does that time still work for you?", otherwise=Branch(phrases=(), to="more")),
    Step(
        name="more", say="Is there anything you would like to bring?", otherwise=Branch(phrases=(), to="way")
    ),
    Step(name="way", say="Do you know the way to us?", otherwise=Branch(phrases=(), say="Very well.")),
)
REPLIES = ("Yes, that works fine for me.", "No, I do not think so.", "Yes, I have been there before.")
HANGS_UP_AFTER_MS = 4_000  # who says nothing


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: how often so many calls at once, and how long they are."""

    runs: Mapping[int, int]
    silent: int
    turns: int  # of the callee, after the greeting and the interruption

    @property
    def script(self) -> Script:
        """The conversation of each call."""
        return replace(SCRIPT, mode="converse", steps=STEPS[-self.turns :])


FULL = Plan(runs={1: 15, 4: 4, 8: 2}, silent=5, turns=3)  # as many turns each, so that a p95 is one
QUICK = Plan(runs={1: 1}, silent=1, turns=1)


@dataclass(frozen=True, slots=True)
class Run:
    """Some calls at once."""

    lines: Sequence[PlayedLine]
    whole: int  # how many of them were heard to the end
    took_s: float
    used_s: float
    grew_mb: float


@dataclass(frozen=True, slots=True)
class Found:
    """All that was measured."""

    figures: Mapping[int, Figures]  # by how many calls there were at once
    answers_ms: Sequence[int]
    hearing_ms: float


@dataclass(frozen=True, slots=True)
class Callee:
    """What one callee plays."""

    greeting: bytes
    interruption: bytes
    replies: Sequence[bytes]

    @property
    def acts(self) -> list[Act]:
        answers = [Act(reply, 500, agent_turn=2 + place) for place, reply in enumerate(self.replies)]
        interrupts = Act(self.interruption, 0, agent_turn=1, over_ms=BARGE_IN_AFTER_MS)
        return [Act(self.greeting, 400), interrupts, *answers]


async def callee(speech: Speech, turns: int) -> Callee:
    dice = np.random.default_rng(1)

    async def sound(text: str) -> bytes:
        spoken = await speech_of(text, SPEAKERS[1], speech)
        return over_the_phone(np.concatenate([spoken, silence(20)]), snr_db=35.0, dice=dice)

    return Callee(
        greeting=await sound("Hello?"),
        interruption=await sound("Sorry, who is calling please?"),
        replies=[await sound(reply) for reply in REPLIES[-turns:]],
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """Where calls take place."""

    engines: Engines
    script: Script
    pace: Callable[[], Pace]


async def carried(
    stage: Stage, acts: list[Act], *, wait_s: float = 0.0, ms: int = 90_000
) -> tuple[PlayedLine, Told]:
    await asyncio.sleep(wait_s)
    line = PlayedLine(stage.pace(), acts, hangs_up_after_ms=ms)
    told = await call(a_request(script=stage.script), line, stage.engines)
    return line, told


def waits(line: PlayedLine) -> list[int]:
    """From the end of each of the callee's turns to the agent's next, in ms; the interruption is none."""
    ended = [at for place, at in enumerate(line.act_ended) if place > 1]
    nexts = ((at, next((began for began in line.agent_began if began > at), None)) for at in ended)
    return [began - at for at, began in nexts if began is not None]


def barge_in(line: PlayedLine) -> list[int]:
    """From the callee's first sound over the agent to its silence."""
    if len(line.act_began) < 2:
        return []
    return [line.agent_ended[0] - line.act_began[1]]


async def run(stage: Stage, acts: list[Act], calls: int) -> Run:
    before_mb, used, began = memory_mb(), cpu_s(os.getpid()), time.monotonic()
    done = await asyncio.gather(*(carried(stage, acts, wait_s=place * APART_S) for place in range(calls)))
    return Run(
        lines=[line for line, _ in done],
        whole=sum(len(told.turns) >= len(acts) * 2 for _, told in done),
        took_s=time.monotonic() - began,
        used_s=cpu_s(os.getpid()) - used,
        grew_mb=memory_mb() - before_mb,
    )


def figures_of(runs: Sequence[Run]) -> dict[str, float]:
    """Of all turns of all runs together."""
    lines = [line for one in runs for line in one.lines]
    heard = list(chain.from_iterable(map(waits, lines)))
    used = sum(one.used_s for one in runs)
    return {
        "calls": len(lines),
        "turns": len(heard),
        "speech to audio p50, ms": percentile(heard, 0.5),
        "speech to audio p95, ms": percentile(heard, 0.95),
        "greeting to audio, ms": percentile([line.agent_began[0] - line.act_ended[0] for line in lines], 0.5),
        "barge-in, worst, ms": max(chain.from_iterable(map(barge_in, lines))),
        "cores a call": used / (sum(line.now_ms for line in lines) / 1000),
        "cores in all": used / sum(one.took_s for one in runs),
        "memory a call, MB": median(one.grew_mb / len(one.lines) for one in runs),
        "memory in all, MB": memory_mb(),
        "heard to the end": sum(one.whole for one in runs),
    }


def memory_mb() -> float:
    """The resident memory of this process and the engines' that it started."""
    own = os.getpid()
    pids = [
        own,
        *(int(pid) for line in lines_of(Path(f"/proc/{own}/task/{own}/children")) for pid in line.split()),
    ]
    return sum(_resident_mb(pid) for pid in pids)


def _resident_mb(pid: int) -> float:
    resident = (line for line in lines_of(Path(f"/proc/{pid}/status")) if line.startswith("VmRSS"))
    return sum(int(line.split()[1]) for line in resident) / 1000


async def hearing_ms(speech: Speech, utterances: Sequence[bytes]) -> float:
    """How long the engine that listens takes for an utterance when it has no other."""
    took = []
    for sound in utterances:
        ear = await speech.stt.listen(SCRIPT.language)
        ear.feed(sound)
        began = time.monotonic()
        await ear.finish()
        took.append(time.monotonic() - began)
        await ear.close()
    return round(median(took) * 1000)


def staged(speech: Speech, script: Script, *, hurried: bool) -> Stage:
    if not hurried:
        return Stage(speech, script, PhonePace)
    busy = Busy()
    return Stage(Watched(speech, busy), script, lambda: EnginePace(busy.idle))


async def measured(plan: Plan, *, quick: bool) -> Found:
    async with engines(patient=quick) as speech:
        script = plan.script
        await speech.tts.prepare(said(script), Voice(language=script.language))
        played = await callee(speech, plan.turns)
        alone_ms = await hearing_ms(speech, [played.interruption, *played.replies] * plan.turns)
        stage = staged(speech, script, hurried=quick)
        silent = [await carried(stage, [], ms=HANGS_UP_AFTER_MS) for _ in range(plan.silent)]
        figures = {
            calls: figures_of([await run(stage, played.acts, calls) for _ in range(times)])
            for calls, times in plan.runs.items()
        }
    return Found(figures, [line.agent_began[0] for line, _ in silent], alone_ms)


def said(script: Script) -> list[str]:
    """What such a call may say."""
    steps = chain.from_iterable((step.say, step.otherwise.say) for step in script.steps if step.otherwise)
    ends = (script.goodbye, script.opt_out_confirmation, script.silence_reminder)
    machines = (script.voicemail_message, script.screening_message)
    return [text for text in (script.preface, script.message, *machines, *steps, *ends) if text]


def use_one_core() -> None:
    """For us, our threads, and the engines that we start."""
    core = max(os.sched_getaffinity(0))
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def main() -> None:
    given = options(__doc__)
    if not given.quick:
        use_one_core()
    found = asyncio.run(measured(QUICK if given.quick else FULL, quick=given.quick))
    report = Report("spoken_calls", title="Spoken calls, offline", note=note(given))
    for calls, of_them in found.figures.items():
        report.row(f"{calls} at once", [of_them])
    report.row("who says nothing", [{"answer to audio, ms": ms} for ms in found.answers_ms])
    goals(report, found)
    report.finish(given)


def note(given: Options) -> str:
    plan = QUICK if given.quick else FULL
    return NOTE.format(
        cores="on all cores (no pace in a smoke run)" if given.quick else "all on one core",
        apart=APART_S,
        voice=SPEAKERS[1].name,
        turns=plan.turns + 2,
    )


def goals(report: Report, found: Found) -> None:
    """The same of each number of calls at once."""
    answer_ms = max(found.answers_ms)
    greet_ms = round(GREETING_WAIT_S * 1000)
    by_design = (
        f"By design: who is called has {greet_ms:,} ms to greet before the agent speaks, lest it talk over "
        f"them; after that it took {shown(answer_ms - greet_ms)} ms. It is a wait for the callee, and none "
        "for the engines: who greets hears the agent as soon as 800 ms of silence say that they are done."
    )
    report.goal("First audio within 300 ms of the answer", answer_ms, most=300, unit="ms", why=by_design)
    for calls, figures in found.figures.items():
        goals_of(report, calls, figures, found.hearing_ms)


def goals_of(report: Report, calls: int, figures: Figures, hearing: float) -> None:
    at_once = "one call" if calls == 1 else f"{calls} calls at once"
    why = (
        f"A pause of 300 ms, then what Whisper and smart-turn take, one utterance after the other: Whisper "
        f"{shown(hearing)} ms for one alone.{_others(calls, hearing)} {at_once.capitalize()} used "
        f"{shown(figures['cores in all'])} of the core."
    )
    barge_in_why = "200 ms of voice, and what Silero takes to hear it."
    for goal, figure, most, because in (
        ("End of speech to first audio, p50", "speech to audio p50, ms", P50_MS, why),
        ("End of speech to first audio, p95", "speech to audio p95, ms", P95_MS, why),
        ("Barge-in, worst", "barge-in, worst, ms", BARGE_IN_MS, barge_in_why),
    ):
        text = f"{goal}, {at_once}: at most {shown(most)} ms"
        report.goal(text, figures[figure], most=most, unit="ms", why=because)


def _others(calls: int, hearing: float) -> str:
    """What the others may take from a call."""
    if calls == 1:
        return ""
    others_ms = (calls - 1) * hearing
    return (
        f" Where all {calls} end a turn together, the last is heard {shown(others_ms)} ms later than it "
        f"would be alone, who stands in the middle {shown(others_ms / 2)} ms."
    )


if __name__ == "__main__":
    main()
