"""Writes down what one callee says."""

import asyncio
from dataclasses import dataclass, field

from temphone.gateway.conversation.sentences import storable
from temphone.gateway.speech.ports import SpeechFailed, SpeechToText, Transcriber
from temphone.gateway.trouble import Trouble

PATIENCE_S = 15.0  # for the words of one part; the engine's own patience should be shorter


@dataclass(slots=True, eq=False)
class Part:
    """Sound between two pauses, and how much of it the transcriber has."""

    sound: bytearray = field(default_factory=bytearray)
    fed: int = 0


class Scribe:
    """Keeps a transcriber for a call, and takes a new one when it fails.

    The transcriber knows one part at a time: while it is finishing one, the next one waits here.
    """

    def __init__(self, ear: SpeechToText, language: str, trouble: Trouble) -> None:
        self._ear = ear
        self._language = language
        self._trouble = trouble
        self._transcriber: Transcriber | None = None
        self._turn = asyncio.Lock()
        self._unfinished = 0

    async def open(self) -> None:
        """Be ready.

        Raises:
            SpeechFailed: there is no transcriber to be had.
        """
        self._transcriber = await self._ear.listen(self._language)

    async def close(self) -> None:
        """Let go of the transcriber."""
        transcriber, self._transcriber = self._transcriber, None
        if transcriber:
            await transcriber.close()

    def stream(self, part: Part) -> None:
        """Hand on what is new of the part that is being spoken, if it is its turn."""
        if self._transcriber and not self._unfinished:
            self._feed(self._transcriber, part)

    def finish(self, part: Part) -> asyncio.Task[str]:
        """The words of a part that has ended. It raises SpeechFailed when they cannot be told."""
        self._unfinished += 1
        return asyncio.create_task(self._finish(part))

    async def _finish(self, part: Part) -> str:
        try:
            async with self._turn:
                words = await self._words(part)
        except SpeechFailed as error:
            self._trouble.tell(f"hears nothing, {error}")
            raise
        else:
            self._trouble.tell("")
            return storable(words)
        finally:
            self._unfinished -= 1

    async def _words(self, part: Part) -> str:
        try:
            return await self._heard(part)
        except SpeechFailed:
            await self.close()
            part.fed = 0
        return await self._heard(part)

    async def _heard(self, part: Part) -> str:
        try:
            async with asyncio.timeout(PATIENCE_S):
                if self._transcriber is None:
                    await self.open()
                if self._transcriber is None:
                    raise SpeechFailed("the call is over")
                self._feed(self._transcriber, part)
                return await self._transcriber.finish()
        except TimeoutError as error:
            raise SpeechFailed("it does not answer") from error

    @staticmethod
    def _feed(transcriber: Transcriber, part: Part) -> None:
        transcriber.feed(bytes(part.sound[part.fed :]))
        part.fed = len(part.sound)
