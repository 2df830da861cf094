"""Recordings: what was heard on a line, the agent left and the callee right, written while the call goes on.

A recording is ``<attempt id>.wav.part`` while it grows and ``<attempt id>.wav`` when it is whole. Its
header is right after every second, so of a killed gateway no more is lost.
"""

import asyncio
import errno
import logging
import os
import struct
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from temphone.gateway.speech.ports import FRAME_BYTES, FRAME_MS, RATE_HZ

WHOLE, GROWING = ".wav", ".wav.part"
CHUNK_FRAMES = 1000 // FRAME_MS
MOST_WAITING = 60  # chunks; a disk that is so far behind is of no use
BYTES_PER_MS = FRAME_BYTES // FRAME_MS
SAMPLE_BYTES = 4  # of both tracks
FULL = {errno.ENOSPC, errno.EDQUOT}
HEADER = struct.Struct("<4sI8sIHHIIHH4sI")

log = logging.getLogger(__name__)

Problem = Literal["disk_full", "disk_error", "empty"]
Finished = Callable[[str], None]  # the attempt's id
Failed = Callable[[str, Problem], None]


class Recorder:
    """The recordings of a gateway; one thread writes them all."""

    def __init__(self, folder: Path, finished: Finished, failed: Failed) -> None:
        """In the event loop ``finished`` is told of a whole recording, ``failed`` where there is none."""
        self._folder = folder
        self._finished = finished
        self._failed = failed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")

    def tape(self, attempt_id: str) -> "Tape":
        """Record a call from now on."""
        whole = self._folder / f"{quote(attempt_id, safe='')}{WHOLE}"
        finished, failed = partial(self._finished, attempt_id), partial(self._failed, attempt_id)
        return Tape(_Writer(whole, self._thread, finished, failed))

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

    def __init__(
        self,
        whole: Path,
        thread: ThreadPoolExecutor,
        finished: Callable[[], None],
        failed: Callable[[Problem], None],
    ) -> None:
        self._whole = whole
        self._thread = thread
        self._finished = finished
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._file: _File | None = None
        self._handed_over = self._taken = 0  # the one is counted in the loop, the other in the thread
        self._problem: Problem | None = None

    def write(self, chunk: bytes) -> None:
        if self._handed_over - self._taken >= MOST_WAITING:
            self._end("disk_error", "the disk is too slow")
        if chunk and self._problem is None:
            self._handed_over += 1
            self._thread.submit(self._write, chunk)

    def finish(self) -> None:
        self._thread.submit(self._finish)

    def _write(self, chunk: bytes) -> None:
        self._taken += 1
        if self._problem:
            return
        try:
            self._file = self._file or _File(self._whole)
            self._file.write(chunk)
        except OSError as error:
            self._end_by(error)

    def _finish(self) -> None:
        told: Callable[[], None] = self._finished
        try:
            if self._file is None or not self._file.finish():
                told = partial(self._failed, self._problem or "empty")
        except OSError as error:
            self._end_by(error)
            told = partial(self._failed, self._problem or "disk_error")
        with suppress(RuntimeError):  # the loop has ended; what there is waits in the folder
            self._loop.call_soon_threadsafe(told)

    def _end_by(self, error: OSError) -> None:
        problem: Problem = "disk_full" if error.errno in FULL else "disk_error"
        self._end(problem, error.strerror or type(error).__name__)

    def _end(self, problem: Problem, why: str) -> None:
        if self._problem is None:
            log.warning("The recording %s ends too early: %s.", self._whole.stem, why)
        self._problem = problem


class _File:
    """A WAV file whose header is right after every write."""

    def __init__(self, whole: Path) -> None:
        whole.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._whole = whole
        self._growing = whole.with_suffix(GROWING)
        self._file = os.open(self._growing, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._length = 0

    def write(self, chunk: bytes) -> None:
        written = os.pwrite(self._file, chunk, HEADER.size + self._length)
        self._length += written // SAMPLE_BYTES * SAMPLE_BYTES
        self._write_header()
        if written < len(chunk):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def finish(self) -> bool:
        """Make it whole; False when there is nothing of it, and nothing stays."""
        try:
            if not self._length:
                self._growing.unlink()
                return False
            os.ftruncate(self._file, HEADER.size + self._length)
            os.fsync(self._file)
            self._growing.rename(self._whole)
            return True
        finally:
            os.close(self._file)

    def _write_header(self) -> None:
        os.pwrite(self._file, _header(self._length), 0)


def _header(length: int) -> bytes:
    """The header of so many bytes of two 16-bit tracks."""
    form = (b"WAVEfmt ", 16, 1, 2, RATE_HZ, RATE_HZ * SAMPLE_BYTES, SAMPLE_BYTES, 16)
    return HEADER.pack(b"RIFF", HEADER.size - 8 + length, *form, b"data", length)
