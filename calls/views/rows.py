"""A call as lists and its own page show it, and how often they look again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from calls.models import Attempt, Call
from calls.states import CallStatus

POLL = "every 3s"
SOON = timedelta(seconds=60)
LATER = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A call in the list, its attempts prefetched."""

    call: Call
    at: datetime
    now: datetime

    @property
    def state(self) -> str:
        """The call's status; of one in progress, where its attempt is."""
        attempt = self.last_attempt
        return attempt.state if attempt and attempt.is_live else self.call.status

    @property
    def is_held(self) -> bool:
        """Whether it should have been dialled by now."""
        return self.call.status == CallStatus.SCHEDULED and self.now - self.call.due_at > SOON

    @cached_property
    def attempts(self) -> list[Attempt]:
        """Its dials, in order."""
        return list(self.call.attempts.all())

    @property
    def last_attempt(self) -> Attempt | None:
        """The latest dial, if there was one."""
        return self.attempts[-1] if self.attempts else None

    @property
    def attempt_number(self) -> int:
        """Which attempt it is at, or ended with; 0 if it never was to be dialled."""
        made = sum(1 for attempt in self.attempts if attempt.accepted_at or attempt.is_live)
        return made + 1 if self.call.status == CallStatus.SCHEDULED else made


def poll_until(call: Call | None, now: datetime) -> str:
    """The htmx trigger of what waits for this call: empty where nothing happens for hours."""
    if call is None or call.due_at - now > LATER:
        return ""
    # Long overdue: it is held by the stop switch or its campaign, and may stay so for days.
    if now - call.due_at > SOON:
        return "every 15s"
    wait = (call.due_at - now - SOON).total_seconds()
    return f"load delay:{wait:.0f}s" if wait > 0 else POLL
