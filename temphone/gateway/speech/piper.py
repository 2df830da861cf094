"""Text to speech by Piper, on this machine."""

from collections.abc import AsyncIterator
from pathlib import Path

from temphone.gateway.speech.pool import Pool, Program
from temphone.gateway.speech.ports import Unfit, Voice, Wish
from temphone.gateway.speech.spoken_form import spoken_form

WORK_S = 10.0
PATIENCE_S = 30.0  # the sentences of many calls take turns


class Piper:
    """Speaks with one voice, whatever is asked for: it has no other."""

    def __init__(self, model: Path) -> None:
        self.name = f"piper {model.name} {model.stat().st_size}"
        program = Program(
            name="Piper",
            module="temphone.gateway.speech.workers.piper",
            arguments=(str(model),),
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
        """Why nobody should count on it, or None."""
        return self._pool.problem()

    async def speak(self, text: str, _: Voice, wish: Wish, /) -> AsyncIterator[bytes]:
        """The sound, sentence by sentence.

        Raises:
            SpeechFailed: it cannot be spoken, or not to its end.
        """
        if not (plain := spoken_form(text)):
            return
        words, _sound = await self._pool.ask({"text": plain}, wish=wish)
        if not words["pieces"]:
            raise Unfit("Piper finds nothing to say")
        for phonemes in words["pieces"]:
            _words, sound = await self._pool.ask({"phonemes": phonemes}, wish=wish)
            yield sound
