"""Piper, in a process of its own: piper-tts is under the GPL, and TemPhone is not.

Asked ``{"text": ...}`` it answers with the phonemes of the text, piece by piece; asked
``{"phonemes": ...}`` with the sound of one such piece. So the sentences of many callers take turns.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import soxr
from piper import PiperVoice
from piper.config import PiperConfig

from temphone.gateway.speech.workers.frames import Words
from temphone.gateway.speech.workers.serving import Unfit, Work, serve

RATE_HZ = 8_000
LONG = 60  # phonemes, about 4 s: a text that begins with a sentence so long is begun with a clause of it
CLAUSE = re.compile(r"(.{20,}?[,;:]) (?=.{20})")
LOUDNESS = 0.7  # of full scale: resampling overshoots a little
WARM_UP = "Hello."


class Piper:
    """One voice."""

    def __init__(self, model: Path) -> None:
        config = PiperConfig.from_dict(json.loads(Path(f"{model}.json").read_text(encoding="utf-8")))
        self._voice = PiperVoice(config=config, session=_session(model))
        for phonemes in self._pieces(WARM_UP):
            self._sound(phonemes)

    def work(self, words: Words, _: bytes) -> tuple[Words, bytes]:
        """The phonemes of a text, or the sound of phonemes."""
        if "text" in words:
            return {"pieces": list(self._pieces(words["text"]))}, b""
        return {}, self._sound(words["phonemes"])

    def _pieces(self, text: str) -> Iterator[str]:
        for number, phonemes in enumerate(self._voice.phonemize(text)):
            sentence = "".join(phonemes)
            clause = CLAUSE.match(sentence) if number == 0 and len(sentence) > LONG else None
            if clause:
                yield clause[1]
                sentence = sentence[clause.end() :]
            yield sentence

    def _sound(self, phonemes: str) -> bytes:
        voice = self._voice
        made = voice.phoneme_ids_to_audio(voice.phonemes_to_ids(list(phonemes)))
        sound = made[0] if isinstance(made, tuple) else made
        loudest = float(np.abs(sound).max(initial=0.0))
        if loudest == 0.0:
            raise Unfit("made no sound")
        heard = soxr.resample(sound / loudest * LOUDNESS, voice.config.sample_rate, RATE_HZ)
        return bytes((np.clip(heard, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())


def _session(model: Path) -> onnxruntime.InferenceSession:
    """Threads that sleep when they have nothing to do: calls need the cores too."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def load() -> Work:
    """The voice that the command line names."""
    return Piper(Path(sys.argv[1])).work


if __name__ == "__main__":
    sys.exit(serve(load))
