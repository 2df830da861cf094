"""Smart turn, in a process of its own: the sound of an utterance in, whether it is complete out."""

import asyncio
import sys

from pipecat.audio.turn.base_turn_analyzer import EndOfTurnState
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3

from temphone.gateway.speech.workers.frames import Words
from temphone.gateway.speech.workers.serving import Work, serve

RATE_HZ = 8_000
LAST_BYTES = 8 * RATE_HZ * 2  # the model hears no more
AFTERTHOUGHT = bytes(320)  # the analyzer leaves out the last piece it was given


class SmartTurn:
    """The model inside Pipecat's wheel."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._analyzer = LocalSmartTurnAnalyzerV3()
        self._analyzer.set_sample_rate(RATE_HZ)
        self._is_over(bytes(RATE_HZ))

    def work(self, _: Words, sound: bytes) -> tuple[Words, bytes]:
        """Whether what was said is complete."""
        whole = sound[: len(sound) // 2 * 2]  # no half sample
        return {"over": self._is_over(whole[-LAST_BYTES:])}, b""

    def _is_over(self, sound: bytes) -> bool:
        self._analyzer.append_audio(sound, is_speech=True)
        self._analyzer.append_audio(AFTERTHOUGHT, is_speech=True)
        state, _ = self._loop.run_until_complete(self._analyzer.analyze_end_of_turn())
        self._analyzer.clear()
        return bool(state == EndOfTurnState.COMPLETE)


def load() -> Work:
    """The one model there is."""
    return SmartTurn(asyncio.new_event_loop()).work


if __name__ == "__main__":
    sys.exit(serve(load))
