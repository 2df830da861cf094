"""The sound of what the agent says in one call, made ahead where it is known ahead."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from temphone.gateway.speech.ports import SpeechFailed, TextToSpeech, Unfit, Urgency, Voice

STALLED_S = 8.0  # without a next piece the engine hangs
TRIES = 2


class Prompt:
    """One text and its sound, which grows while it is made. A frame may be cut from it at any time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.urgency = Urgency.AHEAD
        self.sound = bytearray()
        self.complete = False
        self.problem = ""  # why it will never be complete
        self.unfit = False  # nor if it is tried anew

    @property
    def settled(self) -> bool:
        """Whether nothing is added to it any more."""
        return self.complete or bool(self.problem)


class Prompts:
    """The prompts of one call, by text."""

    def __init__(
        self, engine: TextToSpeech, voice_of: Callable[[str], Voice], changed: Callable[[], None]
    ) -> None:
        """``voice_of`` knows who speaks a text; ``changed`` is told when more of a sound is there."""
        self._engine = engine
        self._voice_of = voice_of
        self._changed = changed
        self._prompts: dict[str, tuple[Prompt, asyncio.Task[None]]] = {}
        self._ahead: asyncio.Task[None] | None = None

    def of(self, text: str) -> Prompt:
        """The prompt of this text; the engine begins at once. One that failed is tried anew."""
        prompt = self._of(text, Urgency.LIVE)[0]
        if prompt.problem:
            del self._prompts[text]
            prompt = self._of(text, Urgency.LIVE)[0]
        return prompt

    async def make(self, texts: Sequence[str]) -> None:
        """Make these, one after the other; returns when they are there.

        Raises:
            Unfit: one of them never can be made.
            SpeechFailed: one of them cannot be made now.
        """
        for text in filter(None, texts):
            prompt, making = self._of(text, Urgency.SOON)
            await asyncio.wait({making})
            if prompt.problem:
                raise (Unfit if prompt.unfit else SpeechFailed)(prompt.problem)

    def make_ahead(self, texts: Sequence[str]) -> None:
        """Make these when there is time; one that cannot be made is tried again when it is wanted."""
        self._ahead = asyncio.create_task(self._make_ahead(texts))

    def close(self) -> None:
        """Make nothing more."""
        for task in (self._ahead, *(making for _, making in self._prompts.values())):
            if task:
                task.cancel()

    async def _make_ahead(self, texts: Sequence[str]) -> None:
        for text in filter(None, texts):
            await asyncio.wait({self._of(text, Urgency.AHEAD)[1]})

    def _of(self, text: str, urgency: Urgency) -> tuple[Prompt, asyncio.Task[None]]:
        """What is being made already becomes as urgent as it is now."""
        if text not in self._prompts:
            prompt = Prompt(text)
            self._prompts[text] = prompt, asyncio.create_task(self._make(prompt))
        prompt, making = self._prompts[text]
        prompt.urgency = min(prompt.urgency, urgency)
        return prompt, making

    async def _make(self, prompt: Prompt) -> None:
        problem = "it was not made"  # by an error that nobody thought of
        try:
            for _ in range(TRIES):
                problem = await self._try(prompt)
                if not problem or prompt.unfit:
                    break
        finally:
            prompt.problem = problem
            self._changed()

    async def _try(self, prompt: Prompt) -> str:
        """Make it, or the rest of it; returns what went wrong."""
        skip = len(prompt.sound)
        try:
            async with aclosing(self._pieces(prompt)) as pieces:
                async for piece in pieces:
                    prompt.sound += piece[skip:]
                    skip = max(0, skip - len(piece))
                    self._changed()
        except SpeechFailed as error:
            prompt.unfit = isinstance(error, Unfit)
            return str(error) or "it cannot be spoken"
        if not prompt.sound:
            prompt.unfit = True
            return "it has no sound"
        prompt.complete = True
        return ""

    async def _pieces(self, prompt: Prompt) -> AsyncGenerator[bytes]:
        """The engine's pieces. Raises SpeechFailed, also when it hangs."""
        voice = self._voice_of(prompt.text)
        pieces = aiter(self._engine.speak(prompt.text, voice, lambda: prompt.urgency))
        try:
            while True:
                async with asyncio.timeout(STALLED_S):
                    piece = await anext(pieces)
                yield piece
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise SpeechFailed("the engine hangs") from error
