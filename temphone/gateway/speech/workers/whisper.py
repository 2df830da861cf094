"""Whisper, in a process of its own: 8 kHz sound in, words out."""

import os
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr
from faster_whisper import WhisperModel
from faster_whisper.transcribe import Segment

from temphone.gateway.speech.workers.frames import Words
from temphone.gateway.speech.workers.serving import Work, serve

RATE_HZ, MODEL_RATE_HZ = 8_000, 16_000
MOST_THREADS = 4
WARM_UP_S = 1
NO_SPEECH = (
    0.6  # Source: openai/whisper's default, which forgives it to fluent words; hallucinations are fluent
)
FILLER_RATIO = 2.4  # Source: the same; what compresses better repeats itself


class Whisper:
    """One model."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._model = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        self._languages = frozenset(self._model.supported_languages)
        self._hear(np.zeros(MODEL_RATE_HZ * WARM_UP_S, np.float32), "en", vad=False)

    def work(self, words: Words, sound: bytes) -> tuple[Words, bytes]:
        """The words of the sound."""
        heard = np.frombuffer(sound, "<i2").astype(np.float32) / 32768.0
        wide = soxr.resample(heard, RATE_HZ, MODEL_RATE_HZ)
        return {"text": self._hear(wide, words["language"])}, b""

    def _hear(self, sound: npt.NDArray[np.float32], language: str, *, vad: bool = True) -> str:
        segments, _ = self._model.transcribe(
            sound,
            language=self._language(language),
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            vad_filter=vad,
        )
        return " ".join(segment.text.strip() for segment in segments if _is_speech(segment)).strip()

    def _language(self, tag: str) -> str | None:
        """Whisper's name of a BCP 47 language; None, to find out, when it knows none of that name."""
        if self._languages == {"en"}:
            return "en"
        name = tag.partition("-")[0].lower()
        return name if name in self._languages else None


def _is_speech(segment: Segment) -> bool:
    return bool(segment.no_speech_prob < NO_SPEECH and segment.compression_ratio < FILLER_RATIO)


def load() -> Work:
    """The model that the command line names, for one of so many workers."""
    folder, workers = sys.argv[1:]
    return Whisper(Path(folder), max(1, min(MOST_THREADS, _cores() // int(workers)))).work


def _cores() -> int:
    """How many there are for us, where the system tells; else in all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(serve(load))
