"""What makes the legs of real phones talk: the engines of speech and the recorder, where they are here."""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from temphone.gateway.config import Config
from temphone.gateway.legs.base import Network
from temphone.gateway.legs.line import Lines
from temphone.gateway.legs.spoken.network import SpokenNetwork
from temphone.gateway.recorder import Recorder
from temphone.gateway.speech.engines import Absent, Speech, build
from temphone.gateway.speech.ports import SpeechFailed, Voice, soon
from temphone.gateway.speech.wav import wav_of
from temphone.gateway.uploads import Uploads
from temphone.telephony.messages import RecordingProblem

log = logging.getLogger(__name__)


class Talks(Protocol):
    """What makes legs of lines."""

    def over(self, lines: Lines, /) -> Network:
        """The network whose legs talk over these lines."""

    def problem(self) -> str | None:
        """Why nobody should be called now, or None."""

    async def speak(self, texts: Sequence[str], voice: Voice, /) -> bytes:
        """A WAV of these texts, as a call would speak them; 16-bit mono at 8,000 Hz.

        Raises:
            SpeechFailed: one cannot be spoken.
        """

    async def start(self) -> None:
        """Make it ready; returns also when it cannot be."""

    async def close(self) -> None:
        """Hang up; returns when nothing is left to write."""


Made = Callable[[Config, Uploads], Talks]


class Silent:
    """Nothing speaks here, and why."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    def over(self, _lines: Lines, /) -> Network:
        """See the interface: nobody asks."""
        raise LookupError(self._problem)

    def problem(self) -> str | None:
        """See the interface."""
        return self._problem

    async def speak(self, _texts: Sequence[str], _voice: Voice, /) -> bytes:
        """See the interface."""
        raise SpeechFailed(self._problem)

    async def start(self) -> None:
        """See the interface."""

    async def close(self) -> None:
        """See the interface."""


class Spoken:
    """The engines of this gateway and its recorder, shared by all its calls."""

    def __init__(self, speech: Speech, recorder: Recorder) -> None:
        self._speech = speech
        self._recorder = recorder
        self._networks: list[SpokenNetwork] = []

    def over(self, lines: Lines, /) -> Network:
        """See the interface."""
        network = SpokenNetwork(lines, self._speech, self._recorder)
        self._networks.append(network)
        return network

    def problem(self) -> str | None:
        """See the interface."""
        return self._speech.problem()

    async def speak(self, texts: Sequence[str], voice: Voice, /) -> bytes:
        """See the interface. What was heard so is kept: the call need not render it again."""
        sound = [piece for text in texts async for piece in self._speech.tts.speak(text, voice, soon)]
        return wav_of(b"".join(sound))

    async def start(self) -> None:
        """See the interface."""
        await self._speech.start()
        if problem := self._speech.problem():
            log.warning("Nobody is called over real lines: %s.", problem)

    async def close(self) -> None:
        """See the interface."""
        for network in self._networks:
            await network.close()
        await self._recorder.close()
        await self._speech.close()


def talks_here(config: Config, uploads: Uploads) -> Talks:
    """What the settings name and this installation has."""
    try:
        speech = build(config.speech)
    except Absent as absent:
        return Silent(str(absent))

    def failed(attempt_id: str, problem: str) -> None:
        uploads.failed(attempt_id, RecordingProblem(problem))

    return Spoken(speech, Recorder(config.recordings, uploads.finished, failed))
