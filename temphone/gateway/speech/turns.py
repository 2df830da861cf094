"""Whether they have finished, or only paused."""

from temphone.gateway.speech.pool import Pool, Program
from temphone.gateway.speech.ports import SpeechFailed, VoiceActivity
from temphone.gateway.speech.silero import Silero

WORK_S = 5.0
PATIENCE_S = 0.8  # who waits longer for the answer than for a silence has it from the silence


class SilentTurns:
    """A pause is an end: how long it must be is the caller's affair."""

    def __init__(self) -> None:
        self._silero = Silero()

    async def start(self) -> None:
        """It is ready."""

    async def close(self) -> None:
        """There is nothing to end."""

    def problem(self) -> str | None:
        """Nothing can go wrong."""
        return None

    def activity(self) -> VoiceActivity:
        """For one call."""
        return self._silero.activity()

    async def is_over(self, _: bytes, /) -> bool:
        """Always."""
        return True


class SmartTurns(SilentTurns):
    """By how they sounded, with the smart-turn model in a process of its own."""

    def __init__(self) -> None:
        super().__init__()
        program = Program(
            name="Smart turn",
            module="temphone.gateway.speech.workers.smart_turn",
            work_s=WORK_S,
            patience_s=PATIENCE_S,
        )
        self._pool = Pool(program)

    async def start(self) -> None:
        """Load the model."""
        await self._pool.start()

    async def close(self) -> None:
        """End its process."""
        await self._pool.close()

    def problem(self) -> str | None:
        """Why silence decides, or None."""
        return self._pool.problem()

    async def is_over(self, utterance: bytes, /) -> bool:
        """What the model thinks; yes when it cannot be asked."""
        if self._pool.problem():
            return True
        try:
            words, _ = await self._pool.ask({}, utterance)
        except SpeechFailed:
            return True
        return bool(words["over"])
