"""A gateway whose legs play a sound over their lines, and keep what comes. ``python -m`` it for a process.

SIGUSR1 kills the thread of the SIP stack; SIGUSR2 makes it deaf to everything that is asked of it.
"""

import asyncio
import signal
import sys

from temphone.gateway.conversation.moves import Heard, Over, Silence
from temphone.gateway.legs.base import History, Spoken
from temphone.gateway.legs.line import Gone, Line, Lines, Sound
from temphone.telephony.messages import DialRequest
from tests.gateway.sip.sounds import speech

SAID = speech(1.0, seed=9)


class PlayingNetwork:
    """Makes such legs."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.legs: dict[str, PlayingLeg] = {}

    def leg(self, request: DialRequest, history: History) -> "PlayingLeg":
        leg = self.legs[request.attempt_id] = PlayingLeg(self._lines.line(request, history))
        return leg


class PlayingLeg:
    """Says the same sound for every text."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._frames: list[bytes] = []
        self.ring = line.ring
        self.answer = line.answer
        self.hang_up = line.hang_up

    def stop(self) -> bool:
        self.hang_up()
        return False

    @property
    def offset_ms(self) -> int:
        return len(self._frames) * 20

    @property
    def heard(self) -> bytes:
        return b"".join(self._frames)

    async def say(self, text: str) -> Spoken:
        self._line.play(SAID)
        while self._line.unplayed_ms:
            if over := await self._next():
                return Spoken("", over)
        return Spoken(text, None)

    async def listen(self, timeout_s: float) -> Heard:
        until = asyncio.get_running_loop().time() + timeout_s
        while asyncio.get_running_loop().time() < until:
            if over := await self._next():
                return over
        return Silence()

    async def _next(self) -> Over | None:
        match await self._line.receive():
            case Sound(frame=frame):
                self._frames.append(frame)
            case Gone(by=by):
                return Over(by)
        return None


def _kill_the_stack(*_) -> None:
    from baresip._native import ffi, lib

    lib.bp_cmd(lib.BP_CMD_STOP, 0, ffi.NULL)


def _deafen_the_stack(*_) -> None:
    from baresip import Runtime

    Runtime._active._push_cmd = lambda *_: 0


if __name__ == "__main__":
    from temphone.gateway.__main__ import main
    from tests.gateway.talks import plain

    signal.signal(signal.SIGUSR1, _kill_the_stack)
    signal.signal(signal.SIGUSR2, _deafen_the_stack)
    sys.exit(main(talks=plain(PlayingNetwork)))
