"""Recordings: what was heard on a line, the agent left and the callee right, written while the call goes on.

A recording is ``<attempt id>.wav.part`` while it grows and ``<attempt id>.wav`` when it is whole. Its
header is right after every second, so a killed gateway loses no more; the next one finishes the file.
"""

import asyncio
import errno
import fcntl
import logging
import os
import struct
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from temphone.gateway.speech.ports import FRAME_BYTES, FRAME_MS, RATE_HZ

WHOLE, GROWING = ".wav", ".wav.part"
CHUNK_FRAMES = 1000 // FRAME_MS
MOST_WAITING = 60  # chunks; a disk that is so far behind is of no use
BYTES_PER_MS = FRAME_BYTES // FRAME_MS
SAMPLE_BYTES = 4  # of both tracks
HEADER = struct.Struct("<4sI8sIHHIIHH4sI")

log = logging.getLogger(__name__)

Finished = Callable[[Path], None]


class Recorder:
    """The recordings of a gateway; one thread writes them all."""

    def __init__(self, folder: Path, finished: Finished) -> None:
        """``finished`` is told of every whole recording, in the event loop."""
        self._folder = folder
        self._finished = finished
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")

    async def recover(self) -> None:
        """Finish what a killed gateway left."""
        loop = asyncio.get_running_loop()
        for path in await loop.run_in_executor(self._thread, lambda: list(_recovered(self._folder))):
            self._finished(path)

    def tape(self, attempt_id: str) -> "Tape":
        """Record a call from now on."""
        return Tape(
            _Writer(self._folder / f"{quote(attempt_id, safe='')}{WHOLE}", self._thread, self._finished)
        )

    async def close(self) -> None:
        """Returns when everything is written."""
        await asyncio.to_thread(self._thread.shutdown)


class Tape:
    """The two tracks of one call, aligned by the line's clock."""

    def __init__(self, writer: "_Writer") -> None:
        self._writer = writer
        self._coming = bytearray()  # what the agent will be heard to say from now on
        self._chunk = bytearray()

    def give(self, sound: bytes, lead_ms: int) -> None:
        """The line got this sound of the agent's, and will first play what it has for so long."""
        if not self._coming:
            self._coming += bytes(lead_ms * BYTES_PER_MS)
        self._coming += sound

    def clear(self, unplayed_ms: int) -> None:
        """The line will not play so much of what it got last."""
        del self._coming[max(0, len(self._coming) - unplayed_ms * BYTES_PER_MS) :]

    def hear(self, frame: bytes) -> None:
        """The next frame from the callee has come, and so much of the agent's sound has gone out."""
        spoken = bytes(self._coming[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
        del self._coming[:FRAME_BYTES]
        both = array("h", bytes(2 * FRAME_BYTES))
        both[0::2], both[1::2] = array("h", spoken), array("h", frame)
        self._chunk += both.tobytes()
        if len(self._chunk) >= CHUNK_FRAMES * 2 * FRAME_BYTES:
            self._hand_over()

    def end(self) -> None:
        """The call is over."""
        self._hand_over()
        self._writer.finish()

    def _hand_over(self) -> None:
        chunk, self._chunk = bytes(self._chunk), bytearray()
        self._writer.write(chunk)


class _Writer:
    """Has one file written in the recorder's thread. Whatever goes wrong there, the call goes on."""

    def __init__(self, whole: Path, thread: ThreadPoolExecutor, finished: Finished) -> None:
        self._whole = whole
        self._thread = thread
        self._finished = finished
        self._loop = asyncio.get_running_loop()
        self._file: _File | None = None
        self._handed_over = self._taken = 0  # the one is counted in the loop, the other in the thread
        self._ended = False

    def write(self, chunk: bytes) -> None:
        if self._handed_over - self._taken >= MOST_WAITING:
            self._end("the disk is too slow")
        if self._ended:
            return
        self._handed_over += 1
        self._thread.submit(self._write, chunk)

    def finish(self) -> None:
        self._thread.submit(self._finish)

    def _write(self, chunk: bytes) -> None:
        self._taken += 1
        if self._ended:
            return
        try:
            self._file = self._file or _File.new(self._whole)
            self._file.write(chunk)
        except OSError as error:
            self._end(error.strerror or type(error).__name__)

    def _finish(self) -> None:
        if self._file is None:
            return
        try:
            self._file.finish()
        except OSError as error:
            self._end(error.strerror or type(error).__name__)
            return
        with suppress(RuntimeError):  # the loop has ended; the file waits in the folder
            self._loop.call_soon_threadsafe(self._finished, self._whole)

    def _end(self, why: str) -> None:
        if not self._ended:
            log.warning("The recording %s ends too early: %s.", self._whole.stem, why)
        self._ended = True


class _File:
    """A WAV file that is valid after every write. It is locked: another gateway may share the folder."""

    def __init__(self, whole: Path, flags: int = 0) -> None:
        self._whole = whole
        self.growing = whole.with_suffix(GROWING)
        self._file = os.open(self.growing, os.O_RDWR | flags, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise
        self.length = max(0, os.fstat(self._file).st_size - HEADER.size) // SAMPLE_BYTES * SAMPLE_BYTES

    @classmethod
    def new(cls, whole: Path) -> "_File":
        whole.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(whole, os.O_CREAT | os.O_EXCL)

    def write(self, chunk: bytes) -> None:
        written = os.pwrite(self._file, chunk, HEADER.size + self.length)
        self.length += written // SAMPLE_BYTES * SAMPLE_BYTES
        self._write_header()
        if written < len(chunk):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def finish(self) -> None:
        try:
            os.ftruncate(self._file, HEADER.size + self.length)
            self._write_header()
            os.fsync(self._file)
            self.growing.rename(self._whole)
        finally:
            os.close(self._file)

    def _write_header(self) -> None:
        os.pwrite(self._file, _header(self.length), 0)


def _header(length: int) -> bytes:
    """The header of so many bytes of two 16-bit tracks."""
    form = (b"WAVEfmt ", 16, 1, 2, RATE_HZ, RATE_HZ * SAMPLE_BYTES, SAMPLE_BYTES, 16)
    return HEADER.pack(b"RIFF", HEADER.size - 8 + length, *form, b"data", length)


def _recovered(folder: Path) -> Iterator[Path]:
    """The recordings that nobody writes any more, made whole."""
    for growing in folder.glob(f"*{GROWING}"):
        whole = growing.with_suffix("")
        try:
            _File(whole).finish()
        except OSError as error:
            log.info("The recording %s is let be: %s.", whole.stem, error.strerror)
        else:
            yield whole
