"""The engines of speech, as the spoken leg uses them."""

from typing import Protocol

from temphone.gateway.speech.ports import FRAME_BYTES, FRAME_MS, SpeechToText, TextToSpeech, TurnDetector

BYTES_PER_MS = FRAME_BYTES // FRAME_MS


class Engines(Protocol):
    """What speaks, what listens, and what tells a pause from an end; all calls share them."""

    @property
    def tts(self) -> TextToSpeech:
        """What speaks."""

    @property
    def stt(self) -> SpeechToText:
        """What listens."""

    @property
    def turns(self) -> TurnDetector:
        """What tells a pause from an end."""
