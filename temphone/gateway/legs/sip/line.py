"""One call over a SIP trunk."""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol

from baresip import BaresipError, Call, CommandTimeout, Event, RuntimeDead, StackEvent, TransferFailed

from temphone.gateway.legs.base import Failed, History
from temphone.gateway.legs.line import Gone, Pressed, Sound
from temphone.gateway.legs.sip import outcomes
from temphone.gateway.legs.sip.media import Media
from temphone.gateway.legs.sip.progress import Progress
from temphone.gateway.legs.sip.stack import apart
from temphone.gateway.legs.sip.wire import Received
from temphone.telephony.messages import DialRequest, EndedBy

HEADER = "X-TemPhone-Attempt"
NUMBER = re.compile(r"\+?[0-9]{1,20}")
KEYS = frozenset("0123456789*#")
LEAD_MS = 200
LAST_WORD_S = 1.0  # for what the callee did at the CANCEL
TRANSFER_S = 20.0
SAME_KEY_S = 0.1  # no finger is so quick
REPEATED_AFTER_S = 0.4  # an INVITE over UDP is repeated after half a second. Source: RFC 3261, T1
OURS = "Rejected by user"  # the stack's words for an end that we asked for
THEIRS = "Connection reset by peer [104]"  # and for a BYE
TAKEN_OVER = "Call transfered"
LOST = "rtp stream error"


class Carrying(Protocol):
    """The network, to its lines."""

    async def place(self, line: "SipLine", history: History) -> None:
        """Send the INVITE; the line is told of what comes of it.

        Raises:
            Failed: none was sent, or nobody knows.
        """

    def transfer_uri(self, line: "SipLine", to: str) -> str:
        """The address of that number at the line's trunk."""

    def met(self, line: "SipLine", trouble: str) -> None:
        """What the line met at its trunk; empty when the trunk is well."""

    def repeats(self, line: "SipLine") -> bool:
        """Whether an INVITE that is not answered is sent again, as over UDP."""

    def let_go(self, line: "SipLine") -> None:
        """The line is over."""


class SipLine:
    """See ``legs.line.Line``."""

    def __init__(self, network: Carrying, request: DialRequest, history: History) -> None:
        self.request = request
        self._network = network
        self._history = history
        self._loop = asyncio.get_running_loop()
        self._dialled_at = self._give_up_at = 0.0
        self._call: Call | None = None
        self._media: Media | None = None
        self._progress = Progress()
        self._hung_up = False
        self._heard: deque[Sound | Pressed | Gone] = deque()
        self._gone: Gone | None = None
        self._pressed = ("", 0.0)  # the last key, and when
        self._background: set[asyncio.Task[None]] = set()

    # -- the interface

    async def ring(self) -> None:
        """See the interface."""
        if self._history.begun:
            # The gateway was restarted since, and the call is nobody's any more.
            raise outcomes.unknown("gateway_restarted")
        self.may_ring()
        if not all(NUMBER.fullmatch(number) for number in (self.request.to, self.request.caller_id)):
            raise outcomes.not_rung("a number that cannot be dialled")
        await self._network.place(self, self._history)
        await self._until(lambda: self._progress.rings or self._progress.answered)

    async def answer(self) -> None:
        """See the interface."""
        await self._until(lambda: self._progress.answered)

    async def receive(self) -> Sound | Pressed | Gone:
        """See the interface."""
        await self._progress.until(lambda: self._heard or self._gone)
        if self._gone and not self._heard:
            return self._gone
        return self._heard.popleft()

    def play(self, sound: bytes) -> None:
        """See the interface."""
        if self._media and not self._gone:
            self._media.play(sound)

    @property
    def lead_ms(self) -> int:
        """See the interface. It is what a barge-in has to take back."""
        return LEAD_MS

    @property
    def unplayed_ms(self) -> int:
        """See the interface."""
        return self._media.unplayed_ms if self._media and not self._gone else 0

    def clear(self) -> None:
        """See the interface."""
        if self._media:
            self._media.clear()

    def hang_up(self) -> None:
        """See the interface."""
        self._hung_up = True
        if self._progress.answered and not self._gone:
            self._end(Gone(EndedBy.STAFF, "BYE"))
        self._soon(self._drop())
        self._progress.stir()

    async def transfer(self, to: str) -> bool:
        """See the interface."""
        if self._call is None or self._gone or not NUMBER.fullmatch(to):
            return False
        try:
            await apart(self._call.transfer(self._network.transfer_uri(self, to), timeout=TRANSFER_S))
        except TransferFailed as failed:
            # Many take the callee over without a word of how it went, or with a BYE.
            if failed.status or not self._progress.was_handed_over:
                return False
        except BaresipError:
            return False
        await self._drop()
        return True

    async def press(self, keys: str) -> None:
        """Press these keys. No conversation does: a menu is not gone through."""
        if self._call and not self._gone:
            try:
                await apart(self._call.send_dtmf(keys))
            except BaresipError:
                return  # it ended meanwhile

    # -- what the network tells

    def may_ring(self) -> None:
        """Return if it still may; asked again at the last moment.

        Raises:
            Failed: it was hung up, or it is too late.
        """
        if self._hung_up:
            raise outcomes.canceled()
        if datetime.now(UTC) > self.request.not_after:
            raise outcomes.not_rung("not_rung")

    def dialling(self) -> None:
        """The INVITE goes out now."""
        self._dialled_at = self._loop.time()
        self._give_up_at = self._dialled_at + self.request.ring_timeout_s

    def take(self, call: Call) -> None:
        """See ``Taker``."""
        self._call = call
        if self._hung_up:
            self._soon(self._drop())

    def happened(self, event: StackEvent) -> None:
        """See ``Taker``."""
        self._progress.report(event)
        match event.event:
            case Event.CALL_ESTABLISHED:
                self._establish()
            case Event.CALL_DTMF_START if self._is_up and event.text in KEYS:
                self._press(event.text)
            case Event.CALL_TRANSFER:
                self._soon(self._refuse_transfer())
            case Event.CALL_CLOSED:
                self._close(event.text or "")

    def received(self, received: Received) -> None:
        """See ``Taker``."""
        self._progress.receive(received)

    def tick(self) -> None:
        """20 ms have passed."""
        if self._media is None or self._gone:
            return
        self._media.feed()
        if frames := self._media.hear(self._loop.time()):
            self._heard.extend(map(Sound, frames))
            self._progress.stir()

    def broke(self, why: str) -> None:
        """Its sound cannot be moved any more."""
        self._end(Gone(EndedBy.CARRIER, f"its sound broke: {why}"))
        self._soon(self._drop())

    async def drop(self) -> None:
        """End it now, for the gateway does."""
        self._hung_up = True
        await self._drop()

    # -- inside

    @property
    def _is_up(self) -> bool:
        return self._progress.answered and self._gone is None

    async def _until(self, reached: Callable[[], bool]) -> None:
        """Wait for it, as long as it may ring.

        Raises:
            Failed: it will not be reached.
        """
        progress = self._progress
        over = await progress.soon(
            lambda: reached() or progress.closed is not None or self._hung_up,
            self._give_up_at - self._loop.time(),
        )
        if not over:
            raise await self._give_up()
        if self._hung_up:
            raise outcomes.canceled(await self._last_word())
        if progress.closed is not None and not progress.answered:
            raise self._failure(progress.closed)

    def _failure(self, text: str) -> Failed:
        repeated = self._may_be_repeated
        self._network.met(self, outcomes.trouble(text))
        self._network.let_go(self)
        return outcomes.failure(text, rang=self._progress.rings, repeated=repeated)

    @property
    def _may_be_repeated(self) -> bool:
        """Whether the INVITE may have gone out already."""
        return self._network.repeats(self) and self._loop.time() - self._dialled_at > REPEATED_AFTER_S

    async def _give_up(self) -> Failed:
        self._hung_up = True
        last_word = await self._last_word()
        if not self._progress.was_heard_of:
            self._network.met(self, outcomes.LOST)
            return outcomes.no_reply()
        return outcomes.not_answered(last_word)

    async def _last_word(self) -> str:
        """Cancel it, and what its callee did in that moment."""
        await self._drop()
        progress = self._progress
        await progress.soon(lambda: progress.has_an_end, LAST_WORD_S if progress.was_heard_of else 0)
        if progress.was_taken:
            return "200 OK: answered in the moment it was canceled, and hung up"
        return "487 Request Terminated"

    def _establish(self) -> None:
        self._network.met(self, "")
        if self._call and not self._hung_up:
            self._media = Media(self._call.audio, self._loop.time())

    def _close(self, text: str) -> None:
        self._progress.close(text)
        if self._progress.answered:
            self._end(_gone(text))
        # Until then its last words may come.
        self._loop.call_later(LAST_WORD_S, self._network.let_go, self)

    def _end(self, gone: Gone) -> None:
        """Nothing is played any more. Sound that waits would count as time in which it was; keys count."""
        if self._gone is None:
            self._gone = gone
            self._heard = deque(item for item in self._heard if isinstance(item, Pressed))
        self._progress.stir()

    async def _drop(self) -> None:
        """Send CANCEL or BYE, once it has a call."""
        if self._call is None or self._progress.closed is not None:
            return
        try:
            await apart(self._call.hangup())
        except (CommandTimeout, RuntimeDead):
            return  # the whole gateway ends, and says so
        except BaresipError:
            self._close(OURS)  # it was gone already

    def _press(self, digit: str) -> None:
        """Who tells of a key both as a telephone-event and by INFO means one."""
        last, at = self._pressed
        now = self._loop.time()
        self._pressed = digit, now
        if digit == last and now - at < SAME_KEY_S:
            return
        self._heard.append(Pressed(digit))
        self._progress.stir()

    async def _refuse_transfer(self) -> None:
        """The callee sends us nowhere."""
        if self._call:
            try:
                await self._call.reject_transfer()
            except BaresipError:
                return

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _gone(text: str) -> Gone:
    if text == THEIRS:
        return Gone(EndedBy.CALLEE, "BYE")
    if text == OURS:
        return Gone(EndedBy.STAFF, "BYE")
    if text == TAKEN_OVER:
        return Gone(EndedBy.AGENT, "REFER")
    if text == LOST:
        return Gone(EndedBy.CARRIER, "no sound came any more")
    return Gone(EndedBy.CARRIER, text)
