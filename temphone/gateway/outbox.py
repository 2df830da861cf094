"""Tells Django what happened, until Django has acknowledged it.

One batch is in flight at a time. What Django does not acknowledge stays in the ledger and is sent again,
over restarts of either side. A batch that Django cannot use is followed by one of half its size, until a
single event is found out and set aside, so that it holds up no other call; each success doubles the next.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial

from temphone.gateway.callback import Broke, Callback, NotUnderstood, Unavailable
from temphone.gateway.ledger import Ledger
from temphone.gateway.trouble import Trouble
from temphone.gateway.writer import LedgerUnavailable, Writer
from temphone.telephony.messages import Acknowledged, CarrierEvent, Events

PATH = "/carriers/gateway/events"
BATCH = 250  # Django applies a batch by ten statements, whatever its size
GATHER_S = 0.1
BACKOFF_S = (0.2, 5.0)
RESEND_S = 1.0
PARKED_S = 600.0  # what Django does not understand
ASIDE_S = 60.0  # what Django stumbles over; perhaps the fault was not the event's

log = logging.getLogger(__name__)


class Outbox:
    """Sends the ledger's events to Django."""

    def __init__(self, ledger: Ledger, writer: Writer, callback: Callback) -> None:
        self._ledger = ledger
        self._writer = writer
        self._callback = callback
        self._size = BATCH
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
                if sent < self._size:
                    await asyncio.sleep(GATHER_S)

    async def send(self) -> int:
        """Send one batch; returns its size.

        Raises:
            Unavailable, LedgerUnavailable: it stays as it was.
        """
        waiting = partial(self._ledger.events.waiting, time.time(), self._size)
        batch = await self._writer.run(waiting)
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
            await self._suspect(batch, PARKED_S)
        except Broke:
            await self._suspect(batch, ASIDE_S)
            raise
        else:
            self._size = min(self._size * 2, BATCH)
            await self._writer.run(partial(self._settle, batch, answer.sequences))
            self._wake(answer.sequences)

    async def _suspect(self, batch: Sequence[CarrierEvent], aside_s: float) -> None:
        """Send less next time; set a single event aside, with what follows it in its attempt."""
        self._size = max(len(batch) // 2, 1)
        if len(batch) > 1:
            return
        (event,) = batch
        log.error("Django cannot use event %d of %s.", event.sequence, event.attempt_id)
        later = time.time() + aside_s
        again = self._ledger.events.send_again
        await self._writer.run(partial(again, event.attempt_id, event.sequence - 1, at=later))

    def _settle(self, batch: Sequence[CarrierEvent], sequences: Mapping[str, int]) -> None:
        last_sent = {event.attempt_id: event.sequence for event in batch}
        for attempt_id, sent in last_sent.items():
            through = sequences.get(attempt_id, 0)
            self._ledger.events.acknowledge(attempt_id, through)
            if through < sent:
                self._ledger.events.send_again(attempt_id, through, at=time.time() + RESEND_S)

    def _wake(self, sequences: Mapping[str, int]) -> None:
        for attempt_id, through in sequences.items():
            sequence, arrived = self._waiters.get(attempt_id, (through + 1, None))
            if arrived and sequence <= through:
                arrived.set()
