"""What vendors have in common."""

import re
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import aiohttp
import openai
from pipecat.clocks.system_clock import SystemClock
from pipecat.processors.frame_processor import FrameProcessorSetup
from pipecat.transcriptions.language import Language
from pipecat.utils.asyncio.task_manager import TaskManager

from temphone.gateway.speech.ports import RATE_HZ, SpeechFailed
from temphone.gateway.speech.record import Record

STATUS = re.compile(r"\b[45]\d\d\b")
REFUSAL = "API error"


class Connections:
    """Connections that all requests to a vendor share, and so find open."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self.aiohttp: Any = None
        self.httpx: Any = None

    async def open(self) -> None:
        """Open nothing yet, but be ready to."""
        self.aiohttp = await self._stack.enter_async_context(aiohttp.ClientSession())
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
    def _counted(self) -> Iterator[None]:
        """Count a failure within against it, and what comes to its end for it."""
        try:
            yield
        except SpeechFailed as error:
            self._record.failed(str(error).removeprefix(f"{self._vendor} "))
            raise
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
    if status := STATUS.search(str(error)):
        return SpeechFailed(f"{vendor} refuses ({status[0]})")
    return SpeechFailed(f"{vendor} {'refuses' if REFUSAL in str(error) else 'cannot be reached'}")
