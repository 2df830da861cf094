"""Beeps: a stable tone in the sound of a line."""

import math
from array import array
from collections.abc import Sequence
from operator import mul

from temphone.gateway.speech.ports import FRAME_BYTES, FRAME_MS, RATE_HZ

LOWEST_HZ, HIGHEST_HZ = 340.0, 2_100.0
LOUD_ENOUGH = 100.0  # root mean square of the samples: -50 dB of full scale
PURE = 0.8  # the tone's share of the energy; 0.97 with noise 15 dB below it
STEADY = 0.03  # a share of the frequency
WINDOW_BYTES = 2 * FRAME_BYTES  # a tone of 350 Hz is told from its neighbours in 40 ms
# A beep of 150 ms fills six windows, one a frame, wherever it begins.
SHORTEST_FRAMES = 6
LONGEST_FRAMES = 3_000 // FRAME_MS  # what lasts longer is a fax, or a line that is dead


class Tones:
    """Listens to one line for beeps."""

    def __init__(self) -> None:
        self._window = b""
        self._hz = 0.0
        self._frames = 0
        self._missed = 0  # in a row: noise may hide a tone for a moment

    @property
    def sounding(self) -> bool:
        """Whether a tone sounds, as of the last frame."""
        return self._frames >= SHORTEST_FRAMES

    @property
    def beeping(self) -> bool:
        """Whether it may still be a beep."""
        return SHORTEST_FRAMES <= self._frames <= LONGEST_FRAMES

    def feed(self, frame: bytes) -> bool:
        """Take the next frame; whether a beep has ended with it."""
        self._window = (self._window + frame)[-WINDOW_BYTES:]
        hz = tone_in(self._window)
        if self._frames and abs(hz - self._hz) <= STEADY * self._hz:
            self._frames, self._missed = self._frames + 1, 0
            return False
        self._missed += 1
        if self._frames and self._missed == 1:
            return False
        ended = self.beeping
        self._hz, self._frames, self._missed = hz, int(hz > 0), 0
        return ended


def tone_in(sound: bytes) -> float:
    """The frequency of the tone that the sound consists of; 0 when it is no tone."""
    samples: Sequence[int] = array("h", sound)
    energy = _correlation(samples, 0)
    if energy < LOUD_ENOUGH**2:
        return 0.0
    cosine = _cosine(_correlation(samples, 1), _correlation(samples, 2))
    hz = math.acos(cosine) * RATE_HZ / math.tau
    if not LOWEST_HZ <= hz <= HIGHEST_HZ:
        return 0.0
    return hz if _energy_at(cosine, samples) >= PURE * energy else 0.0


def _correlation(samples: Sequence[int], apart: int) -> float:
    return float(sum(map(mul, samples, samples[apart:]))) / (len(samples) - apart)


def _cosine(one_apart: float, two_apart: float) -> float:
    """The cosine of a tone's angle a sample, of its autocorrelations in white noise: Pisarenko's method."""
    if not one_apart:
        return 0.0
    cosine = (two_apart + math.sqrt(two_apart**2 + 8 * one_apart**2)) / (4 * one_apart)
    return max(-1.0, min(1.0, cosine))


def _energy_at(cosine: float, samples: Sequence[int]) -> float:
    """The mean energy of the tone of this angle a sample, by Goertzel's algorithm."""
    last, before = 0.0, 0.0
    for sample in samples:
        last, before = sample + 2 * cosine * last - before, last
    power = last * last + before * before - 2 * cosine * last * before
    return 2 * power / len(samples) ** 2
