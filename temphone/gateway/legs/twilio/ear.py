"""What we hear: Twilio's media in frames of 20 ms, without gaps, and the keys in between."""

import asyncio
from collections import deque

from temphone.gateway.legs.line import Gone, Pressed, Sound
from temphone.gateway.legs.twilio import ulaw
from temphone.gateway.speech.ports import FRAME_BYTES, FRAME_MS

CODED_FRAME = FRAME_BYTES // 2
QUIET = bytes([ulaw.SILENCE]) * CODED_FRAME
SILENCE = bytes(FRAME_BYTES)
KEPT = 500  # frames that wait for whoever listens; 10 s
LONGEST_GAP_MS = 10_000
STALL_S = 1.0  # without media for so long the call's clock goes on by ours
KEYS = frozenset("0123456789*#")


class Ear:
    """The callee's side of one call, in order.

    A gap in Twilio's timestamps is filled with silence. When nothing comes at all, silence is made by our
    clock; should the sound come after all, it is heard late rather than lost, and the next gaps are
    shortened by what was made up.
    """

    def __init__(self) -> None:
        self._heard: deque[Sound | Pressed] = deque()
        self._rest = b""  # the beginning of a frame, mu-law
        self._expected_ms: int | None = None
        self._made_up_ms = 0
        self._gone: Gone | None = None
        self._some = asyncio.Event()
        self._due_at: float | None = None  # when to make the next silence
        self._stalled = False
        self.lost = 0  # frames that nobody fetched in time

    def open(self) -> None:
        """The call is answered: from now on a frame comes every 20 ms."""
        if self._due_at is None:
            self._due_at = asyncio.get_running_loop().time() + STALL_S

    def hear(self, coded: bytes, timestamp_ms: int) -> None:
        """Take mu-law that began at this time of the stream."""
        missing = QUIET * self._missing_frames(timestamp_ms)
        self._expected_ms = timestamp_ms + len(coded) // 8
        coded = self._rest + missing + coded
        whole = len(coded) - len(coded) % CODED_FRAME
        self._rest = coded[whole:]
        for start in range(0, whole, CODED_FRAME):
            self._add(Sound(ulaw.decode(coded[start : start + CODED_FRAME])))
        self._stalled = False
        self._due_at = asyncio.get_running_loop().time() + STALL_S

    def press(self, digit: str) -> None:
        """Take a key."""
        if digit in KEYS:
            self._add(Pressed(digit))

    def close(self, gone: Gone) -> None:
        """The end, after what was heard before; the first one counts."""
        self._gone = self._gone or gone
        self._some.set()

    async def next(self) -> Sound | Pressed | Gone:
        """What comes next."""
        while not self._heard:
            if self._gone:
                return self._gone
            self._some.clear()
            try:
                async with asyncio.timeout_at(self._due_at):
                    await self._some.wait()
            except TimeoutError:
                self._make_silence()
        return self._heard.popleft()

    def _missing_frames(self, timestamp_ms: int) -> int:
        """How many frames are missing before this one, less those that were made up already."""
        if self._expected_ms is None or timestamp_ms < self._expected_ms + FRAME_MS:
            return 0
        gap_ms = min(timestamp_ms - self._expected_ms, LONGEST_GAP_MS)
        known_ms = min(gap_ms, self._made_up_ms)
        self._made_up_ms -= known_ms
        return (gap_ms - known_ms) // FRAME_MS

    def _make_silence(self) -> None:
        """As much as has passed by our clock since something was heard last."""
        now = asyncio.get_running_loop().time()
        frames = 1 if self._stalled else round(STALL_S * 1000) // FRAME_MS
        for _ in range(frames):
            self._add(Sound(SILENCE))
        self._stalled = True
        self._made_up_ms += frames * FRAME_MS
        self._due_at = max(self._due_at or now, now - STALL_S) + FRAME_MS / 1000

    def _add(self, heard: Sound | Pressed) -> None:
        if len(self._heard) >= KEPT:
            # A key may be the wish not to be called again: sound goes first.
            oldest = next((at for at, kept in enumerate(self._heard) if isinstance(kept, Sound)), 0)
            del self._heard[oldest]
            self.lost += 1
        self._heard.append(heard)
        self._some.set()
