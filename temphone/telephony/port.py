"""The carrier port. Adapters live beside it; only ``temphone.wiring`` builds one."""

from collections.abc import Sequence
from typing import Protocol

from temphone.telephony.messages import DialRequest, DialResult, LegRef, Sighting
from temphone.telephony.signing import SignedRequest


class Unreachable(Exception):
    """The carrier could not be asked, or its answer did not arrive; ask again."""


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

    def verify(self, request: SignedRequest, /) -> None:
        """Return if the carrier made this request.

        Raises:
            BadSignature: it did not, or too long ago.
        """
