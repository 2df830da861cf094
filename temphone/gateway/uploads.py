"""Brings finished recordings to Django, until each is acknowledged there; then the file here goes.

A recording is ``<attempt id>.wav`` in the folder. It goes in parts of about a megabyte; Django says how far
it has it, so after a restart of either side only the rest is sent. What a former gateway left is taken up
at the start: a ``.wav.part``, which it was killed over, gets its header right first.

Files are read, hashed and signed in threads. A disk that fails, or a Django that is away, is tried again
and again, ever less often, and stops no call.
"""

import asyncio
import hashlib
import logging
import struct
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from temphone.gateway.callback import Callback, NotUnderstood, Signed, Unavailable
from temphone.gateway.trouble import Trouble
from temphone.telephony.messages import Received, RecordingFailed, RecordingPart, RecordingProblem

PATH = "/carriers/gateway/recording"
FAILED_PATH = "/carriers/gateway/recording-failed"
PART_BYTES = 750_000  # a million on the wire, as base64: aiohttp warns of a mebibyte, nginx refuses it
AT_ONCE = 2
BACKOFF_S = (1.0, 300.0)
TIMEOUT_S = 60.0  # with the last part Django looks through the whole

# A WAV's header as every writer of plain PCM has it, and a frame: two samples of two bytes.
HEADER_BYTES = 44
FRAME_BYTES = 4

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Whole:
    """A finished recording on our disk."""

    path: Path
    size: int
    sha256: str

    @property
    def attempt_id(self) -> str:
        return self.path.stem


class Uploads:
    """The recordings on their way to Django."""

    def __init__(self, folder: Path, ledger: str, callback: Callback) -> None:
        """Note what is in the folder: made before the first call begins, so it is all a former gateway's."""
        self._folder = folder
        self._ledger = ledger
        self._callback = callback
        self._left = _left_in(folder)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._trouble = Trouble("The recordings")
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """How many are under way or wait."""
        return len(self._tasks)

    def finished(self, attempt_id: str) -> None:
        """``<attempt_id>.wav`` is whole: bring it to Django."""
        self._begin(partial(self._upload, self._folder / f"{attempt_id}.wav"))

    def failed(self, attempt_id: str, problem: RecordingProblem) -> None:
        """There is no recording of this attempt, though there was to be one: tell Django why."""
        self._begin(partial(self._tell, attempt_id, problem))

    async def run(self) -> None:
        """Take up what was left; then wait for ever. What is under way ends with it, to be taken up again."""
        try:
            for path in self._left:
                self._begin(partial(self._take_up, path))
            await asyncio.Event().wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take_up(self, path: Path) -> None:
        whole = await asyncio.to_thread(repaired, path)
        if whole:
            await self._upload(whole)
        else:
            await self._tell(path.name.partition(".")[0], RecordingProblem.EMPTY)

    def _begin(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.create_task(self._until_done(work))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("An upload broke: %s.", type(error).__name__, exc_info=error)

    async def _until_done(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        pause_s, longest_s = BACKOFF_S
        while True:
            try:
                async with self._slots:
                    await work()
            except (Unavailable, NotUnderstood, OSError) as error:
                self._trouble.tell(f"wait, {type(error).__name__} {error if _is_ours(error) else ''}".strip())
            else:
                self._trouble.tell("")
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, longest_s)

    async def _upload(self, path: Path) -> None:
        whole = await asyncio.to_thread(_measured, path)
        if whole is None:
            return
        answer = await self._send(whole, 0, 0)
        while answer.verdict == "more":
            offset = answer.through
            answer = await self._send(whole, offset, PART_BYTES)
            if answer.verdict == "more" and answer.through <= offset:
                raise Unavailable("no progress")
        await asyncio.to_thread(_settle, whole, answer)

    async def _send(self, whole: _Whole, offset: int, size: int) -> Received:
        signed = await asyncio.to_thread(self._part, whole, offset, size)
        return await self._callback.send(PATH, signed, Received, timeout_s=TIMEOUT_S)

    def _part(self, whole: _Whole, offset: int, size: int) -> Signed:
        with whole.path.open("rb") as file:
            file.seek(offset)
            data = file.read(size)
        return self._callback.signed(
            RecordingPart(
                ledger=self._ledger,
                attempt_id=whole.attempt_id,
                offset=offset,
                total=whole.size,
                sha256=whole.sha256,
                data=data,
            )
        )

    async def _tell(self, attempt_id: str, problem: RecordingProblem) -> None:
        message = RecordingFailed(ledger=self._ledger, attempt_id=attempt_id, problem=problem)
        await self._callback.post(FAILED_PATH, message, Received)


def repaired(path: Path) -> Path | None:
    """The recording whole, named and with a header that tells its true length; None if there was no sound.

    Again, it does what is left to do.
    """
    whole = path.with_name(path.name.removesuffix(".part"))
    if not path.exists():
        return whole if whole.exists() else None
    sound_bytes = (path.stat().st_size - HEADER_BYTES) // FRAME_BYTES * FRAME_BYTES
    if sound_bytes <= 0:
        path.unlink()
        return None
    if path != whole:
        with path.open("r+b") as file:
            file.truncate(HEADER_BYTES + sound_bytes)
            file.seek(4)
            file.write(struct.pack("<I", HEADER_BYTES - 8 + sound_bytes))
            file.seek(HEADER_BYTES - 4)
            file.write(struct.pack("<I", sound_bytes))
        path.rename(whole)
    return whole


def _left_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith((".wav", ".wav.part")))
    except FileNotFoundError:
        return []
    except OSError as error:
        log.warning("The folder of the recordings cannot be read: %s.", type(error).__name__)
        return []


def _measured(path: Path) -> _Whole | None:
    """The file's length and hash; None if somebody has taken it away."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return _Whole(path, file.tell(), digest.hexdigest())
    except FileNotFoundError:
        log.warning("The recording of %s is gone.", path.stem)
        return None


def _settle(whole: _Whole, answer: Received) -> None:
    """Do with the file what Django's last answer says."""
    if answer.verdict == "refused":
        log.error("Django refuses the recording of %s: %s.", whole.attempt_id, answer.reason)
        whole.path.rename(whole.path.with_name(f"{whole.path.name}.refused"))
    else:
        whole.path.unlink()


def _is_ours(error: Exception) -> bool:
    """Whether it says no more than we do."""
    return isinstance(error, Unavailable | NotUnderstood)
