"""The benchmark's carrier: it notes when each dial reached the port, waits if told to, and says placed."""

import asyncio
import os
import time
from collections.abc import Sequence

from django.apps import AppConfig

from temphone import wiring
from temphone.telephony.messages import DialRequest, DialResult, LegRef, Placed, Sighting
from temphone.telephony.signing import BadSignature, SignedRequest

LOG = "BENCHMARK_DIALS"  # the file's path
WAIT_MS = "BENCHMARK_DIAL_MS"


class NotingCarrier:
    """Appends a line a dial, ``number instant``, one write a batch: processes do not mix."""

    async def dial(self, requests: Sequence[DialRequest], /) -> Sequence[DialResult]:
        at = time.time()
        lines = "".join(f"{request.to} {at:.6f}\n" for request in requests)
        log = os.open(os.environ[LOG], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, lines.encode())
        os.close(log)
        if wait_ms := float(os.environ.get(WAIT_MS, "0")):
            await asyncio.sleep(wait_ms / 1000)
        return [Placed(attempt_id=request.attempt_id) for request in requests]

    async def hang_up(self, leg: LegRef, /) -> None:
        """Nothing rings."""

    async def find(self, _leg: LegRef, /) -> Sighting:
        return Sighting.LIVE

    def verify(self, _request: SignedRequest, /) -> None:
        raise BadSignature


class CarrierConfig(AppConfig):
    """Puts the carrier into the wiring; nothing else of the product changes."""

    name = "benchmarks"

    def ready(self) -> None:
        wiring.carrier = NotingCarrier
