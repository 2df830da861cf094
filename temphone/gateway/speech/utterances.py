"""To listen by an engine that hears whole utterances alone."""

from collections.abc import Awaitable, Callable

from temphone.gateway.speech.ports import RATE_HZ

MOST_BYTES = 60 * RATE_HZ * 2  # a minute: of what is longer, the end is heard

Hear = Callable[[bytes, str], Awaitable[str]]  # the words of an utterance in this language


class Utterances:
    """A transcriber that gathers an utterance, and has it heard in the end."""

    def __init__(self, hear: Hear, language: str) -> None:
        self._hear = hear
        self._language = language
        self._sound = bytearray()

    def feed(self, sound: bytes) -> None:
        """Keep it."""
        self._sound += sound

    async def finish(self) -> str:
        """The words of what was kept.

        Raises:
            SpeechFailed: they cannot be told.
        """
        sound, self._sound = bytes(self._sound[-MOST_BYTES:]), bytearray()
        return await self._hear(sound, self._language) if sound else ""

    async def close(self) -> None:
        """Forget what was kept."""
        self._sound.clear()
