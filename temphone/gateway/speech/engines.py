"""Builds what speaks and listens from the settings."""

import asyncio
from pathlib import Path
from typing import Protocol

from temphone.gateway.speech import packages
from temphone.gateway.speech.cached import CachedSpeech, Engine
from temphone.gateway.speech.piper import Piper
from temphone.gateway.speech.ports import SpeechToText, TurnDetector
from temphone.gateway.speech.prompt_cache import PromptCache
from temphone.gateway.speech.settings import SpeechSettings
from temphone.gateway.speech.whisper import Whisper

MEGABYTE = 1_000_000


class Absent(Exception):
    """There is no speech here; the message says what is missing, and the mend."""


class Part(Protocol):
    """An engine, as whoever runs it sees it."""

    async def start(self) -> None:
        """Make it ready. Returns also when it cannot be; then it has a problem."""

    async def close(self) -> None:
        """End it."""

    def problem(self) -> str | None:
        """Why nobody should count on it, or None."""


class Speaker(Part, Engine, Protocol):
    """An engine that speaks."""


class Listener(Part, SpeechToText, Protocol):
    """An engine that listens."""


class Turns(Part, TurnDetector, Protocol):
    """An engine that tells whether they have finished."""


class Speech:
    """The engines of one gateway, shared by all its calls."""

    def __init__(self, *, speaker: Speaker, listener: Listener, turns: Turns, prompts: PromptCache) -> None:
        self._speaker = speaker
        self._listener = listener
        self._turns = turns
        self._voice = CachedSpeech(speaker, prompts)

    @property
    def tts(self) -> CachedSpeech:
        """What speaks; its ``prepare`` renders ahead."""
        return self._voice

    @property
    def stt(self) -> SpeechToText:
        """What listens."""
        return self._listener

    @property
    def turns(self) -> TurnDetector:
        """What tells a pause from an end."""
        return self._turns

    async def start(self) -> None:
        """Make all of it ready. What cannot be has a problem."""
        parts = (self._speaker, self._listener, self._turns, self._voice)
        await asyncio.gather(*(part.start() for part in parts))

    async def close(self) -> None:
        """End all of it."""
        await self._voice.close()
        await asyncio.gather(*(part.close() for part in (self._speaker, self._listener, self._turns)))

    def problem(self) -> str | None:
        """Why nobody should be called now: we would be mute or deaf. None when all is well.

        A turn detector in trouble is none: then the length of a silence decides.
        """
        return self._speaker.problem() or self._listener.problem()


def build(settings: SpeechSettings) -> Speech:
    """The engines that these settings name, not yet started.

    Raises:
        Absent: they are not all here.
    """
    if missing := packages.missing(settings.tts, settings.stt):
        raise Absent(f"The packages {', '.join(missing)} are not installed: {packages.INSTALL}.")
    return Speech(
        speaker=_speaker(settings),
        listener=_listener(settings),
        turns=_turns(settings),
        prompts=PromptCache(settings.prompts, most_bytes=settings.prompts_mb * MEGABYTE),
    )


def _speaker(settings: SpeechSettings) -> Speaker:
    if settings.tts == "piper":
        return Piper(_piper_voice(settings))
    from temphone.gateway.speech.vendors.speaking import VendorSpeaker  # Pipecat, which takes a second

    return VendorSpeaker(settings)


def _piper_voice(settings: SpeechSettings) -> Path:
    voice = settings.piper_voice or packages.own_voice()
    if voice is None:
        raise Absent(f"There is no voice for Piper: {packages.INSTALL}, or TEMPHONE_PIPER_VOICE.")
    return voice


def _listener(settings: SpeechSettings) -> Listener:
    if settings.stt != "whisper":
        from temphone.gateway.speech.vendors.listening import VendorListener  # as above

        return VendorListener(settings)
    if settings.whisper_model is None:
        raise Absent("There is no model for Whisper: TEMPHONE_WHISPER_MODEL names none.")
    return Whisper(settings.whisper_model, workers=settings.whisper_workers)


def _turns(settings: SpeechSettings) -> Turns:
    from temphone.gateway.speech.turns import SilentTurns, SmartTurns  # numpy, of the voice installation

    return SmartTurns() if settings.turns == "smart" else SilentTurns()
