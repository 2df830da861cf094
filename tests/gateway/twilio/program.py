"""``python -m tests.gateway.twilio.program``: a gateway as a process, whose legs say and hear just enough.

TEST_DIES: where it kills itself: ``before`` Twilio is asked for a call, or ``after`` it was, before anybody
knows the answer.
"""

import asyncio
import os
import signal
import sys

from temphone.gateway.config import from_environment
from temphone.gateway.conversation.moves import Heard, Key, Over, Silence
from temphone.gateway.gateway import serve
from temphone.gateway.ledger import Ledger
from temphone.gateway.legs.base import History, Spoken
from temphone.gateway.legs.line import Gone, Lines, Pressed
from temphone.gateway.legs.twilio import custody, line
from temphone.gateway.legs.twilio.account import Account
from temphone.telephony.messages import DialRequest
from tests.gateway.talks import plain

FRAME_S = 0.02


class PlainLeg:
    """A line that is spoken over by silence."""

    def __init__(self, lines: Lines, request: DialRequest, history: History) -> None:
        self._line = lines.line(request, history)
        self._frames = 0
        self.ring = self._line.ring
        self.answer = self._line.answer
        self.hang_up = self._line.hang_up

    def stop(self) -> bool:
        return False

    @property
    def offset_ms(self) -> int:
        return self._frames * 20

    async def say(self, text: str) -> Spoken:
        self._line.play(bytes(16 * 20 * len(text)))
        while self._line.unplayed_ms:
            if heard := await self._receive():
                return Spoken(text, heard)
        return Spoken(text, None)

    async def listen(self, timeout_s: float) -> Heard:
        for _ in range(round(timeout_s / FRAME_S)):
            if heard := await self._receive():
                return heard
        return Silence()

    async def _receive(self) -> Heard | None:
        match await self._line.receive():
            case Gone(by=by):
                return Over(by)
            case Pressed(digit=digit):
                return Key(digit, self.offset_ms)
        self._frames += 1
        return None


class PlainNetwork:
    """Makes them."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def leg(self, request: DialRequest, history: History) -> PlainLeg:
        return PlainLeg(self._lines, request, history)


def die_in_create(*, before: bool) -> None:
    create = Account.create

    async def dying(self, **fields):
        if not before:
            await create(self, **fields)
        os.kill(os.getpid(), signal.SIGKILL)

    Account.create = dying


def main() -> int:
    custody.SEARCH_S, custody.AGAIN_S = (0.05, 0.2), (0.05, 0.2)
    line.SEARCH_S = 3.0
    if dies := os.environ.get("TEST_DIES"):
        die_in_create(before=dies == "before")
    config = from_environment(os.environ)
    ledger = Ledger(config.ledger)
    try:
        asyncio.run(serve(config, ledger, talks=plain(PlainNetwork)))
    finally:
        ledger.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
