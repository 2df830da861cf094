"""mu-law, the telephone's own coding, to and from 16-bit linear samples.

Source: ITU-T G.711. The standard library's audioop is gone in Python 3.13.
"""

import sys
from array import array
from functools import cache

BIAS = 132
LOUDEST = 32_635
SILENCE = 0xFF


def decode(coded: bytes) -> bytes:
    """16-bit little-endian samples."""
    samples = array("h", map(_samples().__getitem__, coded))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def encode(sound: bytes) -> bytes:
    """One byte for each 16-bit little-endian sample."""
    samples = array("H", sound)
    if sys.byteorder == "big":
        samples.byteswap()
    return bytes(map(_codes().__getitem__, samples))


@cache
def _samples() -> tuple[int, ...]:
    return tuple(map(_sample, range(256)))


@cache
def _codes() -> bytes:
    """By the sample's 16 bits, read as an unsigned number."""
    return bytes(map(_code, (*range(32_768), *range(-32_768, 0))))


def _sample(code: int) -> int:
    code ^= 0xFF
    magnitude = (((code & 0x0F) << 3) + BIAS << ((code & 0x70) >> 4)) - BIAS
    return -magnitude if code & 0x80 else magnitude


def _code(sample: int) -> int:
    magnitude = min(abs(sample), LOUDEST) + BIAS
    exponent = magnitude.bit_length() - 8
    mantissa = magnitude >> exponent + 3 & 0x0F
    return (0x80 if sample < 0 else 0) ^ 0xFF ^ (exponent << 4 | mantissa)
