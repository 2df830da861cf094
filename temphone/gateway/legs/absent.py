"""What stands for a network that this gateway had before it was restarted, and has no more."""

from temphone.gateway.conversation.moves import Heard, Over
from temphone.gateway.legs.base import Failed, History, Leg, Spoken
from temphone.telephony.messages import DialRequest, EndedBy, Outcome


class AbsentNetwork:
    """Its legs fail: as never dialled, or as nobody knows."""

    def leg(self, _request: DialRequest, history: History) -> Leg:
        """See ``Network``."""
        return AbsentLeg(begun=history.begun)


class AbsentLeg:
    """See ``Leg``."""

    offset_ms = 0

    def __init__(self, *, begun: bool) -> None:
        self._begun = begun

    async def ring(self) -> None:
        """See the interface."""
        if self._begun:
            raise Failed(Outcome.UNKNOWN, by=EndedBy.SYSTEM, cause="gateway_restarted")
        cause = "the gateway was restarted without its lines"
        raise Failed(Outcome.CARRIER_ERROR, by=EndedBy.SYSTEM, cause=cause, rang=False)

    async def answer(self) -> None:
        """See the interface: it has failed before."""

    async def say(self, text: str) -> Spoken:
        """See the interface."""
        return Spoken(text, Over(EndedBy.SYSTEM))

    async def listen(self, _timeout_s: float) -> Heard:
        """See the interface."""
        return Over(EndedBy.SYSTEM)

    async def transfer(self, _to: str) -> bool:
        """See the interface."""
        return False

    def stop(self) -> bool:
        """See the interface."""
        return False

    def hang_up(self) -> None:
        """See the interface."""
