"""The networks whose calls are spoken: what makes a line for them, with engines and a recorder."""

import asyncio
from weakref import WeakSet

from temphone.gateway.legs.base import History, Leg
from temphone.gateway.legs.line import Lines
from temphone.gateway.legs.spoken.engines import Engines
from temphone.gateway.legs.spoken.leg import SpokenLeg
from temphone.gateway.recorder import Recorder, Tape
from temphone.gateway.trouble import Trouble
from temphone.telephony.messages import DialRequest

CLOSING_S = 1.0


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
        line = self._lines.line(request, history)
        leg = SpokenLeg(
            request,
            line,
            self._engines,
            self._trouble,
            lambda: self._tape(request),
            begun=history.begun,
        )
        self._legs.add(leg)
        return leg

    async def close(self) -> None:
        """Hang up; returns when every recording is handed over to the recorder, soon.

        Whoever wanted to know what was said last has asked for it by now.
        """
        legs = list(self._legs)
        for leg in legs:
            leg.hang_up()
        await asyncio.gather(*(leg.closed(CLOSING_S) for leg in legs))

    def _tape(self, request: DialRequest) -> Tape | None:
        return self._recorder.tape(request.attempt_id) if self._recorder and request.record else None
