"""Speech to text by a vendor that hears whole utterances, over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiohttp import ClientError, ClientResponseError
from pipecat.frames.frames import ErrorFrame, TranscriptionFrame
from pipecat.services.elevenlabs.stt import ElevenLabsSTTService
from pipecat.services.openai.stt import OpenAISTTService

from temphone.gateway.speech.ports import SpeechFailed
from temphone.gateway.speech.settings import SpeechSettings
from temphone.gateway.speech.utterances import Utterances
from temphone.gateway.speech.vendors.services import (
    Connections,
    Vendor,
    given,
    language_of,
    refusal,
    setup,
)
from temphone.gateway.speech.wav import wav_of

ANSWER_S = 10.0

DEEPGRAM_URL = "https://api.deepgram.com"
DEEPGRAM_MODEL = "nova-3"  # Deepgram's own default is an older one
CARTESIA_URL = "https://api.cartesia.ai"
CARTESIA_MODEL = "ink-whisper"

Make = Callable[[SpeechSettings, Connections, str], Any]
Ask = Callable[[SpeechSettings, Connections, bytes, str], Awaitable[str]]  # the words of a WAV


class VendorListener(Vendor):
    """Listens by one vendor."""

    def __init__(self, settings: SpeechSettings) -> None:
        super().__init__(settings.stt)
        self._settings = settings
        self._ask = VENDORS[settings.stt]

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
                    words = await self._ask(self._settings, self._connections, wav_of(sound), language)
            except TimeoutError as error:
                raise SpeechFailed(f"{self._vendor} does not answer") from error
        return words.strip()


async def _ask_deepgram(settings: SpeechSettings, connections: Connections, wav: bytes, language: str) -> str:
    """One request: the clients there are of Deepgram listen to streams, or load all that it offers."""
    asking = connections.aiohttp.post(
        f"{settings.stt_url or DEEPGRAM_URL}/v1/listen",
        params={
            "model": settings.stt_model or DEEPGRAM_MODEL,
            # A region that it does not know is refused, and few of them change how it hears.
            "language": language.partition("-")[0].lower(),
            "punctuate": "true",
        },
        headers={"Authorization": f"Token {settings.keys['deepgram']}", "Content-Type": "audio/wav"},
        data=wav,
    )
    try:
        async with asking as answer:
            answer.raise_for_status()
            channels = (await answer.json())["results"]["channels"]
            return " ".join(channel["alternatives"][0]["transcript"] for channel in channels)
    except ClientResponseError as error:
        raise refusal("deepgram", error.status) from error
    except ClientError as error:
        raise refusal("deepgram", type(error).__name__) from error
    except (ValueError, LookupError, TypeError) as error:
        raise SpeechFailed("deepgram answers what is no transcript") from error


def _by(make: Make) -> Ask:
    """To ask through Pipecat's client of the vendor."""

    async def ask(settings: SpeechSettings, connections: Connections, wav: bytes, language: str) -> str:
        service = make(settings, connections, language)
        await service.setup(setup())
        words = []
        try:
            async for frame in service.run_stt(wav):
                if isinstance(frame, ErrorFrame):
                    raise refusal(settings.stt, frame.error)
                if isinstance(frame, TranscriptionFrame):
                    words.append(frame.text.strip())
        finally:
            await service.cleanup()
        return " ".join(words)

    return ask


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
        api_key=settings.keys[settings.stt],
        http_client=connections.httpx,
        settings=OpenAISTTService.Settings(**given(language=language_of(language), model=settings.stt_model)),
        **given(base_url=settings.stt_url),
    )


def _cartesia(settings: SpeechSettings, connections: Connections, language: str) -> OpenAISTTService:
    """Whole utterances it takes as OpenAI does, by its own account; Pipecat's client of it hears streams."""
    url, model = settings.stt_url or CARTESIA_URL, settings.stt_model or CARTESIA_MODEL
    return _openai(replace(settings, stt_url=url, stt_model=model), connections, language)


VENDORS: dict[str, Ask] = {
    "cartesia": _by(_cartesia),
    "deepgram": _ask_deepgram,
    "elevenlabs": _by(_elevenlabs),
    "openai": _by(_openai),
}
