"""Calls without end: as many open ones as asked for, to callees whose part is known beforehand."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from random import Random

from django.db import transaction

from calls.actions.changing import cancel_call
from calls.actions.scheduling import CallRequest, schedule_call
from calls.models import Call
from calls.states import FINAL, CallStatus
from contacts.models import Contact
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.lib.clock import now as utc_now
from temphone.lib.errors import Conflict, Refused
from temphone.telephony.messages import Outcome
from tests.proofs.lab.callees import CALLEES, TRIES, Callee
from tests.proofs.lab.laboratory import Laboratory
from tests.proofs.lab.times import Bounds

AT_ONCE = 6  # calls scheduled in one transaction
MESSAGE = "Hi {{first_name}}, your car is ready."
MAX_DURATION_S = 120  # of simulated time
CANCEL_WITHIN_S = 0.8
# When the next call to a number comes due that opts out in the first: while that is up, and thereafter.
NEXT_AFTER_S = (0.02, 1.5)
FORGOTTEN = ("failed", Outcome.UNKNOWN.value)
_serial = count()


@dataclass(slots=True, kw_only=True)
class Placed:
    """A call that was accepted."""

    call_id: str
    number: str
    callee: Callee
    cancel_at: float = 0.0  # by the monotonic clock; 0: never, or done
    answered: str = ""  # the status that the cancel answered
    comes_after_opt_out: bool = False  # its number opts out in an earlier call
    may_be_forgotten: bool = False  # by a line without memory, when its gateway is struck

    @property
    def evidence(self) -> dict[str, object]:
        """All that the client knows of it."""
        return {"id": self.call_id, "number": self.number, "callee": self.callee, "cancel": self.answered}


class Traffic:
    """The calls of one trial. ``counts`` is what there is to tell of them."""

    callees: Sequence[Callee] = CALLEES
    line_forgets = False
    bounds = Bounds()

    def __init__(self, lab: Laboratory, chance: Random, webhook_url: str) -> None:
        self.lab = lab
        self.chance = chance
        self.webhook_url = webhook_url
        self.bounds = self.bounds.times(lab.slower)
        self.placed: dict[str, Placed] = {}
        self.open: dict[str, Placed] = {}
        self.counts: Counter[str] = Counter()

    def close(self) -> None:
        """Leave nothing behind."""

    @property
    def under_way(self) -> int:
        """How many calls are not over."""
        return len(self.open)

    def top_up(self, wanted: int) -> None:
        """Schedule a few more calls, due at once, while there are fewer open than wanted."""
        missing = min(wanted - self.under_way, AT_ONCE)
        if missing > 0:
            often = [callee.often for callee in self.callees]
            self.schedule(self.chance.choices(self.callees, often, k=missing))

    def schedule(self, callees: Iterable[Callee]) -> None:
        """One call to each; where the callee opts out in it, another one that must not ring any more."""
        now = utc_now()
        with transaction.atomic():
            placed = [one for callee in callees for one in self._place(callee, now)]
        for one in placed:
            self.placed[one.call_id] = self.open[one.call_id] = one

    def _place(self, callee: Callee, now: datetime) -> Iterator[Placed]:
        contact = a_person(callee)
        yield Placed(
            call_id=self._schedule(contact, now),
            number=contact.phone,
            callee=callee,
            cancel_at=self._when() if callee.canceled else 0.0,
            may_be_forgotten=self.line_forgets,
        )
        if callee.opts_out:
            # The first is due before, and while it is up, this one waits: it cannot ring before the opt-out.
            due = now + timedelta(seconds=self.chance.uniform(*NEXT_AFTER_S) * self.lab.slower)
            call_id = self._schedule(contact, due)
            yield Placed(call_id=call_id, number=contact.phone, callee=callee, comes_after_opt_out=True)

    def _schedule(self, contact: Contact, due: datetime) -> str:
        request = CallRequest(
            contact_id=contact.pk,
            scheduled_at=due.isoformat(),
            initial_message=MESSAGE,
            max_duration_s=MAX_DURATION_S,
            webhook_url=self.webhook_url,
        )
        # As if it were asked a second earlier, so that it may be due at once.
        now = due - timedelta(seconds=1)
        scheduled = schedule_call(actor=SYSTEM, mode=Mode.TEST, request=request, now=now)
        Call.objects.filter(pk=scheduled.call.pk).update(max_attempts=TRIES)
        return scheduled.call.pk

    def problems(self, judged: Sequence[Placed]) -> Iterator[tuple[Placed, str]]:
        """What else was broken to these calls, now that all is quiet."""
        for one in judged:
            if one.comes_after_opt_out and self._accepts_another(one):
                yield one, "opted out, but another call is accepted"

    def _accepts_another(self, one: Placed) -> bool:
        """Whether one more call to this number is accepted now."""
        try:
            self._schedule(Contact.objects.get(phone=one.number), utc_now())
        except Refused as refused:
            return refused.code != Outcome.BLOCKED_SUPPRESSED
        return True

    def _when(self) -> float:
        return time.monotonic() + self.chance.uniform(0, CANCEL_WITHIN_S) * self.lab.slower

    def go_on(self) -> None:
        """Cancel what is to be canceled now, and see what is over."""
        for one in self._to_cancel():
            one.cancel_at = 0.0
            try:
                one.answered = cancel_call(actor=SYSTEM, call_id=one.call_id, now=utc_now()).status
            except Conflict:
                one.answered = "too late"
        over = Call.objects.filter(pk__in=list(self.open), status__in=FINAL).values_list("pk", flat=True)
        for call_id in over:
            del self.open[call_id]

    def _to_cancel(self) -> Iterator[Placed]:
        now = time.monotonic()
        return (one for one in list(self.open.values()) if 0 < one.cancel_at <= now)

    def give_up(self) -> list[Placed]:
        """What is still open: lost."""
        lost = list(self.open.values())
        self.open.clear()
        return lost


def a_person(callee: Callee) -> Contact:
    """A contact with a number of their own, at which this callee answers."""
    number = f"+1{callee.area}{next(_serial) + 2_000_000}"
    return Contact.objects.create(first_name="Jordan", phone=number, timezone="America/Los_Angeles")


def may_end(one: Placed) -> set[tuple[str, str]]:
    """The statuses and outcomes with which this call may end."""
    if one.comes_after_opt_out:
        # The opt-out found it scheduled or, where it was about to be claimed, the claim found the opt-out.
        return {("canceled", "canceled_by_user"), ("failed", "blocked_suppressed")}
    ends = {(one.callee.status.value, one.callee.outcome.value)}
    if one.may_be_forgotten:
        ends.add(FORGOTTEN)
    if one.answered == CallStatus.CANCELED:
        return {("canceled", "canceled_by_user")}
    if one.answered == CallStatus.IN_PROGRESS:
        # Before the answer, in the message, after it; or it was over before the wish arrived.
        return ends | {
            ("canceled", "canceled_by_user"),
            ("completed", "canceled_by_user"),
            ("completed", "message_delivered"),
        }
    return ends


def may_ring(one: Placed) -> tuple[int, int]:
    """How often its number must ring at least, and may at most."""
    if one.answered == CallStatus.CANCELED:
        return 0, 0
    if one.answered == CallStatus.IN_PROGRESS or one.may_be_forgotten:
        return 0, one.callee.rings
    return one.callee.rings, one.callee.rings
