"""Calls by the API: a client POSTs each under a key of its own, again and again until it is answered.

When all is quiet it asks once more. One key is one call, whole or not there at all, and one answer.
"""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException
from random import Random
from urllib.parse import urlsplit

from django.db import transaction

from calls.models import Call, CallEvent, Decision
from calls.models.history import Stage
from temphone.accounts.models import AuditEntry, IdempotencyRecord
from temphone.lib.clock import now as utc_now
from tests.proofs.lab.callees import CALLEES, Callee
from tests.proofs.lab.laboratory import Laboratory
from tests.proofs.lab.times import Bounds
from tests.proofs.lab.traffic import MAX_DURATION_S, MESSAGE, Placed, Traffic, a_person
from tests.proofs.stage.people import a_key

CLIENTS = 8  # at once
AHEAD_S = (4.0, 8.0)  # when a call is due, from its first POST on
AT_FIRST_S = (1.5, 2.0)  # the same, while nobody is struck yet
AGAIN_S = 0.1
ANSWERS_WITHIN_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the API answered; ``replayed`` is what it says of that itself."""

    status: int
    body: bytes
    replayed: bool
    at: datetime

    @property
    def data(self) -> dict[str, object]:
        """What is in the envelope."""
        return json.loads(self.body)["data"] or {}


@dataclass(slots=True, kw_only=True)
class Asked(Placed):
    """A call that a client asks for; its Idempotency-Key is the contact's id, which no other call has."""

    contact_id: str
    due: datetime | None = None
    body: bytes = b""
    answer: Answer | None = None
    unanswered: int = 0  # how often nobody answered

    @property
    def is_accepted(self) -> bool:
        """Whether it was answered so."""
        return self.answer is not None and self.answer.status == 201

    @property
    def evidence(self) -> dict[str, object]:
        """All that the client knows of it."""
        return {
            name: getattr(self, name) for name in ("number", "contact_id", "body", "answer", "unanswered")
        }


class Posting(Traffic):
    """The calls of one trial; ``waiting`` are those that nobody has answered for yet."""

    callees = tuple(one for one in CALLEES if one.rings == 1 and not one.opts_out and not one.canceled)
    bounds = Bounds(missed_s=10.0, patience_s=10.0)  # clients ask on and on: every phase comes soon

    def __init__(self, lab: Laboratory, chance: Random, webhook_url: str) -> None:
        super().__init__(lab, chance, webhook_url)
        self.address = urlsplit(lab.plan.url).netloc
        self.headers = {"Authorization": f"Bearer {a_key()}", "Content-Type": "application/json"}
        self.asked: list[Asked] = []
        self.asked_before = False
        self.waiting: list[Asked] = []
        self._closed = threading.Event()
        self._clients = ThreadPoolExecutor(CLIENTS)

    def close(self) -> None:
        """Let the clients go, whatever they wait for."""
        self._closed.set()
        self._clients.shutdown(cancel_futures=True)

    @property
    def under_way(self) -> int:
        """How many calls are not over, or not answered for."""
        return len(self.open) + len(self.waiting)

    def schedule(self, callees: Iterable[Callee]) -> None:
        """Have a client ask for a call to each."""
        with transaction.atomic():
            people = [(callee, a_person(callee)) for callee in callees]
        ahead_s = AHEAD_S if self.asked_before else AT_FIRST_S
        self.asked_before = True
        for callee, person in people:
            asked = Asked(call_id="", number=person.phone, callee=callee, contact_id=person.pk)
            self.asked.append(asked)
            self.waiting.append(asked)
            self._clients.submit(self._ask, asked, self.chance.uniform(*ahead_s) * self.lab.slower)

    def go_on(self) -> None:
        """Take in what was answered, and see what is over."""
        for one in [one for one in self.waiting if one.answer]:
            self.waiting.remove(one)
            if one.is_accepted:
                one.call_id = one.answer.data["call_id"]
                self.placed[one.call_id] = self.open[one.call_id] = one
        super().go_on()

    def give_up(self) -> list[Placed]:
        """What is still open, or was never answered for: lost."""
        lost = [*super().give_up(), *self.waiting]
        self.waiting.clear()
        return lost

    # --- a client

    def _ask(self, one: Asked, ahead_s: float) -> None:
        """POST, and again until it is answered."""
        one.due = utc_now() + timedelta(seconds=ahead_s)
        one.body = json.dumps(
            {
                "contact_id": one.contact_id,
                "scheduled_at": one.due.isoformat(),
                "initial_message": MESSAGE,
                "max_duration_seconds": MAX_DURATION_S,
                "webhook_url": self.webhook_url,
            }
        ).encode()
        while not one.answer and not self._closed.is_set():
            one.answer = self._post(one)
            if not one.answer:
                one.unanswered += 1
                self._closed.wait(AGAIN_S)

    def _post(self, one: Asked) -> Answer | None:
        """What was answered; None: nothing, not all of it, or that it did not work."""
        door = HTTPConnection(self.address, timeout=ANSWERS_WITHIN_S)
        headers = {**self.headers, "Idempotency-Key": one.contact_id}
        try:
            door.request("POST", "/v1/calls/scheduled", one.body, headers)
            response = door.getresponse()
            body = response.read()
            json.loads(body)
        except (OSError, HTTPException, ValueError):
            return None
        finally:
            door.close()
        replayed = response.headers.get("Idempotent-Replayed") == "true"
        answer = Answer(status=response.status, body=body, replayed=replayed, at=utc_now())
        return answer if answer.status < 500 else None

    # --- judgement

    def problems(self, judged: Sequence[Placed]) -> Iterator[tuple[Placed, str]]:
        """What was made of each key, the lost ones' too, and what it answers now."""
        asked, self.asked = self.asked, []
        made = Made(asked)
        for one in asked:
            self._count(one)
            if one.answer:
                yield from ((one, problem) for problem in self._problems(one, one.answer, made))

    def _problems(self, one: Asked, answer: Answer, made: "Made") -> Iterator[str]:
        calls = made.calls[one.contact_id]
        if one.is_accepted:
            yield from _acceptance_problems(one, calls)
            if not _is_repetition(answer, again := self._post(one)):
                yield f"answered otherwise when it was asked once more: {again}"
        else:
            yield from _refusal_problems(one, answer, calls)
        yield from made.half(one, calls)

    def _count(self, one: Asked) -> None:
        self.counts["posts without an answer"] += one.unanswered
        self.counts["accepted"] += one.is_accepted
        self.counts["made, but not answered then"] += one.is_accepted and one.answer.replayed
        self.counts["refused as past"] += one.answer is not None and not one.is_accepted


def _acceptance_problems(one: Asked, calls: Sequence[str]) -> Iterator[str]:
    if one.call_id not in calls:
        yield "answered 201, and is not there"
    if len(calls) > 1:
        yield f"one key made {len(calls)} calls"


def _refusal_problems(one: Asked, answer: Answer, calls: Sequence[str]) -> Iterator[str]:
    # Whoever is asked so late that the time has come may say so; but then nothing was made before.
    if answer.status != 400 or answer.at < one.due:
        yield f"answered {answer.status}"
    if calls:
        yield f"answered {answer.status}, but its key made {len(calls)} calls"


def _is_repetition(first: Answer, again: Answer | None) -> bool:
    return again is not None and again.replayed and (first.status, first.body) == (again.status, again.body)


class Made:
    """What is there of what was asked for: all that belongs to a call, or nothing of it."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        contacts = [one.contact_id for one in asked]
        self.calls: dict[str, list[str]] = defaultdict(list)
        for contact, call in Call.objects.filter(contact__in=contacts).values_list("contact", "pk"):
            self.calls[contact].append(call)
        made = [call for calls in self.calls.values() for call in calls]
        events = CallEvent.objects.filter(call__in=made, name="scheduled")
        decisions = Decision.objects.filter(call__in=made, stage=Stage.CREATION)
        audit = AuditEntry.objects.filter(target__in=made, action="call.schedule")
        self.parts = {
            "event": Counter(events.values_list("call", flat=True)),
            "decision": Counter(decisions.values_list("call", flat=True)),
            "audit": Counter(audit.values_list("target", flat=True)),
        }
        self.keys = Counter(IdempotencyRecord.objects.filter(key__in=contacts).values_list("key", "target"))

    def half(self, one: Asked, calls: Sequence[str]) -> Iterator[str]:
        """What lacks its other half, or has it twice."""
        for call in calls:
            for part, counts in self.parts.items():
                if counts[call] != 1:
                    yield f"half made: {call} has {counts[call]} times its {part}"
        kept = [target for (key, target) in self.keys if key == one.contact_id]
        if sorted(kept) != sorted(calls):
            yield f"half made: the key has kept {kept}, there are {calls}"
