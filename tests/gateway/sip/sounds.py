"""Sound for tests: something like speech, the telephone's coding of it, and how alike two sounds are."""

import math
import operator
import random
import struct
from array import array

RATE_HZ = 8_000
BIAS, CLIP = 0x84, 32_635
ALIKE = 0.9  # what one lost frame leaves; other sounds have 0.05


def speech(seconds: float, seed: int = 1) -> bytes:
    """Noise and tones that come and go like syllables: 16-bit PCM, alike to nothing but itself."""
    dice, last, samples = random.Random(seed), 0.0, []
    pitch = dice.uniform(110, 220)
    for index in range(round(seconds * RATE_HZ)):
        at = index / RATE_HZ
        loud = max(0.0, math.sin(2 * math.pi * 3.1 * at + seed)) ** 0.5
        last = 0.6 * last + 0.4 * dice.uniform(-1, 1)
        tone = math.sin(2 * math.pi * pitch * at) + 0.5 * math.sin(2 * math.pi * 3 * pitch * at)
        samples.append(round(9_000 * loud * (0.6 * tone + 1.4 * last)))
    return array("h", (max(-32_000, min(32_000, sample)) for sample in samples)).tobytes()


def to_ulaw(pcm: bytes) -> bytes:
    """G.711, as it goes over the wire."""
    return bytes(map(_ULAW.__getitem__, array("h", pcm)))


def from_ulaw(sound: bytes) -> bytes:
    """PCM again."""
    return array("h", map(_LINEAR.__getitem__, sound)).tobytes()


def _encode(sample: int) -> int:
    sign, size = (0x80, -sample) if sample < 0 else (0, sample)
    size = min(size, CLIP) + BIAS
    exponent = max(0, size.bit_length() - 8)
    return ~(sign | exponent << 4 | size >> exponent + 3 & 0x0F) & 0xFF


def _decode(byte: int) -> int:
    byte = ~byte & 0xFF
    size = ((byte & 0x0F) << 3 | BIAS) << (byte >> 4 & 0x07)
    return BIAS - size if byte & 0x80 else size - BIAS


_ULAW = {sample: _encode(sample) for sample in range(-32_768, 32_768)}
_LINEAR = [_decode(byte) for byte in range(256)]


def found(heard: bytes, said: bytes) -> float:
    """How well the half second of ``said`` that came through best is found in ``heard``."""
    return max(likeness(heard, said[at : at + 8_000]) for at in range(0, len(said) - 7_999, 8_000))


def likeness(heard: bytes, said: bytes) -> float:
    """The greatest correlation of all of ``said`` with a stretch of ``heard``: 1.0 is the same."""
    whole, part = array("h", heard), array("h", said)
    if len(whole) < len(part):
        return 0.0
    at = _best(whole, part[: RATE_HZ // 2], range(len(whole) - len(part) + 1))
    return _correlation(whole[at : at + len(part)], part)


def _best(whole: array, probe: array, places: range) -> int:
    """Where the beginning is found; coarsely by every fourth sample first."""
    thin, few = whole[::4], probe[::4]
    scores = [
        (sum(map(operator.mul, thin[at : at + len(few)], few)), at) for at in range(len(places) // 4 + 1)
    ]
    near = max(scores)[1] * 4
    close = range(max(0, near - 8), min(len(places), near + 9))
    return max(close, key=lambda at: sum(map(operator.mul, whole[at : at + len(probe)], probe)))


def _correlation(one: array, other: array) -> float:
    product = sum(map(operator.mul, one, other))
    power = math.sqrt(sum(map(operator.mul, one, one)) * sum(map(operator.mul, other, other)))
    return product / power if power else 0.0


def is_silent(frame: bytes) -> bool:
    """Whether nothing is in it but what the coding makes of nothing."""
    return max(map(abs, struct.unpack(f"<{len(frame) // 2}h", frame))) <= 8
