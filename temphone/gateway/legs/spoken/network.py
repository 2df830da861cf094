"""The networks whose calls are spoken: what makes a line for them, with engines and a recorder."""

import asyncio
from typing import Protocol
from weakref import WeakSet

from temphone.gateway.conversation.moves import Heard, Over
from temphone.gateway.legs.base import Failed, History, Leg, Spoken
from temphone.gateway.legs.line import Line
from temphone.gateway.legs.spoken.engines import Engines
from temphone.gateway.legs.spoken.leg import SpokenLeg
from temphone.gateway.recorder import Recorder, Tape
from temphone.gateway.trouble import Trouble
from temphone.telephony.messages import DialRequest, EndedBy, Outcome


class Lines(Protocol):
    """Something that carries lines."""

    def line(self, request: DialRequest, history: History, /) -> Line:
        """A line for this attempt, which dials when told to."""


class SpokenNetwork:
    """Carries spoken legs over lines of one kind. It keeps no calls over a restart."""

    def __init__(self, lines: Lines, engines: Engines, recorder: Recorder | None = None) -> None:
        """Without a recorder nothing is recorded."""
        self._lines = lines
        self._engines = engines
        self._recorder = recorder
        self._trouble = Trouble("The engine that listens")
        self._legs: WeakSet[SpokenLeg] = WeakSet()

    def leg(self, request: DialRequest, history: History) -> Leg:
        """See the interface."""
        if history.begun:
            return LostLeg()
        leg = SpokenLeg(
            request,
            self._lines.line(request, history),
            self._engines,
            self._trouble,
            lambda: self._tape(request),
        )
        self._legs.add(leg)
        return leg

    async def close(self) -> None:
        """Hang up; returns when every recording is handed over to the recorder."""
        legs = list(self._legs)
        for leg in legs:
            leg.hang_up()
        await asyncio.gather(*(leg.closed() for leg in legs))

    def _tape(self, request: DialRequest) -> Tape | None:
        return self._recorder.tape(request.attempt_id) if self._recorder and request.record else None


class LostLeg:
    """A call that a former gateway had up. How it ended nobody knows, and it never rings again."""

    offset_ms = 0

    async def ring(self) -> None:
        """See the interface."""
        raise Failed(Outcome.UNKNOWN, by=EndedBy.SYSTEM, cause="gateway_restarted")

    async def answer(self) -> None:
        """See the interface."""
        await self.ring()

    async def say(self, _text: str, /) -> Spoken:
        """See the interface."""
        return Spoken("", Over(EndedBy.SYSTEM))

    async def listen(self, _timeout_s: float, /) -> Heard:
        """See the interface."""
        return Over(EndedBy.SYSTEM)

    async def transfer(self, _to: str, /) -> bool:
        """See the interface."""
        return False

    def hang_up(self) -> None:
        """See the interface."""
