"""A program that uses the API of a running installation, and remembers what it was told."""

import http.client
import threading
import time
import traceback
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from temphone.lib.clock import iso, now
from tests.proofs.battery import Found
from tests.proofs.stage.installation import Installation

GIVES_UP_S = 120.0


@dataclass(kw_only=True)
class Scheduled:
    """A call that was accepted. ``canceled``: what the cancel answered, if there was one."""

    call_id: str
    number: str
    canceled: int | None = None

    def rings(self) -> range:
        """How often its number may ring; with one call a number."""
        if self.canceled is None or self.canceled >= 400:
            return range(1, 2)
        return range(1) if self.canceled == 200 else range(2)


@dataclass(kw_only=True)
class Program:
    """Its threads share it.

    ``answers`` counts statuses; ``broken`` are those of 500 and above, with why; ``refused`` are calls that
    were not taken, and why; ``died`` are threads that ended by themselves.
    """

    installation: Installation
    key: str
    waiting: Iterator[tuple[str, str]]  # contact and number, each for one call
    webhook_url: str | None = None
    stubborn: bool = False  # sends again what was not answered
    scheduled: list[Scheduled] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    died: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def schedule(self, seconds: float) -> Scheduled | None:
        """A call to the next person in so many seconds; None: it was not taken, or nobody is left."""
        with self.lock:
            person = next(self.waiting, None)
        if person is None:
            return None
        contact, number = person
        body = {
            "contact_id": contact,
            "scheduled_at": iso(now() + timedelta(seconds=seconds + 1)),
            "initial_message": "Hi {{first_name}}, your car is ready.",
        }
        if self.webhook_url:
            body["webhook_url"] = self.webhook_url
        status, data = self.ask("POST", "/calls/scheduled", body, {"Idempotency-Key": contact})
        if status != 201:
            with self.lock:
                self.refused.append(f"{status}: {data} to {body}"[:500])
            return None
        call = Scheduled(call_id=data["call_id"], number=number)
        with self.lock:
            self.scheduled.append(call)
        return call

    def cancel(self, call: Scheduled) -> None:
        """Ask for its end, and remember what was answered."""
        call.canceled, _ = self.ask("POST", f"/calls/{call.call_id}/cancel")

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, object]]:
        """Status and data. A stubborn program repeats until it has an answer that is none of our failures."""
        until = time.monotonic() + GIVES_UP_S
        while True:
            status, answer = self._ask_once(method, path, body, headers)
            self._count(status, f"{method} {path}: {status} {answer}")
            if status < 500 or not self.stubborn or time.monotonic() > until:
                return status, answer.get("data") or ({} if status < 400 else answer)
            time.sleep(0.1)

    def _ask_once(self, method, path, body, headers) -> tuple[int, dict[str, object]]:
        try:
            return self.installation.api(method, path, self.key, body, headers=headers)
        except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
            return 599, {"no answer": repr(error)}

    def _count(self, status: int, what: str) -> None:
        with self.lock:
            self.answers[status] += 1
            if status >= 500:
                self.broken.append(what[:500])

    @contextmanager
    def busy(self, works: Sequence[Callable[[], object]]) -> Iterator[None]:
        """Do each of these again and again, in a thread of its own, until the block ends."""
        ends = threading.Event()
        threads = [threading.Thread(target=self._again_until, args=(ends, work)) for work in works]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ends.set()
            for thread in threads:
                thread.join()

    def _again_until(self, ends: threading.Event, work: Callable[[], object]) -> None:
        with Found() as found:
            while not ends.is_set():
                work()
        if found.error:
            with self.lock:
                self.died.append("".join(traceback.format_exception(found.error)))

    def problems(self) -> Iterator[tuple[str, str]]:
        """What is wrong with the trial itself: it tried less than it seems; and how it was."""
        if not self.scheduled:
            yield "no call was accepted: nothing was tried", str(self.refused[:5] or self.broken[:5])
        for trace in self.died:
            yield "a thread of the program died", trace
