"""One call over Twilio."""

import asyncio
import hmac
import secrets
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Protocol

from aiohttp import web

from temphone.gateway.legs.base import Failed, History
from temphone.gateway.legs.line import Gone, Pressed, Sound
from temphone.gateway.legs.twilio import failures, stream, twiml
from temphone.gateway.legs.twilio.account import Account, Declined, Uncertain, Unreached
from temphone.gateway.legs.twilio.custody import Custody
from temphone.gateway.legs.twilio.ear import Ear
from temphone.gateway.legs.twilio.playout import Playout
from temphone.gateway.legs.twilio.progress import News, Progress, Status
from temphone.telephony.messages import DialRequest, EndedBy

MARGIN_S = 30  # Twilio's own limit comes after ours
LEAD_MS = 1_000
QUEUE_S = 2.0  # for what tells us that it left Twilio's queue in time
EVIDENCE_S = 3.0  # for Twilio's word on a call that we gave up
STREAM_S = 10.0  # from the answer to the media
TRUNK_S = 60.0  # after a restart, until Django has told the trunks
SEARCH_S = 30.0  # after a restart, for a call that is in no list yet
ENDING_S = 60.0  # after a restart, for Twilio to end it
TAKEN_S = 2.0  # for the media to stop, when the answer to a transfer was lost


class Exchange(Protocol):
    """What a line needs of the network."""

    async def account(self, trunk: str, within_s: float) -> Account | None:
        """The account of this trunk, as soon as it is known."""

    def turn(self) -> asyncio.Semaphore:
        """Whose turn it is to create a call."""

    def guard(self, line: "TwilioLine", custody: Custody) -> None:
        """Tell the line what Twilio tells of its attempt, and see to its end at Twilio."""

    def run(self, work: Coroutine[None, None, None]) -> None:
        """Do this, whatever becomes of the line."""

    def stream_url(self) -> str:
        """Where Twilio is to open the media."""

    def told_at(self, attempt_id: str) -> str:
        """Where Twilio is to tell of this attempt."""


class TwilioLine:
    """See ``Line``."""

    def __init__(self, exchange: Exchange, request: DialRequest, history: History) -> None:
        self.attempt_id = request.attempt_id
        self.progress = Progress()
        self.account_sid = ""  # empty: Twilio was asked nothing yet
        self._exchange = exchange
        self._request = request
        self._history = history
        self._token = secrets.token_urlsafe(24)
        self._ear = Ear()
        self._playout = Playout()
        self._custody: Custody | None = None
        self._ring_until = 0.0
        self._streamed = False  # the media were opened once
        self._streaming = False
        self._hung_up = False
        self._handing_over = False
        self._refuses_media = False

    @property
    def account(self) -> Account | None:
        """Whose call it is; None before Twilio was asked for one."""
        return self._custody.account if self._custody else None

    async def ring(self) -> None:
        """See the interface."""
        if self._history.begun:
            raise await self._what_became_of_it()
        self._refuse_if_over()
        account = await self._exchange.account(self._request.trunk, 0)
        if account is None:
            raise failures.not_rung("the trunk is not ready")
        async with self._exchange.turn():
            self._refuse_if_over()
            await self._history.about_to_dial()
            self._refuse_if_over()  # the disk may have been slow
            await self._create(account)
        await self._leave_queue()
        await self._until(Status.RINGING)

    async def answer(self) -> None:
        """See the interface."""
        await self._until(Status.IN_PROGRESS)
        self._ear.open()
        if self._custody:
            self._exchange.run(self._see_it_through(self._custody))

    async def receive(self) -> Sound | Pressed | Gone:
        """See the interface."""
        return await self._ear.next()

    def play(self, sound: bytes) -> None:
        """See the interface."""
        self._playout.play(sound)

    @property
    def lead_ms(self) -> int:
        """See the interface. What is played is known when its mark is back, an ocean away and again."""
        return LEAD_MS

    @property
    def unplayed_ms(self) -> int:
        """See the interface."""
        return self._playout.unplayed_ms

    def clear(self) -> None:
        """See the interface."""
        self._playout.clear()

    def hang_up(self) -> None:
        """See the interface."""
        if self._hung_up:
            return
        self._hung_up = True
        self._ear.close(Gone(EndedBy.STAFF, "hung up"))
        self._end()
        self.progress.stir()

    async def transfer(self, to: str) -> bool:
        """See the interface. A lost answer is not asked for again: the other phone might ring twice."""
        if self._custody is None or self.progress.status is not Status.IN_PROGRESS or self._hung_up:
            return False
        self._handing_over = True  # the media stop before the answer comes
        text = twiml.transfer(to, caller_id=self._request.caller_id)
        if await self._redirect(self._custody, text) and not self._hung_up:
            self._custody.let_go()  # it is not ours to end any more
            self._ear.close(Gone(EndedBy.AGENT, "transferred"))
            return True
        self._handing_over = False
        if self._streamed and not self._streaming:
            self._ear.close(Gone(EndedBy.CALLEE, "hung up"))
        return False

    def accepts(self, *, token: str, account_sid: str, call_sid: str) -> bool:
        """Whether these media are this call's. True once only."""
        is_ours = hmac.compare_digest(token.encode(), self._token.encode())
        is_this_call = account_sid == self.account_sid and self.progress.sid in {"", call_sid}
        if not (is_ours and is_this_call) or self._streamed or self._refuses_media:
            return False
        self._streamed = self._streaming = True
        return True

    async def carry(self, socket: web.WebSocketResponse, *, stream_sid: str, call_sid: str) -> None:
        """Carry its media, which were accepted: so it is answered."""
        self.progress.tell(News(sid=call_sid, status=Status.IN_PROGRESS))
        stopped = False
        try:
            stopped = await stream.carry(socket, stream_sid, ear=self._ear, playout=self._playout)
        finally:
            self._streaming = False
            self.progress.stir()
        await self._stream_ended(stopped=stopped)

    async def _redirect(self, custody: Custody, text: str) -> bool:
        """Whether Twilio does this now; where its answer is lost, the end of the media tells."""
        try:
            await custody.account.redirect(self.progress.sid, text, time_limit_s=twiml.LONGEST_S)
        except (Declined, Unreached):
            return False
        except Uncertain:
            return await self.progress.soon(lambda: not self._streaming, TAKEN_S)
        return True

    async def _stream_ended(self, *, stopped: bool) -> None:
        """The media are gone: Twilio stopped them, or the connection was lost."""
        if self._handing_over or self._hung_up:
            return
        if stopped:
            self._ear.close(Gone(EndedBy.CALLEE, "hung up"))
            return
        await self._lost("the media were lost")

    async def _create(self, account: Account) -> None:
        dialed_at = datetime.now(UTC)
        self._ring_until = _now() + self._request.ring_timeout_s
        custody = self._take_custody(account, since=dialed_at - timedelta(seconds=MARGIN_S))
        try:
            news = await account.create(
                to=self._request.to,
                caller_id=self._request.caller_id,
                twiml=twiml.stream(
                    self._exchange.stream_url(), attempt_id=self.attempt_id, token=self._token
                ),
                ring_timeout_s=self._request.ring_timeout_s,
                time_limit_s=min(self._request.max_duration_s + MARGIN_S, twiml.LONGEST_S),
                told_at=self._exchange.told_at(self.attempt_id),
            )
        except Unreached as error:
            custody.let_go()
            raise failures.not_rung(f"Twilio was not reached: {error}") from error
        except Declined as declined:
            custody.let_go()
            raise failures.why_declined(declined) from declined
        except Uncertain:
            custody.search()  # it may be ringing: a callback or the list will tell
        else:
            self.progress.tell(news)

    def _take_custody(self, account: Account, *, since: datetime) -> Custody:
        self.account_sid = account.sid
        self._custody = custody = Custody(
            account,
            self.progress,
            to=self._request.to,
            caller_id=self._request.caller_id,
            between=(since, max(self._request.not_after, datetime.now(UTC)) + timedelta(seconds=60)),
            lasts_s=self._request.ring_timeout_s + self._request.max_duration_s + 2 * MARGIN_S,
            is_quiet=lambda: self._streaming,
        )
        self._exchange.guard(self, custody)
        return custody

    async def _leave_queue(self) -> None:
        """Twilio starts so many calls a second. What it keeps waiting must not ring too late."""
        in_time_s = (self._request.not_after - datetime.now(UTC)).total_seconds()
        left = await self.progress.soon(
            lambda: self._hung_up or self.progress.has_come_to(Status.INITIATED), in_time_s + QUEUE_S
        )
        self._refuse_if_hung_up()
        if left:
            self._ring_until = _now() + self._request.ring_timeout_s
        elif self.progress.sid:
            raise await self._give_up(failures.late())

    async def _until(self, status: Status) -> None:
        come = await self.progress.soon(
            lambda: self._hung_up or self.progress.has_come_to(status), self._ring_until - _now()
        )
        self._refuse_if_hung_up()
        if not come:
            sid = self.progress.sid
            raise await self._give_up(
                failures.no_answer() if sid else failures.unknown("no answer of Twilio's")
            )
        if self.progress.status.is_final and self.progress.status is not Status.COMPLETED:
            raise failures.why_unanswered(self.progress)

    async def _give_up(self, otherwise: Failed) -> Failed:
        """End it; what Twilio has to say of it counts more than what we think."""
        self._end()
        await self.progress.soon(lambda: self.progress.status.is_final, EVIDENCE_S)
        if self.progress.status in {Status.BUSY, Status.FAILED}:
            return failures.why_unanswered(self.progress)
        return otherwise

    def _refuse_if_over(self) -> None:
        self._refuse_if_hung_up()
        if datetime.now(UTC) > self._request.not_after:
            raise failures.not_rung("not_rung")

    def _refuse_if_hung_up(self) -> None:
        if self._hung_up:
            raise failures.canceled()

    def _end(self) -> None:
        self._refuses_media = True
        if self._custody:
            self._custody.end()

    async def _see_it_through(self, custody: Custody) -> None:
        """Answered: if the media do not come, nobody is to listen to silence; and the end may come first."""
        come = await self.progress.soon(lambda: self._streamed or self.progress.status.is_final, STREAM_S)
        if not come and not self._hung_up:
            await self._lost("no media came")
        await custody.over()
        self._ear.close(Gone(EndedBy.CALLEE, self.progress.status.value))

    async def _lost(self, cause: str) -> None:
        self._end()
        await self.progress.soon(lambda: self.progress.status.is_final, EVIDENCE_S)
        self._ear.close(Gone(EndedBy.CARRIER, cause))

    async def _what_became_of_it(self) -> Failed:
        """After a restart: the call is looked up and ended, never dialled again."""
        account = await self._exchange.account(self._request.trunk, TRUNK_S)
        if account is None:
            return failures.unknown("restarted; the trunk is gone")
        custody = self._take_custody(account, since=self._request.not_after - timedelta(seconds=120))
        custody.search()
        custody.end()
        if not await self.progress.soon(lambda: self.progress.sid, SEARCH_S):
            return failures.unknown("restarted; Twilio lists no such call")
        await self.progress.soon(lambda: self.progress.status.is_final, ENDING_S)
        if self._hung_up and self.progress.status in {Status.CANCELED, Status.NO_ANSWER}:
            return failures.canceled()
        return failures.after_restart(self.progress)


def _now() -> float:
    return asyncio.get_running_loop().time()
