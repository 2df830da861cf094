"""Whose calls go first: the single calls are a queue, and so is each running campaign.

They share the lines evenly by how many calls each has up, so that a campaign of a hundred thousand keeps
neither a small one waiting nor a reminder. Within a queue the longest due goes first.
"""

import heapq
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, When

from calls.models import Attempt, Call
from calls.models.call import CallQuerySet
from campaigns.models import Campaign
from campaigns.states import CampaignStatus
from temphone.accounts.models import Mode

SINGLE_SHARES = 4  # somebody waits for a single call at its time; a campaign has all day

_random = random.SystemRandom()


@dataclass(slots=True, kw_only=True, eq=False)
class Queue:
    """The single calls, or those of a campaign."""

    campaign: Campaign | None
    shares: int
    up: int  # calls that have a line, or are about to take one
    taken: list[str] = field(default_factory=list)

    def take(self, due: CallQuerySet, most: int) -> list[Call]:
        """The next of its calls that are not in other hands, locked."""
        calls = list(due.filter(campaign=self.campaign).exclude(pk__in=self.taken)[:most])
        for call in calls:
            call.campaign = self.campaign
        self.taken += [call.pk for call in calls]
        self.up += len(calls)
        return calls


class Queues:
    """The queues of a mode that may go now. A campaign that holds its calls has none."""

    def __init__(self, mode: Mode, now: datetime) -> None:
        due = Call.objects.claimable(now).filter(mode=mode).select_related("contact")
        self.due = due.select_for_update(skip_locked=True, of=("self",))
        campaigns = list(campaigns_with_due_calls(mode, now))
        # Alone, the single calls share with nobody.
        up = _up(mode) if campaigns else Counter()
        self.queues = [Queue(campaign=None, shares=SINGLE_SHARES, up=up[None])]
        self.queues += [Queue(campaign=one, shares=1, up=up[one.pk]) for one in campaigns]

    def take(self, most: int, *conditions: Q) -> list[Call]:
        """The next calls that meet the conditions, shared out; what one queue does not use, others get."""
        due, queues = self.due.filter(*conditions), list(self.queues)
        calls: list[Call] = []
        while queues and len(calls) < most:
            for queue, share in _shared_out(queues, most - len(calls)):
                found = queue.take(due, share)
                calls += found
                if len(found) < share:
                    queues.remove(queue)
        return calls


def _shared_out(queues: Sequence[Queue], slots: int) -> list[tuple[Queue, int]]:
    """How many of the slots each queue gets: each goes to the one that has the least up for its shares.

    Among equals the single calls come first, and campaigns draw lots: where lines are fewer than queues, the
    same would have each line that is free, and others never one.
    """
    given: Counter[int] = Counter()
    lots = [_random.random() if queue.campaign else 0.0 for queue in queues]
    next_one = [
        (queue.up / queue.shares, lot, place)
        for place, (queue, lot) in enumerate(zip(queues, lots, strict=True))
    ]
    heapq.heapify(next_one)
    for _ in range(slots):
        _, lot, place = next_one[0]
        given[place] += 1
        queue = queues[place]
        heapq.heapreplace(next_one, ((queue.up + given[place]) / queue.shares, lot, place))
    return [(queues[place], count) for place, count in given.items()]


def has_work(mode: Mode, now: datetime) -> bool:
    """Whether any queue of the mode has a call that is due."""
    single = Call.objects.waiting(now).filter(mode=mode, campaign=None)
    return single.exists() or campaigns_with_due_calls(mode, now).exists()


def campaigns_with_due_calls(mode: Mode, now: datetime) -> QuerySet[Campaign]:
    """Those that run; each is asked for its first due call."""
    due = Exists(Call.objects.waiting(now).filter(campaign=OuterRef("pk")))
    # Within a Case, so that PostgreSQL asks for each: it would go through all that is due, where a launch has
    # made many calls of which its statistics do not know yet.
    has_due = Case(When(due, then=True), default=False)
    return Campaign.objects.filter(has_due, mode=mode, status=CampaignStatus.RUNNING).order_by("pk")


def _up(mode: Mode) -> Counter[str | None]:
    """How many calls each campaign has up; None: the single calls."""
    up = Attempt.objects.live().filter(call__mode=mode)
    return Counter(dict(up.values_list("call__campaign").annotate(Count("pk")).order_by()))
