"""Strikes the members while calls go through, waits until all is quiet, and judges."""

import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from random import Random

from calls.models import Attempt
from temphone.webhooks.models import Delivery
from tests.proofs.battery import Tally, Trial, seen
from tests.proofs.lab.judgement import (
    Desk,
    Heard,
    evidence,
    problems,
    ring_count_problems,
    rings_too_many,
)
from tests.proofs.lab.laboratory import Laboratory, Member
from tests.proofs.lab.places import PHASES
from tests.proofs.lab.traffic import Placed, Traffic
from tests.proofs.stage.ledgers import unfinished

OPEN = 24  # calls at once
LEAST_SPAN = 30
AT_START = "start"
ENOUGH = 5  # broken promises; then there is no point in going on
MOST = 10  # are written down
LOOK_S = 0.02
SEE_S = 0.1  # between looks into the tables
LISTEN_S = 0.5  # between looks whether a mistake is heard


class TooSlow(AssertionError):
    """Nothing rings here, though nobody is struck: nothing could be shown."""


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A mistake: whom to strike for it to show, where, and by which problem it is seen."""

    name: str
    victim: str
    phases: Sequence[str]
    seen_by: str

    def is_seen(self, flagged: Sequence[str]) -> bool:
        """Whether these lines show it."""
        return seen(self.seen_by, flagged) > 0


class Siege:
    """One laboratory under strikes of one kind."""

    def __init__(
        self,
        lab: Laboratory,
        desk: Desk,
        trial: Trial,
        *,
        number: signal.Signals,
        traffic: type[Traffic],
        wrong: Wrong | None = None,
    ) -> None:
        """With a mistake, it is all about that: who makes it is struck where it shows, until it is seen."""
        self.lab = lab
        self.wrong = wrong
        self.desk = desk
        self.trial = trial
        self.number = number
        self.chance: Random = trial.chance
        self.traffic = traffic(lab, self.chance, desk.url())
        self.bounds = self.traffic.bounds
        self.tally = Tally()
        self.struck: list[dict[str, object]] = []
        self.lines: set[str] = set()
        self.victims: Sequence[str] = ()
        self.wanted = 0
        self.round_began = 0
        self.seen_at = 0.0
        self.listened_at = 0.0
        self.troubles = 0
        self.judged: list[Placed] = []
        self.told: set[tuple[str, str]] = set()

    def close(self) -> None:
        """Leave nothing behind."""
        self.traffic.close()

    # --- a round

    def warm_up(self) -> None:
        """Every callee once and nothing struck: now the lines are known, and without strikes all is well.

        Raises:
            TooSlow: not one phone rang.
        """
        self.lab.count_always(on=True)
        self.traffic.schedule(self.traffic.callees)
        lost = self._wait_until_quiet()
        if not self.lab.rings():
            causes = Counter(Attempt.objects.values_list("state", "hangup_cause"))
            raise TooSlow(
                f"Nobody was struck, and not one of {len(self.traffic.placed)} phones rang"
                f" within {self.bounds.stuck_s:.0f} s, {self.lab.slower:.1f} times as slow as may be."
                f" The attempts: {dict(causes)}.\n{self.lab.log_ends()}"
            )
        self._judge(lost)
        self.lab.count_always(on=False)
        if self.wrong:
            self.bounds = replace(self.bounds, stuck_s=self.bounds.lost_s)

    def round(self, strikes: int, victims: Sequence[str]) -> None:
        """So many strikes at these members; then everything must come to its end."""
        self.victims = victims
        self.wanted = len(self.struck) + strikes
        self.round_began = len(self.struck)
        moved = self._movement()
        moved_at = time.monotonic()
        while len(self.struck) < self.wanted and time.monotonic() < moved_at + self.bounds.stuck_s:
            self.traffic.top_up(OPEN)
            self._step()
            self._set_traps()
            if self._movement() != moved:
                moved, moved_at = self._movement(), time.monotonic()
            if self._is_heard():
                return
        self.settle()

    @property
    def is_enough(self) -> bool:
        """Whether the mistake was seen, or where none is made, so much that there is no point in going on."""
        if self.wrong:
            return self.wrong.is_seen(self.tally.flagged)
        return len(self.tally.flagged) >= ENOUGH

    def _is_heard(self) -> bool:
        """Whether phones ring for a mistake: then nobody need wait until all is quiet."""
        if self.wrong and time.monotonic() > self.listened_at + LISTEN_S:
            self.listened_at = time.monotonic()
            for one, problem in list(rings_too_many(self.traffic.placed.values(), self.lab.rings())):
                self._flag(problem, one, Heard.so_far(self.lab, self.desk))
        return bool(self.wrong) and self.is_enough

    def settle(self) -> None:
        """Take the traps away, wait until all is quiet, and judge."""
        for member in self.lab.members.values():
            member.take_trap_away()
        self._judge(self._wait_until_quiet())

    def _judge(self, lost: Sequence[Placed]) -> None:
        heard = Heard.so_far(self.lab, self.desk)
        for one in lost:
            self._flag("lost: it never came to an end", one, heard)
        judged = [one for one in self.traffic.placed.values() if one not in lost]
        for one, problem in chain(self.traffic.problems(judged), problems(judged, heard)):
            self._flag(problem, one, heard)
        self.tally.counts["calls"] += len(self.traffic.placed)
        self.tally.counts += self.traffic.counts
        self.traffic.counts.clear()
        self._judge_the_rest(heard)
        self.judged += judged
        self.traffic.placed = {}

    # --- strikes

    def _step(self) -> None:
        for event, member in self.lab.look(LOOK_S):
            if event == "died":
                self._died(member)
            else:
                self._note_strike(member)
        if time.monotonic() > self.seen_at + SEE_S:
            self.traffic.go_on()
            self.seen_at = time.monotonic()

    def _died(self, member: Member) -> None:
        if not self._note_strike(member):
            self._flag_all(f"{member.name} died by itself")
        if self._is_to_be_struck(member):
            self._aim(member, self._phases(member))
        self.lab.start(member.name)

    def _note_strike(self, member: Member) -> bool:
        """Whether it was a trap that did it."""
        strike = self.lab.strike_at(member)
        if strike is None:
            return False
        self.struck.append(strike)
        self.tally.cases += 1
        self.tally.counts[f"{member.role}: {strike['phase']}"] += 1
        if strike["line"] not in self.lines:
            self.lines.add(strike["line"])
            self.tally.counts["lines hit"] += 1
        return True

    def _is_to_be_struck(self, member: Member) -> bool:
        under_way = sum(one.is_trapped for one in self.lab.members.values())
        return member.name in self.victims and len(self.struck) + under_way < self.wanted

    def _set_traps(self) -> None:
        now = time.monotonic()
        for name in self.victims:
            member = self.lab.members[name]
            if member.is_trapped and now > member.set_at + self._patience_s(member):
                self._aim_where_it_works(member)
            rested = now > member.thawed_at + self.bounds.rest_s
            ready = member.alive and not member.frozen and rested and not member.is_trapped
            if ready and self._is_to_be_struck(member):
                self._aim(member, {**self._phases(member), AT_START: 0})

    def _phases(self, member: Member) -> Mapping[str, int]:
        """Where it is struck, and how often; with a mistake, only where that may show."""
        phases = PHASES[member.role]
        return {phase: phases[phase] for phase in self.wrong.phases} if self.wrong else phases

    def _patience_s(self, member: Member) -> float:
        return self.bounds.patience_s if member.is_approached else self.bounds.missed_s

    def _aim_where_it_works(self, member: Member) -> None:
        """Nobody stepped into its trap: set it in a phase in which it has just been."""
        member.take_trap_away()
        self.tally.counts["traps that nobody stepped into"] += 1
        phases = {name: often for name, often in self._phases(member).items() if member.has_been_in(name)}
        self._aim(member, phases or self._phases(member))

    def _aim(self, member: Member, phases: Mapping[str, int]) -> None:
        """Half of the traps lie at a line, each as likely as another; half at the k-th line executed."""
        (phase,) = self.chance.choices(list(phases), list(phases.values()))
        lines = self.lab.lines_in(phase) if self.chance.random() < 0.5 else []
        span = self._span(phase)
        member.set_trap(
            phase,
            at=self.chance.choice(lines) if lines else 0,
            left=span if lines else self.chance.randint(1, span),
            number=self.number,
        )

    def _span(self, phase: str) -> int:
        """How many lines one run of the phase has or, where it has no runs, three calls have in it."""
        lines, runs = self.lab.count(phase)
        calls = self.tally.counts["calls"] + len(self.traffic.placed)
        per_turn = lines / runs if runs else 3 * lines / max(calls, 1)
        return max(LEAST_SPAN, round(per_turn))

    # --- quiet

    def _movement(self) -> tuple[int, ...]:
        return len(self.struck), self.traffic.under_way, len(self.desk.received)

    def _wait_until_quiet(self) -> list[Placed]:
        """Returns what is lost, for nothing has moved for too long."""
        moved: tuple[int, ...] = ()
        moved_at = time.monotonic()
        while time.monotonic() < moved_at + self.bounds.stuck_s:
            self._step()
            self.traffic.go_on()
            if self._is_heard():
                return []
            left = (Delivery.objects.filter(state="pending").count(), unfinished(self.lab.plan.ledger))
            now_moved = (*self._movement(), *left)
            if now_moved != moved:
                moved, moved_at = now_moved, time.monotonic()
            over = not any((*left, self.traffic.under_way, self.lab.is_frozen))
            if over and time.monotonic() > moved_at + self.bounds.quiet_s:
                return []
        return self._lost(left)

    def _lost(self, left: tuple[int, int]) -> list[Placed]:
        lost = self.traffic.give_up()
        if not lost:
            messages, events = left
            self._flag_all(f"never quiet: {messages} messages and {events} of the gateway's wait")
        return lost

    # --- judgement

    def _judge_the_rest(self, heard: Heard) -> None:
        for trouble, times in Counter(self.lab.troubles()[self.troubles :]).items():
            self._flag_all(f"{trouble} ({times} times)")
        self.troubles = len(self.lab.troubles())
        for forged in heard.forged:
            self._flag_all(f"message {forged} was not signed")

    def judge_all_rings(self) -> None:
        """Once more at the end: nobody was rung after their call was judged."""
        heard = Heard.so_far(self.lab, self.desk)
        for one in self.judged:
            for problem in ring_count_problems(one, heard):
                self._flag(f"{problem}, at the end", one, heard)
        self.tally.counts["rings"] += sum(map(len, heard.rings.values()))
        self.tally.counts["messages"] += len(self.desk.received)

    def _is_worth_noting(self, problem: str) -> bool:
        if self.wrong and self.wrong.is_seen([problem]):
            return not self.is_enough
        return len(self.tally.flagged) < MOST

    def _flag(self, problem: str, one: Placed, heard: Heard) -> None:
        """A promise that was broken to one call; once, however often it is seen."""
        if (one.call_id, problem) not in self.told and self._is_worth_noting(problem):
            self.told.add((one.call_id, problem))
            found = evidence(one, self.lab, heard, since=self.round_began)
            self._note(f"{one.call_id or 'a call'} to {one.number}: {problem}", **found)

    def _flag_all(self, problem: str) -> None:
        """A promise that was broken to nobody in particular."""
        self._note(problem, strikes=self.lab.strikes()[self.round_began :])

    def _note(self, problem: str, **evidence: object) -> None:
        if self._is_worth_noting(problem):
            self.tally.flag(
                problem, folder=self.trial.folder, seed=self.trial.seed, logs=self.lab.log_ends(), **evidence
            )
