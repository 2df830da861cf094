"""The engines of speech, as the spoken leg uses them."""

from dataclasses import dataclass

from temphone.gateway.speech.ports import FRAME_BYTES, FRAME_MS, SpeechToText, TextToSpeech, TurnDetector

BYTES_PER_MS = FRAME_BYTES // FRAME_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """What speaks, what listens, and what tells a pause from an end; all calls share them."""

    voice: TextToSpeech
    ear: SpeechToText
    turns: TurnDetector
