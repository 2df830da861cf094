"""A line whose callee is played from files: at the pace of a phone, or as fast as the engines can."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from temphone.gateway.legs.line import Gone, Pressed, Sound
from temphone.gateway.speech.ports import FRAME_BYTES, FRAME_MS
from temphone.telephony.messages import EndedBy

SILENCE = bytes(FRAME_BYTES)
LOUD = 200  # of a sample: whoever listens hears something


class Pace(Protocol):
    """When the next frame is due."""

    async def next(self) -> None: ...


class PhonePace:
    """Fifty frames a second."""

    def __init__(self) -> None:
        self._due = asyncio.get_running_loop().time()

    async def next(self) -> None:
        self._due += FRAME_MS / 1000
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))


class EnginePace:
    """A frame when no engine works any more: what they take is not in the call's clock."""

    def __init__(self, working: Callable[[], Awaitable[None]]) -> None:
        self._working = working

    async def next(self) -> None:
        for _ in range(6):
            await asyncio.sleep(0)
            await self._working()


@dataclass(frozen=True, slots=True)
class Act:
    """The callee plays a sound ``after_ms`` their last, or after the agent has been silent for so long.

    With ``agent_turn`` the agent must first have spoken so often; with ``over_ms`` they do not wait for
    the end of it, but speak so long after it began.
    """

    sound: bytes
    after_ms: int
    agent_turn: int = 0
    over_ms: int | None = None


@dataclass
class PlayedLine:
    """See the interface. What was heard when is kept for the figures; instants are of the line's clock."""

    pace: Pace
    acts: list[Act]
    hangs_up_after_ms: int = 120_000
    agent_began: list[int] = field(default_factory=list)  # a turn of the agent's each
    agent_ended: list[int] = field(default_factory=list)
    act_began: list[int] = field(default_factory=list)
    act_ended: list[int] = field(default_factory=list)  # the last loud sample of each
    now_ms: int = 0
    answered_at: float = 0.0

    def __post_init__(self) -> None:
        self._todo = deque(self.acts)
        self._coming: deque[bytes] = deque()
        self._given = bytearray()
        self._quiet_ms = 10_000
        self._over = False

    async def ring(self) -> None: ...

    async def answer(self) -> None:
        self.answered_at = asyncio.get_running_loop().time()

    async def receive(self) -> Sound | Pressed | Gone:
        await self.pace.next()
        if self._over or self.now_ms >= self.hangs_up_after_ms:
            self._over = True
            return Gone(EndedBy.CALLEE, "BYE")
        self._play()
        self._act()
        self.now_ms += FRAME_MS
        return Sound(self._coming.popleft() if self._coming else SILENCE)

    def _play(self) -> None:
        """One frame of the agent's goes out."""
        frame = bytes(self._given[:FRAME_BYTES])
        del self._given[:FRAME_BYTES]
        if not is_loud(frame):
            self._quiet_ms += FRAME_MS
            return
        if self._quiet_ms > 600:  # longer than its own pauses
            self.agent_began.append(self.now_ms)
            self.agent_ended.append(self.now_ms)
        self._quiet_ms = 0
        self.agent_ended[-1] = self.now_ms + FRAME_MS

    def _act(self) -> None:
        if self._coming or not self._todo or not self._is_time(self._todo[0]):
            return
        act = self._todo.popleft()
        frames = [act.sound[at : at + FRAME_BYTES] for at in range(0, len(act.sound), FRAME_BYTES)]
        self._coming.extend(frame.ljust(FRAME_BYTES, b"\0") for frame in frames)
        loud = [place for place, frame in enumerate(frames) if is_loud(frame)]
        self.act_began.append(self.now_ms + loud[0] * FRAME_MS)
        self.act_ended.append(self.now_ms + (loud[-1] + 1) * FRAME_MS)

    def _is_time(self, act: Act) -> bool:
        if len(self.agent_began) < act.agent_turn:
            return False
        if act.over_ms is not None:
            return self.now_ms >= self.agent_began[act.agent_turn - 1] + act.over_ms
        last = max(self.act_ended[-1] if self.act_ended else 0, self.agent_ended[-1] if act.agent_turn else 0)
        return self._quiet_ms > 600 and self.now_ms >= last + act.after_ms

    def play(self, sound: bytes) -> None:
        self._given += sound

    lead_ms = 200  # as a SIP line

    @property
    def unplayed_ms(self) -> int:
        return 0 if self._over else len(self._given) // FRAME_BYTES * FRAME_MS

    def clear(self) -> None:
        self._given.clear()

    def hang_up(self) -> None:
        self._over = True

    async def transfer(self, to: str) -> bool:
        del to
        return False


def is_loud(frame: bytes) -> bool:
    samples = memoryview(frame).cast("h") if frame else ()
    return max(samples, default=0) > LOUD
