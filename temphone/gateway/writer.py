"""Group commit: what gathers while the disk works becomes durable in one transaction.

A commit costs milliseconds, so a call does not wait for its events to become durable: it appends them
and talks on. Who waits for an answer (a dial, a question) is served at once, and takes along what has
gathered.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from temphone.gateway.ledger import Ledger
from temphone.telephony.messages import CarrierEvent

T = TypeVar("T")
GATHER_S = 0.02
RETRY_S = 0.5

log = logging.getLogger(__name__)


class LedgerUnavailable(Exception):
    """The disk failed or is full; nothing of this was recorded."""


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    done: "asyncio.Future[Any] | None" = None


class Writer:
    """The only one to use the ledger while the gateway runs, in a thread of its own."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._jobs: list[_Job] = []
        self._some = asyncio.Event()
        self._urgent = asyncio.Event()
        self._closing = False

    def append(self, event: CarrierEvent) -> None:
        """Record an event soon. It is tried until it succeeds."""
        self._jobs.append(_Job(partial(self._ledger.append, event)))
        self._some.set()

    async def run(self, work: Callable[[], T]) -> T:
        """The answer of ``work``, which uses the ledger, once it and all that came before are durable.

        Raises:
            LedgerUnavailable: nothing of it was recorded.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(work, done))
        self._some.set()
        self._urgent.set()
        return await done

    async def flush(self) -> None:
        """Returns when all that was appended is durable.

        Raises:
            LedgerUnavailable: it is not yet; it will be tried again.
        """
        await self.run(lambda: None)

    async def work(self) -> None:
        """Commit what comes, until closed and empty."""
        while self._jobs or not self._closing:
            await self._some.wait()
            await self._gather()
            jobs, self._jobs = self._jobs, []
            self._some.clear()
            self._urgent.clear()
            await self._commit(jobs)
        self._thread.shutdown()

    def close(self) -> None:
        """Let ``work`` return when everything is durable."""
        self._closing = True
        self._some.set()
        self._urgent.set()

    async def _gather(self) -> None:
        try:
            async with asyncio.timeout(GATHER_S):
                await self._urgent.wait()
        except TimeoutError:
            return

    async def _commit(self, jobs: list[_Job]) -> None:
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._thread, self._transact, jobs)
        except sqlite3.Error as error:
            await self._failed(jobs, error)
            return
        for job, answer in zip(jobs, answers, strict=True):
            if job.done and not job.done.done():
                job.done.set_result(answer)

    def _transact(self, jobs: list[_Job]) -> list[Any]:
        with self._ledger.transaction():
            return [job.work() for job in jobs]

    async def _failed(self, jobs: list[_Job], error: sqlite3.Error) -> None:
        log.error("The ledger cannot be written (%s); trying again.", type(error).__name__)
        for job in jobs:
            if job.done and not job.done.done():
                job.done.set_exception(LedgerUnavailable(type(error).__name__))
        if self._closing:
            return  # the events of a resumed call come again
        # Events wait in memory, ahead of what came since.
        self._jobs[:0] = [job for job in jobs if job.done is None]
        self._some.set()
        await asyncio.sleep(RETRY_S)
