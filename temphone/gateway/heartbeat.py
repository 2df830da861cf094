"""Tells Django every two seconds that this gateway lives, where, and what it can carry."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from temphone.gateway.callback import Callback, NotUnderstood, Unavailable
from temphone.gateway.writer import LedgerUnavailable
from temphone.telephony.messages import Heartbeat, Welcome

PATH = "/carriers/gateway/heartbeat"
EVERY_S = 2.0
SKEW_S = 2.0

log = logging.getLogger(__name__)


class Pulse:
    """The heartbeat, and what it learns: whether Django hears it, and whether the clocks agree."""

    def __init__(self, callback: Callback, beat: Callable[[], Awaitable[Heartbeat]]) -> None:
        self._callback = callback
        self._beat = beat
        self._trouble = ""

    async def run(self) -> None:
        """Beat for ever, first at once."""
        while True:
            self._tell(await self._once())
            await asyncio.sleep(EVERY_S)

    async def _once(self) -> str:
        """Beat once; returns what is wrong."""
        try:
            sent_at = datetime.now(UTC)
            welcome = await self._callback.post(PATH, await self._beat(), Welcome)
        except (Unavailable, NotUnderstood, LedgerUnavailable) as error:
            return f"Django did not take the heartbeat: {error}"
        now = datetime.now(UTC)
        early, late = (welcome.at - now).total_seconds(), (sent_at - welcome.at).total_seconds()
        return "The clock differs from Django's by more than 2 s" if max(early, late) > SKEW_S else ""

    def _tell(self, trouble: str) -> None:
        """Log a trouble when it comes and when it goes, not at every beat."""
        if trouble != self._trouble:
            log.warning("%s.", trouble or "The heartbeat is well again")
        self._trouble = trouble
