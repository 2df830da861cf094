"""Callees made of text: several voices, the telephone's band and companding, noise, and beeps."""

import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from temphone.gateway.speech.engines import Speech
from temphone.gateway.speech.ports import RATE_HZ, Voice

LEVEL = 5_000.0  # of the loudest tenth of the sound
MU = 255.0

Samples = np.ndarray


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice: joe's, quicker and higher or slower and lower, or one of espeak-ng's."""

    name: str
    pace: float = 1.0
    espeak: str = ""


SPEAKERS = (
    Speaker("joe"),
    Speaker("joe, quick", pace=1.14),
    Speaker("joe, slow", pace=0.9),
    Speaker("espeak en-us", espeak="en-us"),
    Speaker("joe, quicker", pace=1.2),
    Speaker("espeak en-gb, f3", espeak="en-gb+f3"),
)


def speakers() -> list[Speaker]:
    """Those that are here."""
    return [one for one in SPEAKERS if not one.espeak or shutil.which("espeak-ng")]


async def speech_of(text: str, speaker: Speaker, speech: Speech) -> Samples:
    if speaker.espeak:
        return _level(_espeak(text, speaker.espeak))
    pieces = [piece async for piece in speech.tts.speak(text, Voice())]
    sound = np.frombuffer(b"".join(pieces), "<i2").astype(np.float64)
    at = np.arange(0, len(sound) - 1, speaker.pace)
    return _level(np.interp(at, np.arange(len(sound)), sound))


def _espeak(text: str, voice: str) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.wav"
        subprocess.run(["espeak-ng", "-v", voice, "-s", "160", "-w", path, "--", text], check=True)
        with wave.open(str(path)) as file:
            sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
            return np.asarray(soxr.resample(sound, file.getframerate(), RATE_HZ), np.float64)


def _level(sound: Samples) -> Samples:
    loudest = np.quantile(np.abs(sound), 0.95)
    return sound * (LEVEL / max(loudest, 1.0))


def beep(ms: int, hz: float) -> Samples:
    return LEVEL * np.sin(np.arange(ms * RATE_HZ // 1000) * 2 * np.pi * hz / RATE_HZ)


def silence(ms: int) -> Samples:
    return np.zeros(ms * RATE_HZ // 1000)


def over_the_phone(sound: Samples, *, snr_db: float, dice: np.random.Generator) -> bytes:
    """300 to 3,400 Hz, with white noise so far below the voice, and through mu-law and back."""
    noisy = sound + dice.normal(0.0, LEVEL / 2 / 10 ** (snr_db / 20), len(sound))
    spectrum = np.fft.rfft(noisy)
    hz = np.fft.rfftfreq(len(noisy), 1 / RATE_HZ)
    spectrum[(hz < 300) | (hz > 3_400)] = 0
    heard = np.clip(np.fft.irfft(spectrum, len(noisy)) / 32_768, -1, 1)
    coded = np.round(np.sign(heard) * np.log1p(MU * np.abs(heard)) / np.log1p(MU) * 127) / 127
    decoded = np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(MU)) / MU
    return (decoded * 32_767).astype("<i2").tobytes()
