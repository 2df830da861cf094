"""Spoken calls, offline and at the pace of a phone: how soon the agent speaks, and what a call costs.

On one core: ``taskset -c 0 python -m benchmarks.spoken_calls``.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.frame.command import options
from benchmarks.frame.figures import Figures, percentile
from benchmarks.frame.programs import cpu_s, lines_of
from benchmarks.frame.report import Report
from benchmarks.spoken.callees import SPEAKERS, over_the_phone, silence, speech_of
from benchmarks.spoken.calling import SCRIPT, Told, a_request, call
from benchmarks.spoken.engines import engines
from benchmarks.spoken.line import Act, PhonePace, PlayedLine
from temphone.gateway.conversation.dialogue import GREETING_WAIT_S
from temphone.gateway.speech.engines import Speech
from temphone.telephony.messages import Branch, Step

NOTE = """\
At the pace of a phone, with Piper, Silero, smart-turn and Whisper on this machine, calls begun {apart} s \
apart, {voice} over the telephone's band with noise 35 dB below it, in {turns} turns a call; prompts were \
made ahead, as a script's are. Times are from the last loud sound of the one to the first of the other, in \
frames of 20 ms; there is no network between. The answer to first audio is that of a callee who says \
nothing: the agent lets them greet for {greeting} s first. CPU and memory are the gateway's and the \
engines' together; a core is 1."""
APART_S = 1.7
BARGE_IN_AFTER_MS = 1_500
STEPS = (
    Step(name="time", say="Does that time still work for you?", otherwise=Branch(phrases=(), to="more")),
    Step(
        name="more", say="Is there anything you would like to bring?", otherwise=Branch(phrases=(), to="way")
    ),
    Step(name="way", say="Do you know the way to us?", otherwise=Branch(phrases=(), say="Very well.")),
)
CONVERSATION = replace(SCRIPT, mode="converse", steps=STEPS)
ENGINES = "A pause of 300 ms, then what Whisper and smart-turn take."
REPLIES = ("Yes, that works fine for me.", "No, I do not think so.", "Yes, I have been there before.")


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


async def callee(speech: Speech) -> Callee:
    dice = np.random.default_rng(1)

    async def sound(text: str) -> bytes:
        spoken = await speech_of(text, SPEAKERS[1], speech)
        return over_the_phone(np.concatenate([spoken, silence(20)]), snr_db=35.0, dice=dice)

    return Callee(
        greeting=await sound("Hello?"),
        interruption=await sound("Sorry, who is calling please?"),
        replies=[await sound(reply) for reply in REPLIES],
    )


async def carried(speech: Speech, acts: list[Act], wait_s: float = 0.0) -> tuple[PlayedLine, Told]:
    await asyncio.sleep(wait_s)
    line = PlayedLine(PhonePace(), acts, hangs_up_after_ms=90_000)
    told = await call(a_request(script=CONVERSATION), line, speech)
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


async def measured(speech: Speech, played: Callee, calls: int) -> dict[str, float]:
    before_mb, used, began = memory_mb(), cpu_s(os.getpid()), time.monotonic()
    done = await asyncio.gather(*(carried(speech, played.acts, place * APART_S) for place in range(calls)))
    took_s = time.monotonic() - began
    used = cpu_s(os.getpid()) - used
    lines = [line for line, _ in done]
    heard = [wait for line in lines for wait in waits(line)]
    return {
        "turns": len(heard),
        "speech to audio p50, ms": percentile(heard, 0.5),
        "speech to audio p95, ms": percentile(heard, 0.95),
        "greeting to audio, ms": percentile([line.agent_began[0] - line.act_ended[0] for line in lines], 0.5),
        "barge-in, worst, ms": max(cut for line in lines for cut in barge_in(line)),
        "cores a call": used / (sum(line.now_ms for line in lines) / 1000),
        "cores in all": used / took_s,
        "memory a call, MB": (memory_mb() - before_mb) / calls,
        "memory in all, MB": memory_mb(),
        "heard to the end": sum(len(told.turns) >= len(played.acts) * 2 for _, told in done),
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


async def all_measured(counts: Sequence[int]) -> tuple[dict[int, dict[str, float]], float]:
    """By how many calls there are at once; and from the answer to first audio, in ms."""
    async with engines() as speech:
        played = await callee(speech)
        await carried(speech, [])  # so that every prompt is there, and every engine warm
        silent, _ = await carried(speech, [])
        return {calls: await measured(speech, played, calls) for calls in counts}, silent.agent_began[0]


def main() -> None:
    given = options(__doc__)
    counts = (1,) if given.quick else (1, 4, 8)
    figures, answer_ms = asyncio.run(all_measured(counts))
    note = NOTE.format(
        apart=APART_S, voice=SPEAKERS[1].name, turns=len(REPLIES) + 2, greeting=GREETING_WAIT_S
    )
    report = Report("spoken_calls", title="Spoken calls, offline", note=note)
    for calls, of_them in figures.items():
        report.row(f"{calls} at once", [of_them])
    report.row("who says nothing", [{"answer to audio, ms": answer_ms}])
    _goals(report, figures[1], answer_ms)
    report.finish(given)


def _goals(report: Report, one: Figures, answer_ms: float) -> None:
    """Beside those of a call on one core."""
    wait_ms = answer_ms - GREETING_WAIT_S * 1000
    goals = (
        ("First audio within 300 ms of the answer and the time to greet", wait_ms, 300, "It was not there."),
        ("End of speech to first audio, p50", one["speech to audio p50, ms"], 1_000, ENGINES),
        ("End of speech to first audio, p95", one["speech to audio p95, ms"], 2_000, ENGINES),
        ("Barge-in", one["barge-in, worst, ms"], 400, "200 ms of voice, and what Silero takes to hear it."),
    )
    for goal, reached, most, why in goals:
        report.goal(goal, reached, most=most, unit="ms", why=why)


if __name__ == "__main__":
    main()
