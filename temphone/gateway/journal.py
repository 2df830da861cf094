"""The events of one attempt, numbered."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from temphone.gateway.conversation.moves import Evidence
from temphone.gateway.legs.base import Failed
from temphone.gateway.writer import LedgerUnavailable
from temphone.telephony.messages import (
    Analysis,
    AnsweredBy,
    CarrierEvent,
    EndedBy,
    Ending,
    EventType,
    Outcome,
    Turn,
)


async def _at_once() -> None:
    """What is appended is durable already."""


class Journal:
    """Numbers what happens to one attempt and records it.

    What was recorded before a restart is counted and not recorded again. The first event, accepted,
    is the ledger's own.
    """

    def __init__(
        self,
        attempt_id: str,
        append: Callable[[CarrierEvent], None],
        *,
        durable: Callable[[], Awaitable[None]] = _at_once,
        last: CarrierEvent | None = None,
    ) -> None:
        """``last`` is the last event on record before a restart; ``durable`` waits for what was appended."""
        self._attempt_id = attempt_id
        self._append = append
        self._durable = durable
        self._sequence = 1
        self._recorded = last.sequence if last else 1
        self._at = last.at if last else datetime.now(UTC)

    @property
    def begun(self) -> bool:
        """See ``History``."""
        return self._recorded > 1

    @property
    def replaying(self) -> bool:
        """See ``History``."""
        return self._sequence < self._recorded

    async def about_to_dial(self) -> None:
        """See ``History``."""
        self.record(EventType.DIALING)
        try:
            await self._durable()
        except LedgerUnavailable as error:
            raise Failed(Outcome.CARRIER_ERROR, by=EndedBy.SYSTEM, cause="not_rung", rang=False) from error

    def record(
        self,
        type_: EventType,
        *,
        turn: Turn | None = None,
        answered_by: AnsweredBy | None = None,
        evidence: Evidence | None = None,
        ending: Ending | None = None,
        analysis: Analysis | None = None,
    ) -> int:
        """Record what happened now; returns its sequence."""
        if type_ is EventType.ENDED:
            # Should a newer version tell a shorter story, its end must still be recorded.
            self._sequence = max(self._sequence, self._recorded)
        self._sequence += 1
        if self._sequence > self._recorded:
            self._at = max(self._at, datetime.now(UTC))  # a clock set back does not turn the order
            self._append(
                CarrierEvent(
                    attempt_id=self._attempt_id,
                    sequence=self._sequence,
                    type=type_,
                    at=self._at,
                    turn=turn,
                    answered_by=answered_by,
                    evidence=evidence or {},
                    ending=ending,
                    analysis=analysis,
                )
            )
        return self._sequence
