"""What we say: held here, given to Twilio a little ahead of its being played."""

import asyncio
from collections.abc import AsyncIterator

from temphone.gateway.legs.twilio import messages, ulaw

BYTES_PER_MS = 8  # of mu-law
CHUNK_MS = 100  # a mark follows each: so exactly is it known what was played
AHEAD_MS = 2_000  # at most this much lies at Twilio
LOST_S = 1.0  # a mark this late will not come back any more


class Playout:
    """The sound of one call on its way out."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._sent: dict[int, tuple[int, float]] = {}  # by mark: how long it is, and when it will be played
        self._last_mark = 0
        self._clears = False
        self._some = asyncio.Event()

    @property
    def unplayed_ms(self) -> int:
        """How much has not been played yet; what is being played counts until its mark is back."""
        return len(self._waiting) // BYTES_PER_MS + self._ahead_ms()

    def play(self, sound: bytes) -> None:
        """Add 16-bit samples."""
        self._waiting += ulaw.encode(sound)
        self._some.set()

    def clear(self) -> None:
        """Drop everything that has not been played."""
        self._waiting.clear()
        self._clears = bool(self._sent) or self._clears
        self._sent.clear()
        self._some.set()

    def played(self, mark: str) -> None:
        """Twilio has sent this mark back. Marks of what was cleared come back too, and mean nothing."""
        if mark.isdecimal() and len(mark) < 10:
            for number in [number for number in self._sent if number <= int(mark)]:
                del self._sent[number]
            self._some.set()

    async def messages(self, stream_sid: str) -> AsyncIterator[str]:
        """What to send, for ever, as it comes and as there is room for it."""
        while True:
            self._some.clear()
            if self._clears:
                self._clears = False
                yield messages.clear(stream_sid)
            elif self._waiting and self._ahead_ms() < AHEAD_MS:
                coded, mark = self._next_chunk()
                yield messages.media(stream_sid, coded)
                yield messages.mark(stream_sid, mark)
            else:
                await self._wait()

    def _next_chunk(self) -> tuple[bytes, str]:
        coded = bytes(self._waiting[: CHUNK_MS * BYTES_PER_MS])
        del self._waiting[: len(coded)]
        self._last_mark += 1
        now = asyncio.get_running_loop().time()
        begins_at = max([now, *(ends_at for _, ends_at in self._sent.values())])
        length_ms = len(coded) // BYTES_PER_MS
        self._sent[self._last_mark] = (length_ms, begins_at + length_ms / 1000)
        return coded, str(self._last_mark)

    async def _wait(self) -> None:
        """Until there is something to do. Who never sends a mark back must not silence us for ever."""
        due_at = min((ends_at for _, ends_at in self._sent.values()), default=None)
        try:
            async with asyncio.timeout_at(due_at and due_at + LOST_S):
                await self._some.wait()
        except TimeoutError:
            now = asyncio.get_running_loop().time()
            late = [number for number, (_, ends_at) in self._sent.items() if ends_at + LOST_S <= now]
            for number in late:
                del self._sent[number]

    def _ahead_ms(self) -> int:
        return sum(length_ms for length_ms, _ in self._sent.values())
