"""Sees to one call at Twilio until it is over there, whatever becomes of everything else."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from temphone.gateway.legs.twilio.account import Account, Declined, Uncertain, Unreached
from temphone.gateway.legs.twilio.progress import News, Progress, Status

QUIET_S = 10.0  # without a callback for so long, a call is looked at
SEARCH_S = (0.5, 5.0)  # between looks into the list
AGAIN_S = (0.5, 10.0)  # between tries to end it


class Custody:
    """One call that may be up, and the only one to look at it and to end it.

    The API never tells which attempt a call is. A call whose create was not answered is recognised by a
    callback, which names the attempt, or in the list by its numbers and its time: between two numbers one
    attempt at most is under way.
    """

    def __init__(
        self,
        account: Account,
        progress: Progress,
        *,
        to: str,
        caller_id: str,
        between: tuple[datetime, datetime],
        lasts_s: float,
        is_quiet: Callable[[], bool],
    ) -> None:
        """``between``: when it was created. ``lasts_s``: after that Twilio itself has ended it.

        ``is_quiet``: no callback is due, since its media show that it is up.
        """
        self.account = account
        self._progress = progress
        self._to = to
        self._caller_id = caller_id
        self._between = between
        self._lasts_s = lasts_s
        self._is_quiet = is_quiet
        self._searches = False
        self._ends = False
        self._over = False

    def search(self) -> None:
        """What was asked of Twilio has no answer: look for the call in its list."""
        self._searches = True
        self._progress.stir()

    def end(self) -> None:
        """Have it ended at Twilio."""
        self._ends = True
        self._progress.stir()

    def let_go(self) -> None:
        """There is no such call, or nothing can be done for it any more."""
        self._over = True
        self._progress.stir()

    async def run(self, belongs_to_another: Callable[[str], bool]) -> None:
        """Until it is over. ``belongs_to_another`` knows the calls of other attempts."""
        try:
            async with asyncio.timeout(self._lasts_s):
                await asyncio.gather(self._watch(belongs_to_another), self._see_it_ended())
        except TimeoutError:
            self.let_go()

    async def over(self) -> None:
        """Returns when it is."""
        await self._progress.until(lambda: self._is_over)

    @property
    def _is_over(self) -> bool:
        return self._over or self._progress.status.is_final

    async def _watch(self, belongs_to_another: Callable[[str], bool]) -> None:
        await self._progress.until(lambda: self._is_over or self._searches or self._progress.sid)
        pause_s, longest_s = SEARCH_S
        while not self._is_over:
            if self._progress.sid:
                await self._be_told()
            elif not await self._progress.soon(lambda: self._progress.sid or self._is_over, pause_s):
                pause_s = min(pause_s * 2, longest_s)
                await self._search(belongs_to_another)

    async def _be_told(self) -> None:
        """Wait for the callbacks; look when none comes."""
        status = self._progress.status
        if self._is_quiet():
            await self._progress.until(lambda: self._is_over or not self._is_quiet())
        elif not await self._progress.soon(
            lambda: self._is_over or self._is_quiet() or self._progress.status is not status, QUIET_S
        ):
            await self._ask(self.account.look(self._progress.sid))

    async def _search(self, belongs_to_another: Callable[[str], bool]) -> None:
        try:
            calls = await self.account.find(to=self._to, caller_id=self._caller_id)
        except (Declined, Uncertain, Unreached):
            return
        ours = [call for call in calls if self._may_be(call) and not belongs_to_another(call.sid)]
        up = [call for call in ours if not call.status.is_final]
        for only in _only(up) or _only(ours):
            self._progress.tell(only)

    def _may_be(self, call: News) -> bool:
        earliest, latest = self._between
        return call.created_at is not None and earliest <= call.created_at <= latest

    async def _see_it_ended(self) -> None:
        await self._progress.until(lambda: self._is_over or (self._ends and self._progress.sid))
        pause_s, longest_s = AGAIN_S
        while not self._is_over:
            was_answered = self._progress.status is Status.IN_PROGRESS
            await self._ask(self._end_as(Status.COMPLETED if was_answered else Status.CANCELED))
            if not was_answered and self._progress.status is Status.IN_PROGRESS:
                continue  # answered while we canceled, which spared it
            await self._progress.soon(lambda: self._is_over, pause_s)
            pause_s = min(pause_s * 2, longest_s)

    async def _end_as(self, end: Status) -> News:
        """One that is over already cannot be ended; it is looked at."""
        sid = self._progress.sid
        try:
            return await self.account.end(sid, end)
        except Declined:
            return await self.account.look(sid)

    async def _ask(self, asked: Awaitable[News]) -> None:
        try:
            self._progress.tell(await asked)
        except (Declined, Uncertain, Unreached):
            return


def _only(calls: Sequence[News]) -> Sequence[News]:
    return calls if len(calls) == 1 else ()
