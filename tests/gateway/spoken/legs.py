"""A spoken leg that was answered, as the tests drive it; and a whole call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from temphone.gateway.call import Call
from temphone.gateway.legs.spoken.engines import Engines
from temphone.gateway.legs.spoken.leg import SpokenLeg
from temphone.gateway.thinking import Mind
from temphone.gateway.trouble import Trouble
from temphone.telephony.messages import Ending, EventType
from tests.gateway.builders import dial, script
from tests.gateway.spoken.fakes import Does, FakeEngines, FakeLine


def leg_on(line: FakeLine, speech: Engines | None = None, *, tape=None, **fields) -> SpokenLeg:
    request = dial("a1", **fields)
    return SpokenLeg(request, line, speech or FakeEngines(), Trouble("The engine that listens"), lambda: tape)


@asynccontextmanager
async def answered(*does: Does, speech: Engines | None = None, **fields) -> AsyncIterator[tuple]:
    """A leg that was answered by somebody who does this, and its line."""
    line = FakeLine(list(does))
    leg = leg_on(line, speech, **fields)
    await leg.ring()
    await leg.answer()
    try:
        yield leg, line
    finally:
        leg.hang_up()
        await leg.closed()


def on_call(test, *does: Does, **fields):
    """Run a test's coroutine on a leg that was answered by somebody who does this."""

    async def whole():
        async with answered(*does, **fields) as (leg, line):
            return await test(leg, line)

    return asyncio.run(whole())


@dataclass
class Told:
    """What a call told Django, and what the callee heard."""

    line: FakeLine
    events: list[tuple] = field(default_factory=list)
    replaying = False

    def record(self, type_, **fields) -> int:
        self.events.append((type_, fields))
        return len(self.events)

    async def acknowledged(self, *_, **__) -> None:
        return

    @property
    def ending(self) -> Ending:
        return next(fields["ending"] for type_, fields in self.events if type_ is EventType.ENDED)

    @property
    def turns(self) -> list[tuple[str, str]]:
        turns = (fields["turn"] for type_, fields in self.events if type_ is EventType.TURN)
        return [(turn.speaker, turn.text) for turn in turns]

    @property
    def answered_by(self) -> list[str]:
        return [fields["answered_by"] for type_, fields in self.events if type_ is EventType.CLASSIFIED]


def converse(*does: Does, speech: Engines | None = None, texts=None, **fields) -> Told:
    """A whole call with somebody who does this."""

    async def whole():
        line = FakeLine(list(does))
        told = Told(line)
        leg = leg_on(line, speech, script=script(**(texts or {})), **fields)
        request = dial("a1", script=script(**(texts or {})))
        mind = Mind(None, request.script, timeout_s=1)
        await Call(request, leg, told, told, mind=mind).run()
        await leg.closed()
        return told

    return asyncio.run(whole())
