"""Beeps, in sound as a line brings it."""

import math
from array import array

import pytest

from temphone.gateway.legs.spoken.tones import Tones, tone_in
from tests.gateway.spoken.sounds import SILENCE, beep, flat, frames


def beeps(sound):
    tones = Tones()
    return sum(tones.feed(frame) for frame in [SILENCE] * 5 + frames(sound) + [SILENCE] * 5)


@pytest.mark.parametrize("shift", range(0, 160, 32))
@pytest.mark.parametrize("hz", [350, 440, 620, 850, 1_000, 1_400, 1_500, 2_000])
def test_a_tone_of_150_ms_is_a_beep(hz, shift):
    assert beeps(bytes(2 * shift) + beep(150, hz)) == 1


@pytest.mark.parametrize("hz", [440, 850, 1_000, 1_400])
@pytest.mark.parametrize("snr_db", [35, 15])
def test_a_beep_is_heard_through_noise(hz, snr_db):
    assert beeps(beep(500, hz, snr_db=snr_db)) == 1


def test_the_frequency_is_told():
    assert tone_in(beep(40, 1_000)) == pytest.approx(1_000, rel=0.01)


@pytest.mark.parametrize(
    "sound",
    [
        beep(80),
        beep(4_000),
        beep(500, 200),
        beep(500, 3_000),
        beep(500, level=50),
        flat(5_000, 500),
        beep(500, snr_db=0),
    ],
    ids=["short", "fax", "low", "high", "faint", "no tone", "noise"],
)
def test_what_is_no_beep(sound):
    assert beeps(sound) == 0


def mixed(*parts):
    return array(
        "h", [sum(column) // 2 for column in zip(*(array("h", part) for part in parts), strict=True)]
    )


def test_two_tones_at_once_are_a_key_or_a_signal_but_no_beep():
    assert beeps(mixed(beep(500, 770), beep(500, 1_336)).tobytes()) == 0
    assert beeps(mixed(beep(500, 440), beep(500, 480)).tobytes()) == 0


def test_a_tone_that_glides_is_no_beep():
    samples = [round(8_000 * math.sin(math.tau * (400 + at / 16) * at / 8_000)) for at in range(4_000)]
    assert beeps(array("h", samples).tobytes()) == 0


def test_two_beeps_are_two():
    assert beeps(beep(200) + bytes(1_600) + beep(200)) == 2
