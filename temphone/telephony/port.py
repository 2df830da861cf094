"""The carrier port. Adapters live beside it; only ``temphone.wiring`` builds one."""

from collections.abc import Sequence
from typing import Protocol

from temphone.telephony.messages import DialRequest, DialResult, GatewayRef, LegRef, Sighting
from temphone.telephony.signing import SignedRequest


class Unreachable(Exception):
    """The carrier could not be asked, or its answer did not arrive; ask again."""


class Speechless(Exception):
    """Nobody can speak this there; the message says why, in plain words."""


class Carrier(Protocol):
    """A telephone network, as Django sees it."""

    async def dial(self, requests: Sequence[DialRequest], /) -> Sequence[DialResult]:
        """Ring each once, without any retry. One result for each request, in their order; raises nothing."""

    async def hang_up(self, leg: LegRef, /) -> None:
        """End the leg, or make sure that it never rings. Idempotent.

        Raises:
            Unreachable: perhaps it did not arrive.
        """

    async def find(self, leg: LegRef, /) -> Sighting:
        """What became of the attempt. For reconciliation, after its lease ran out; raises nothing."""

    async def speak(
        self, gateway: GatewayRef, texts: Sequence[str], /, *, language: str, voice: str
    ) -> bytes:
        """A WAV of how the gateway would speak these texts in a call; rings nobody.

        Raises:
            Unreachable: it could not be asked, or did not answer in time.
            Speechless: it cannot.
        """

    def verify(self, request: SignedRequest, /) -> None:
        """Return if the carrier made this request.

        Raises:
            BadSignature: it did not, or too long ago.
        """
