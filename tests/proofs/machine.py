"""A machine that does whatever may happen in any order, beside a model of what is allowed.

After each step the promises are judged: by what the phone heard, by what was answered, by the history and
the webhook rows that a receiver would get. At the end of a run every fault is healed, and every call that
was accepted must come to its end. A run is one transaction, rolled back: thousands fit into a minute.
"""

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from traceback import format_tb
from unittest import mock

from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.reporting import with_reporter
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from calls.actions import changing, dialing
from calls.actions.carrier_events import record_carrier_events
from calls.actions.changes import gathering
from calls.actions.finishing import finish_call
from calls.actions.hanging_up import record_hang_up, take_hang_ups
from calls.actions.idempotency import Idempotency
from calls.actions.scheduling import CallRequest, schedule_call
from calls.actions.stop import set_stop_switch
from calls.actions.suppression import suppress
from calls.models import Attempt, Call, CallEvent, Gateway
from calls.states import RETRIED
from campaigns.actions import pause_campaign, resume_campaign
from contacts.actions import lift_suppression
from contacts.models import Contact, PhoneNumber, Suppression
from temphone import rows
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import IdempotencyRecord, Mode
from temphone.lib import ids
from temphone.lib.clock import iso
from temphone.lib.errors import Conflict, Invalid
from temphone.lib.errors import Refused as Refusal
from temphone.telephony.messages import DialRequest, EventType, Outcome, Refused, Sighting, Unsure
from temphone.webhooks.models import Delivery
from tests.builders import NOON, a_campaign, a_gateway
from tests.proofs.battery import Broken, Found, Proof, Tally, Trial
from tests.proofs.stage.fake_network import FAULTS, Network

STEPS = 50
LEDGER = "gw_test"
NUMBERS = ("+14155552001", "+14155552002", "+14155552003")
KEYS = ("first", "second", "third")
FINAL = {"completed", "failed", "canceled"}
# The ways between statuses. Late evidence may correct one that failed with the outcome unknown.
LEGAL = {
    ("", "scheduled"),
    ("scheduled", "in_progress"),
    ("scheduled", "failed"),
    ("scheduled", "canceled"),
    ("in_progress", "scheduled"),
    ("in_progress", "completed"),
    ("in_progress", "failed"),
    ("in_progress", "canceled"),
}
ENDINGS = (Outcome.ANSWERED_HUMAN, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.REJECTED)
# What each kind of step chooses from; what is likelier stands there more often.
POST = {
    "number": NUMBERS,
    "delay_s": (2, 5, 60),
    "campaign": (False, True),
    "key": ("", *KEYS),
    "dies": (False, False, True),
}
ORDER = {
    "order": (
        *("cancel", "cancel", "cancel", "move", "move", "opt-out", "lift", "lift"),
        *("pause", "resume", "resume", "stop", "go", "go"),
    ),
    "which": range(6),
    "dies_at": (0, 0, 0, 3, 6, 9),
    "delay_s": (3, 30),
}
WORK = {
    "after_s": (0, 3, 6, 9, 12, 65, 65, 1_900, -3),
    "part": ("all", "all", "claim", "claim", "dial", "hang up", "deliver", "reconcile"),
    "fault": FAULTS,
    "dies": ("", "", "", "before", "after", "writing"),
    "dies_at": (0, 0, 0, 4, 6, 12, 25),
    "how": ("", "", "twice", "backwards", "the last alone", "unheard"),
    "arrives": (False, True),
}
HAPPEN = {"which": range(6), "what": (EventType.ANSWERED, EventType.OPTED_OUT, *ENDINGS)}
HEALED = {"after_s": 0, "part": "all", "fault": "", "dies": "", "dies_at": 0, "how": "", "arrives": True}


class Died(Exception):
    """The process is gone at this statement."""


@contextmanager
def dying_at(statement: int):
    """Let the process die before its n-th statement; what was open is rolled back."""
    left = itertools.count(statement, -1)

    def execute(run, sql, params, many, context):
        if next(left) == 0 and "SAVEPOINT" not in sql:
            raise Died
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


class Machine(RuleBasedStateMachine):
    """The product on one side, a network and a model on the other."""

    runs: Counter[str] = Counter()  # what was done, over all runs of a trial
    program: list[str] = []  # the steps of the run that is under way, or was last

    def __init__(self) -> None:
        super().__init__()
        self.whole = transaction.atomic()
        self.whole.__enter__()
        numbers = itertools.count(1)
        self.ids = mock.patch.object(ids, "random_text", lambda length: f"{next(numbers):0{length}d}")
        self.ids.start()
        Machine.program = []
        self.number = 0
        self.now = NOON
        self.network = Network()
        self.heard = 0  # how many rings were judged
        self.rung: dict[str, list[str]] = defaultdict(list)  # of each call, the attempts that rang
        self.in_hand: list[DialRequest] = []  # claimed and committed, not yet sent
        self.forbidden: dict[str, str] = {}  # attempts that must not ring, and why
        self.accepted: dict[str, str] = {}  # calls that got a 2xx, and their numbers
        self.answers: dict[str, str] = {}  # the call that each key was answered with
        self.bodies: dict[str, CallRequest] = {}
        self.unasked: set[str] = set()  # attempts whose gateway was silent when it was asked
        self.canceled: set[str] = set()  # by a 200
        self.moved: dict[str, datetime] = {}
        self.in_campaign: set[str] = set()
        # By number: what staff asked for, what a callee said, or both.
        self.suppressed: dict[str, set[int]] = {}
        self.stopped = self.paused = False
        self.seen: dict[str, int] = {}  # the calls' versions when they were last judged
        a_gateway()
        self.people = {number: _person(number) for number in NUMBERS}
        self.campaign = a_campaign()
        Machine.runs["runs"] += 1

    def act(self, what: Callable[[], object], *, dies_at: int = 0) -> object:
        """Do it, or die in the middle of it."""
        Machine.runs["actions"] += 1
        if not dies_at:
            return what()
        try:
            with dying_at(dies_at):
                return what()
        except Died:
            Machine.runs["deaths"] += 1
            return None

    @rule(chance=st.integers(0, 2**32))
    def step(self, chance: int) -> None:
        """Something happens. The step's number is part of the chance: Hypothesis likes to repeat itself."""
        self.number += 1
        dice = random.Random(chance + self.number * 2**33)
        possible = [(self.post, POST)]
        if self.accepted:
            possible += [(self.order, ORDER), (self.work, WORK), (self.work, WORK)]
        if self.network.up():
            possible.append((self.happen, HAPPEN))
        verb, choices = dice.choice(possible)
        arguments = {name: dice.choice(values) for name, values in choices.items()}
        Machine.program.append(f"{verb.__name__} {arguments}")
        verb(**arguments)

    # What people and programs do.

    def post(self, number: str, delay_s: int, campaign: bool, key: str, dies: bool) -> None:
        """A new request, or one with a key: the first time, or again, its answer lost on the way."""
        body = self._body(number, delay_s, campaign)
        if not key:
            self._post(body, None)
            return
        kept = self.bodies.setdefault(key, body)
        self._post(kept, Idempotency(key=key, fingerprint=key.ljust(64, "0")), dies=dies)

    def order(self, order: str, which: int, dies_at: int, delay_s: int) -> None:
        """What staff and programs may ask for."""
        match order:
            case "cancel":
                self._cancel(which, dies_at)
            case "move":
                self._move(which, delay_s)
            case "opt-out":
                self._opt_out(NUMBERS[which % len(NUMBERS)], dies_at)
            case "lift":
                self._lift()
            case "pause" | "resume":
                self._pause_or_resume(on=order == "pause")
            case _:
                self._stop_or_go(on=order == "stop")

    def work(self, after_s, part, fault, dies, dies_at, how, arrives) -> None:
        """Time passes, or the clock is set back; then the worker and the outbox do all of it, or a part."""
        self.now += timedelta(seconds=after_s)
        self.network.end_overdue(self.now)
        if part in {"all", "claim"} and not self.in_hand:
            self._claim(dies_at if part == "claim" else 0)
        if part in {"all", "dial"} and self.in_hand:
            self._dial(fault, dies)
        if part in {"all", "hang up"}:
            self._hang_up(arrives)
        if part in {"all", "deliver"}:
            self._deliver(how, dies_at if part == "deliver" else 0)
        if part in {"all", "reconcile"}:
            self._reconcile(dies_at if part == "reconcile" else 0, arrives)

    def _body(self, number: str, delay_s: int, campaign: bool) -> CallRequest:
        return CallRequest(
            contact_id=self.people[number].pk,
            campaign_id=self.campaign.pk if campaign else None,
            scheduled_at=iso(self.now + timedelta(seconds=delay_s)),
            initial_message="Hello.",
            webhook_url="https://hooks.example.com/calls",
        )

    def _post(self, body: CallRequest, key: Idempotency | None, *, dies: bool = False) -> None:
        number = next(number for number, one in self.people.items() if one.pk == body.contact_id)
        post = partial(schedule_call, actor=SYSTEM, mode=Mode.TEST, request=body, now=self.now)
        try:
            answer = self.act(lambda: post(idempotency=key))
        except (Invalid, Refusal):
            # What was accepted is answered again; else only its time, or its number, may be in the way.
            assert key is None or key.key not in self.answers, "a repeated request was refused"
            assert number in self.suppressed or key, "a good request was refused"
            return
        finally:
            self.settle_keys(dies)
        call_id = str(answer.data["call_id"])
        self.accepted.setdefault(call_id, number)
        if body.campaign_id:
            self.in_campaign.add(call_id)
        if key:
            first = self.answers.setdefault(key.key, call_id)
            assert first == call_id, f"the key {key.key} made {first}, then {call_id}"

    def settle_keys(self, dies: bool) -> None:
        """Where a broken variant keeps the key after the commit."""

    def _cancel(self, which: int, dies_at: int) -> None:
        call_id = self._one(which)
        try:
            cancel = partial(changing.cancel_call, actor=SYSTEM, call_id=call_id, now=self.now)
            call = self.act(cancel, dies_at=dies_at)
        except Conflict:
            assert self._status(call_id) in FINAL
            return
        if call is not None and call.status == "canceled":
            self.canceled.add(call_id)

    def _move(self, which: int, delay_s: int) -> None:
        call_id, when = self._one(which), self.now + timedelta(seconds=delay_s)
        changes = {"scheduled_at": iso(when)}
        try:
            self.act(
                lambda: changing.update_call(actor=SYSTEM, call_id=call_id, changes=changes, now=self.now)
            )
        except (Conflict, Refusal):
            assert self._status(call_id) != "scheduled" or self.accepted[call_id] in self.suppressed
            return
        self.moved[call_id] = when.replace(microsecond=0)

    def _opt_out(self, number: str, dies_at: int) -> None:
        found = self.act(partial(suppress, actor=SYSTEM, number=number, now=self.now), dies_at=dies_at)
        if found:
            self.suppressed.setdefault(number, set()).add(found.pk)

    def _lift(self) -> None:
        if not self.suppressed:
            return
        number = min(self.suppressed)
        pk = min(self.suppressed[number])
        self.suppressed[number].remove(pk)
        if not self.suppressed[number]:
            del self.suppressed[number]
        self.act(partial(lift_suppression, actor=SYSTEM, suppression_id=pk, now=self.now))

    def _pause_or_resume(self, on: bool) -> None:
        if on != self.paused:
            turn = pause_campaign if on else resume_campaign
            self.act(partial(turn, actor=SYSTEM, campaign_id=self.campaign.pk, now=self.now))
            self.paused = on

    def _stop_or_go(self, on: bool) -> None:
        if on != self.stopped:
            self.act(partial(set_stop_switch, actor=SYSTEM, on=on, now=self.now))
            self.stopped = on

    # What the worker does, and where it dies.

    def _claim(self, dies_at: int = 0) -> None:
        Gateway.objects.update(last_seen_at=self.now, unreachable_at=None)
        claim = partial(dialing.claim_due, mode="test", now=self.now)
        claimed = self.act(claim, dies_at=dies_at)
        if claimed is None:
            return
        self.in_hand, _ = claimed
        of = dict(
            Attempt.objects.filter(pk__in=[one.attempt_id for one in self.in_hand]).values_list("pk", "call")
        )
        for request in self.in_hand:
            if why := self._why_not(of[request.attempt_id], request):
                self.forbidden[request.attempt_id] = why

    def _why_not(self, call_id: str, request: DialRequest) -> str:
        """Why the phone must not ring for what is claimed now; empty if it may."""
        reasons = {
            "stopped": self.stopped,
            "paused": self.paused and call_id in self.in_campaign,
            "opted out": request.to in self.suppressed,
            "canceled": call_id in self.canceled,
            "moved": self.now < self.moved.get(call_id, self.now),
        }
        return ", ".join(reason for reason, holds in reasons.items() if holds)

    def _dial(self, fault: str = "", dies: str = "") -> None:
        requests, self.in_hand = self.in_hand, []
        if dies == "before":
            return
        results = self.network.dial(requests, self.now, fault)
        Machine.runs[f"dials, {fault or 'no fault'}"] += len(requests)
        Machine.runs["faults"] += bool(requests and fault)
        self.nothing_rings_that_must_not()
        if dies == "after":
            return
        record = partial(dialing.record_dial_results, results, now=self.now)
        self.act(record, dies_at=3 if dies == "writing" else 0)

    def _reconcile(self, dies_at: int = 0, reachable: bool = True) -> None:
        """Ask for what is not heard of; the gateway cannot always be asked."""
        for attempt in self.act(partial(dialing.take_overdue, now=self.now)):
            sighting = self.network.find(attempt.pk) if reachable else Sighting.UNREACHABLE
            if not reachable:
                self.unasked.add(attempt.pk)
            record = partial(dialing.record_sighting, attempt.pk, sighting, now=self.now)
            self.act(record, dies_at=dies_at)

    def _hang_up(self, arrives: bool = True) -> None:
        for attempt in self.act(partial(take_hang_ups, now=self.now)):
            if arrives:
                self.network.hang_up(attempt.pk, self.now)
            self.act(partial(record_hang_up, attempt.pk, told=arrives, now=self.now))

    # What the network does.

    def happen(self, which: int, what: EventType | Outcome) -> None:
        """On one of the legs that are up."""
        up = self.network.up()
        self.network.happen(up[which % len(up)], what, self.now)

    def _deliver(self, how: str = "", dies_at: int = 0) -> None:
        events = self.network.waiting()
        if how == "twice":
            events = [event for line in self.network.lines.values() for event in line.events]
            events = [event for event in events for _ in range(2)]
        elif how == "backwards":
            events = events[::-1]
        elif how == "the last alone":
            events = events[-1:]
        if not events:
            return
        opted_out = {
            self.network.lines[one.attempt_id].request.to for one in events if one.type == EventType.OPTED_OUT
        }
        applied = self.act(
            partial(record_carrier_events, ledger=LEDGER, events=events, now=self.now), dies_at=dies_at
        )
        if applied is not None and how != "unheard":
            self.network.acknowledge(applied)
        for number in opted_out:
            for row in Suppression.objects.in_force(self.now).filter(number=number):
                self.suppressed.setdefault(number, set()).add(row.pk)

    # What is judged after each step.

    @invariant()
    def nothing_rings_that_must_not(self) -> None:
        for request in self.network.rang[self.heard :]:
            assert request.attempt_id not in self.forbidden, self.forbidden[request.attempt_id]
            call_id = Attempt.objects.values_list("call", flat=True).get(pk=request.attempt_id)
            assert call_id not in self.canceled, "rang after a cancel that was answered 200"
            earlier = {self.network.lines[one].outcome for one in self.rung[call_id]}
            assert earlier <= RETRIED, f"{call_id} rang again after {earlier}"
            self.rung[call_id].append(request.attempt_id)
            up = [line.request.to for line in self.network.lines.values() if line.is_up]
            assert up.count(request.to) <= 1, f"{request.to} rings twice at once"
        Machine.runs["rings"] += len(self.network.rang) - self.heard
        self.heard = len(self.network.rang)

    @invariant()
    def every_accepted_call_is_there_and_its_history_is_whole(self) -> None:
        rows = {row.pk: row for row in Call.objects.all()}
        assert set(self.accepted) == set(rows), "the calls are not those that were accepted"
        changed = [pk for pk, row in rows.items() if self.seen.get(pk) != (row.version, row.events_sent)]
        if not changed:
            return
        histories, told = _histories(changed), _told(changed)
        for pk in changed:
            _judge_history(rows[pk], histories[pk])
            _judge_webhooks(rows[pk], told[pk])
            self.seen[pk] = (rows[pk].version, rows[pk].events_sent)

    def teardown(self) -> None:
        try:
            self._come_to_an_end()
        finally:
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)
            self.ids.stop()

    def _come_to_an_end(self) -> None:
        """All is healed: every call that was accepted ends, and what rang is known."""
        self._stop_or_go(on=False)
        self._pause_or_resume(on=False)
        for _ in range(40):
            open_ = Call.objects.exclude(status__in=FINAL)
            if not open_ and not self.network.waiting():
                break
            self.now = max([self.now + timedelta(seconds=11), *_next_due(open_)])
            self.work(**HEALED)
            for attempt_id in self.network.up():
                self.network.happen(attempt_id, Outcome.ANSWERED_HUMAN, self.now)
            self.nothing_rings_that_must_not()
        self.every_accepted_call_is_there_and_its_history_is_whole()
        for call in Call.objects.all():
            Machine.runs[f"calls {call.status}, {call.outcome}"] += 1
            assert call.status in FINAL, f"{call.pk} never ends: {call.status}"
        for attempt in Attempt.objects.filter(state="unknown"):
            honest = attempt.pk in self.unasked and attempt.pk not in self.network.lines
            assert honest, f"{attempt.pk} is unknown, though its gateway could tell"
        rang = set(Attempt.objects.filter(pk__in=self.network.lines).values_list("call", flat=True))
        for pk in Call.objects.filter(outcome=Outcome.ANSWERED_HUMAN).values_list("pk", flat=True):
            assert pk in rang, f"{pk} is said to have been answered, and never rang"

    def _one(self, which: int) -> str:
        calls = sorted(self.accepted)
        return calls[which % len(calls)]

    def _status(self, call_id: str) -> str:
        return Call.objects.values_list("status", flat=True).get(pk=call_id)


def _person(number: str) -> Contact:
    PhoneNumber.objects.create(e164=number)
    return Contact.objects.create(first_name="Jo", phone=number, timezone="America/Los_Angeles")


def _next_due(open_) -> list[datetime]:
    """When the first of those that wait is due, if nothing is up."""
    if open_.filter(status="in_progress").exists():
        return []
    return [call.due_at for call in open_.order_by("due_at")[:1]]


def _histories(calls: Sequence[str]) -> dict[str, list[list[str]]]:
    found = defaultdict(list)
    rows = CallEvent.objects.filter(call__in=calls).exclude(to_status="").order_by("id")
    for call, *change in rows.values_list("call", "name", "from_status", "to_status"):
        found[call].append(change)
    return found


def _judge_history(call: Call, changes: list[list[str]]) -> None:
    """Each change begins where the one before ended, and is allowed."""
    status = ""
    for name, before, after in changes:
        if (before, after) == ("", status):
            continue  # changed while scheduled: no other status
        assert before == status, f"{call.pk} left {before}, it was {status}"
        corrected = (name, before) == ("corrected", "failed")
        assert corrected or (before, after) in LEGAL, f"{call.pk} went from {before} to {after}"
        status = after
    assert status == call.status, f"{call.pk} is {call.status}; its history ends {status}"


def _told(calls: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
    found = defaultdict(list)
    rows = Delivery.objects.filter(subject__in=calls).order_by("id")
    for call, sequence, type_ in rows.values_list("subject", "sequence", "type"):
        found[call].append((sequence, type_))
    return found


def _judge_webhooks(call: Call, told: list[tuple[int, str]]) -> None:
    """Numbered without a gap; the end is told once, as it is."""
    assert [sequence for sequence, _ in told] == list(range(1, len(told) + 1)), f"{call.pk}: {told}"
    ends = [type_ for _, type_ in told if type_.removeprefix("call.") in FINAL]
    corrected = [type_ for _, type_ in told].count("call.corrected")
    expected = [f"call.{call.status}"] if call.status in FINAL else []
    assert ends == (["call.failed"] if corrected else expected), f"{call.pk} is {call.status}: {told}"
    assert corrected <= 1, f"{call.pk} was corrected {corrected} times"


def run(trial: Trial, *, machine: type[Machine] = Machine, shrink: bool = True) -> Tally:
    """Run the machine from the trial's seed; what it finds stands in the dump as a program of steps."""
    Machine.runs = Counter()
    tally = Tally()
    fixed = settings(
        max_examples=trial.cases,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with with_reporter(lambda _: None), Found() as found:
        run_state_machine_as_test(seed(trial.seed)(type("Run", (machine,), {})), settings=fixed)
    if error := found.error:
        # Hypothesis has run the shortest that it found once more, as the last.
        evidence = {"program": Machine.program, "trace": format_tb(error.__traceback__)}
        tally.flag(f"{type(error).__name__}: {error}", folder=trial.folder, **evidence)
    tally.cases = Machine.runs.pop("runs")
    tally.counts += Machine.runs
    return tally


# The mistakes.


def requeue_on_unsure(trial: Trial) -> Tally:
    """What was not answered is simply dialled again."""
    record = dialing.record_dial_results

    def hopeful(results, *, now):
        sure = [
            Refused(attempt_id=one.attempt_id, cause=one.cause, retry=True)
            if isinstance(one, Unsure)
            else one
            for one in results
        ]
        record(sure, now=now)

    with mock.patch.object(dialing, "record_dial_results", hopeful):
        return run(trial, shrink=False)


def cancel_after_claim_says_200(trial: Trial) -> Tally:
    """A call that a worker has in hand is marked canceled, and nobody tells the worker."""
    cancel = changing.cancel_call

    def hasty(*, actor, call_id, now):
        call = changing.get_call(actor=actor, call_id=call_id)
        if call.status == "in_progress":
            with gathering(now) as changes:
                finish_call(changes, call, Outcome.CANCELED_BY_USER)
            return call
        return cancel(actor=actor, call_id=call_id, now=now)

    with mock.patch.object(changing, "cancel_call", hasty):
        return run(trial, shrink=False)


def idempotency_kept_after_commit(trial: Trial) -> Tally:
    """The key is kept in a transaction of its own; the process may die before that."""
    kept: list[Callable[[], None]] = []
    insert = rows.insert_together

    class Forgetful(Machine):
        def settle_keys(self, dies: bool) -> None:
            while kept:
                keep = kept.pop()
                if not dies:
                    keep()

    def later(*objects):
        insert(*(one for one in objects if not isinstance(one, IdempotencyRecord)))
        kept.extend(partial(insert, one) for one in objects if isinstance(one, IdempotencyRecord))

    with mock.patch.object(rows, "insert_together", later):
        return run(trial, machine=Forgetful, shrink=False)


MACHINE = Proof(
    name="machine",
    shows="In whatever order things happen and fail, the promises G1 to G6 hold after every step.",
    unit="runs of up to 50 steps",
    small=40,
    small_again=20,  # its steps come one by one, so databases hardly differ
    full=10_000,
    chunk=500,
    run=run,
    broken_cases=1_000,  # it stops at the first that is seen; one run in a hundred gets there
    broken={
        "cancel_after_claim_says_200": Broken(
            run=cancel_after_claim_says_200,
            seen_by="rang after a cancel that was answered 200|Call .* is canceled",  # and goes on
        ),
        "requeue_on_unsure": Broken(run=requeue_on_unsure, seen_by=" rang again after | rings twice at once"),
        "idempotency_kept_after_commit": Broken(
            run=idempotency_kept_after_commit, seen_by="the key .* made "
        ),
    },
)
