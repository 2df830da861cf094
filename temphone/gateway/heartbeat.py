"""Tells Django every two seconds that this gateway lives, where, and what it can carry."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from temphone.gateway.callback import Callback, NotUnderstood, Unavailable
from temphone.gateway.trouble import Trouble
from temphone.gateway.writer import LedgerUnavailable
from temphone.telephony.messages import Heartbeat, Welcome

PATH = "/carriers/gateway/heartbeat"
EVERY_S = 2.0
SKEW_S = 2.0


class Pulse:
    """The heartbeat, and what it learns: whether Django hears it, and whether the clocks agree."""

    def __init__(
        self,
        callback: Callback,
        beat: Callable[[], Awaitable[Heartbeat]],
        welcomed: Callable[[Welcome], None],
    ) -> None:
        """``welcomed`` is handed what Django answers."""
        self._callback = callback
        self._welcomed = welcomed
        self._beat = beat
        self._trouble = Trouble("The heartbeat")

    async def run(self) -> None:
        """Beat for ever, first at once."""
        while True:
            self._trouble.tell(await self._once())
            await asyncio.sleep(EVERY_S)

    async def _once(self) -> str:
        """Beat once; returns what is wrong."""
        try:
            sent_at = datetime.now(UTC)
            welcome = await self._callback.post(PATH, await self._beat(), Welcome)
        except (Unavailable, NotUnderstood, LedgerUnavailable) as error:
            return f"not taken by Django, {error}"
        now = datetime.now(UTC)
        self._welcomed(welcome)
        early, late = (welcome.at - now).total_seconds(), (sent_at - welcome.at).total_seconds()
        return "the clock differs from Django's by more than 2 s" if max(early, late) > SKEW_S else ""
