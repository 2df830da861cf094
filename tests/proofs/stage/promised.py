"""What was promised of each call, reckoned from outside; and the judge of what the phone hears.

It knows the settings, what was asked and answered, what the carrier was asked and told, and the C library's
clocks. No table of the product's is read.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from temphone.telephony.messages import Outcome
from tests.proofs.stage.local_time import WallClock

DAY = timedelta(hours=24)
ON_ITS_WAY = timedelta(seconds=10)  # from the decision to the ring, at most
LIMITS = {False: timedelta(minutes=15), True: timedelta(hours=2)}  # of lateness; in a campaign
WAITS = (timedelta(minutes=30), timedelta(hours=2))  # before the second and the third try
TRIED_AGAIN = {Outcome.NO_ANSWER, Outcome.BUSY}


class BrokenPromise(AssertionError):
    """A promise is broken; in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """A line of the phone's log."""

    at: datetime
    number: str
    call: str
    attempt: str


@dataclass(slots=True, kw_only=True)
class Promised:
    """A call that was accepted, known by its message; ``due``: it rings from then on."""

    name: str
    number: str
    clock: WallClock
    campaign: str | None
    asked: datetime
    due: datetime
    attempt: str = ""  # the dial that is not over, as far as was told
    tries: int = 0
    over: str = ""  # why it never rings again

    def late_s(self, at: datetime) -> int:
        """Whole seconds after it was due."""
        return int((at - self.due).total_seconds())

    @property
    def limit_s(self) -> int:
        """How late it may ring."""
        return int(LIMITS[self.campaign is not None].total_seconds())


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a call that is due: it rings, waits, moves, or is over.

    With ``to`` it may move there; it does when it does not ring, unless it ``may_wait`` where it is.
    """

    rings: bool = False
    to: datetime | None = None
    over: str = ""
    may_wait: bool = False


@dataclass(kw_only=True)
class Judge:
    """Every promise of a world, and the phone's log. ``cap`` 0: there is none."""

    policy: str
    cap: int
    calls: dict[str, Promised] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)  # calls that were not accepted, and the answer
    log: list[Ring] = field(default_factory=list)  # append-only
    counted: set[str] = field(default_factory=set)  # attempts of which somebody told that they rang
    up: set[str] = field(default_factory=set)  # numbers whose phone rings or talks, in truth
    paused: set[str] = field(default_factory=set)  # campaigns
    stopped: bool = False

    # What is answered.

    def dues(self, number: str, clock: WallClock, asked: datetime) -> list[datetime]:
        """When a call that is asked for then may be due; none: it must be refused."""
        if self.policy != "warn" and not clock.is_open(asked):
            return [] if self.policy == "reject" else [clock.opening(asked)]
        surely, perhaps = self._rung_in_the_day_before(number, asked)
        later = clock.opening(asked + DAY)
        if not self.cap or perhaps < self.cap:
            return [asked]
        return [later] if surely >= self.cap else [asked, later]

    def judge_acceptance(self, call: Promised, told_due: datetime) -> None:
        """The call was accepted, or moved, and was said to be due then."""
        dues = self.dues(call.number, call.clock, call.asked)
        if not dues:
            raise BrokenPromise(
                f"{call.name}: accepted for {self._there(call, call.asked)}, when nobody may ring"
            )
        if told_due not in dues:
            is_, due = self._there(call, told_due), self._there(call, dues[0])
            asked = self._there(call, call.asked)
            raise BrokenPromise(f"{call.name}: asked for {asked}, it is due {is_} instead of {due}")
        call.due = told_due

    def judge_refusal(
        self, name: str, number: str, clock: WallClock, asked: datetime, code: str, text: str
    ) -> None:
        """Something was refused for the hours; the text names the next opening."""
        if self.dues(number, clock, asked):
            raise BrokenPromise(f"{name}: refused for {clock.shown(asked)} ({clock.name}): {text}")
        opening = f"Next opening: {clock.opening(asked):%Y-%m-%dT%H:%M:%SZ}."
        if code != "blocked_hours" or opening not in text:
            raise BrokenPromise(
                f"{name}: refused for {clock.shown(asked)}, and not told: {opening} But: {text}"
            )

    # What is decided and heard.

    def fates(self, at: datetime, *, carried: bool) -> dict[str, Fate]:
        """What must become of each call that is due, in a claim at this instant."""
        busy = {call.number for call in self.calls.values() if call.attempt}
        return {
            call.name: self._fate(call, at, carried=carried)
            for call in self.waiting()
            if call.due <= at and call.campaign not in self.paused and call.number not in busy
        }

    def _fate(self, call: Promised, at: datetime, *, carried: bool) -> Fate:
        is_open = self.policy == "warn" or call.clock.is_open(at)
        if call.late_s(at) > call.limit_s and not self.stopped:
            return Fate(over="it was too late")
        if not is_open and self.policy == "reject":
            return Fate(over="it was not in time before the hours ended")
        if not is_open:
            return Fate(to=call.clock.opening(at))
        rings = carried and not self.stopped
        surely, perhaps = self._rung_in_the_day_before(call.number, at)
        if self.cap and perhaps >= self.cap:
            # A ring of nearly a day ago may count by its decision, some seconds before it.
            undecided = surely < self.cap
            later = call.clock.opening(at + DAY)
            return Fate(rings=rings and undecided, to=later, may_wait=undecided and not rings)
        return Fate(rings=rings)

    def hear(self, ring: Ring, *, decided: datetime) -> None:
        """The phone rings; may it?"""
        self.log.append(ring)
        for problem in self._problems(ring, decided):
            raise BrokenPromise(f"{ring.call}: {problem}")
        self.up.add(ring.number)

    def _problems(self, ring: Ring, decided: datetime) -> Iterator[str]:
        call = self.calls.get(ring.call)
        if call is None:
            yield f"rang, although it was refused: {self.refused.get(ring.call)}"
            return
        there = self._there(call, ring.at)
        if self.policy != "warn" and not call.clock.is_open(ring.at):
            yield f"rang outside the calling hours, at {there}"
        if ring.number in self.up:
            yield f"rang at {there} while another call to the number was up"
        lately = [one for one in self.log if ring.at - one.at < DAY - ON_ITS_WAY]
        times = sum(one.number == ring.number for one in lately)
        if self.cap and times > self.cap:
            yield f"rang at {there}, the number's ring {times} in 24 hours, with a cap of {self.cap}"
        if call.over:
            yield f"rang at {there}, although it was over: {call.over}"
        if ring.at < call.due:
            yield f"rang too early, at {there}; due {self._there(call, call.due)}"
        if call.late_s(decided) > call.limit_s or ring.at > decided + ON_ITS_WAY:
            yield f"rang too late, at {there}; due {self._there(call, call.due)}"
        if self.stopped:
            yield f"rang at {there} while all calling was stopped"
        if call.campaign in self.paused:
            yield f"rang at {there} while its campaign was paused"

    def settle(
        self,
        fates: Mapping[str, Fate],
        dialled: Mapping[str, str],
        at: datetime,
        told: Callable[[str], datetime],
    ) -> None:
        """The claim is done: what was to become of each call has.

        Where a call had to move or to wait, ``told`` asks the product when it is due.
        """
        for name, attempt in dialled.items():
            self.calls[name].attempt = attempt
        busy = {self.calls[name].number for name in dialled}
        for name, fate in fates.items():
            call = self.calls[name]
            if name in dialled or (fate.rings and call.number in busy):
                continue  # where another rang, it was not the cap that kept this one
            call.over = fate.over
            call.due = self._new_due(call, fate, told)
            if fate.rings and not fate.to:
                due = self._there(call, call.due)
                raise BrokenPromise(
                    f"{name}: silent at {self._there(call, at)}, due {due}; nothing forbade it"
                )

    def _new_due(self, call: Promised, fate: Fate, told: Callable[[str], datetime]) -> datetime:
        due = told(call.name) if fate.may_wait else fate.to or call.due
        if due not in (call.due, fate.to):
            raise BrokenPromise(f"{call.name}: moved to {self._there(call, due)}; why?")
        return due

    # What is told.

    def ended(self, attempt: str, outcome: Outcome, now: datetime) -> None:
        """The product was told how a dial ended."""
        for call in self.calls.values():
            if call.attempt == attempt:
                call.attempt = ""
                call.tries += 1
                if outcome in TRIED_AGAIN and call.tries <= len(WAITS):
                    call.due = call.clock.opening(now + WAITS[call.tries - 1])
                else:
                    call.over = f"it ended {outcome.value}"

    def never_rang(self, attempt: str, *, over: str = "") -> None:
        """The product was told that a dial never rang, and whether that is the end of the call."""
        for call in self.calls.values():
            if call.attempt == attempt:
                call.attempt, call.over = "", over

    def given_up(self, attempt: str) -> None:
        """Nobody could be asked what became of a dial, for longer than it could last."""
        self.counted.add(attempt)
        self.never_rang(attempt, over="nobody knows how it ended")

    # What is open.

    def waiting(self) -> list[Promised]:
        """The calls that are still to ring."""
        return [call for call in self.calls.values() if not call.over and not call.attempt]

    def open(self) -> list[Promised]:
        """The calls that are not over."""
        return [call for call in self.calls.values() if not call.over]

    def evidence(self) -> dict[str, object]:
        """All of it."""
        return {
            "policy": self.policy,
            "cap": self.cap,
            "log": [asdict(ring) for ring in self.log],
            "calls": [_as_evidence(call) for call in self.calls.values()],
            "refused": self.refused,
        }

    def _rung_in_the_day_before(self, number: str, at: datetime) -> tuple[int, int]:
        """How often the number surely rang, and perhaps: what is on its way counts from its decision."""
        rings = [ring for ring in self.log if ring.number == number and ring.at > at - DAY]
        surely = [ring for ring in rings if ring.attempt in self.counted and ring.at - ON_ITS_WAY > at - DAY]
        heard = {ring.attempt for ring in rings}
        calls = [call for call in self.calls.values() if call.number == number]
        on_their_way = [call for call in calls if call.attempt and call.attempt not in heard]
        return len(surely), len(rings) + len(on_their_way)

    def _there(self, call: Promised, at: datetime) -> str:
        return f"{call.clock.shown(at)} ({call.clock.name})"


def _as_evidence(call: Promised) -> dict[str, object]:
    names = ("name", "number", "campaign", "asked", "due", "attempt", "tries", "over")
    return {**{name: getattr(call, name) for name in names}, "zone": call.clock.name}
