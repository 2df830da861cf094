"""A vendor's sound, made the telephone's."""

from typing import Any

import numpy as np
import soxr

from temphone.gateway.speech.ports import RATE_HZ


class Narrow:
    """Takes pieces of 16-bit sound at any rate, cut anywhere; gives them at the telephone's, in samples."""

    def __init__(self) -> None:
        self._resampler: Any = None
        self._half = b""

    def take(self, sound: bytes, rate_hz: int) -> bytes:
        """What is whole by now of this piece and those before."""
        heard = self._half + sound
        whole = len(heard) - len(heard) % 2
        self._half = heard[whole:]
        if rate_hz == RATE_HZ:
            return heard[:whole]
        if self._resampler is None:
            self._resampler = soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="int16")
        return self._resample(heard[:whole])

    def rest(self) -> bytes:
        """What the resampler held back, at the end."""
        return self._resample(b"", last=True) if self._resampler else b""

    def _resample(self, sound: bytes, *, last: bool = False) -> bytes:
        made = self._resampler.resample_chunk(np.frombuffer(sound, np.int16), last=last)
        return bytes(made.astype("<i2").tobytes())
