"""Worker processes that all calls share: asked in turn, killed when they hang, renewed when they die.

A worker does one thing at a time. What waits is kept here, so that what nobody waits for any more is
never begun, and what is urgent overtakes.
"""

import asyncio
import time
from dataclasses import dataclass

from temphone.gateway.speech.ports import SpeechFailed, Unfit, Wish, live
from temphone.gateway.speech.record import STEADY_S, Record
from temphone.gateway.speech.worker import Answer, Died, Unready, Worker, started
from temphone.gateway.speech.workers.frames import Words
from temphone.gateway.trouble import Trouble

PAUSES_S = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)  # before it starts again after one failure, two in a row, ...


FAIR = 4  # of so many one is what has waited longest, so that nothing waits for ever


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    words: Words
    sound: bytes
    wish: Wish
    answer: asyncio.Future[Answer]

    def fail(self, error: SpeechFailed) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def succeed(self, answer: Answer) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


class _Jobs:
    """What waits, the most urgent first; of equals, and now and then of all, what has waited longest."""

    def __init__(self) -> None:
        self._waiting: list[_Job] = []
        self._more = asyncio.Event()
        self._given = 0

    def put(self, job: _Job) -> None:
        """It waits from now on."""
        self._waiting.append(job)
        self._more.set()

    async def take(self) -> _Job:
        """The next, as soon as there is one."""
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        job = self._next()
        self._waiting.remove(job)
        return job

    def take_all(self) -> list[_Job]:
        """Whatever waits."""
        jobs, self._waiting = self._waiting, []
        return jobs

    def _next(self) -> _Job:
        for job in self._waiting:
            if job.answer.done():
                return job  # nobody waits for it any more: it takes no turn
        self._given += 1
        if self._given % FAIR == 0:
            return self._waiting[0]
        return min(self._waiting, key=lambda job: job.wish())


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What the workers of a pool run, and how long it may take."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    work_s: float  # one request; a worker that takes longer hangs
    patience_s: float  # what whoever asks waits in all


class Pool:
    """``size`` workers of one program."""

    def __init__(self, program: Program, *, size: int = 1) -> None:
        self._program = program
        self._size = size
        self._jobs = _Jobs()
        self._keepers: list[asyncio.Task[None]] = []
        self._tried = asyncio.Event()  # to start, with or without success
        self._ready = 0
        self._unready = ""
        self._record = Record()
        self._trouble = Trouble(program.name)

    async def start(self) -> None:
        """Start the workers; returns when one is ready, or cannot be."""
        self._keepers = [asyncio.create_task(self._keep()) for _ in range(self._size)]
        await self._tried.wait()

    async def close(self) -> None:
        """End them. Whoever waits gets SpeechFailed."""
        keepers, self._keepers = self._keepers, []
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        self._fail_all("is closed")

    def problem(self) -> str | None:
        """Why nobody should count on it, or None."""
        trouble = self._record.trouble() if self._ready else self._unready or "is starting"
        return trouble and f"{self._program.name} {trouble}"

    async def ask(self, words: Words, sound: bytes = b"", *, wish: Wish = live) -> Answer:
        """What a worker answers. What one dies over is asked once more: it may have been killed.

        Raises:
            SpeechFailed: none answers in time, or it cannot be answered.
        """
        try:
            async with asyncio.timeout(self._program.patience_s):
                try:
                    return await self._ask(words, sound, wish)
                except Died:
                    return await self._ask(words, sound, wish)
        except TimeoutError as error:
            self._record.failed("does not answer in time")
            raise self._failure("does not answer in time") from error

    async def _ask(self, words: Words, sound: bytes, wish: Wish) -> Answer:
        if not self._keepers or self._unready:
            raise self._failure(self._unready or "is not started")
        job = _Job(words, sound, wish, asyncio.get_running_loop().create_future())
        self._jobs.put(job)
        return await job.answer

    async def _keep(self) -> None:
        """One worker after the other, for ever."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                async with started(self._program.module, *self._program.arguments) as worker:
                    await self._work_with(worker)
            except* Unready as errors:
                self._cannot_start(str(errors.exceptions[0]))
            except* SpeechFailed as errors:
                self._trouble.tell(str(errors.exceptions[0]))
            failures = 1 if time.monotonic() - began > STEADY_S else failures + 1
            await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S)) - 1])

    def _cannot_start(self, why: str) -> None:
        self._trouble.tell(why)
        if not self._ready:
            self._unready = why
            self._fail_all(why)
        self._tried.set()

    async def _work_with(self, worker: Worker) -> None:
        """Hand it what is asked, until it ends or hangs."""
        self._ready += 1
        self._unready = ""
        self._tried.set()
        self._trouble.tell("")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(worker.end())
                tasks.create_task(self._hand_over(worker))
        finally:
            self._ready -= 1

    async def _hand_over(self, worker: Worker) -> None:
        while True:
            job = await self._jobs.take()
            if not job.answer.done():
                await self._do(worker, job)

    async def _do(self, worker: Worker, job: _Job) -> None:
        """Have it answered, or failed, whatever happens.

        Raises:
            SpeechFailed: the worker is of no use any more.
        """
        error: SpeechFailed = Died(f"{self._program.name} died")
        try:
            async with asyncio.timeout(self._program.work_s):
                answer = await worker.ask(job.words, job.sound)
            self._settle(job, answer)
        except Died:
            self._record.failed("dies")
            raise
        except TimeoutError as late:
            self._record.failed("hangs")
            error = self._failure("hangs")
            raise SpeechFailed("hangs") from late
        finally:
            job.fail(error)

    def _settle(self, job: _Job, answer: Answer) -> None:
        words, _ = answer
        if "error" not in words:
            self._record.worked()
            return job.succeed(answer)
        failure = f"fails: {words['error']}"
        if words.get("unfit"):
            return job.fail(Unfit(f"{self._program.name} {failure}"))
        self._record.failed(failure)
        return job.fail(self._failure(failure))

    def _fail_all(self, why: str) -> None:
        for job in self._jobs.take_all():
            job.fail(self._failure(why))

    def _failure(self, why: str) -> SpeechFailed:
        return SpeechFailed(f"{self._program.name} {why}")
