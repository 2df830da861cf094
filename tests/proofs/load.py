"""Days of calls in minutes, while each kind of program is killed again and again."""

import math
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django_q.models import OrmQ

from calls.actions.scheduling import CallRequest, schedule_call
from calls.models import Call
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.lib.clock import now
from temphone.webhooks.models import Delivery, DeliveryState
from tests.proofs.battery import Broken, Proof, Tally, Trial
from tests.proofs.stage import ledgers, mistaken
from tests.proofs.stage.evidence import MOST, evidence
from tests.proofs.stage.fleet import Fleet, Scales
from tests.proofs.stage.people import people
from tests.proofs.stage.quiet import A_MOMENT_S, QUIET_S, Quiet
from tests.proofs.stage.told import by_call, out_of_order
from tests.webhooks.receiver import a_receiver

FEW = 1_000  # calls; below that there is one of each program, and each is killed once
ONE_OF_EACH = {"gateway": 1, "web": 1, "clock": 1, "worker": 1}
MANY = {"gateway": 2, "web": 2, "clock": 4, "worker": 4}
CALLS_PER_S = {"sqlite": 20, "postgresql": 30}  # on two cores that are busy with the killing too
DAY_S = 60.0  # a day of calls: they come in waves
AHEAD_S = 10.0  # a call is scheduled so long before it is due
FIRST_KILL_S = AHEAD_S + 2  # the first calls are under way
CALM_S = 240.0  # before it, where there is one of each: who is killed every 8 s could not be weighed
KILL_EVERY_S = 2.0  # one; so each kind every 8 s
WEIGH_EVERY_S = 2.0
LONG_ENOUGH = 90  # weighings for a judgement
LEAK_EVERY_S, LEAK_ENOUGH = 0.2, 20  # where it grows with each task, that is seen at once
BELLS = 30  # unheard at most: workers are busy for a second at a time, or for a gateway's time-out
DEAF_S, LISTEN_EVERY_S = 30.0, 0.2  # a clock that rings at each poll rings 20 times a second
GROWTH_PERCENT = 5
TOLD = 10  # each so many calls, one has a webhook; of few, none: a worker that is killed holds them 60 s
ENDS_S = 300.0
UNTOLD = 3  # so many ring while web is away and the ledger is about to be lost: nobody else knows of them
UNTOLD_S = 30.0  # and so long we wait for them
BROKE = re.compile(r" (ERROR|CRITICAL) |^Traceback")
SPEED = 100  # of few calls: a fifth, so that there are some to be killed


@dataclass(kw_only=True)
class Load:
    """The run: what was asked for, and what was done to it."""

    trial: Trial
    fleet: Fleet
    webhook_url: str
    tally: Tally = field(default_factory=Tally)
    scales: Scales = field(default_factory=Scales)
    due: dict[str, datetime] = field(default_factory=dict)  # by number
    told: dict[str, str] = field(default_factory=dict)  # call to number, of those with a webhook
    bells: list[int] = field(default_factory=list)  # how many waited in the queue at each weighing
    over: bool = False
    weigh_every_s: float = WEIGH_EVERY_S
    long_enough: int = LONG_ENOUGH
    forgetful: bool = False  # the gateway that is killed first loses what its ledger holds
    deaf: bool = False  # the worker is killed first, before anything is due, and not started until it is seen
    seen: Callable[["Load"], bool] = lambda _load: False  # whether a mistake was: it need not go on

    def run(self) -> None:
        """Feed it, kill it, weigh it; until everything is over, or should be."""
        disturb = self._disturber()
        quiet_s = QUIET_S if self.trial.cases >= FEW else A_MOMENT_S
        quiet = Quiet(installation=self.fleet, is_open=_is_open, quiet_s=quiet_s)
        for batch in self._batches():
            self._schedule(batch)
            disturb()
            while (wait := (batch[0][1] - now()).total_seconds() - AHEAD_S) > 0:
                time.sleep(min(wait, 0.5))
                disturb()
        until = max(self.due.values()) + timedelta(seconds=ENDS_S)
        while not (over := quiet.is_over()) and now() < until and not self.seen(self):
            time.sleep(0.2)
            disturb()
        self.over = over
        enough = self.seen(self) or self.tally.counts["kills"] >= len(ONE_OF_EACH)
        assert enough, "Too little was killed: nothing was shown."

    def _disturber(self) -> Callable[[], None]:
        """Kills and weighs when it is time to; the first kill is when the first calls are under way."""
        kills, begin = self._kills(), time.monotonic()
        due = {"kill": begin + self._calm_s(), "weigh": begin}

        def disturb() -> None:
            if time.monotonic() >= due["kill"] and (name := next(kills, None)):
                self._kill(name)
                due["kill"] = time.monotonic() + KILL_EVERY_S
            if time.monotonic() >= due["weigh"]:
                self.scales.weigh(self.fleet)
                self._listen()
                due["weigh"] = time.monotonic() + self.weigh_every_s

        return disturb

    def _calm_s(self) -> float:
        """How long nobody is killed."""
        if self.deaf:
            return 0.0  # whatever is due waits for the worker, on a machine of any speed
        if self.trial.cases < FEW or len(self.fleet.names) > len(ONE_OF_EACH):
            return FIRST_KILL_S
        return min(CALM_S, self.trial.cases / CALLS_PER_S[connection.vendor] / 2)

    def _batches(self) -> Iterator[list[tuple[tuple[str, str], datetime]]]:
        """People, with the instant at which each is to be called: a second's worth at a time."""
        persons = people(self.trial.cases)
        rate, done, begin, second = CALLS_PER_S[connection.vendor], 0.0, now(), 0
        while persons:
            done += rate * (1 + 0.8 * math.sin(2 * math.pi * second / DAY_S))
            taken, persons, done = persons[: int(done)], persons[int(done) :], done - int(done)
            first = begin + timedelta(seconds=AHEAD_S + second)
            step = timedelta(seconds=1 / max(1, len(taken)))
            second += 1
            if taken:
                yield [(person, first + index * step) for index, person in enumerate(taken)]

    @transaction.atomic
    def _schedule(self, batch: Sequence[tuple[tuple[str, str], datetime]]) -> None:
        moment = now()
        for (contact, number), planned in batch:
            due = max(planned, moment + timedelta(seconds=1))  # on a machine that is too busy for the plan
            told = self.trial.cases >= FEW and len(self.due) % TOLD == 0
            request = CallRequest(
                contact_id=contact,
                scheduled_at=due.isoformat(),
                initial_message="Hi {{first_name}}, your car is ready.",
                **({"webhook_url": self.webhook_url} if told else {}),
            )
            made = schedule_call(actor=SYSTEM, mode=Mode.TEST, request=request, now=moment)
            self.due[number] = due
            if told:
                self.told[made.call.pk] = number

    def _kills(self) -> Iterator[str]:
        """Whom to kill next: each kind in turn. Where there are several, the first is spared and weighed."""
        chance = random.Random(self.trial.seed)
        kinds = defaultdict(list)
        for name in self.fleet.names:
            kinds[name.split("-")[0]].append(name)
        if self.deaf:
            yield from kinds["worker"]
        rounds = 1 if self.trial.cases < FEW else 1_000_000
        for _ in range(rounds):
            for names in kinds.values():
                yield chance.choice(names[1:] or names)

    def _kill(self, name: str) -> None:
        """Kill one, and start it again."""
        lost = self.forgetful and name.startswith("gateway") and not self.fleet.kills()
        with self._without_web() if lost else nullcontext():
            self.fleet.strike(name)
            if lost:
                ledgers.forget(self.fleet.ledger(name))
            if self.deaf and name.startswith("worker"):
                self._listen_to_nobody()
            self.fleet.start(name)
        self.scales.spare(name)
        self.tally.counts["kills"] += 1

    def _listen(self) -> None:
        """Count the bells that ring unheard."""
        self.bells.append(OrmQ.objects.filter(lock__lte=now()).count())

    def _listen_to_nobody(self) -> None:
        """Count them while there is no worker to answer."""
        until = time.monotonic() + DEAF_S
        self._listen()
        while time.monotonic() < until and not self.seen(self):
            time.sleep(LISTEN_EVERY_S)
            self._listen()

    @contextmanager
    def _without_web(self) -> Iterator[None]:
        """Nobody takes the gateway's events for a while."""
        webs = [name for name in self.fleet.names if name.startswith("web")]
        for web in webs:
            self.fleet.strike(web)
        heard = len(self.fleet.heard())
        with suppress(AssertionError):
            self.fleet.wait_until(lambda: len(self.fleet.heard()) >= heard + UNTOLD, UNTOLD_S)
        yield
        self.fleet.start(*webs)

    def judge(self, received) -> None:
        """By what the ear heard at the network, and by what the receiver was told."""
        rings = defaultdict(list)
        for ring in self.fleet.heard():
            rings[ring.to].append(ring.at)
        if not self.over:
            self._flag("calls, attempts or webhooks did not end", ledgers=self.fleet.unfinished())
        for number, due in self.due.items():
            if (times := len(rings[number])) != 1:
                self._flag_call(f"rang {times} times" if times else "lost: never rang", number, due=due)
        for call in Call.objects.exclude(status="completed").select_related("contact"):
            self._flag_call(f"is {call.status}", call.contact.phone, outcome=call.outcome)
        messages = by_call(received)
        for call_id, number in self.told.items():
            told = messages[call_id]
            if out_of_order(told) or not told or told[-1][1] != "call.completed":
                self._flag_call("webhooks are missing or out of order", number, messages=told)
        self._judge_logs()
        self._judge_weights()
        if max(self.bells) > BELLS:
            self._flag("bells pile up", waiting=self.bells)
        late_ms = sorted(
            round((at - due).total_seconds() * 1000)
            for number, due in self.due.items()
            for at in rings[number]
        )
        self.tally.cases = len(self.due)
        self.tally.counts.update(
            rings=sum(len(found) for found in rings.values()),
            webhooks=sum(len(told) for told in messages.values()),
            silenced=self.fleet.silenced(),
            bells_at_most=max(self.bells),
            lateness_p50_ms=late_ms[len(late_ms) // 2] if late_ms else 0,
            lateness_p99_ms=late_ms[len(late_ms) * 99 // 100] if late_ms else 0,
        )

    def _flag(self, problem: str, **how: object) -> None:
        self.tally.flag(problem, folder=self.trial.folder, **how)

    def _flag_call(self, problem: str, number: str, **how: object) -> None:
        """With all that is known of it; of many, the first."""
        known: dict[str, object] = {"number": number}
        if len(self.tally.flagged) < MOST:
            with connection.cursor() as cursor:
                known = evidence(number, self.fleet, cursor)
        self._flag(problem, **how, **known)

    def _judge_logs(self) -> None:
        """Whatever is killed, nobody else may break: no answer of 500, no task that failed."""
        for log in sorted(self.fleet.folder.glob("*.log")):
            lines = [line for line in log.read_text(errors="replace").splitlines() if BROKE.search(line)]
            if lines:
                self._flag(f"{log.stem} broke {len(lines)} times: {lines[0]}")

    def _judge_weights(self) -> None:
        """Of each until it was killed, where it lived long enough."""
        for name, weights in self.scales.weights.items():
            if len(weights) > self.long_enough:
                grown, kind = self.scales.growth_percent(name), name.split("-")[0]
                counted = f"growth_{kind}_percent"
                self.tally.counts[counted] = max(0, grown, self.tally.counts[counted])
                if grown > GROWTH_PERCENT:
                    self._flag(f"{name} grew", percent=grown, kb=weights)


def _is_open() -> bool:
    """Whether a call has yet to end, or a message to be taken."""
    open_calls = Call.objects.filter(status__in=("scheduled", "in_progress"))
    return open_calls.exists() or Delivery.objects.filter(state=DeliveryState.PENDING).exists()


def run(trial: Trial, *, instead: Mapping[str, Sequence[str]] | None = None, **mistake: Any) -> Tally:
    """A case is a call. ``instead``: programs with a mistake; ``mistake``: others, of the load's own."""
    many = connection.vendor == "postgresql" and trial.cases >= FEW
    with a_receiver() as receiver:
        fleet = Fleet(
            trial.folder,
            MANY if many else ONE_OF_EACH,
            speed=SPEED if trial.cases >= FEW else SPEED // 5,
            instead=instead,
            TEMPHONE_WEBHOOK_ALLOW=receiver.host,
        )
        load = Load(trial=trial, fleet=fleet, webhook_url=receiver.url(), **mistake)
        fleet.start()
        try:
            fleet.wait_until_ready()
            load.run()
        finally:
            fleet.stop()
        load.judge(receiver.received)
    return load.tally


def _forgetting(trial: Trial) -> Tally:
    def rang_twice(load: Load) -> bool:
        return max(load.fleet.rings().values(), default=0) > 1

    return run(trial, forgetful=True, seen=rang_twice)


def _ringing(trial: Trial) -> Tally:
    def pile_up(load: Load) -> bool:
        return max(load.bells) > BELLS

    clock = mistaken.words("rings_at_each_poll", "clock")
    return run(trial, instead={"clock": clock}, deaf=True, seen=pile_up)


def _leaking(trial: Trial) -> Tally:
    def grew(load: Load) -> bool:
        weighed = len(load.scales.weights["worker-1"])
        return weighed > LEAK_ENOUGH and load.scales.growth_percent("worker-1") > GROWTH_PERCENT

    return run(
        trial,
        instead={"worker": mistaken.words("keeps_what_it_did", "qcluster")},
        weigh_every_s=LEAK_EVERY_S,
        long_enough=LEAK_ENOUGH,
        seen=grew,
    )


BROKEN = {
    "a_ledger_that_is_lost": Broken(run=_forgetting, seen_by=r"rang \d+ times"),
    "a_bell_at_each_poll": Broken(run=_ringing, seen_by="bells pile up"),
    "a_worker_that_keeps_what_it_did": Broken(run=_leaking, seen_by="worker-1 grew"),
}
PROOF = Proof(
    name="load",
    shows="under load, with programs of each kind killed every few seconds, no call is lost or rings twice",
    unit="calls",
    small=400,
    full=100_000,
    chunk=100_000,
    run=run,
    databases=("postgresql",),
    broken=BROKEN,
    broken_cases=100,
    exclusive=True,
)
ONE = Proof(
    name="load_one_of_each",
    shows="so it is on SQLite with one program of each kind",
    unit="calls",
    small=200,
    full=10_000,
    chunk=10_000,
    run=run,
    databases=("sqlite",),
    broken=BROKEN,
    broken_cases=100,
    exclusive=True,
)
