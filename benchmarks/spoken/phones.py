"""Phones in a program of their own: they answer, send silence, and note when each packet came.

It prints its port; told to end, what it noted.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from itertools import pairwise

from benchmarks.frame.figures import percentile
from temphone.gateway.speech.ports import RATE_HZ
from tests.gateway.sip.uas import FRAME, Dialog, Manners, Uas

LASTS_S = 90
FIRST_PACKETS = 50  # a second, in which a call is set up


def gaps_ms(dialog: Dialog) -> Sequence[float]:
    """Between packets that follow one another in the stream."""
    marks = [timestamp for timestamp, _ in dialog.rtp.heard][FIRST_PACKETS:]
    came = dialog.rtp.arrivals[FIRST_PACKETS:]
    pairs = zip(pairwise(marks), pairwise(came), strict=True)
    return [(later - sooner) * 1000 for (one, next_), (sooner, later) in pairs if next_ - one == FRAME]


def noted(dialogs: Sequence[Dialog]) -> dict[str, float]:
    """The gaps of all calls together, and what is missing in their streams."""
    gaps = [gap for dialog in dialogs for gap in gaps_ms(dialog)]
    packets = sum(len(dialog.rtp.heard) for dialog in dialogs)
    lasted = sum((dialog.rtp.heard[-1][0] - dialog.rtp.heard[0][0]) // FRAME + 1 for dialog in dialogs)
    return {
        "calls": len(dialogs),
        "packets": packets,
        "missing": lasted - packets,
        "gap p50, ms": percentile(gaps, 0.5),
        "gap p99, ms": percentile(gaps, 0.99),
        "gap p99.9, ms": percentile(gaps, 0.999),
        "gap, longest, ms": max(gaps),
    }


async def main() -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    async with Uas(Manners(answers_after=0.5, says=bytes(2 * RATE_HZ * LASTS_S))) as phones:
        tell({"port": phones.port})
        await over.wait()
        tell(noted([dialog for dialog in phones.dialogs.values() if dialog.rtp.heard]))


def tell(what: dict[str, float]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
