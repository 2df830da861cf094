"""How a demo call might have sounded: syllables without words, made here and kept like any recording."""

import io
import math
import wave
from array import array
from collections.abc import Iterable

from temphone.lib.waveform import RATE_HZ
from temphone.management.demo.history import CHARS_PER_S
from temphone.telephony.messages import Turn

PITCHES_HZ = {"agent": 125, "callee": 200}
SYLLABLE_S = 0.18
LOUDNESS = 12_000
STRESSES = (1.0, 0.45, 0.7)
# How strong the first harmonics are in a few vowels.
VOWELS = ((1.0, 0.6, 0.9, 0.5, 0.2), (1.0, 0.9, 0.2, 0.1, 0.4), (0.9, 0.4, 0.3, 0.8, 0.3))


def recording_of(turns: Iterable[Turn], duration_s: float) -> bytes:
    """A WAV with the agent on the left and the callee on the right, each where they spoke."""
    both = array("h", bytes(4 * round(duration_s * RATE_HZ)))
    for turn in turns:
        side = 0 if turn.speaker == "agent" else 1
        voice = _speech(turn.text, PITCHES_HZ[turn.speaker])
        first = turn.offset_ms * RATE_HZ // 1000
        room = max(len(both) // 2 - first, 0)
        both[2 * first + side : 2 * (first + min(len(voice), room)) : 2] = voice[:room]
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(both.tobytes())
    return file.getvalue()


def _speech(text: str, pitch_hz: int) -> "array[int]":
    """A syllable for every few characters, louder and softer, silence where there is a mark."""
    each = round(SYLLABLE_S * CHARS_PER_S)
    syllables = [_syllable(pitch_hz, vowel, stress) for stress in STRESSES for vowel in VOWELS]
    pause = array("h", bytes(2 * len(syllables[0])))
    voice = array("h")
    for place in range(0, len(text), each):
        letters = text[place : place + each]
        voice += pause if set(letters) & set(".,?!;:") else syllables[sum(map(ord, letters)) % len(syllables)]
    return voice


def _syllable(pitch_hz: int, vowel: tuple[float, ...], stress: float) -> "array[int]":
    count = round(SYLLABLE_S * RATE_HZ)
    step = 2 * math.pi * pitch_hz / RATE_HZ
    return array("h", (round(stress * _swell(n / count) * _wave(n * step, vowel)) for n in range(count)))


def _swell(part: float) -> float:
    return LOUDNESS * math.sqrt(math.sin(math.pi * part))


def _wave(phase: float, vowel: tuple[float, ...]) -> float:
    strengths = enumerate(vowel, start=1)
    return sum(strength * math.sin(number * phase) for number, strength in strengths) / sum(vowel)
