"""What a leg is to the rest of the gateway, whatever network carries it."""

from dataclasses import dataclass
from typing import Protocol

from temphone.gateway.conversation.moves import Heard
from temphone.telephony.messages import DialRequest, EndedBy, Outcome


class Failed(Exception):
    """Nobody answered, or the network lost the call; how the attempt ends, and the network's reason.

    ``rang`` is False when surely no phone rang: then the call may be dialled anew at once.
    """

    def __init__(self, outcome: Outcome, *, by: EndedBy, cause: str, rang: bool = True) -> None:
        super().__init__(cause)
        self.outcome = outcome
        self.by = by
        self.cause = cause
        self.rang = rang


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said aloud of a text, and what cut it off, if anything did."""

    text: str
    cut_in: Heard | None


class Leg(Protocol):
    """One connection to one phone, from the dial to the end."""

    @property
    def offset_ms(self) -> int:
        """How long ago it was answered; 0 before."""

    async def ring(self) -> None:
        """Dial; returns when it rings.

        Raises:
            Failed: it does not ring, or must not any more (``not_after``).
        """

    async def answer(self) -> None:
        """Returns when it is answered.

        Raises:
            Failed: it is not, within the ring timeout.
        """

    async def say(self, text: str) -> Spoken:
        """Speak, until the end or until something cuts in.

        What they did while nobody spoke or listened, as while a language model thought, cuts in at once.
        """

    async def listen(self, timeout_s: float) -> Heard:
        """What the callee does next; Silence when they do not begin within ``timeout_s``."""

    async def transfer(self, to: str) -> bool:
        """Hand the callee over to this E.164 number; whether the network took them, and so ends this leg.

        What they do meanwhile is heard by the next ``say`` or ``listen``.
        """

    def hang_up(self) -> None:
        """End it from our side, at any time, any number of times.

        What waits above ends at once: with Failed (canceled_by_user) before the answer, with
        Over (STAFF) after it. The leg itself ends an answered call at the maximum duration (Over, SYSTEM).
        """

    def stop(self) -> bool:
        """The gateway stops; whether that ends an answered call, which is heard as a hang-up is.

        Else whatever waits above is to be canceled, and the next gateway knows what becomes of the leg.
        """


class History(Protocol):
    """What an attempt did before the gateway was restarted."""

    @property
    def begun(self) -> bool:
        """Whether more than its acceptance was recorded: the network was surely asked to ring."""

    @property
    def replaying(self) -> bool:
        """Whether the next event of the attempt was recorded before the restart."""

    async def about_to_dial(self) -> None:
        """Note durably that the network is asked to ring now; returns when it is on the disk.

        Whatever is killed from here on, the attempt is found ``begun`` and never dialled again.

        Raises:
            Failed: it could not be noted, so nothing may ring.
        """


class Network(Protocol):
    """Something that carries legs."""

    def leg(self, request: DialRequest, history: History) -> Leg:
        """A leg for this attempt.

        An attempt is never rung again. A network that keeps no calls over a restart answers an attempt
        that was begun with a leg whose ``ring`` raises Failed with the outcome unknown.
        """
