"""A phone line without memory, as a SIP trunk is: it rings whatever it is asked to, and forgets at a restart.

So nothing but the gateway's own ledger keeps a number from ringing twice. What rang is written by the phones,
in a file that the line never reads.
"""

import json
import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from temphone.gateway import gateway
from temphone.gateway.legs.base import Failed, History
from temphone.gateway.legs.simulated import SimulatedLeg
from temphone.gateway.legs.stories import NO_ANSWER
from temphone.telephony.messages import DialRequest, EndedBy, Outcome


def connect(path: Path) -> None:
    """Let the gateway of this process carry all calls over such a line."""
    gateway.SimulatedNetwork = partial(Trunk, Phones(path))


class Phones:
    """All phones there are. A line for each ring, by one system call: it rang, or it did not."""

    def __init__(self, path: Path) -> None:
        self._heard = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def ring(self, request: DialRequest) -> None:
        """Ring, whatever rang before."""
        line = {"to": request.to, "at": datetime.now(UTC).isoformat(), "attempt_id": request.attempt_id}
        os.write(self._heard, json.dumps(line).encode() + b"\n")


class Trunk:
    """Carries legs to the phones; it is told what a former gateway left open, and does not care."""

    def __init__(self, phones: Phones, *, speed: float, **_memory: object) -> None:
        self.phones = phones
        self.speed = speed

    def leg(self, request: DialRequest, history: History) -> "TrunkLeg":
        """See the interface."""
        return TrunkLeg(self, request, history)


class TrunkLeg(SimulatedLeg):
    """Dials as the SIP line does; what the callee says and does is the simulation's."""

    async def ring(self) -> None:
        """See the interface."""
        if self._history.begun:
            # The gateway was restarted since, and the call is nobody's any more.
            raise Failed(Outcome.UNKNOWN, by=EndedBy.SYSTEM, cause="gateway_restarted")
        self.may_ring()
        await self.dial()
        if not self._story.rings:
            await self._fail(self._story.failure or NO_ANSWER)

    async def dial(self) -> None:
        """Note it, then ring."""
        await self._history.about_to_dial()
        self.may_ring()
        self.invite()

    def may_ring(self) -> None:
        """Return if it still may.

        Raises:
            Failed: it was hung up, or it is too late.
        """
        if self._hung_up.is_set():
            raise Failed(Outcome.CANCELED_BY_USER, by=EndedBy.STAFF, cause="487 Request Terminated")
        if datetime.now(UTC) > self._request.not_after:
            raise Failed(Outcome.CARRIER_ERROR, by=EndedBy.SYSTEM, cause="not_rung", rang=False)

    def invite(self) -> None:
        """The phone rings."""
        self._network.phones.ring(self._request)
