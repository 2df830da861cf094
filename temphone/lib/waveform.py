"""What a recording looks like: how loud each side was, from its beginning to its end.

A recording is a WAV of 16-bit stereo at 8,000 Hz: the agent on the left, the callee on the right.
"""

import wave
from dataclasses import dataclass
from typing import BinaryIO

RATE_HZ = 8_000
FRAME_BYTES = 4  # two samples of two bytes
BUCKETS = 400  # of each side, however long it is
LOUDEST = 127

# Of a sample its high byte is enough, as a magnitude: 0 to 127 are positive, 255 down to 128 negative.
_MAGNITUDES = bytes(byte if byte < 128 else 255 - byte for byte in range(256))
_BELOW = [bytes(range(level)) for level in range(LOUDEST + 1)]


class NoRecording(ValueError):
    """Not a WAV as ours are, or one without sound."""


@dataclass(frozen=True, slots=True)
class Waveform:
    """How long it is, and the loudest sample of each part: BUCKETS bytes of the left, then of the right."""

    duration_ms: int
    peaks: bytes


def read(file: BinaryIO) -> Waveform:
    """The waveform of a file that stands at its beginning. Takes a third of a second for 15 minutes of sound.

    Raises:
        NoRecording
    """
    try:
        with wave.open(file, "rb") as sound:
            return _waveform(sound)
    except (wave.Error, EOFError) as error:
        raise NoRecording(str(error)) from error


def _waveform(sound: wave.Wave_read) -> Waveform:
    form = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate())
    frames = sound.getnframes()
    if form != (2, 2, RATE_HZ) or not frames:
        raise NoRecording(f"{form}, {frames} frames")
    left, right = bytearray(), bytearray()
    for bucket in range(BUCKETS):
        first, after = bucket * frames // BUCKETS, (bucket + 1) * frames // BUCKETS
        # Fewer frames than buckets: those without one of their own are silent.
        loudness = sound.readframes(after - first).translate(_MAGNITUDES)
        left.append(_loudest(loudness[1::FRAME_BYTES]))
        right.append(_loudest(loudness[3::FRAME_BYTES]))
    return Waveform(duration_ms=frames * 1000 // RATE_HZ, peaks=bytes(left + right))


def _loudest(magnitudes: bytes) -> int:
    """The highest byte. By halves: each pass drops what is lower, at a fifth of what ``max`` costs."""
    low, high = 0, LOUDEST
    while low < high:
        middle = (low + high + 1) // 2
        louder = magnitudes.translate(None, _BELOW[middle])
        if louder:
            low, magnitudes = middle, louder
        else:
            high = middle - 1
    return low
