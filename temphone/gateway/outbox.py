"""Tells Django what happened, until Django has acknowledged it.

One batch is in flight at a time. What Django does not acknowledge stays in the ledger and is sent again,
over restarts of either side.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial

from temphone.gateway.callback import Callback, NotUnderstood, Unavailable
from temphone.gateway.event_table import BATCH
from temphone.gateway.ledger import Ledger
from temphone.gateway.trouble import Trouble
from temphone.gateway.writer import LedgerUnavailable, Writer
from temphone.telephony.messages import Acknowledged, CarrierEvent, Events

PATH = "/carriers/gateway/events"
GATHER_S = 0.1
BACKOFF_S = (0.2, 5.0)
RESEND_S = 1.0
PARKED_S = 600.0

log = logging.getLogger(__name__)


class Outbox:
    """Sends the ledger's events to Django."""

    def __init__(self, ledger: Ledger, writer: Writer, callback: Callback) -> None:
        self._ledger = ledger
        self._writer = writer
        self._callback = callback
        self._waiters: dict[str, tuple[int, asyncio.Event]] = {}

    async def run(self) -> None:
        """Send for ever."""
        trouble = Trouble("The outbox")
        pause_s, longest_s = BACKOFF_S
        while True:
            try:
                sent = await self.send()
            except (Unavailable, LedgerUnavailable) as error:
                trouble.tell(f"waits, {error}")
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, longest_s)
            else:
                trouble.tell("")
                pause_s = BACKOFF_S[0]
                if sent < BATCH:
                    await asyncio.sleep(GATHER_S)

    async def send(self) -> int:
        """Send one batch; returns its size.

        Raises:
            Unavailable, LedgerUnavailable: it stays as it was.
        """
        batch = await self._writer.run(partial(self._ledger.events.waiting, time.time()))
        if batch:
            await self._deliver(batch)
        return len(batch)

    async def acknowledged(self, attempt_id: str, sequence: int, *, within_s: float) -> bool:
        """Wait until Django has this event, but no longer than this; whether it has."""
        arrived = asyncio.Event()
        self._waiters[attempt_id] = (sequence, arrived)
        try:
            async with asyncio.timeout(within_s):
                known = partial(self._ledger.events.is_acknowledged, attempt_id, sequence)
                return await self._writer.run(known) or await arrived.wait()
        except (TimeoutError, LedgerUnavailable):
            return False
        finally:
            del self._waiters[attempt_id]

    async def _deliver(self, batch: Sequence[CarrierEvent]) -> None:
        message = Events(ledger=self._ledger.identity, events=batch)
        try:
            answer = await self._callback.post(PATH, message, Acknowledged)
        except NotUnderstood:
            await self._isolate(batch)
        else:
            await self._writer.run(partial(self._settle, batch, answer.sequences))
            self._wake(answer.sequences)

    async def _isolate(self, batch: Sequence[CarrierEvent]) -> None:
        """Halve down to the event that Django does not understand, and set that one aside."""
        if len(batch) > 1:
            half = len(batch) // 2
            await self._deliver(batch[:half])
            await self._deliver(batch[half:])
            return
        (event,) = batch
        log.error("Django does not understand event %d of %s.", event.sequence, event.attempt_id)
        await self._writer.run(partial(self._park, event))

    def _settle(self, batch: Sequence[CarrierEvent], sequences: Mapping[str, int]) -> None:
        last_sent = {event.attempt_id: event.sequence for event in batch}
        for attempt_id, sent in last_sent.items():
            through = sequences.get(attempt_id, 0)
            self._ledger.events.acknowledge(attempt_id, through)
            if through < sent:
                self._ledger.events.send_again(attempt_id, through, at=time.time() + RESEND_S)

    def _park(self, event: CarrierEvent) -> None:
        self._ledger.events.send_again(event.attempt_id, event.sequence - 1, at=time.time() + PARKED_S)

    def _wake(self, sequences: Mapping[str, int]) -> None:
        for attempt_id, through in sequences.items():
            sequence, arrived = self._waiters.get(attempt_id, (through + 1, None))
            if arrived and sequence <= through:
                arrived.set()
