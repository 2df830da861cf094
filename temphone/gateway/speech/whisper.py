"""Speech to text by faster-whisper, on this machine."""

from pathlib import Path

from temphone.gateway.speech.pool import Pool, Program

WORK_S = 15.0
PATIENCE_S = 15.0
MOST_BYTES = 60 * 16_000  # a minute: of what is longer, the end is heard


class Whisper:
    """Some workers with a model each, shared by all calls."""

    def __init__(self, model: Path, *, workers: int) -> None:
        program = Program(
            name="Whisper",
            module="temphone.gateway.speech.workers.whisper",
            arguments=(str(model), str(workers)),
            work_s=WORK_S,
            patience_s=PATIENCE_S,
        )
        self._pool = Pool(program, size=workers)

    async def start(self) -> None:
        """Load the models."""
        await self._pool.start()

    async def close(self) -> None:
        """End its processes."""
        await self._pool.close()

    def problem(self) -> str | None:
        """Why nobody should count on it, or None."""
        return self._pool.problem()

    async def listen(self, language: str, /) -> "WhisperTranscriber":
        """A transcriber for one call."""
        return WhisperTranscriber(self._pool, language)


class WhisperTranscriber:
    """Gathers an utterance, and has it heard in the end: Whisper hears whole utterances alone."""

    def __init__(self, pool: Pool, language: str) -> None:
        self._pool = pool
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
        if not sound:
            return ""
        words, _ = await self._pool.ask({"language": self._language}, sound)
        return str(words["text"])

    async def close(self) -> None:
        """Forget what was kept."""
        self._sound.clear()
