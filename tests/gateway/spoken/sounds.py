"""Sound that carries its words: every word is a level of its own, so what was said can be read back."""

import math
import random
from array import array

from temphone.gateway.speech.ports import FRAME_BYTES, FRAME_MS, RATE_HZ

WORD_MS = 200
LOWEST = 1_000  # the level of the first word
STEP = 1  # to the level of the next word; more where a line's coding blurs them
COUGH = 600  # a sound that is no word
SILENCE = bytes(FRAME_BYTES)

_words: list[str] = []


def level_of(word: str) -> int:
    if word not in _words:
        _words.append(word)
    return LOWEST + STEP * _words.index(word)


def flat(level: int, ms: int) -> bytes:
    return array("h", [level] * (ms * RATE_HZ // 1000)).tobytes()


def voice(text: str) -> bytes:
    """This text, spoken: 200 ms a word, the last sample of each a pause."""
    return b"".join(flat(level_of(word), WORD_MS)[:-2] + b"\0\0" for word in text.split())


def noise(ms: int) -> bytes:
    return flat(COUGH, ms)


def beep(ms: int, hz: float = 1000.0, *, snr_db: float | None = None, level: int = 8000) -> bytes:
    dice = random.Random(7)
    hiss = level / math.sqrt(2) / 10 ** (snr_db / 20) if snr_db is not None else 0.0
    samples = (
        round(level * math.sin(math.tau * hz * i / RATE_HZ) + dice.gauss(0, hiss))
        for i in range(ms * RATE_HZ // 1000)
    )
    return array("h", samples).tobytes()


def words(sound: bytes) -> str:
    """What a sound says: its levels, in turn."""
    heard, last = [], 0
    for level in array("h", sound):
        place = round((level - LOWEST) / STEP)
        if level != last and 0 <= place < len(_words):
            heard.append(_words[place])
        last = level
    return " ".join(heard)


def frames(sound: bytes) -> list[bytes]:
    return [
        sound[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for at in range(0, len(sound), FRAME_BYTES)
    ]


def duration_ms(sound: bytes) -> int:
    return len(sound) // FRAME_BYTES * FRAME_MS
