"""Many calls over SIP in one gateway process, with prompts that are ready: how evenly their sound flows."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from benchmarks.frame.command import ROOT, options
from benchmarks.frame.figures import Figures
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
APART_S = 0.1
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
WHY = "Two programs share the machine's cores."


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


async def measured(speech: Speech, calls: int) -> Figures:
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
    return {**figures, "delivered": delivered, "cores": cores, "cores a call": cores / calls}


async def all_measured(counts: tuple[int, ...]) -> dict[int, Figures]:
    async with engines() as speech:
        await speech.tts.prepare((LONG.preface, LONG.message, LONG.goodbye), Voice(language=LONG.language))
        return {calls: await measured(speech, calls) for calls in counts}


def lasts_s(figures: Figures) -> int:
    """How long a call's sound lasted, by its packets."""
    return round(figures["packets"] / figures["calls"] * FRAME_MS / 1000)


def main() -> None:
    given = options(__doc__)
    counts = (5,) if given.quick else (10, 50, 100)
    figures = asyncio.run(all_measured(counts))
    report = Report(
        "sip_calls",
        title="Calls over SIP",
        note=NOTE.format(apart=APART_S, lasts=lasts_s(figures[counts[-1]])),
    )
    for calls, of_them in figures.items():
        report.row(f"{calls} at once", [of_them])
    most = figures[counts[-1]]
    report.goal(f"{counts[-1]} calls, RTP gap p99", most["gap p99, ms"], most=25, unit="ms", why=WHY)
    report.goal(f"{counts[-1]} calls, delivered", most["delivered"], least=counts[-1], why="Some were lost.")
    report.finish(given)


if __name__ == "__main__":
    main()
