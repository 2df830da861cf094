"""Which SIP trunks are ready, and the registrations of those that want one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from baresip import BaresipError, Event, StackEvent, UserAgent

from temphone.gateway.legs.sip import MAX_CALLS, outcomes
from temphone.gateway.legs.sip.stack import Stack, flaw
from temphone.telephony.messages import SipTrunk, TrunkState

TROUBLE_S = 60.0  # how long a trunk counts as not ready after what a call met there
REGISTER_WITHIN_S = 40.0  # the stack itself gives up after 32 s
BEGINNING = TrunkState(ready=False, problem="registering")
READY = TrunkState(ready=True, most=MAX_CALLS)


@dataclass(slots=True)
class Kept:
    """One trunk as it is kept."""

    trunk: SipTrunk
    state: TrunkState
    agent: UserAgent | None = None
    trouble: str = ""
    until: float = 0.0
    task: asyncio.Task[None] | None = None

    def happened(self, event: StackEvent) -> None:
        """The registrar answered, or did not."""
        text = event.text or ""
        if event.event is Event.REGISTER_OK:
            self.state = READY
        else:
            self.state = TrunkState(ready=False, problem=outcomes.problem(text) or text)


class Registrations:
    """The trunks, whether they register or not."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._kept: dict[str, Kept] = {}

    async def match(self, trunks: Sequence[SipTrunk]) -> None:
        """Register what is new or changed, and unregister what is gone."""
        wanted = {trunk.id: trunk for trunk in trunks}
        for id_, kept in list(self._kept.items()):
            if wanted.get(id_) != kept.trunk:
                del self._kept[id_]
                await self._end(kept)
        for trunk in trunks:
            if trunk.id not in self._kept:
                self._kept[trunk.id] = await self._begin(trunk)

    def forget(self) -> None:
        """The stack that held them is no more."""
        self._kept.clear()

    def state(self, trunk_id: str) -> TrunkState:
        """How this trunk is."""
        kept = self._kept.get(trunk_id)
        if kept is None:
            return BEGINNING
        if kept.state.ready and asyncio.get_running_loop().time() < kept.until:
            return TrunkState(ready=False, problem=kept.trouble)
        return kept.state

    def met(self, trunk: SipTrunk, trouble: str) -> None:
        """What a call met at this trunk; empty when the trunk is well."""
        kept = self._kept.get(trunk.id)
        if kept and kept.trunk == trunk:
            kept.trouble = trouble
            kept.until = asyncio.get_running_loop().time() + TROUBLE_S if trouble else 0.0

    async def _begin(self, trunk: SipTrunk) -> Kept:
        if problem := flaw(trunk):
            return Kept(trunk, TrunkState(ready=False, problem=problem))
        if not trunk.registers:
            return Kept(trunk, READY)
        kept = Kept(trunk, BEGINNING)
        try:
            kept.agent = await self._stack.registrar(trunk, kept.happened)
        except (BaresipError, ValueError) as error:
            kept.state = TrunkState(ready=False, problem=f"cannot register: {error}")
        else:
            kept.task = asyncio.create_task(_register(kept, kept.agent))
        return kept

    async def _end(self, kept: Kept) -> None:
        if kept.task:
            kept.task.cancel()
        if kept.agent:
            await self._stack.unregister(kept.agent)


async def _register(kept: Kept, agent: UserAgent) -> None:
    """Begin to register; the stack goes on with it by itself."""
    try:
        await agent.register(timeout=REGISTER_WITHIN_S)
    except BaresipError as error:
        if kept.state is BEGINNING:
            kept.state = TrunkState(ready=False, problem=outcomes.problem(str(error)))
