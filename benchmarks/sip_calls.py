"""Many calls over SIP in one gateway process, with prompts that are ready: how evenly their sound flows."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchmarks.frame.command import ROOT, options
from benchmarks.frame.figures import Figures, shown
from benchmarks.frame.programs import cpu_s
from benchmarks.frame.report import Report
from benchmarks.spoken.calling import SCRIPT, TRUNK, Told, a_request, call
from benchmarks.spoken.engines import engines
from temphone.gateway.config import SipSettings
from temphone.gateway.legs.sip.network import SipNetwork
from temphone.gateway.speech.engines import Speech
from temphone.gateway.speech.ports import FRAME_MS, Voice
from temphone.telephony.messages import Outcome, SipTrunk

NOTE = """\
The real SIP stack and spoken legs of one gateway process, whose prompts were made ahead, call phones of a \
program of their own on the same machine, over the loopback, G.711; {apart} s lie between two calls, each \
lasts about {lasts} s, in which the phone sends silence, to which Silero listens. A gap is the time \
between two packets of the stream as the phones' program took them, its own delays included. CPU is the \
gateway's with its engines; a core is 1."""
APART_S = 0.103  # no multiple of a frame, or all streams would tick at the same instants
MESSAGE = " ".join(
    [
        "This is about your appointment with us, which has been moved to another day.",
        "We are sorry for that, and thank you for your patience.",
        "Please come to the side entrance, since the main door is being repaired this week.",
        "Bring your insurance card and, if you have it, the letter that we sent you.",
        "If the new time does not suit you, call us back and we will find another.",
        "You may park behind the house, where the first two hours are free.",
    ]
)
LONG = replace(SCRIPT, message=MESSAGE)
GAP_MS = 25


@dataclass(frozen=True, slots=True)
class Found:
    """What so many calls at once came to."""

    figures: Figures
    told: Sequence[Told]


class Fresh:
    """An attempt that was never dialled."""

    replaying = begun = False

    async def about_to_dial(self) -> None: ...


@contextmanager
def phones() -> Iterator[subprocess.Popen[str]]:
    """The phones' program."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.spoken.phones"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def said(program: subprocess.Popen[str]) -> dict[str, float]:
    line: dict[str, float] = json.loads(program.stdout.readline() if program.stdout else "")
    return line


async def carried(speech: Speech, network: SipNetwork, number: int) -> Told:
    await asyncio.sleep(number * APART_S)
    request = a_request(number, script=LONG)
    return await call(request, network.line(request, Fresh()), speech)


async def measured(speech: Speech, calls: int) -> Found:
    """So many calls at once."""
    with phones() as program:
        network = SipNetwork(SipSettings(host="127.0.0.1"))
        port = int(said(program)["port"])
        network.keep([SipTrunk(id=TRUNK, lines=calls, host="127.0.0.1", port=port)])
        running = asyncio.create_task(network.run())
        try:
            used, began = cpu_s(os.getpid()), time.monotonic()
            told = await asyncio.gather(*(carried(speech, network, number) for number in range(calls)))
            cores = (cpu_s(os.getpid()) - used) / (time.monotonic() - began)
        finally:
            await network.close()
            await running
        program.send_signal(signal.SIGTERM)
        figures = said(program)
    delivered = sum(one.outcome is Outcome.MESSAGE_DELIVERED for one in told)
    return Found({**figures, "delivered": delivered, "cores": cores, "cores a call": cores / calls}, told)


async def all_measured(counts: tuple[int, ...]) -> dict[int, Found]:
    async with engines() as speech:
        await speech.tts.prepare((LONG.preface, LONG.message, LONG.goodbye), Voice(language=LONG.language))
        return {calls: await measured(speech, calls) for calls in counts}


def lasts_s(figures: Figures) -> int:
    """How long a call's sound lasted, by its packets."""
    return round(figures["packets"] / figures["calls"] * FRAME_MS / 1000)


def main() -> None:
    given = options(__doc__)
    counts = (5,) if given.quick else (10, 50, 100)
    found = asyncio.run(all_measured(counts))
    most = found[counts[-1]]
    report = Report(
        "sip_calls", title="Calls over SIP", note=NOTE.format(apart=APART_S, lasts=lasts_s(most.figures))
    )
    for calls, of_them in found.items():
        report.row(f"{calls} at once", [of_them.figures])
    goals(report, counts[-1], most)
    report.finish(given)


def goals(report: Report, calls: int, found: Found) -> None:
    """Of the most calls at once."""
    figures = found.figures
    report.goal(
        f"{calls} calls, RTP gap p99", figures["gap p99, ms"], most=GAP_MS, unit="ms", why=_why(figures)
    )
    why = f"The others: {_undelivered(found.told)}."
    report.goal(f"{calls} calls, delivered", figures["delivered"], least=calls, why=why)


def _why(figures: Figures) -> str:
    """How far the worst gaps go, whether sound was lost, and how much of the machine was taken."""
    lost = figures["missing"]
    missing = f"{shown(lost)} packets are missing" if lost else "no packet is missing"
    return (
        f"One in a thousand is longer than {shown(figures['gap p99.9, ms'])} ms; {missing}. The gateway used "
        f"{shown(figures['cores'])} of {os.cpu_count()} cores, which the phones' program shared."
    )


def _undelivered(told: Sequence[Told]) -> str:
    """What became of those that did not hear the message."""
    ended = Counter(one.outcome.value if one.outcome else "no outcome" for one in told)
    del ended[Outcome.MESSAGE_DELIVERED.value]
    return "; ".join(f"{outcome} {count}" for outcome, count in ended.most_common())


if __name__ == "__main__":
    main()
