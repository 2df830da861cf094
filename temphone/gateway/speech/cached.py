"""Speaks: from what was kept, or by the engine, whose work is kept.

Who wants the same text at the same time shares one rendering. What was begun is made to its end and kept:
a call that could not wait for it is dialled anew.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from typing import Protocol

from temphone.gateway.speech.ports import Voice, Wish, live, soon
from temphone.gateway.speech.prompt_cache import PromptCache, name_of
from temphone.gateway.speech.rendering import Rendering
from temphone.gateway.speech.spoken_form import spoken_form


class Engine(Protocol):
    """What renders."""

    @property
    def name(self) -> str:
        """The name under which its work is kept: what changes the sound of a text changes it."""

    def speak(self, text: str, voice: Voice, wish: Wish, /) -> AsyncIterator[bytes]:
        """As TextToSpeech."""


class CachedSpeech:
    """Text to speech with a memory."""

    def __init__(self, engine: Engine, prompts: PromptCache) -> None:
        self._engine = engine
        self._prompts = prompts
        self._renderings: dict[str, Rendering] = {}
        self._disk = ThreadPoolExecutor(1, "prompts")  # files change in turn

    async def start(self) -> None:
        """See what was kept."""
        await asyncio.get_running_loop().run_in_executor(self._disk, self._prompts.open)

    async def close(self) -> None:
        """Break off what is being rendered, and write what was."""
        for rendering in list(self._renderings.values()):
            rendering.break_off()
        await asyncio.to_thread(self._disk.shutdown)

    async def prepare(self, texts: Iterable[str], voice: Voice) -> None:
        """Have these rendered, so that speaking them takes no time.

        Raises:
            SpeechFailed: one cannot be spoken.
        """
        for text in texts:
            async for _ in self.speak(text, voice, soon):
                pass

    async def speak(self, text: str, voice: Voice, wish: Wish = live, /) -> AsyncIterator[bytes]:
        """The sound, piece by piece; none when there is nothing to say.

        Raises:
            SpeechFailed: it cannot be spoken, or not to its end.
        """
        if not (plain := spoken_form(text)):
            return
        name = name_of(self._engine.name, voice.name, voice.language, plain)
        rendering = self._renderings.get(name) or self._begin(name, plain, voice)
        async with aclosing(rendering.pieces(wish)) as pieces:
            async for piece in pieces:
                yield piece

    def _begin(self, name: str, text: str, voice: Voice) -> Rendering:
        """Before the disk is asked: whoever comes meanwhile joins."""
        rendering = Rendering(
            lambda wish: self._sound(name, text, voice, wish), over=lambda: self._renderings.pop(name)
        )
        self._renderings[name] = rendering
        return rendering

    async def _sound(self, name: str, text: str, voice: Voice, wish: Wish) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        if kept := await loop.run_in_executor(self._disk, self._prompts.get, name):
            yield kept
            return
        pieces = []
        async for piece in self._engine.speak(text, voice, wish):
            pieces.append(piece)
            yield piece
        if any(pieces):
            with suppress(RuntimeError):  # it was closed meanwhile
                self._disk.submit(self._prompts.put, name, b"".join(pieces))
