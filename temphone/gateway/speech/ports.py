"""What the spoken leg needs of speech, whoever makes it.

Sound is always 16-bit little-endian mono PCM at 8,000 Hz, the telephone's own; engines that think at
another rate convert inside. A frame is 20 ms of it: 320 bytes.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

RATE_HZ = 8_000
FRAME_MS = 20
FRAME_BYTES = RATE_HZ * FRAME_MS // 1000 * 2


class SpeechFailed(Exception):
    """The engine could not do it; the same may work later."""


class Unfit(SpeechFailed):
    """This voice, language or text is what cannot be done; the engine is well, and asking again is vain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Who speaks: the engine's own name of a voice (empty: its default), and the language (BCP 47)."""

    name: str = ""
    language: str = "en"


class Urgency(IntEnum):
    """Who waits for it; the lowest goes first."""

    LIVE = 0  # somebody on the line
    SOON = 1  # a dial, or a reader of a page
    AHEAD = 2  # nobody yet


Wish = Callable[[], Urgency]  # asked anew at each choice: what was made ahead may be wanted at once


def live() -> Urgency:
    """The wish of whoever is on the line."""
    return Urgency.LIVE


def soon() -> Urgency:
    """The wish of who can wait, but does."""
    return Urgency.SOON


class TextToSpeech(Protocol):
    """Makes sound of text."""

    def speak(self, text: str, voice: Voice, wish: Wish, /) -> AsyncIterator[bytes]:
        """The sound, piece by piece as soon as each is made; pieces have any length of whole samples.

        Raises:
            SpeechFailed: it cannot be spoken, or not to its end.
        """


class Transcriber(Protocol):
    """Listens to one callee."""

    def feed(self, sound: bytes) -> None:
        """Take the next sound of an utterance. Never blocks."""

    async def finish(self) -> str:
        """The words of everything that was fed since the last ``finish``; empty when there are none.

        Raises:
            SpeechFailed: they cannot be told.
        """

    async def close(self) -> None:
        """Let go of it."""


class SpeechToText(Protocol):
    """Makes text of sound."""

    async def listen(self, language: str, /) -> Transcriber:
        """A transcriber for one call; ``language`` is BCP 47.

        Raises:
            SpeechFailed: there is none to be had.
        """


class VoiceActivity(Protocol):
    """Tells speech from everything else, in one call."""

    def feed(self, frame: bytes) -> bool:
        """Whether somebody speaks, as of this frame. Takes well under a millisecond."""


class TurnDetector(Protocol):
    """Tells a pause from an end."""

    def activity(self) -> VoiceActivity:
        """A new one, for one call."""

    async def is_over(self, utterance: bytes, /) -> bool:
        """Whether they, having spoken this and paused, have finished. Errs towards yes; never raises."""
