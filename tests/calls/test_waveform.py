"""What a recording looks like is what it sounds like."""

import io
import wave
from array import array

import pytest

from temphone.lib import waveform
from tests.sounds import a_wav, silence, tone


def sides(sound: bytes) -> tuple[bytes, bytes]:
    peaks = waveform.read(io.BytesIO(sound)).peaks
    return peaks[: waveform.BUCKETS], peaks[waveform.BUCKETS :]


def test_it_tells_how_long_it_is():
    assert waveform.read(io.BytesIO(a_wav(tone(1.5)))).duration_ms == 1500


def test_each_side_is_as_loud_as_it_was():
    left, right = sides(a_wav(tone(4, loudness=0.5), tone(4, loudness=0.25)))
    assert set(left) <= {63, 64}
    assert set(right) <= {31, 32}


def test_silence_is_nothing():
    assert sides(a_wav(silence(1))) == (bytes(waveform.BUCKETS), bytes(waveform.BUCKETS))


def test_they_take_turns_where_they_did():
    left, right = sides(a_wav(tone(1) + silence(1), silence(1) + tone(1)))
    half = waveform.BUCKETS // 2
    assert min(left[:half]) > 50
    assert left[half:] == bytes(half)
    assert right[:half] == bytes(half)
    assert min(right[half:]) > 50


@pytest.mark.parametrize(
    ("sample", "loudness"), [(32767, 127), (-32768, 127), (0, 0), (-1, 0), (255, 0), (256, 1), (-257, 1)]
)
def test_one_sample_is_seen_wherever_it_is(sample, loudness):
    for place in (0, 7_999, 4_321):
        left = silence(1)
        left[place] = sample
        found, _ = sides(a_wav(left))
        assert max(found) == loudness
        assert sum(found) == loudness


def test_every_loudness_is_found_exactly():
    for level in range(128):
        noise = array("h", [0, level * 256, -level * 256, level * 128] * 400)
        assert max(sides(a_wav(noise))[0]) == level


def test_a_moment_shorter_than_the_picture_is_still_one():
    left, _ = sides(a_wav(tone(0.01, hz=2_000)))
    assert max(left) > 50
    assert len(left) == waveform.BUCKETS


def mono() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(800))
    return file.getvalue()


@pytest.mark.parametrize(
    "sound",
    [b"", b"RIFF", b"x" * 1000, a_wav(silence(0)), a_wav(rate=16_000), mono(), a_wav()[:30]],
    ids=["empty", "a beginning", "no WAV", "no sound", "another rate", "one side", "half a header"],
)
def test_what_is_no_recording_of_ours_is_refused(sound):
    with pytest.raises(waveform.NoRecording):
        waveform.read(io.BytesIO(sound))
