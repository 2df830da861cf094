"""Lines over SIP trunks."""

import asyncio
import logging
from collections.abc import Sequence

from baresip import BaresipError, CommandTimeout, RuntimeDead

from temphone.gateway.config import SipSettings
from temphone.gateway.legs.base import Failed, History
from temphone.gateway.legs.sip import MAX_CALLS, outcomes
from temphone.gateway.legs.sip.line import HEADER, SipLine
from temphone.gateway.legs.sip.media import FRAME_S
from temphone.gateway.legs.sip.registrations import Registrations
from temphone.gateway.legs.sip.stack import Stack, StackDied, host_of, uri_of
from temphone.gateway.trouble import Trouble
from temphone.telephony.messages import DialRequest, SipTrunk, Trunk, TrunkState

CHECK_EVERY_S = 5.0
UP_WITHIN_S = 10.0  # what a dial waits for the stack
LATE_S = 0.1  # what the beat catches up; more is skipped

log = logging.getLogger(__name__)


class SipNetwork:
    """Makes lines, and keeps the trunks ready that they go over."""

    def __init__(self, settings: SipSettings) -> None:
        self._changed = asyncio.Event()
        self._stack = Stack(settings, died=self._changed.set)
        self._registrations = Registrations(self._stack)
        self._trunks: dict[str, SipTrunk] = {}
        self._lines: dict[SipLine, SipTrunk] = {}
        self._trouble = Trouble("SIP")
        self._problem = "SIP is being started"
        self._up = asyncio.Event()
        self._some_line = asyncio.Event()
        self._died = False
        self._closing = False

    def line(self, request: DialRequest, history: History) -> SipLine:
        """A line for this attempt, which dials when told to."""
        return SipLine(self, request, history)

    def keep(self, trunks: Sequence[Trunk]) -> None:
        """See ``Keeper``."""
        self._trunks = {trunk.id: trunk for trunk in trunks if isinstance(trunk, SipTrunk)}
        self._changed.set()

    def state(self, trunk_id: str) -> TrunkState:
        """See ``Keeper``."""
        if not self._up.is_set():
            return TrunkState(ready=False, problem=self._problem)
        if len(self._lines) >= MAX_CALLS:
            return TrunkState(
                ready=False, problem=f"{MAX_CALLS} calls are up, which is all a gateway carries"
            )
        return self._registrations.state(trunk_id)

    async def run(self) -> None:
        """Keep the stack and the trunks as they should be, until it is closed.

        Raises:
            StackDied: the process must be started anew.
        """
        beat = asyncio.create_task(self._beat())
        try:
            while not self._closing:
                self._changed.clear()
                await self._settle()
                await self._stack.check()
                await self._pause()
        except StackDied:
            self._died = True
            raise
        finally:
            beat.cancel()

    async def close(self) -> None:
        """Hang up everything, and stop; what is dead is left to the end of the process."""
        self._closing = True
        self._changed.set()
        self._up.clear()
        if self._died:
            return
        await asyncio.gather(*(line.drop() for line in list(self._lines)), return_exceptions=True)
        await self._stack.close()

    # -- for the lines

    async def place(self, line: SipLine, history: History) -> None:
        """See ``Carrying``."""
        trunk = self._trunk_of(line)
        await self._wait_until_up()
        self._lines[line] = trunk
        self._some_line.set()
        try:
            await self._place(line, trunk, history)
        except Failed:
            self.let_go(line)
            raise

    def transfer_uri(self, line: SipLine, to: str) -> str:
        """See ``Carrying``."""
        return uri_of(self._lines[line], to)

    def met(self, line: SipLine, trouble: str) -> None:
        """See ``Carrying``."""
        if trunk := self._lines.get(line):
            self._registrations.met(trunk, trouble)

    def repeats(self, line: SipLine) -> bool:
        """See ``Carrying``."""
        trunk = self._lines.get(line)
        return trunk is not None and trunk.transport == "udp"

    def let_go(self, line: SipLine) -> None:
        """See ``Carrying``."""
        self._lines.pop(line, None)
        self._stack.forget(line)
        if not self._lines:
            self._some_line.clear()
            self._changed.set()

    # -- inside

    async def _wait_until_up(self) -> None:
        try:
            async with asyncio.timeout(UP_WITHIN_S):
                await self._up.wait()
        except TimeoutError:
            raise outcomes.not_rung(self._problem) from None

    def _trunk_of(self, line: SipLine) -> SipTrunk:
        trunk = self._trunks.get(line.request.trunk)
        if trunk is None:
            raise outcomes.not_rung("no such trunk")
        if len(self._lines) >= MAX_CALLS:
            raise outcomes.not_rung("no free line")
        return trunk

    async def _place(self, line: SipLine, trunk: SipTrunk, history: History) -> None:
        request = line.request
        try:
            agent = await self._stack.agent(trunk, request.caller_id)
            await history.about_to_dial()
            line.may_ring()
            line.dialling()
            headers = {HEADER: request.attempt_id}
            if trunk.user:
                headers["P-Asserted-Identity"] = f"<sip:{request.caller_id}@{host_of(trunk)}>"
            await self._stack.dial(agent, uri_of(trunk, request.to), headers, line)
        except (CommandTimeout, RuntimeDead) as error:
            raise outcomes.unknown("the SIP stack does not answer") from error
        except (BaresipError, ValueError) as error:
            raise outcomes.not_rung(str(error)) from error

    async def _settle(self) -> None:
        """Have the stack up if there is a trunk, a fresh one if it is worn, and the trunks registered."""
        if self._stack.is_worn and not self._lines:
            self._up.clear()
            await self._stack.close()
            self._registrations.forget()
        if self._trunks and not self._stack.is_up and not self._closing:
            await self._start()
        if self._stack.is_up and not self._closing:
            await self._registrations.match(list(self._trunks.values()))
            self._up.set()

    async def _start(self) -> None:
        try:
            await self._stack.start()
        except RuntimeDead as error:
            raise StackDied(str(error)) from error
        except BaresipError as error:
            self._problem = f"SIP cannot be started: {error}"
        else:
            self._problem = ""
        self._trouble.tell(self._problem)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(CHECK_EVERY_S):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _beat(self) -> None:
        """Move the sound of all lines, every 20 ms."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self._some_line.wait()
            due = max(due + FRAME_S, loop.time() - LATE_S)
            await asyncio.sleep(max(0.0, due - loop.time()))
            for line in list(self._lines):
                self._tick(line)

    def _tick(self, line: SipLine) -> None:
        """An error of one line ends that line, and not the sound of all others."""
        try:
            line.tick()
        except Exception as error:
            log.exception("The sound of a call broke.")
            line.broke(type(error).__name__)
