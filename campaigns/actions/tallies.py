"""How far campaigns are: their calls, counted along indexes.

A million calls are counted in some tenths of a second. What took long is kept for a while, so that a page
that looks again every few seconds does not count them each time; what is quickly counted is always fresh.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

from calls.models import tallies as along
from calls.states import FINAL, CallStatus
from temphone.telephony.messages import Outcome

QUICK_S = 0.05
KEPT_TIMES = 20  # as long as it took to count
LONGEST_S = 10.0  # it may have taken long for once
MOST_KEPT = 500
T = TypeVar("T")

SPOKEN = (
    Outcome.MESSAGE_DELIVERED,
    Outcome.ANSWERED_HUMAN,
    Outcome.OPTED_OUT,
    Outcome.WRONG_PERSON,
    Outcome.CALLBACK_REQUESTED,
    Outcome.TRANSFERRED,
    Outcome.MAX_DURATION,
    Outcome.MESSAGE_INCOMPLETE,
)
VOICEMAIL = (Outcome.VOICEMAIL_LEFT, Outcome.VOICEMAIL_HUNGUP)
UNREACHED = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.REJECTED, Outcome.SCREENED, Outcome.IVR)
NEVER_DIALED = (
    Outcome.EXPIRED,
    Outcome.BLOCKED_CONSENT,
    Outcome.BLOCKED_SUPPRESSED,
    Outcome.BLOCKED_HOURS,
    Outcome.BLOCKED_DESTINATION,
    Outcome.SPEND_CAP,
    Outcome.CANCELED_BY_USER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The calls of one campaign, by status."""

    by_status: Mapping[str, int] = field(default_factory=dict)
    last_at: datetime | None = None  # when the last of those that were dialled was due
    next_at: datetime | None = None  # when the next is
    until_at: datetime | None = None  # when the last is, as far as it is planned

    def of(self, *statuses: str) -> int:
        """How many are in one of these."""
        return sum(self.by_status.get(status, 0) for status in statuses)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_status.values())

    @property
    def reached(self) -> int:
        """Whom it was for has heard it, or has it on their voicemail."""
        return self.of(CallStatus.COMPLETED)

    @property
    def in_progress(self) -> int:
        """Up just now."""
        return self.of(CallStatus.IN_PROGRESS)

    @property
    def failed(self) -> int:
        """Over, and nobody was reached."""
        return self.of(CallStatus.FAILED)

    @property
    def canceled(self) -> int:
        """Canceled before they were answered."""
        return self.of(CallStatus.CANCELED)

    @property
    def remaining(self) -> int:
        """Still to be called."""
        return self.of(CallStatus.SCHEDULED)

    @property
    def ended(self) -> int:
        """Over, however."""
        return self.of(*FINAL)


class Kept(Generic[T]):
    """What took long to count."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[float, T]] = {}
        self._lock = threading.Lock()

    def get(self, key: str, count: Callable[[], T]) -> T:
        """What was counted lately, or is now."""
        began = time.monotonic()
        kept = self._found.get(key)
        if kept and began < kept[0]:
            return kept[1]
        found = count()
        took_s = time.monotonic() - began
        if took_s > QUICK_S:
            with self._lock:
                if len(self._found) >= MOST_KEPT:
                    self._found.clear()
                self._found[key] = (began + took_s + min(took_s * KEPT_TIMES, LONGEST_S), found)
        return found

    def forget(self) -> None:
        """Count everything anew."""
        with self._lock:
            self._found.clear()


TALLIES = Kept[dict[str, Tally]]()
OUTCOMES = Kept[dict[Outcome, int]]()


def tallies(campaign_ids: Collection[str]) -> dict[str, Tally]:
    """The tally of each of these campaigns; one query at most."""
    if not campaign_ids:
        return {}
    return TALLIES.get(" ".join(sorted(campaign_ids)), partial(_count, campaign_ids))


def tally_of(campaign_id: str) -> Tally:
    """The tally of one campaign."""
    return tallies([campaign_id])[campaign_id]


def _count(campaign_ids: Collection[str]) -> dict[str, Tally]:
    rows = list(along.statuses_of(sorted(campaign_ids), CallStatus.values))
    return {id_: _tally([row[1:] for row in rows if row[0] == id_]) for id_ in campaign_ids}


def _tally(rows: Sequence[tuple[str, int, datetime, datetime]]) -> Tally:
    spans = {status: (first, last) for status, _count, first, last in rows}
    next_at, until_at = spans.get(CallStatus.SCHEDULED, (None, None))
    return Tally(
        by_status={status: count for status, count, _first, _last in rows},
        last_at=max(
            (last for status, (_first, last) in spans.items() if status not in NOT_DIALED), default=None
        ),
        next_at=next_at,
        until_at=until_at,
    )


NOT_DIALED = frozenset({CallStatus.SCHEDULED, CallStatus.CANCELED})


def outcomes_of(campaign_id: str, tally: Tally) -> Mapping[Outcome, int]:
    """How the calls that are over ended, the most frequent first; one query at most."""
    if not tally.ended:
        return {}
    return OUTCOMES.get(campaign_id, partial(_count_outcomes, campaign_id))


def _count_outcomes(campaign_id: str) -> dict[Outcome, int]:
    counted = along.outcomes_of(campaign_id, [outcome.value for outcome in Outcome])
    return {Outcome(outcome): n for outcome, n in sorted(counted.items(), key=lambda row: (-row[1], row[0]))}
