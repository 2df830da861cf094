"""A call as lists and its own page show it, and how often they look again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from django.utils.translation import gettext_lazy, ngettext

from calls.models import Attempt, Call, Mark, Prices, mark_of
from calls.states import RETRIED, CallStatus
from campaigns.models import Agent
from temphone.kept_words import gettext as _
from temphone.telephony.messages import Outcome

HAPPENED = {
    "expired": gettext_lazy("It could not be dialled in time."),
    "unknown": gettext_lazy("The phone network never said how it ended. The phone may have rung."),
    "callback_requested": gettext_lazy("They asked to be called back."),
    "rejected": gettext_lazy("They declined the call."),
    "invalid_number": gettext_lazy("The number is not in service."),
    "message_incomplete": gettext_lazy("The message was not finished."),
    "blocked_consent": gettext_lazy("There was no consent."),
    "blocked_hours": gettext_lazy("It was outside calling hours."),
    "blocked_destination": gettext_lazy("Calls may not go to that country or kind of number."),
    "blocked_suppressed": gettext_lazy("The number must not be called."),
}
# Outcomes that a rule gave, whether before the first dial or before another.
NOT_DIALLED = frozenset(
    {"expired", "blocked_consent", "blocked_hours", "blocked_destination", "blocked_suppressed"}
)
POLL = "every 3s"
SOON = timedelta(seconds=60)
LATER = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was said last in a call."""

    speaker: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """A call in the list, its attempts prefetched."""

    call: Call
    at: datetime
    now: datetime
    heard: Heard | None = None
    prices: Prices | None = None

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

    @cached_property
    def dials(self) -> list[Attempt]:
        """Those of them that rang, or may have; what no carrier took did not."""
        return [one for one in self.attempts if one.accepted_at or one.outcome != Outcome.CARRIER_ERROR]

    @cached_property
    def last_attempt(self) -> Attempt | None:
        """The latest dial, if there was one."""
        return self.attempts[-1] if self.attempts else None

    @cached_property
    def cost(self) -> Decimal | None:
        """What all its dials cost together, once it is over; None where that is not known."""
        return self.prices.of_attempts(self.attempts) if self.prices and self.call.is_final else None

    @property
    def costs(self) -> list[tuple[Attempt, Decimal | None]]:
        """Its dials, in order, and what each cost."""
        return [(one, self.prices.of_attempt(one) if self.prices else None) for one in self.attempts]

    @property
    def happened(self) -> str:
        """Why it needs somebody's attention, in a sentence."""
        call = self.call
        if not call.is_final:
            return _("It should have rung by now, and still waits.")
        if call.outcome in RETRIED:
            tries = max(1, self.attempt_number)
            text = ngettext("{outcome} after {n} try.", "{outcome} after {n} tries.", tries)
            return text.format(outcome=call.outcome_label, n=tries)
        text = str(HAPPENED.get(call.outcome or "", call.outcome_label))
        return f"{text} {self._before}" if call.outcome in NOT_DIALLED else text

    @property
    def _before(self) -> str:
        """How often it was dialled before a rule ended it."""
        n = len(self.dials)
        times = ngettext("It was dialled once before.", "It was dialled {n} times before.", n)
        return times.format(n=n) if n else _("It never rang.")

    @property
    def mark(self) -> Mark | None:
        """How it ended as a person said last, its marks prefetched."""
        return mark_of(self.call)

    @property
    def agent(self) -> Agent | None:
        """Who was chosen to speak; None: the default agent does."""
        return self.call.agent or (self.call.campaign.agent if self.call.campaign else None)

    @property
    def attempt_number(self) -> int:
        """Which attempt it is at, or ended with; 0 if it never was to be dialled."""
        made = len(self.dials)
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
