"""Made recordings: known sounds, as the gateway's recorder writes them."""

import io
import math
import wave
from array import array

RATE_HZ = 8_000


def tone(seconds: float, *, hz: float = 440, loudness: float = 0.5) -> array:
    """A tone of one side; loudness 0 is silence, 1 as loud as can be."""
    return array(
        "h",
        (
            round(32_767 * loudness * math.sin(2 * math.pi * hz * number / RATE_HZ))
            for number in range(round(seconds * RATE_HZ))
        ),
    )


def silence(seconds: float) -> array:
    return array("h", bytes(2 * round(seconds * RATE_HZ)))


def a_wav(left: array | None = None, right: array | None = None, *, rate: int = RATE_HZ) -> bytes:
    """A recording of both sides, two seconds of them if none is given."""
    left = tone(2) if left is None else left
    right = silence(len(left) / RATE_HZ) if right is None else right
    both = array("h", bytes(4 * len(left)))
    both[0::2], both[1::2] = left, right
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(both.tobytes())
    return file.getvalue()
