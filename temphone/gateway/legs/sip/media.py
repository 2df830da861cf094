"""The sound of one call: frames of 20 ms both ways, by our own clock.

What comes keeps its exact form while it comes in time. The clock runs on when nothing does: a frame that is
later than ``SLACK`` is given as silence. What a peer sends faster than the clock is dropped, oldest first.
"""

from baresip import AudioNotActive, AudioRestarted, CallAudio

from temphone.gateway.speech.ports import FRAME_BYTES, FRAME_MS

SILENCE = bytes(FRAME_BYTES)
FRAME_S = FRAME_MS / 1000
BYTES_PER_MS = FRAME_BYTES // FRAME_MS
SLACK = 3  # frames
MOST_HELD = 5 * FRAME_BYTES
AHEAD_BYTES = 6 * FRAME_BYTES  # what the stack holds ready, so that a busy loop is not heard
READ_BYTES = 8 * FRAME_BYTES  # at once
GONE = (AudioNotActive, AudioRestarted)  # no sound now; perhaps in a moment


class Media:
    """The sound of one call that was answered."""

    def __init__(self, audio: CallAudio, now: float) -> None:
        """``now`` is the answer, on the loop's clock; what came before it is dropped."""
        self._audio = audio
        self._began = now
        self._given = 0
        self._heard = bytearray()
        self._unplayed = bytearray()
        while self._read():
            pass

    def hear(self, now: float) -> list[bytes]:
        """The frames that are due."""
        self._heard += self._read()
        owed = int((now - self._began) / FRAME_S) - self._given
        frames = self._take(min(owed, len(self._heard) // FRAME_BYTES))
        frames += [SILENCE] * (owed - len(frames) - SLACK)
        self._given += len(frames)
        del self._heard[: max(0, len(self._heard) - MOST_HELD)]
        return frames

    def play(self, sound: bytes) -> None:
        """Give sound to be played after what was given before."""
        self._unplayed += sound

    def feed(self) -> None:
        """Hand over to the stack what it has room for."""
        if not self._unplayed:
            return
        try:
            ready = self._audio.info().tx_buffered
            del self._unplayed[: self._audio.write(self._next(ready))]
        except GONE:
            return

    @property
    def unplayed_ms(self) -> int:
        """How much has not gone out yet."""
        return (len(self._unplayed) + self._buffered()) // BYTES_PER_MS

    def clear(self) -> None:
        """Drop what has not gone out."""
        self._unplayed.clear()
        try:
            self._audio.flush_tx()
        except GONE:
            return

    def _next(self, ready: int) -> bytes:
        """Whole frames, as many as there is room for; the rest of a frame waits for what may follow it."""
        if len(self._unplayed) < FRAME_BYTES and ready < 2 * FRAME_BYTES:
            self._unplayed += bytes(FRAME_BYTES - len(self._unplayed))  # nothing followed
        size = max(0, min(len(self._unplayed), AHEAD_BYTES - ready))
        return bytes(self._unplayed[: size - size % FRAME_BYTES])

    def _take(self, count: int) -> list[bytes]:
        taken = bytes(self._heard[: count * FRAME_BYTES])
        del self._heard[: len(taken)]
        return [taken[at : at + FRAME_BYTES] for at in range(0, len(taken), FRAME_BYTES)]

    def _read(self) -> bytes:
        try:
            sound: bytes = self._audio.read(READ_BYTES)
        except GONE:
            return b""
        return sound

    def _buffered(self) -> int:
        try:
            ready: int = self._audio.info().tx_buffered
        except GONE:
            return 0
        return ready
