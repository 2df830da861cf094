"""Ring the worker when something is due. Any number may run; they claim nothing and need no leader."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections
from django.db.models import QuerySet

from calls.models import Attempt, Beat, Call, Recording, Run
from campaigns.actions import ending, launching
from contacts.models import ContactImport, Suppression
from temphone import skew
from temphone.doorbell.ringing import ring
from temphone.lib.clock import now as utc_now
from temphone.webhooks.models import Delivery

POLL_S = 0.05
# A look is a query. People who wait to be called are worth one at each poll; others wait a moment.
SOON = timedelta(milliseconds=200)
LATER = timedelta(seconds=1)
SELDOM = timedelta(seconds=5)
AGAIN = timedelta(seconds=1)  # a bell may be lost: ring again while the work is still there
logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Bell:
    """A task, and the look at the tables that tells whether there is work for it.

    ``due`` gives the rows that are due; ``moment`` is the column that says since when. It looks at each
    poll, or as seldom as ``every`` says. A bell rings at once for work that has come due since it last
    rang, and each second while any is left; a bell that still rings unheard is not rung again.
    """

    task: str
    due: Callable[[datetime], QuerySet[Any]]
    moment: str
    every: timedelta = timedelta(0)
    looked_at: datetime | None = None
    rung_at: datetime | None = None

    def ring_if_due(self, now: datetime) -> bool:
        """Whether it rang."""
        if self.looked_at and _within(now - self.looked_at, self.every):
            return False
        self.looked_at = now
        work = self.due(now).order_by()
        if self.rung_at and _within(now - self.rung_at, AGAIN):
            work = work.filter(**{f"{self.moment}__gt": self.rung_at})
        if not work.exists():
            return False
        self.rung_at = now
        ring(self.task, now)
        return True


@dataclass(slots=True, kw_only=True)
class Chime:
    """A task that is rung at intervals, whatever there is."""

    task: str
    every: timedelta
    rung_at: datetime | None = None

    def ring_if_due(self, now: datetime) -> bool:
        """Whether it rang."""
        if self.rung_at and _within(now - self.rung_at, self.every):
            return False
        self.rung_at = now
        ring(self.task, now)
        return True


def _within(passed: timedelta, span: timedelta) -> bool:
    # A wall clock that was set back makes time run backwards: then nothing counts as rung lately.
    return timedelta(0) <= passed < span


def bells() -> list[Bell | Chime]:
    """All that the worker is rung for."""
    return [
        Bell(task="calls.tasks.dial_due", due=Call.objects.waiting, moment="due_at"),
        Bell(
            task="calls.tasks.hang_up_due",
            due=Attempt.objects.to_hang_up,
            moment="call__hang_up_requested_at",
            every=SOON,
        ),
        Bell(
            task="calls.tasks.reconcile",
            due=Attempt.objects.overdue,
            moment="lease_until",
            every=LATER,
        ),
        Bell(
            task="temphone.webhooks.tasks.deliver_due",
            due=Delivery.objects.due,
            moment="next_try_at",
            every=SOON,
        ),
        Bell(
            task="temphone.webhooks.tasks.deliver_due",
            due=lambda _now: Delivery.objects.unwanted(),
            moment="created_at",
            every=SELDOM,
        ),
        Bell(
            task="calls.tasks.continue_runs",
            due=lambda _now: Run.objects.unfinished(),
            moment="created_at",
            every=SOON,
        ),
        Bell(
            task="calls.tasks.cancel_suppressed",
            due=Suppression.objects.canceling,
            moment="canceling_since",
            every=LATER,
        ),
        Bell(
            task="contacts.tasks.work_on_imports",
            due=ContactImport.objects.due,
            moment="due_at",
            every=SOON,
        ),
        *(
            Bell(task="calls.tasks.forget_recordings", due=due, moment=moment, every=SELDOM)
            for due, moment in (
                (Recording.objects.to_clear, "clear_at"),
                (Recording.objects.expired, "created_at"),
                (Recording.objects.given_up, "created_at"),
            )
        ),
        Bell(
            task="campaigns.tasks.launch",
            due=launching.waiting,
            moment="launch_asked_at",
            every=SOON,
        ),
        *(
            Bell(task="campaigns.tasks.end", due=due, moment="updated_at", every=SELDOM)
            for due in (ending.with_rest, ending.through)
        ),
        Chime(task="calls.tasks.beat", every=timedelta(seconds=5)),
        Chime(task="calls.tasks.count_days", every=timedelta(minutes=1)),
        Chime(task="calls.tasks.prune", every=timedelta(hours=1)),
    ]


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--poll", type=float, default=POLL_S, help="Seconds between looks.")

    def handle(self, *, poll: float, **_options: object) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        rung = bells()
        beat_at = 0.0
        while not stop.wait(poll):
            try:
                beat_at = _beat(beat_at)
                now = utc_now()
                for bell in rung:
                    ring_one(bell, now)
            except DatabaseError as error:
                # Away for a while: the work waits in the tables, and so do we.
                logger.warning("database: %s", type(error).__name__)
                close_old_connections()
                stop.wait(1)


def ring_one(bell: Bell | Chime, now: datetime) -> None:
    """Ring it if it is due; whatever is wrong with one bell keeps no other from its turn.

    Raises:
        DatabaseError: nothing is known of any.
    """
    try:
        bell.ring_if_due(now)
    except DatabaseError:
        raise
    except Exception:
        # The broker is away, most likely. What is due stays due, and is rung for again; so do the others.
        logger.exception("%s cannot be rung.", bell.task)


def _beat(last: float) -> float:
    """Show each two seconds that the clock runs, and say so if it goes wrong."""
    if time.monotonic() - last < 2:
        return last
    Beat.mark("clock", utc_now())
    if skew.is_off():
        logger.error(
            "This machine's clock differs from the database's by more than 2 s: set it. Calls ring late."
        )
    return time.monotonic()
