"""One text while it becomes sound, for everybody who wants it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from temphone.gateway.speech.ports import SpeechFailed, Urgency, Wish


class Rendering:
    """Sound that is being made; ``over`` is called once, when nobody can join it any more."""

    def __init__(self, source: Callable[[Wish], AsyncIterator[bytes]], over: Callable[[], object]) -> None:
        self._wishes: list[Wish] = []
        self._source = source(self._urgency)
        self._tell_over = over
        self._over = False
        self._pieces: list[bytes] = []
        self._more = asyncio.Event()
        self._error: SpeechFailed | None = None
        self._task = asyncio.create_task(self._make())

    async def pieces(self, wish: Wish) -> AsyncGenerator[bytes, None]:
        """The sound from its beginning; it is as urgent as for the one who needs it most.

        It is made to its end, whoever leaves meanwhile: a dial that had no time to wait finds it later.

        Raises:
            SpeechFailed: it does not come to its end.
        """
        self._wishes.append(wish)
        try:
            heard = 0
            while heard < len(self._pieces) or not self._over:
                if heard < len(self._pieces):
                    heard += 1
                    yield self._pieces[heard - 1]
                else:
                    await self._more.wait()
        finally:
            self._wishes.remove(wish)
        if self._error:
            raise self._error

    def _urgency(self) -> Urgency:
        """Of those who want it now; what everybody has left is made when there is time."""
        return min((wish() for wish in self._wishes), default=Urgency.AHEAD)

    def break_off(self) -> None:
        """Make no more of it."""
        if not self._over:
            self._finish(SpeechFailed("it was broken off"))
            self._task.cancel()

    async def _make(self) -> None:
        error: SpeechFailed | None = SpeechFailed("the engine of speech stopped")
        try:
            async for piece in self._source:
                self._add(piece)
            error = None if any(self._pieces) else SpeechFailed("the engine made no sound")
        except SpeechFailed as failure:
            error = failure
        finally:
            self._finish(error)

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._wake()

    def _finish(self, error: SpeechFailed | None) -> None:
        if not self._over:
            self._over = True
            self._error = error
            self._wake()
            self._tell_over()

    def _wake(self) -> None:
        """Everybody who waits for more; who comes later waits anew."""
        self._more.set()
        self._more = asyncio.Event()
