"""What a fake phone heard: the oracle. Append-only, nothing in it is unique, and no table of ours is read."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from temphone.telephony.messages import DialRequest, LegRef, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One thing that the phone heard.

    ``call`` is what the message says: proofs let a call's message be its id. ``written`` is the instant
    just before the claim wrote what it had decided, and ``at`` that of the hearing, both by
    ``time.perf_counter``; ``moment`` is the instant for which the call was claimed.
    """

    what: Literal["ring", "end"]
    number: str
    call: str
    attempt: str
    at: float
    written: float
    moment: datetime


class Phone:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self._heard: list[Heard] = []
        self._lock = threading.Lock()

    def hear(self, what, request: DialRequest, *, written: float, moment: datetime) -> None:
        """Note a ring, or the end of one."""
        with self._lock:
            self._heard.append(
                Heard(
                    what=what,
                    number=request.to,
                    call=request.script.message,
                    attempt=request.attempt_id,
                    at=time.perf_counter(),
                    written=written,
                    moment=moment,
                )
            )

    def __len__(self) -> int:
        return len(self._heard)

    def since(self, length: int) -> list[Heard]:
        """What it heard after it had heard so much."""
        return self._heard[length:]


def rings(heard: Sequence[Heard]) -> list[Heard]:
    """The rings among it."""
    return [one for one in heard if one.what == "ring"]


def repeated(heard: Sequence[Heard]) -> list[str]:
    """The attempts that rang more than once."""
    counts = Counter(one.attempt for one in rings(heard))
    return [attempt for attempt, count in counts.items() if count > 1]


def most_up(heard: Sequence[Heard]) -> int:
    """How many legs were up at once at the most."""
    up = most = 0
    for one in heard:
        up += 1 if one.what == "ring" else -1
        most = max(up, most)
    return most


def rung_while_up(heard: Sequence[Heard]) -> list[str]:
    """The numbers that rang while a call to them was up."""
    by_number = defaultdict(list)
    for one in heard:
        by_number[one.number].append(one)
    return [number for number, ones in by_number.items() if most_up(ones) > 1]


def dump(heard: Sequence[Heard]) -> list[dict[str, object]]:
    """The log as evidence."""
    return [asdict(one) for one in heard]


class FakeCarrier:
    """Rings what it is asked to, unless it forbade the attempt; it keeps nobody from asking twice.

    ``declines`` holds the calls that it refuses to ring the next time, and takes after that.
    """

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.declines: set[str] = set()
        self.loses: set[str] = set()  # calls whose next dial never arrives
        self.hung_up: set[str] = set()
        self._rung: dict[str, tuple[DialRequest, float, datetime]] = {}
        self._ended: set[str] = set()
        self._forbidden: set[str] = set()
        self._lock = threading.Lock()

    def dial(self, requests: Sequence[DialRequest], *, written: float, moment: datetime) -> list[DialRequest]:
        """Ring; returns what it refused, for another try."""
        return [one for one in requests if not self._ring(one, written, moment)]

    def _ring(self, request: DialRequest, written: float, moment: datetime) -> bool:
        with self._lock:
            call = request.script.message
            if call in self.loses:
                self.loses.discard(call)
                return True
            if call in self.declines or request.attempt_id in self._forbidden:
                self.declines.discard(call)
                return False
            self._rung[request.attempt_id] = (request, written, moment)
            self.phone.hear("ring", request, written=written, moment=moment)
            return True

    def end(self, attempt_id: str) -> bool:
        """The leg is over; False if it was before."""
        with self._lock:
            if attempt_id in self._ended:
                return False
            self._ended.add(attempt_id)
            request, written, moment = self._rung[attempt_id]
            self.phone.hear("end", request, written=written, moment=moment)
            return True

    def find(self, attempt_id: str) -> Sighting:
        """What it knows; what it does not know never rings from now on."""
        with self._lock:
            if attempt_id in self._ended:
                return Sighting.ENDED
            if attempt_id in self._rung:
                return Sighting.LIVE
            self._forbidden.add(attempt_id)
            return Sighting.NEVER

    def hang_up(self, leg: LegRef) -> None:
        """Note the order; what is not known never rings from now on."""
        with self._lock:
            self.hung_up.add(leg.attempt_id)
            if leg.attempt_id not in self._rung:
                self._forbidden.add(leg.attempt_id)
