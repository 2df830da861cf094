"""What one transaction changes of calls, gathered and then written together.

One call or a hundred: one statement for each table, and each call compared and set on the status and the
version that it was read with. Whoever loses learns it by a Conflict, and nothing of the transaction stays.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Model

from calls.models import Attempt, Call, CallEvent, Decision, Gateway, TranscriptTurn
from calls.representation import call_data
from calls.states import TRANSITIONS, CallStatus
from temphone import rows
from temphone.lib.errors import Conflict
from temphone.said import in_english
from temphone.webhooks.actions import Notice, enqueue, subscribed
from temphone.webhooks.models import Event

Row = dict[str, object]

# What a call's own address is told of; endpoints are told of whatever they subscribed to.
TO_ITS_ADDRESS = frozenset(
    {Event.STARTED, Event.ANSWERED, Event.COMPLETED, Event.FAILED, Event.CANCELED, Event.CORRECTED}
)

# Of an attempt, what its carrier tells. When it is hung up again is another's business.
TOLD = (
    "state",
    "outcome",
    "answered_by",
    "lease_until",
    "sequence",
    "accepted_at",
    "ringing_at",
    "answered_at",
    "ended_at",
    "ended_by",
    "hangup_cause",
    "duration_s",
    "evidence",
    "summary",
    "extracted",
    "analyzed_by",
)


@dataclass(frozen=True, slots=True)
class _AsRead:
    """What a call was when it was first changed here; nobody else may have changed it since."""

    call: Call
    status: str
    version: int


class Changes:
    """The changes of one transaction. The objects that are handed in show each change at once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._calls: dict[str, _AsRead] = {}
        self._columns = {"version", "updated_at", "events_sent"}
        self._attempts: dict[str, Attempt] = {}
        self._rows: dict[type[Model], list[Row]] = {
            Attempt: [],
            CallEvent: [],
            TranscriptTurn: [],
            Decision: [],
        }
        self._notices: list[Notice] = []
        self._resting: set[str] = set()
        self._resting_trunks: dict[str, dict[str, object]] = {}
        self._afterwards: list[Callable[[], object]] = []

    def change(self, call: Call, **columns: object) -> None:
        """Set columns of the call, by the names of its attributes."""
        read = self._as_read(call)
        self._columns |= columns.keys()
        for name, value in columns.items():
            setattr(call, name, value)
        call.version = read.version + 1
        call.updated_at = self.now

    def advance(
        self,
        call: Call,
        to: CallStatus,
        *,
        event: str,
        reason: str = "",
        attempt_id: str | None = None,
        **columns: object,
    ) -> None:
        """Bring the call to another status, with the event that tells of it.

        Raises:
            Conflict: there is no way there.
        """
        before = CallStatus(call.status)
        if to not in TRANSITIONS[before]:
            raise Conflict(f"Call {call.pk} is {in_english(before.label).lower()}.", code=f"call_{before}")
        self.change(call, status=to.value, **columns)
        self.event(
            call, event, attempt_id=attempt_id, from_status=before.value, to_status=to.value, reason=reason
        )

    def event(self, call: Call, name: str, *, at: datetime | None = None, **columns: object) -> None:
        """Add what happened to the call; now, where no instant is given."""
        self.add(CallEvent, call_id=call.pk, name=name, at=at or self.now, **columns)

    def add(self, model: type[Attempt | CallEvent | TranscriptTurn | Decision], **columns: object) -> None:
        """Add a row, by the names of its attributes."""
        self._rows[model].append(columns)

    def attempt(self, attempt: Attempt) -> None:
        """Keep what the carrier told of an attempt. The caller holds its call's row."""
        self._attempts[attempt.pk] = attempt

    def let_rest(self, gateway_id: str, trunk_id: str | None = None, *, cause: str = "") -> None:
        """Give the gateway no calls until its next heartbeat: what it refuses must not go in circles.

        Of a trunk, no calls of that trunk alone; ``cause`` is what those that wait for it are told.
        """
        if trunk_id:
            self._resting_trunks.setdefault(gateway_id, {})[trunk_id] = {"ready": False, "problem": cause}
        else:
            self._resting.add(gateway_id)

    def notify(self, call: Call, event: Event, **more: object) -> None:
        """Tell the endpoints that subscribed to it, and the call's own address, of the call as it is now.

        ``more`` is what belongs to the event and not to the call. The caller holds the call's row, so the
        sequence has neither gaps nor repetitions.
        """
        if call.webhook_url and event in TO_ITS_ADDRESS:
            # A change of the row like any other: whoever read it before must not write the old number again.
            call.version = self._as_read(call).version + 1
            call.events_sent += 1
            self._notices.append(
                Notice(
                    subject=call.pk,
                    url=call.webhook_url,
                    event=event.value,
                    sequence=call.events_sent,
                    data={**call_data(call), **more},
                    at=self.now,
                )
            )
        self._notices += to_endpoints(call, event, self.now, **more)

    def afterwards(self, verb: Callable[[], object]) -> None:
        """Do something once all is written, in the same transaction; it reads anew what it needs."""
        self._afterwards.append(verb)

    def write(self) -> None:
        """Write all of it.

        Raises:
            Conflict: somebody else has changed one of the calls since it was read; look at it again.
        """
        self._write_calls()
        self._write_attempts()
        for model, added in self._rows.items():
            rows.insert(model, added)
        if self._resting:
            Gateway.objects.filter(pk__in=self._resting).update(unreachable_at=self.now)
        for gateway in Gateway.objects.filter(pk__in=self._resting_trunks) if self._resting_trunks else ():
            # Its heartbeat may come in between, and be lost by it: the next one mends that.
            gateway.trunks |= self._resting_trunks[gateway.pk]
            gateway.save(update_fields=["trunks"])
        enqueue(self._notices)
        for verb in self._afterwards:
            verb()

    def _as_read(self, call: Call) -> _AsRead:
        return self._calls.setdefault(call.pk, _AsRead(call, call.status, call.version))

    def _write_attempts(self) -> None:
        told = [(pk, *(getattr(attempt, name) for name in TOLD)) for pk, attempt in self._attempts.items()]
        rows.update(Attempt, matching=["id"], setting=TOLD, rows=told)

    def _write_calls(self) -> None:
        columns = sorted(self._columns)
        written = rows.update(
            Call,
            matching=["id", "status", "version"],
            setting=columns,
            rows=[
                (pk, read.status, read.version, *(getattr(read.call, name) for name in columns))
                for pk, read in self._calls.items()
            ],
        )
        if written < len(self._calls):
            which = ", ".join(sorted(self._calls)) if len(self._calls) < 3 else "One of the calls"
            raise Conflict(f"{which} has changed meanwhile; look at it again.", code="changed_meanwhile")


def to_endpoints(call: Call, event: Event, now: datetime, **more: object) -> list[Notice]:
    """What the endpoints that subscribed to the event are told of the call as it is now."""
    endpoints = subscribed(event)
    data = {**call_data(call), **more} if endpoints else {}
    return [
        Notice(subject=call.pk, url=one.url, event=event.value, data=data, at=now, endpoint_id=one.pk)
        for one in endpoints
    ]


@contextmanager
def gathering(now: datetime) -> Iterator[Changes]:
    """A transaction whose changes are written at its end; raises as ``Changes.write``."""
    with transaction.atomic():
        changes = Changes(now)
        yield changes
        changes.write()
