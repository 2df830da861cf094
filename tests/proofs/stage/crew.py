"""Threads with database connections of their own, that start together and can be held at one statement."""

import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Self

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from temphone.sqlite.base import turns

Verb = Callable[[], object]

# The first thing that a claim writes of what it decided; the gates were asked before.
DECIDED = re.compile(r'\s*(INSERT INTO|COPY) "calls_attempt"|\s*UPDATE "calls_call"')
PATIENCE_S = 0.25  # for whoever is neither here by then nor seen to wait for a lock
LOOK_S = 0.002
BLOCKED = """
    SELECT EXISTS (
        SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
    )
"""
NEVER_S = 30.0
FIRST_TABLE = re.compile(r'FROM "?(\w+)')
LOCK = re.compile(r" FOR (NO KEY )?UPDATE( OF \S+)?( SKIP LOCKED| NOWAIT)?")


class _Here(threading.local):
    """What this thread's statements meet."""

    before_deciding: Verb | None = None
    after_reading: Verb | None = None
    unlocked: Sequence[str] = ()  # tables whose rows this thread forgets to lock
    without_transaction: bool = False
    counting: BaseDatabaseWrapper | None = None  # where this thread reads attempts, when not where it writes


here = _Here()


def _meet(execute, sql, params, many, context):
    if here.before_deciding and DECIDED.match(sql):
        pause, here.before_deciding = here.before_deciding, None
        pause()
    if any(f'FROM "{table}"' in sql for table in here.unlocked):
        sql = LOCK.sub("", sql)
    if here.counting and sql.startswith("SELECT") and FIRST_TABLE.search(sql)[1] == "calls_attempt":
        context["cursor"].cursor = here.counting.create_cursor()
    return execute(sql, params, many, context)


def is_waited_for() -> bool:
    """Whether another transaction waits for what this thread's has locked."""
    if not connection.in_atomic_block:
        return False
    if connection.vendor == "sqlite":
        return connection.has_turn and bool(turns._waiting)
    with connection.cursor() as cursor:
        cursor.execute(BLOCKED)
        return bool(cursor.fetchone()[0])


@contextmanager
def held_before_deciding(pause: Verb):
    """Call ``pause`` once, before this thread's claim writes anything that it decided."""
    here.before_deciding = pause
    try:
        yield
    finally:
        here.before_deciding = None


class Gate:
    """Where threads wait until all that are waited for have come; nothing holds these up."""

    def __init__(self, parties: int = 1) -> None:
        self._missing = parties
        self._open = threading.Event()
        self._lock = threading.Lock()

    def arrive(self) -> None:
        """One of those that are waited for is here."""
        with self._lock:
            self._missing -= 1
            if self._missing <= 0:
                self._open.set()

    def wait(self) -> None:
        """Go on when all are here.

        Raises:
            TimeoutError: they never came.
        """
        if not self._open.wait(NEVER_S):
            raise TimeoutError("Whoever was waited for did not come.")


class Hold:
    """Where a claim waits behind its gates until somebody comes, or is seen to wait for a lock of its.

    ``met`` counts how often somebody came; ``held``, how often they were seen to wait; ``missed``, how often
    neither was so in time. Where nobody is left who could come, nobody is waited for.
    """

    def __init__(self, *, times: int = 6) -> None:
        """Hold so many claims; the others pass."""
        self._left = times
        self._came = 0
        self._gone = False
        self._changed = threading.Condition()
        self._behind = threading.Event()
        self.is_on = times > 0
        self.held = 0
        self.met = 0
        self.missed = 0

    def begin(self) -> None:
        """Somebody is to come again."""
        self._gone = False
        self._behind.clear()

    def come(self) -> None:
        """Let those go on that wait now."""
        with self._changed:
            self._came += 1
            self._changed.notify_all()

    def leave(self) -> None:
        """Whoever came does not come any more."""
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait for whoever comes next."""
        self._behind.set()
        with self._changed:
            self._left -= 1
            if self._left < 0 or self._gone:
                return
            before = self._came
        until = time.monotonic() + PATIENCE_S
        while not self._has_come(before):
            if self._gone:
                return
            if is_waited_for():
                self.held += 1
                return
            if time.monotonic() > until:
                self.missed += 1
                return
        self.met += 1

    def _has_come(self, before: int) -> bool:
        """Whether somebody has, or does within a moment."""
        with self._changed:
            self._changed.wait_for(lambda: self._came > before or self._gone, LOOK_S)
            return self._came > before

    def meet(self) -> None:
        """Let the other one go on, or wait for it."""
        self.come()
        self.wait()

    def first(self, claim: Verb) -> Verb:
        """The claim, for which ``then`` waits."""

        def work() -> object:
            try:
                return claim()
            finally:
                self._behind.set()  # it may have found nothing to decide on

        return work

    def then(self, verb: Verb) -> Verb:
        """The verb, once the claim is behind its gates, or over: else the quicker one would always win."""

        def work() -> object:
            self._behind.wait(NEVER_S)
            return verb()

        return work

    def leaving(self, verb: Verb) -> Verb:
        """The verb, after which whoever did it does not come any more."""

        def work() -> object:
            try:
                return verb()
            finally:
                self.leave()

        return work


class Crew:
    """Threads that live as long as a trial, since a connection costs more than a race."""

    def __init__(self, size: int) -> None:
        self._members = [ThreadPoolExecutor(1, initializer=_begin) for _ in range(size)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        for member in self._members:
            member.submit(_end)
            member.shutdown()

    def at_once(self, verbs: Sequence[Verb]) -> list[object]:
        """Run each in a thread of its own, released together; what each returned, or raised."""
        start = threading.Barrier(len(verbs))
        members = self._members[: len(verbs)]
        futures = [member.submit(_run, start, verb) for member, verb in zip(members, verbs, strict=True)]
        return [future.exception() or future.result() for future in futures]


def _begin() -> None:
    connection.execute_wrappers.append(_meet)


def _end() -> None:
    connection.close()  # this thread's; each has its own


def _run(start: threading.Barrier, verb: Verb) -> object:
    start.wait()
    return verb()


def instant() -> float:
    """Now, for the order of things within this process."""
    return time.perf_counter()
