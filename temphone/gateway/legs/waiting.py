"""Waiting for what a network tells of a call."""

import asyncio
from collections.abc import Callable


class Waiting:
    """Something that changes, and those who wait until it is as they wish."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def stir(self) -> None:
        """Let those who wait look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, done: Callable[[], object]) -> None:
        """Wait until this is so."""
        while not done():
            await self._changed.wait()

    async def soon(self, done: Callable[[], object], within_s: float) -> bool:
        """Wait until this is so, but no longer than this; whether it is."""
        try:
            async with asyncio.timeout(max(within_s, 0)):
                await self.until(done)
        except TimeoutError:
            return bool(done())
        return True
