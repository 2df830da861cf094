"""One worker process, seen from the gateway."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import temphone
from temphone.gateway.speech.ports import SpeechFailed
from temphone.gateway.speech.workers.frames import LENGTHS, Words, pack, unpack

START_S = 60.0  # a large model from a cold disk
ROOT = Path(temphone.__file__).parent.parent

Answer = tuple[Words, bytes]


class Unready(SpeechFailed):
    """It does not start; the message says why."""


class Died(SpeechFailed):
    """It ended in the middle of something."""


class Worker:
    """A process that is ready."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def ask(self, words: Words, sound: bytes = b"") -> Answer:
        """What it answers; one request at a time.

        Raises:
            Died: it ended over it.
        """
        asked, _ = _pipes(self._process)
        try:
            asked.write(pack(words, sound))
            await asked.drain()
            return await self.hear()
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Died("ended in the middle of it") from error
        except ValueError as error:
            raise Died("answers what is no frame") from error

    async def hear(self) -> Answer:
        """Its next frame."""
        _, answers = _pipes(self._process)
        head, body = LENGTHS.unpack(await answers.readexactly(LENGTHS.size))
        return unpack(await answers.readexactly(head)), await answers.readexactly(body)

    async def end(self) -> None:
        """Returns never.

        Raises:
            Died: it has ended.
        """
        raise Died(f"ended with code {await self._process.wait()}")


@asynccontextmanager
async def started(module: str, *arguments: str) -> AsyncIterator[Worker]:
    """A worker of this module that has loaded its model; killed in the end.

    Raises:
        Unready: it does not start.
    """
    process = await _spawn(["-m", module, *arguments])
    try:
        worker = Worker(process)
        await _become_ready(worker)
        yield worker
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _spawn(arguments: Sequence[str]) -> Process:
    """Start Python in a session of its own: Ctrl-C reaches us alone."""
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,
            env=_environment(),
        )
    except OSError as error:
        raise Unready(f"cannot be started: {error.strerror}") from error


def _environment() -> dict[str, str]:
    """Ours, with our own packages found from any folder, and quiet libraries."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {"LOGURU_LEVEL": "WARNING"} | os.environ | {"PYTHONPATH": path}


async def _become_ready(worker: Worker) -> None:
    try:
        async with asyncio.timeout(START_S):
            words, _ = await worker.hear()
    except asyncio.IncompleteReadError as error:
        raise Unready("ends as soon as it starts") from error
    except ValueError as error:
        raise Unready("answers what is no frame") from error
    except TimeoutError as error:
        raise Unready(f"is not ready after {START_S:.0f} s") from error
    if "error" in words:
        raise Unready(f"cannot be loaded: {words['error']}")


def _pipes(process: Process) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    if process.stdin is None or process.stdout is None:
        raise Died("has no pipes")
    return process.stdin, process.stdout
