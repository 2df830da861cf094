"""Starts, resumes and ends the calls."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from temphone.gateway.call import Call
from temphone.gateway.conversation.llm import Model
from temphone.gateway.journal import Journal
from temphone.gateway.ledger import Ledger, OpenAttempt
from temphone.gateway.legs.absent import AbsentNetwork
from temphone.gateway.legs.base import Network
from temphone.gateway.legs.sip import MAX_CALLS
from temphone.gateway.outbox import Outbox
from temphone.gateway.thinking import Mind
from temphone.gateway.trunks import Trunks, kind_of
from temphone.gateway.writer import Writer
from temphone.telephony.messages import CarrierEvent, Dialed, DialRequest, Refused, Sighting

ABSENT = AbsentNetwork()

log = logging.getLogger(__name__)


class Switchboard:
    """The live calls of this gateway, and the only place where one begins."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        writer: Writer,
        outbox: Outbox,
        networks: Mapping[str, Network],
        trunks: Trunks,
        lines: int,
        model: Model | None = None,
        model_timeout_s: float = 0.0,
    ) -> None:
        """``networks`` by the kind of leg they carry; ``lines`` is how many legs may be up at once."""
        self._ledger = ledger
        self._writer = writer
        self._outbox = outbox
        self._networks = networks
        self._trunks = trunks
        self._lines = lines
        self._model = model
        self._model_timeout_s = model_timeout_s
        self._closing = False
        self._calls: dict[str, tuple[Call, asyncio.Task[None]]] = {}

    @property
    def live(self) -> int:
        """How many calls are up."""
        return len(self._calls)

    async def dial(self, requests: Sequence[DialRequest]) -> Dialed:
        """Ring those that are new and may ring; answer for the others what is on record.

        Raises:
            LedgerUnavailable: nothing was recorded, nothing rings.
        """
        answer, fresh = await self._writer.run(partial(self._ledger.admit, requests, self._objection))
        # A hang-up that was recorded after this dial finds the calls: answers arrive in the order of
        # their questions, and there is no await in between.
        for request in fresh if not self._closing else ():  # else the next gateway has them on record
            try:
                self._start(request)
            except Exception:
                # It never rings; whoever asks for it is told that it is open, and gives it up in the end.
                log.exception("The call %s cannot be started.", request.attempt_id)
        return answer

    async def hang_up(self, attempt_id: str) -> None:
        """End it, or refuse it from now on.

        Raises:
            LedgerUnavailable: nothing was recorded; a live call ends all the same.
        """
        try:
            await self._writer.run(partial(self._ledger.withdraw, attempt_id))
        finally:  # a full disk keeps nobody on the phone
            if attempt_id in self._calls:
                call, _ = self._calls[attempt_id]
                call.hang_up()

    async def find(self, attempt_id: str) -> Sighting:
        """What became of it; what is not known is refused from now on.

        Raises:
            LedgerUnavailable: cannot be told.
        """
        return await self._writer.run(partial(self._ledger.sight, attempt_id))

    def resume(self, attempts: Sequence[OpenAttempt]) -> None:
        """Go on with what a former gateway left open."""
        for attempt in attempts:
            call = self._start(attempt.request, last=attempt.last)
            if attempt.hang_up:
                call.hang_up()

    async def close(self, *, within_s: float = 0.0) -> None:
        """Take no more calls. Those that end with the gateway may; others are left to the next one."""
        self._closing = True
        tasks, last = set(), set()
        for call, task in list(self._calls.values()):
            tasks.add(task)
            if call.stop():
                last.add(task)
        for task in tasks - last:
            task.cancel()
        if last:
            await asyncio.wait(last, timeout=within_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, request: DialRequest, last: CarrierEvent | None = None) -> Call:
        journal = Journal(request.attempt_id, self._writer.append, durable=self._writer.flush, last=last)
        leg = self._networks.get(request.leg, ABSENT).leg(request, journal)
        mind = Mind(self._model, request.script, timeout_s=self._model_timeout_s)
        call = Call(request, leg, journal, self._outbox, mind=mind)
        task = asyncio.create_task(call.run())
        self._calls[call.attempt_id] = (call, task)
        task.add_done_callback(partial(self._ended, call))
        return call

    def _ended(self, call: Call, task: asyncio.Task[None]) -> None:
        del self._calls[call.attempt_id]
        if not task.cancelled() and (error := task.exception()):
            log.error("The call %s broke: %s.", call.attempt_id, type(error).__name__)
            call.broke()

    def _objection(self, request: DialRequest, open_count: int) -> Refused | None:
        """Why it must not ring. Asked inside the ledger's transaction, in its thread."""
        if self._closing:
            return _refused(request, "shutting down", retry=True)
        if request.leg not in self._networks:
            return _refused(request, "no such kind of leg", retry=False)
        if datetime.now(UTC) > request.not_after:
            return _refused(request, "too late", retry=True)
        if open_count >= self._lines:
            return _refused(request, "no free line", retry=True)
        return self._objection_of_trunk(request) if request.trunk else None

    def _objection_of_trunk(self, request: DialRequest) -> Refused | None:
        if self._trunks.problem():
            return _refused(request, "nothing speaks here", retry=True)
        # Django's word of a new trunk may come a heartbeat after its first dial.
        if (trunk := self._trunks.find(request.trunk)) is None:
            return _refused(request, "no such trunk", retry=True)
        if self._ledger.open_on(request.trunk) >= trunk.lines:
            return _refused(request, "no free line of the trunk", retry=True)
        if kind_of(trunk) == "sip" and self._open_over_sip() >= MAX_CALLS:
            return _refused(request, f"{MAX_CALLS} calls over SIP are all that a gateway carries", retry=True)
        return None

    def _open_over_sip(self) -> int:
        return sum(self._ledger.open_on(trunk.id) for trunk in self._trunks.of("sip"))


def _refused(request: DialRequest, cause: str, *, retry: bool) -> Refused:
    return Refused(attempt_id=request.attempt_id, cause=cause, retry=retry)
