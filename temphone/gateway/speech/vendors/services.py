"""What vendors have in common."""

import re
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import aiohttp
import openai
from pipecat.clocks.system_clock import SystemClock
from pipecat.processors.frame_processor import FrameProcessorSetup
from pipecat.transcriptions.language import Language
from pipecat.utils.asyncio.task_manager import TaskManager

from temphone.gateway.speech.ports import RATE_HZ, SpeechFailed, Unfit
from temphone.gateway.speech.record import Record

STATUS = re.compile(r"\b[45]\d\d\b")
REFUSAL = "API error"
# Of these the request is at fault: its voice, its language, its text. Any other is about the account.
UNFIT = frozenset(("400", "404", "413", "415", "422"))
# The status of the last answer to whoever asks in this context: not every client tells it.
ANSWERED: ContextVar[str] = ContextVar("ANSWERED", default="")


class Connections:
    """Connections that all requests to a vendor share, and so find open."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self.aiohttp: Any = None
        self.httpx: Any = None

    async def open(self) -> None:
        """Open nothing yet, but be ready to."""
        noting = aiohttp.TraceConfig()
        noting.on_request_end.append(_note_status)
        self.aiohttp = await self._stack.enter_async_context(aiohttp.ClientSession(trace_configs=[noting]))
        self.httpx = await self._stack.enter_async_context(openai.DefaultAsyncHttpxClient())

    async def close(self) -> None:
        """Close them."""
        await self._stack.aclose()


class Vendor:
    """One vendor, and how it has fared of late."""

    def __init__(self, vendor: str) -> None:
        self._vendor = vendor
        self._connections = Connections()
        self._record = Record()
        self._has_worked = False

    async def start(self) -> None:
        """Be ready to connect."""
        await self._connections.open()

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()

    def problem(self) -> str | None:
        """How the last requests failed, or None."""
        trouble = self._record.trouble()
        return trouble and f"{self._vendor} {trouble}"

    @contextmanager
    def _counted(self, *, chosen: bool = False) -> Iterator[None]:
        """Count a failure within against it, and what comes to its end for it.

        What it does not take is the request's fault, above all of a voice that was ``chosen`` for it; but
        of one that never took anything the settings are at fault.
        """
        ANSWERED.set("")
        try:
            yield
        except Unfit as error:
            if chosen or self._has_worked:
                raise
            self._record.failed(str(error).removeprefix(f"{self._vendor} "))
            raise SpeechFailed(str(error)) from error
        except SpeechFailed as error:
            self._record.failed(str(error).removeprefix(f"{self._vendor} "))
            raise
        self._has_worked = True
        self._record.worked()


def setup() -> FrameProcessorSetup:
    """What a service is told that runs in no pipeline."""
    return FrameProcessorSetup(
        clock=SystemClock(),
        task_manager=TaskManager(),
        pipeline_worker=None,
        audio_in_sample_rate=RATE_HZ,
        audio_out_sample_rate=RATE_HZ,
    )


def language_of(tag: str) -> Language | None:
    """Pipecat's name of a BCP 47 language; None where it has none, nor for the language alone."""
    for name in (tag, tag.partition("-")[0].lower()):
        try:
            return Language(name)
        except ValueError:
            continue
    return None


def given(**settings: object) -> dict[str, Any]:
    """Those of the settings that are set."""
    return {name: value for name, value in settings.items() if value}


def refusal(vendor: str, error: object) -> SpeechFailed:
    """The failure that this error means."""
    told = STATUS.search(str(error))
    status = (ANSWERED.get() if REFUSAL in str(error) else "") or (told[0] if told else "")
    if status in UNFIT:
        return Unfit(f"{vendor} does not take this voice, language or text ({status})")
    if status:
        return SpeechFailed(f"{vendor} refuses ({status})")
    return SpeechFailed(f"{vendor} {'refuses' if REFUSAL in str(error) else 'cannot be reached'}")


async def _note_status(
    _session: object, _context: SimpleNamespace, told: aiohttp.TraceRequestEndParams
) -> None:
    ANSWERED.set(str(told.response.status))
