"""A language model in one call, on the call's clock: it may be slow, fail, or be stopped in a sentence."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial

from temphone.gateway.conversation.llm import Model
from temphone.gateway.conversation.moves import Done, Line, Lost, Thought
from temphone.telephony.messages import Script

CLOSE_WAIT_S = 1.0
COMPLETE_WAITS = 5  # as long as so many sentences
STOPPED = "gateway_stopped"

log = logging.getLogger(__name__)
Thoughts = asyncio.Queue[Thought]


class Mind:
    """One answer at a time. It goes on reading while a sentence is spoken."""

    def __init__(self, model: Model | None, script: Script, *, timeout_s: float) -> None:
        """``timeout_s`` is how long each next sentence may take."""
        self._model = model
        self._script = script
        self._timeout_s = timeout_s
        self._thoughts: Thoughts = asyncio.Queue()
        self._reading: asyncio.Task[None] | None = None
        self._stopped = False

    async def begin(self, lines: Sequence[Line]) -> Thought:
        """The first thought of a new answer; what was being thought is dropped."""
        await self.close()
        if self._model is None:
            return Lost("no model")
        if self._stopped:
            return Lost(STOPPED)
        self._thoughts = asyncio.Queue()
        self._reading = asyncio.create_task(self._read(self._model, lines, self._thoughts))
        self._reading.add_done_callback(partial(_ended, self._thoughts))
        return await self.go_on()

    async def go_on(self) -> Thought:
        """The next thought of the answer."""
        try:
            async with asyncio.timeout(self._timeout_s):
                thought = await self._thoughts.get()
        except TimeoutError:
            thought = Lost("slow")
        if isinstance(thought, Done | Lost):
            await self.close()
        return thought

    async def complete(self, prompt: str) -> str:
        """What it makes of a prompt, when nobody waits on the phone; empty when it fails."""
        if self._model is None or self._stopped:
            return ""
        completing = asyncio.create_task(self._model.complete(self._script, prompt))
        try:
            await asyncio.wait({completing}, timeout=COMPLETE_WAITS * self._timeout_s)
        finally:
            completing.cancel()
        if not completing.done() or completing.cancelled():
            return ""
        error = completing.exception()
        if error:
            log.warning("The language model failed after the call: %s.", type(error).__name__)
        return "" if error else completing.result()

    def stop(self) -> None:
        """Think no more: who waits for a thought is told at once."""
        self._stopped = True
        if self._reading is not None:
            self._reading.cancel()
            self._thoughts.put_nowait(Lost(STOPPED))

    async def close(self) -> None:
        """Stop thinking."""
        if self._reading is not None:
            reading, self._reading = self._reading, None
            reading.cancel()
            await asyncio.wait({reading}, timeout=CLOSE_WAIT_S)

    async def _read(self, model: Model, lines: Sequence[Line], thoughts: Thoughts) -> None:
        async with aclosing(model.reply(self._script, lines)) as reply:
            async for thought in reply:
                thoughts.put_nowait(thought)


def _ended(thoughts: Thoughts, reading: asyncio.Task[None]) -> None:
    """Whatever ended it, who waits must learn; behind a Done nobody reads it."""
    if reading.cancelled():
        return
    error = reading.exception()
    if error:
        log.warning("The language model failed: %s.", type(error).__name__)
    thoughts.put_nowait(Lost(type(error).__name__ if error else "cut off"))
