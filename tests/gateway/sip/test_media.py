"""The clock of a call's sound, with a stack that is not there."""

from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.sip
FRAMES = [bytes([number]) * 320 for number in range(1, 60)]


class Audio:
    """What the stack has for us, and takes from us."""

    def __init__(self):
        self.arrived = b""
        self.written = b""
        self.ready = 0

    def read(self, most):
        piece, self.arrived = self.arrived[:most], self.arrived[most:]
        return piece

    def write(self, pcm):
        self.written += pcm
        self.ready += len(pcm)
        return len(pcm)

    def info(self):
        return SimpleNamespace(tx_buffered=self.ready)

    def flush_tx(self):
        self.ready = 0


@pytest.fixture
def audio():
    return Audio()


@pytest.fixture
def media(audio):
    from temphone.gateway.legs.sip.media import Media

    return Media(audio, now=0.0)


def test_what_came_before_the_answer_is_dropped(audio):
    from temphone.gateway.legs.sip.media import Media

    audio.arrived = b"early" * 5000
    media = Media(audio, now=0.0)
    audio.arrived = FRAMES[0]
    assert media.hear(0.021) == [FRAMES[0]]


def test_frames_come_when_they_are_due_and_not_before(audio, media):
    audio.arrived = b"".join(FRAMES[:3])
    assert media.hear(0.01) == []
    assert media.hear(0.021) == FRAMES[:1]
    assert media.hear(0.061) == FRAMES[1:3]


def test_a_frame_that_is_a_little_late_is_waited_for(audio, media):
    assert media.hear(0.061) == []
    audio.arrived = b"".join(FRAMES[:3])
    assert media.hear(0.0615) == FRAMES[:3]


def test_a_frame_that_does_not_come_is_silence(media):
    assert media.hear(0.081) == [bytes(320)]
    assert media.hear(1.001) == [bytes(320)] * 46


def test_pieces_become_frames(audio, media):
    sound = b"".join(FRAMES[:4])
    audio.arrived = sound[:500]
    heard = media.hear(0.041)
    audio.arrived = sound[500:]
    assert heard + media.hear(0.081) == FRAMES[:4]


def test_what_comes_faster_than_the_clock_is_dropped_oldest_first(audio, media):
    audio.arrived = b"".join(FRAMES[:8])
    assert media.hear(0.021) == FRAMES[:1]
    assert media.hear(0.041) == FRAMES[3:4]


def test_a_piece_of_a_frame_waits_for_what_follows_while_there_is_something_to_play(audio, media):
    audio.ready = 1000
    media.play(b"a" * 500)
    media.feed()
    assert audio.written == b"a" * 320
    media.play(b"b" * 140)
    media.feed()
    assert audio.written == b"a" * 500 + b"b" * 140


def test_the_last_piece_is_filled_up_with_silence(audio, media):
    media.play(b"a" * 500)
    media.feed()
    audio.ready = 0
    media.feed()
    assert audio.written == b"a" * 500 + bytes(140)
    assert media.unplayed_ms == 20


def test_no_more_is_handed_over_than_can_be_taken_back_soon(audio, media):
    media.play(b"".join(FRAMES[:50]))
    media.feed()
    assert len(audio.written) == 6 * 320
    assert media.unplayed_ms == 1000
    media.clear()
    assert media.unplayed_ms == 0


def test_streams_that_are_not_there_are_silence_and_lose_nothing(audio, media, monkeypatch):
    from baresip import AudioNotActive, AudioRestarted

    def fails(error):
        def fail(*_):
            raise error("now")

        return fail

    with monkeypatch.context() as gone:
        gone.setattr(audio, "read", fails(AudioNotActive))
        gone.setattr(audio, "write", fails(AudioRestarted))
        media.play(FRAMES[0])
        media.feed()
        assert media.hear(0.081) == [bytes(320)]
        gone.setattr(audio, "info", fails(AudioNotActive))
        gone.setattr(audio, "flush_tx", fails(AudioNotActive))
        assert media.unplayed_ms == 20
    media.feed()
    assert audio.written == FRAMES[0]
