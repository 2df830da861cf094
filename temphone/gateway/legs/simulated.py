"""The simulated phone network. It outlives the gateway, as a real network would.

What a callee does depends on the number and the attempt's id alone, and time is counted, not read. So
after a restart the same call is played again: up to the last event on record without waiting, from
there on as if nothing had happened. The phone log keeps it from ringing twice.
"""

import asyncio
from collections import deque
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from temphone.gateway.conversation.moves import Heard, Key, Over, Silence, Speech
from temphone.gateway.legs.base import Failed, History, Spoken
from temphone.gateway.legs.phone_log import PhoneLog, Ring
from temphone.gateway.legs.stories import CHARS_PER_S, NO_ANSWER, Failure, Line, has_story, story_for
from temphone.telephony.messages import DialRequest, EndedBy, Outcome

TRANSFER_S = 1.0


class SimulatedNetwork:
    """Carries legs to simulated callees."""

    def __init__(self, *, log: PhoneLog, speed: float, open_attempts: Collection[str] = ()) -> None:
        """``speed`` divides all waiting. ``open_attempts`` are those that a former gateway left open."""
        self.speed = speed
        self._log = log
        self._rung = log.rung(open_attempts) if open_attempts else set()

    def leg(self, request: DialRequest, history: History) -> "SimulatedLeg":
        """See the interface."""
        return SimulatedLeg(self, request, history)

    def ring(self, request: DialRequest, history: History) -> None:
        """Let the phone ring, unless it did before.

        Raises:
            Failed: it did not, and now it is too late.
        """
        if history.begun or request.attempt_id in self._rung:
            return
        now = datetime.now(UTC)
        if now > request.not_after:
            raise Failed(Outcome.CARRIER_ERROR, by=EndedBy.SYSTEM, cause="not_rung", rang=False)
        try:
            self._log.append(Ring(to=request.to, at=now, attempt_id=request.attempt_id))
        except OSError as error:
            # A phone that cannot remember its ring might ring again after a restart.
            raise Failed(Outcome.CARRIER_ERROR, by=EndedBy.SYSTEM, cause="not_rung", rang=False) from error


class SimulatedLeg:
    """One call to a simulated callee."""

    def __init__(self, network: SimulatedNetwork, request: DialRequest, history: History) -> None:
        self._network = network
        self._request = request
        self._history = history
        self._story = story_for(request.to, request.attempt_id)
        self._lines = deque(self._story.lines)
        self._elapsed_s = 0.0  # since the answer, in simulated time
        self._hung_up = asyncio.Event()

    @property
    def offset_ms(self) -> int:
        """See the interface."""
        return round(self._elapsed_s * 1000)

    async def ring(self) -> None:
        """See the interface."""
        if self._hung_up.is_set() and not self._history.replaying:
            raise _canceled()
        self._network.ring(self._request, self._history)
        if not self._story.rings:
            await self._fail(self._story.failure or NO_ANSWER)

    async def answer(self) -> None:
        """See the interface."""
        if self._story.failure or self._story.waits_s > self._request.ring_timeout_s:
            await self._fail(self._story.failure or NO_ANSWER)
        await self._wait_unanswered(self._story.waits_s)

    async def say(self, text: str) -> Spoken:
        """See the interface."""
        line = self._cutting_in(text)
        began_s = self._elapsed_s
        over = await self._pass(len(text) / CHARS_PER_S * (0.5 if line else 1.0))
        said = _begin_of(text, (self._elapsed_s - began_s) * CHARS_PER_S)
        if over or line is None:
            return Spoken(said, over)
        return Spoken(said, await self._do(line))

    async def listen(self, timeout_s: float) -> Heard:
        """See the interface."""
        line = self._next_line()
        if line is None or line.after_s > timeout_s:
            return await self._pass(timeout_s) or Silence()
        return await self._pass(line.after_s) or await self._do(line)

    async def transfer(self, to: str) -> bool:
        """See the interface. Whoever has a story and takes calls takes this one."""
        if await self._pass(TRANSFER_S):
            return False  # over meanwhile, as the next move will find
        return has_story(to) and story_for(to, self._request.attempt_id).failure is None

    def hang_up(self) -> None:
        """See the interface."""
        self._hung_up.set()

    def stop(self) -> bool:
        """See the interface. It goes on over a restart."""
        return False

    def _next_line(self) -> Line | None:
        return self._lines.popleft() if self._lines else self._story.then

    def _cutting_in(self, text: str) -> Line | None:
        """The callee's next line, when they will not wait for the end of this text."""
        during = self._lines[0].during if self._lines else None
        if during is None or text != getattr(self._request.script, during):
            return None
        return self._lines.popleft()

    async def _do(self, line: Line) -> Heard:
        start_ms = self.offset_ms
        if over := await self._pass(line.duration_s):
            return over
        if isinstance(line.act, Speech | Key):
            return replace(line.act, offset_ms=start_ms)
        return line.act

    async def _fail(self, failure: Failure) -> None:
        await self._wait_unanswered(min(self._story.waits_s, self._request.ring_timeout_s))
        raise Failed(failure.outcome, by=failure.by, cause=failure.cause)

    async def _wait_unanswered(self, seconds: float) -> None:
        if await self._hung_up_within(seconds):
            raise _canceled()

    async def _pass(self, seconds: float) -> Over | None:
        """Let simulated time pass; Over when the call ends before it has."""
        left = self._request.max_duration_s - self._elapsed_s
        began = asyncio.get_running_loop().time()
        if await self._hung_up_within(min(seconds, left)):
            waited = asyncio.get_running_loop().time() - began
            self._elapsed_s += min(seconds, left, waited * self._network.speed)
            return Over(EndedBy.STAFF)
        self._elapsed_s += min(seconds, left)
        return Over(EndedBy.SYSTEM) if seconds >= left else None

    async def _hung_up_within(self, seconds: float) -> bool:
        # What is on record has happened already: it takes no time, and cannot be hung up any more.
        if self._history.replaying:
            return False
        try:
            async with asyncio.timeout(seconds / self._network.speed):
                return await self._hung_up.wait()
        except TimeoutError:
            return False


def _begin_of(text: str, chars: float) -> str:
    """The words of ``text`` that fit in so many characters."""
    return text if round(chars) >= len(text) else text[: round(chars)].rpartition(" ")[0]


def _canceled() -> Failed:
    return Failed(Outcome.CANCELED_BY_USER, by=EndedBy.STAFF, cause="487 Request Terminated")
