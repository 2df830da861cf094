"""The calls of this gateway over Twilio, and what Twilio tells of them."""

import asyncio
import importlib.util
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from temphone.gateway.legs.base import History
from temphone.gateway.legs.twilio import stream
from temphone.gateway.legs.twilio.account import Account, Declined, Uncertain, Unreached, load_library
from temphone.gateway.legs.twilio.custody import Custody
from temphone.gateway.legs.twilio.line import TwilioLine
from temphone.gateway.legs.twilio.messages import Opening
from temphone.gateway.legs.twilio.progress import News, Progress
from temphone.telephony.messages import DialRequest, Trunk, TrunkState, TwilioTrunk

CLOSING_S = 1.0
TURNS = 20  # creates under way at once
CHECK_S = 600.0  # between looks at an account that is well
CHECK_AGAIN_S = 15.0
ORPHAN_S = 4 * 3600.0
MOST_KNOWN = 10_000  # calls whose attempt is remembered

NO_LIBRARY = "the gateway lacks the package twilio (requirements/voice.txt)"
NO_ADDRESS = "TEMPHONE_PUBLIC_URL is not set: Twilio could not reach the gateway"
ACTIVE = "active"
UNCHECKED = "not checked yet"

log = logging.getLogger(__name__)


class TwilioNetwork:
    """Makes lines over the trunks that it is told of."""

    def __init__(self, public_url: str) -> None:
        """``public_url``: where Twilio reaches this gateway, https; empty when it cannot."""
        self.public_url = public_url
        self._accounts: dict[str, Account] = {}  # by trunk
        self._problems: dict[str, str] = {}
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._lines: dict[str, TwilioLine] = {}  # by attempt, as long as they may be up
        self._attempts: dict[str, str] = {}  # by call: whose it is
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(TURNS)
        self._told = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self._closing = False
        if not self._objection():
            load_library()

    # What the gateway asks.

    def line(self, request: DialRequest, history: History) -> TwilioLine:
        """A line for this attempt."""
        return TwilioLine(self, request, history)

    def keep(self, trunks: Sequence[Trunk]) -> None:
        """Have these ready, and no others; calls that are up go on as they are."""
        wanted = {trunk.id: trunk for trunk in trunks if isinstance(trunk, TwilioTrunk)}
        for id_ in self._problems.keys() - wanted.keys():
            self._drop(id_)
        for id_, trunk in wanted.items():
            known = self._accounts.get(id_)
            if known is None or known.trunk != trunk:
                self._drop(id_)
                self._take(trunk)
        self._told.set()
        self._told = asyncio.Event()

    def state(self, trunk_id: str) -> TrunkState:
        """How one of them is."""
        problem = self._problems.get(trunk_id, UNCHECKED)
        return TrunkState(ready=not problem, problem=problem)

    async def close(self) -> None:
        """Let everything be; the next gateway finds the calls that are up."""
        self._closing = True
        tasks = [*self._tasks, *self._checks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        closing = [asyncio.ensure_future(socket.close()) for socket in self._sockets]
        if closing:
            await asyncio.wait(closing, timeout=CLOSING_S)
        if self._session:
            await self._session.close()

    # What a line asks: see Exchange.

    async def account(self, trunk: str, within_s: float) -> Account | None:
        """See ``Exchange``."""
        try:
            async with asyncio.timeout(within_s):
                while trunk not in self._accounts:
                    await self._told.wait()
        except TimeoutError:
            return self._accounts.get(trunk)
        return self._accounts[trunk]

    def turn(self) -> asyncio.Semaphore:
        """See ``Exchange``."""
        return self._turns

    def guard(self, line: TwilioLine, custody: Custody) -> None:
        """See ``Exchange``."""
        self._lines[line.attempt_id] = line
        self.run(self._guard(line, custody))

    def run(self, work: Coroutine[None, None, None]) -> None:
        """See ``Exchange``."""
        if self._closing:
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stream_url(self) -> str:
        """See ``Exchange``."""
        return f"wss{self.public_url.removeprefix('https')}/twilio/media"

    def told_at(self, attempt_id: str) -> str:
        """See ``Exchange``."""
        return f"{self.public_url}/twilio/status?attempt={attempt_id}"

    # What Twilio tells.

    def signers(self, has_signed: Callable[[Account], bool]) -> set[str]:
        """The accounts (their SIDs) for which this holds."""
        return {account.sid for account in self._in_use() if has_signed(account)}

    def _in_use(self) -> set[Account]:
        """Those of the trunks, and those of trunks that were taken away while their calls are up."""
        of_lines = (line.account for line in self._lines.values())
        return {*self._accounts.values(), *(account for account in of_lines if account)}

    def told(self, attempt_id: str, account_sid: str, news: News) -> None:
        """A callback of this account's says so of this attempt."""
        line = self._lines.get(attempt_id)
        if line and line.account_sid == account_sid and line.progress.sid in {"", news.sid}:
            self._remember(news.sid, attempt_id)
            line.progress.tell(news)
        elif not news.status.is_final and self._attempts.get(news.sid) != attempt_id:
            self._end_orphan(account_sid, news)

    async def carry(self, socket: web.WebSocketResponse, signers: set[str]) -> None:
        """Carry the media of whichever call this is; one that is nobody's is left, which ends the call."""
        self._sockets.add(socket)
        try:
            opening = await stream.opening(socket)
            line = self._line_of(opening, signers) if opening else None
            if opening and line:
                self._remember(opening.call_sid, line.attempt_id)
                await line.carry(socket, stream_sid=opening.stream_sid, call_sid=opening.call_sid)
        finally:
            self._sockets.discard(socket)

    def _line_of(self, opening: Opening, signers: set[str]) -> TwilioLine | None:
        line = self._lines.get(opening.custom_parameters.get("attempt", ""))
        token = opening.custom_parameters.get("token", "")
        account_sid = opening.account_sid
        if line is None or account_sid not in signers or self._closing:
            return None
        accepted = line.accepts(token=token, account_sid=account_sid, call_sid=opening.call_sid)
        return line if accepted else None

    def _take(self, trunk: TwilioTrunk) -> None:
        self._problems[trunk.id] = self._objection() or UNCHECKED
        if self._objection():
            return
        self._session = self._session or aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), trust_env=False
        )
        self._accounts[trunk.id] = account = Account(trunk, self._session)
        self._checks[trunk.id] = asyncio.create_task(self._check(account))

    def _objection(self) -> str:
        if importlib.util.find_spec("twilio") is None:
            return NO_LIBRARY
        return "" if self.public_url else NO_ADDRESS

    def _drop(self, trunk_id: str) -> None:
        self._accounts.pop(trunk_id, None)
        self._problems.pop(trunk_id, None)
        if check := self._checks.pop(trunk_id, None):
            check.cancel()

    async def _check(self, account: Account) -> None:
        """Look for ever whether the account can be used."""
        while True:
            problem = await _problem(account)
            self._problems[account.trunk.id] = problem
            await asyncio.sleep(CHECK_AGAIN_S if problem else CHECK_S)

    async def _guard(self, line: TwilioLine, custody: Custody) -> None:
        try:
            await custody.run(lambda sid: self._attempts.get(sid, line.attempt_id) != line.attempt_id)
        finally:
            self._remember(line.progress.sid, line.attempt_id)
            if self._lines.get(line.attempt_id) is line:
                del self._lines[line.attempt_id]

    def _remember(self, sid: str, attempt_id: str) -> None:
        if sid:
            self._attempts[sid] = attempt_id
        while len(self._attempts) > MOST_KNOWN:
            del self._attempts[next(iter(self._attempts))]

    def _end_orphan(self, account_sid: str, news: News) -> None:
        """A call of ours that no attempt waits for any more: nobody is to answer it and hear silence."""
        account = next((account for account in self._in_use() if account.sid == account_sid), None)
        if account is None:
            return  # its trunk was taken away since it signed this
        log.warning("A call that nobody waits for is ended at Twilio.")
        progress = Progress()
        progress.tell(news)
        now = datetime.now(UTC)
        custody = Custody(
            account,
            progress,
            to="",
            caller_id="",
            between=(now, now),
            lasts_s=ORPHAN_S,
            is_quiet=lambda: False,
        )
        custody.end()
        self.run(custody.run(lambda _: False))


async def _problem(account: Account) -> str:
    try:
        status = await account.check()
    except Declined as declined:
        return f"Twilio does not accept the account ({declined})"
    except Unreached:
        return "Twilio cannot be reached"
    except Uncertain as error:
        return f"Twilio does not answer as it should ({error})"
    return "" if status == ACTIVE else f"Twilio says that the account is {status}"
