"""Speech to text by a vendor that hears whole utterances, over HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any

from pipecat.frames.frames import ErrorFrame, TranscriptionFrame
from pipecat.services.elevenlabs.stt import ElevenLabsSTTService
from pipecat.services.openai.stt import OpenAISTTService

from temphone.gateway.speech.ports import SpeechFailed
from temphone.gateway.speech.settings import SpeechSettings
from temphone.gateway.speech.utterances import Utterances
from temphone.gateway.speech.vendors.services import Connections, Vendor, given, language_of, refusal, setup
from temphone.gateway.speech.wav import wav_of

ANSWER_S = 10.0

Make = Callable[[SpeechSettings, Connections, str], Any]


class VendorListener(Vendor):
    """Listens by one vendor."""

    def __init__(self, settings: SpeechSettings) -> None:
        super().__init__(settings.stt)
        self._settings = settings
        self._make = SERVICES[settings.stt]

    async def listen(self, language: str, /) -> Utterances:
        """A transcriber for one call."""
        return Utterances(self.hear, language)

    async def hear(self, sound: bytes, language: str) -> str:
        """The words of an utterance.

        Raises:
            SpeechFailed: they cannot be told.
        """
        with self._counted():
            try:
                async with asyncio.timeout(ANSWER_S):
                    return await self._ask(sound, language)
            except TimeoutError as error:
                raise SpeechFailed(f"{self._vendor} does not answer") from error

    async def _ask(self, sound: bytes, language: str) -> str:
        service = self._make(self._settings, self._connections, language)
        await service.setup(setup())
        words = []
        try:
            async for frame in service.run_stt(wav_of(sound)):
                if isinstance(frame, ErrorFrame):
                    raise refusal(self._vendor, frame.error)
                if isinstance(frame, TranscriptionFrame):
                    words.append(frame.text.strip())
        finally:
            await service.cleanup()
        return " ".join(words).strip()


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
