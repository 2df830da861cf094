"""Speech as a file."""

import io
import wave

from temphone.gateway.speech.ports import RATE_HZ


def wav_of(sound: bytes) -> bytes:
    """A WAV of this sound."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        wav.writeframes(sound)
    return file.getvalue()
