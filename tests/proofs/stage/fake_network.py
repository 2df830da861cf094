"""A telephone network in memory, on a clock that is told the time; every fault that can be asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from temphone.telephony.messages import (
    CarrierEvent,
    DialRequest,
    DialResult,
    EndedBy,
    Ending,
    EventType,
    Outcome,
    Placed,
    Refused,
    Sighting,
    Unsure,
)

Fault = Literal["", "refuse", "refuse for good", "lose the request", "lose the answer"]
FAULTS: tuple[Fault, ...] = ("", "", "refuse", "refuse for good", "lose the request", "lose the answer")


@dataclass(slots=True, kw_only=True)
class Line:
    """One leg: what happened on it, and how much of that was acknowledged."""

    request: DialRequest
    events: list[CarrierEvent] = field(default_factory=list)
    acknowledged: int = 0

    @property
    def is_up(self) -> bool:
        return self.outcome is None

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it is up."""
        ending = self.events[-1].ending
        return ending.outcome if ending else None


class Network:
    """Rings an attempt that it does not know, answers for one that it does, forgets none.

    ``rang`` is the phone's own list, one entry a ring.
    """

    def __init__(self) -> None:
        self.rang: list[DialRequest] = []
        self.lines: dict[str, Line] = {}
        self.refused: dict[str, Refused] = {}

    def dial(self, requests: Sequence[DialRequest], now: datetime, fault: Fault) -> list[DialResult]:
        """What Django hears of a dial request."""
        if fault != "lose the request":
            for request in requests:
                self._admit(request, now, fault)
        if fault.startswith("lose"):
            return [Unsure(attempt_id=one.attempt_id, cause=fault) for one in requests]
        return [self.refused.get(one.attempt_id) or Placed(attempt_id=one.attempt_id) for one in requests]

    def _admit(self, request: DialRequest, now: datetime, fault: Fault) -> None:
        id_ = request.attempt_id
        if id_ in self.lines or id_ in self.refused:
            return
        if fault.startswith("refuse") or now > request.not_after:
            cause = fault or "too late"
            retry = fault != "refuse for good"
            self.refused[id_] = Refused(attempt_id=id_, cause=cause, retry=retry)
            return
        self.rang.append(request)
        self.lines[id_] = Line(request=request)
        self._note(id_, EventType.ACCEPTED, now)
        self._note(id_, EventType.RINGING, now)

    def _note(self, id_: str, type_: EventType, now: datetime, ending: Ending | None = None) -> None:
        line = self.lines[id_]
        sequence = len(line.events) + 1
        line.events.append(CarrierEvent(attempt_id=id_, sequence=sequence, type=type_, at=now, ending=ending))

    def up(self) -> list[str]:
        """The attempts whose legs are up."""
        return [id_ for id_, line in self.lines.items() if line.is_up]

    def happen(self, id_: str, what: EventType | Outcome, now: datetime) -> None:
        """Something happens on a leg that is up; an outcome ends it."""
        if isinstance(what, EventType):
            self._note(id_, what, now)
            return
        answered = any(event.type == EventType.ANSWERED for event in self.lines[id_].events)
        outcome = Outcome.ANSWERED_HUMAN if answered else what
        self._note(id_, EventType.ENDED, now, Ending(outcome=outcome, ended_by=EndedBy.CALLEE))

    def end_overdue(self, now: datetime) -> None:
        """A leg gives up at its ring timeout and is cut off at its maximum length, whoever listens."""
        for id_ in self.up():
            line = self.lines[id_]
            answered = next((event.at for event in line.events if event.type == EventType.ANSWERED), None)
            limit_s = line.request.max_duration_s if answered else line.request.ring_timeout_s
            if now >= (over := (answered or line.events[0].at) + timedelta(seconds=limit_s)):
                self.happen(id_, Outcome.NO_ANSWER, over)

    def find(self, id_: str) -> Sighting:
        """What it knows; what it does not know never rings from now on."""
        if id_ in self.lines:
            return Sighting.LIVE if self.lines[id_].is_up else Sighting.ENDED
        self._withdraw(id_)
        return Sighting.NEVER

    def hang_up(self, id_: str, now: datetime) -> None:
        """End it, or never ring it."""
        if id_ not in self.lines:
            self._withdraw(id_)
        elif self.lines[id_].is_up:
            ending = Ending(outcome=Outcome.MESSAGE_INCOMPLETE, ended_by=EndedBy.STAFF)
            self._note(id_, EventType.ENDED, now, ending)

    def _withdraw(self, id_: str) -> None:
        self.refused.setdefault(id_, Refused(attempt_id=id_, cause="withdrawn", retry=True))

    def waiting(self) -> list[CarrierEvent]:
        """What was not acknowledged, in order."""
        return [
            event
            for line in self.lines.values()
            for event in line.events
            if event.sequence > line.acknowledged
        ]

    def acknowledge(self, sequences: dict[str, int]) -> None:
        """Django has these, up to the sequence."""
        for id_, through in sequences.items():
            line = self.lines[id_]
            line.acknowledged = max(line.acknowledged, min(through, len(line.events)))
