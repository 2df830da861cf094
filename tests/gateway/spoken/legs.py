"""A spoken leg that was answered, as the tests drive it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temphone.gateway.legs.spoken.engines import Engines
from temphone.gateway.legs.spoken.leg import SpokenLeg
from temphone.gateway.trouble import Trouble
from tests.gateway.builders import dial, script
from tests.gateway.spoken.fakes import Does, FakeLine, engines


def leg_on(line: FakeLine, speech: Engines | None = None, *, tape=None, **fields) -> SpokenLeg:
    request = dial("a1", **({"script": script()} | fields))
    return SpokenLeg(request, line, speech or engines(), Trouble("The engine that listens"), lambda: tape)


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
