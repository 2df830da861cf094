"""Speech to text by a vendor that hears whole utterances, over HTTP."""

import asyncio
import io
import wave
from collections.abc import Callable
from typing import Any

from pipecat.frames.frames import ErrorFrame, TranscriptionFrame
from pipecat.services.elevenlabs.stt import ElevenLabsSTTService
from pipecat.services.openai.stt import OpenAISTTService

from temphone.gateway.speech.ports import RATE_HZ, SpeechFailed
from temphone.gateway.speech.record import Record
from temphone.gateway.speech.settings import SpeechSettings
from temphone.gateway.speech.utterances import Utterances
from temphone.gateway.speech.vendors.services import Connections, given, language_of, refusal, setup

ANSWER_S = 10.0

Make = Callable[[SpeechSettings, Connections, str], Any]


class VendorListener:
    """Listens by one vendor."""

    def __init__(self, settings: SpeechSettings) -> None:
        self._settings = settings
        self._vendor = settings.stt
        self._make = SERVICES[settings.stt]
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

    async def listen(self, language: str, /) -> Utterances:
        """A transcriber for one call."""
        return Utterances(self.hear, language)

    async def hear(self, sound: bytes, language: str) -> str:
        """The words of an utterance.

        Raises:
            SpeechFailed: they cannot be told.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                words = await self._ask(sound, language)
        except TimeoutError as error:
            self._record.failed("does not answer")
            raise SpeechFailed(f"{self._vendor} does not answer") from error
        except SpeechFailed as error:
            self._record.failed(str(error).removeprefix(f"{self._vendor} "))
            raise
        self._record.worked()
        return words

    async def _ask(self, sound: bytes, language: str) -> str:
        service = self._make(self._settings, self._connections, language)
        await service.setup(setup())
        words = []
        try:
            async for frame in service.run_stt(_recording(sound)):
                if isinstance(frame, ErrorFrame):
                    raise refusal(self._vendor, frame.error)
                if isinstance(frame, TranscriptionFrame):
                    words.append(frame.text.strip())
        finally:
            await service.cleanup()
        return " ".join(words).strip()


def _recording(sound: bytes) -> bytes:
    """As a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(RATE_HZ)
        recording.writeframes(sound)
    return file.getvalue()


def _elevenlabs(settings: SpeechSettings, connections: Connections, language: str) -> ElevenLabsSTTService:
    return ElevenLabsSTTService(
        api_key=settings.keys["elevenlabs"],
        aiohttp_session=connections.aiohttp,
        settings=ElevenLabsSTTService.Settings(
            language=language_of(language), **given(model=settings.stt_model)
        ),
        **given(base_url=settings.stt_url),
    )


def _openai(settings: SpeechSettings, connections: Connections, language: str) -> OpenAISTTService:
    return OpenAISTTService(
        api_key=settings.keys["openai"],
        http_client=connections.httpx,
        settings=OpenAISTTService.Settings(**given(language=language_of(language), model=settings.stt_model)),
        **given(base_url=settings.stt_url),
    )


SERVICES: dict[str, Make] = {"elevenlabs": _elevenlabs, "openai": _openai}
