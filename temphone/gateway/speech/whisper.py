"""Speech to text by faster-whisper, on this machine."""

from pathlib import Path

from temphone.gateway.speech.pool import Pool, Program
from temphone.gateway.speech.utterances import Utterances

WORK_S = PATIENCE_S = 10.0  # less than a scribe's, or it would never be known that nobody answers


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

    async def listen(self, language: str, /) -> Utterances:
        """A transcriber for one call."""
        return Utterances(self._hear, language)

    async def _hear(self, sound: bytes, language: str) -> str:
        words, _ = await self._pool.ask({"language": language}, sound)
        return str(words["text"])
