"""Text to speech by a vendor."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from pipecat.frames.frames import ErrorFrame, TTSAudioRawFrame
from pipecat.services.cartesia.tts import CartesiaHttpTTSService
from pipecat.services.deepgram.tts import DeepgramHttpTTSService
from pipecat.services.elevenlabs.tts import ElevenLabsHttpTTSService
from pipecat.services.openai.tts import VALID_VOICES, OpenAITTSService

from temphone.gateway.speech.ports import SpeechFailed, Unfit, Voice, Wish
from temphone.gateway.speech.settings import SpeechSettings
from temphone.gateway.speech.spoken_form import spoken_form
from temphone.gateway.speech.vendors.narrow import Narrow
from temphone.gateway.speech.vendors.services import (
    Connections,
    Vendor,
    given,
    language_of,
    refusal,
    setup,
)

PIECE_S = 6.0  # the longest silence between two pieces; less than STALLED_S of whoever listens
OPENAI_RATE_HZ = 24_000  # Source: OpenAI, response_format pcm

Make = Callable[[SpeechSettings, Connections, Voice], Any]


class VendorSpeaker(Vendor):
    """Speaks by one vendor; a service for each text, for it remembers what it said before."""

    def __init__(self, settings: SpeechSettings) -> None:
        super().__init__(settings.tts)
        self._settings = settings
        self._make = SERVICES[settings.tts]
        self.name = " ".join((settings.tts, settings.tts_url, settings.tts_model, settings.tts_voice))

    async def speak(self, text: str, voice: Voice, _: Wish, /) -> AsyncIterator[bytes]:
        """The sound, as it comes; nobody waits for another.

        Raises:
            SpeechFailed: it does not come, or not to its end.
        """
        if not (plain := spoken_form(text)):
            return
        with self._counted(chosen=bool(voice.name)):
            async for sound in self._sound(plain, voice):
                yield sound

    async def _sound(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        narrow = Narrow()
        async for frame in self._frames(text, voice):
            if isinstance(frame, ErrorFrame):
                raise refusal(self._vendor, frame.error)
            if isinstance(frame, TTSAudioRawFrame) and (sound := narrow.take(frame.audio, frame.sample_rate)):
                yield sound
        if rest := narrow.rest():
            yield rest

    async def _frames(self, text: str, voice: Voice) -> AsyncIterator[object]:
        service = self._make(self._settings, self._connections, voice)
        await service.setup(setup())
        frames = service.run_tts(text, "one")
        try:
            while True:
                async with asyncio.timeout(PIECE_S):
                    frame = await anext(frames)
                yield frame
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise SpeechFailed(f"{self._vendor} does not answer") from error
        except Exception as error:  # whatever the vendor's client raises
            raise refusal(self._vendor, error) from error
        finally:
            await frames.aclose()
            await service.cleanup()


def _cartesia(settings: SpeechSettings, connections: Connections, voice: Voice) -> CartesiaHttpTTSService:
    return CartesiaHttpTTSService(
        api_key=settings.keys["cartesia"],
        aiohttp_session=connections.aiohttp,
        settings=CartesiaHttpTTSService.Settings(**_chosen(settings, voice)),
        **given(base_url=settings.tts_url),
    )


def _deepgram(settings: SpeechSettings, connections: Connections, voice: Voice) -> DeepgramHttpTTSService:
    """Deepgram's voices are its models, and know one language each."""
    chosen = given(voice=voice.name or settings.tts_voice or settings.tts_model)
    return DeepgramHttpTTSService(
        api_key=settings.keys["deepgram"],
        aiohttp_session=connections.aiohttp,
        settings=DeepgramHttpTTSService.Settings(**chosen),
        **given(base_url=settings.tts_url),
    )


def _elevenlabs(settings: SpeechSettings, connections: Connections, voice: Voice) -> ElevenLabsHttpTTSService:
    return ElevenLabsHttpTTSService(
        api_key=settings.keys["elevenlabs"],
        aiohttp_session=connections.aiohttp,
        settings=ElevenLabsHttpTTSService.Settings(**_chosen(settings, voice)),
        **given(base_url=settings.tts_url),
    )


def _openai(settings: SpeechSettings, connections: Connections, voice: Voice) -> OpenAITTSService:
    """OpenAI's voices speak whatever language the text is in."""
    name = voice.name or settings.tts_voice
    if name and name not in VALID_VOICES:
        raise Unfit("openai has no voice of this name")
    chosen = given(voice=name, model=settings.tts_model)
    return OpenAITTSService(
        api_key=settings.keys["openai"],
        http_client=connections.httpx,
        sample_rate=OPENAI_RATE_HZ,
        settings=OpenAITTSService.Settings(**chosen),
        **given(base_url=settings.tts_url),
    )


def _chosen(settings: SpeechSettings, voice: Voice) -> dict[str, Any]:
    return given(
        voice=voice.name or settings.tts_voice,
        model=settings.tts_model,
        language=language_of(voice.language),
    )


SERVICES: dict[str, Make] = {
    "cartesia": _cartesia,
    "deepgram": _deepgram,
    "elevenlabs": _elevenlabs,
    "openai": _openai,
}
