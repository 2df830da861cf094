"""What a phone line is to the spoken leg: sound both ways, keys, and the end, whatever protocol carries it.

Sound is as in ``speech.ports``: frames of 20 ms, 16-bit mono PCM at 8,000 Hz.
"""

from dataclasses import dataclass
from typing import Protocol

from temphone.gateway.legs.base import History
from temphone.telephony.messages import DialRequest, EndedBy


@dataclass(frozen=True, slots=True)
class Sound:
    """The next 20 ms from the callee. Their sum since the answer is the call's own clock."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key of the callee: 0 to 9, * or #."""

    digit: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The connection has ended, by whom, and the network's reason."""

    by: EndedBy
    cause: str


class Line(Protocol):
    """One connection to one phone."""

    async def ring(self) -> None:
        """Dial, once; returns when it rings, or is answered. What dials is durably noted before.

        Raises:
            Failed: it does not ring, or must not any more (``not_after``).
        """

    async def answer(self) -> None:
        """Returns when it is answered. Early media is not an answer.

        Raises:
            Failed: it is not, within the ring timeout (which cancels it), or is refused.
        """

    async def receive(self) -> Sound | Pressed | Gone:
        """What comes next from the callee, in order. A frame comes every 20 ms, of silence if need be.

        After Gone it is Gone again.
        """

    def play(self, sound: bytes) -> None:
        """Give sound to be played after what was given before. Never blocks."""

    @property
    def lead_ms(self) -> int:
        """How much of what is played should be given ahead, so that the sound never stops."""

    @property
    def unplayed_ms(self) -> int:
        """How much of what was given has not gone out yet."""

    def clear(self) -> None:
        """Drop what has not gone out: silence within two frames."""

    def hang_up(self) -> None:
        """End it from our side, at any time, any number of times.

        Before the answer, what waits raises Failed (canceled_by_user); after it, ``receive`` gives
        Gone(STAFF). Who hangs up for another reason knows it better and ignores that.
        """

    async def transfer(self, to: str) -> bool:
        """Hand the callee over to this E.164 number; whether the network took them, and so ends this line."""


class Lines(Protocol):
    """Something that carries lines."""

    def line(self, request: DialRequest, history: History, /) -> Line:
        """A line for this attempt, which dials when told to."""
