"""Small worlds at all hours: no phone rings at night, too often, too early or too late, whoever schedules.

The judge reckons from outside when each call may ring, and reads the phone's log alone. A world is one
transaction, rolled back.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from traceback import format_tb
from unittest import mock

from django.db import transaction
from django.test import override_settings

from calls import gates
from calls.actions import dialing
from calls.gates import Case, Check, Facts, Gate
from calls.models import Attempt, Call
from calls.models.history import Verdict
from temphone.lib import ids
from tests.proofs.battery import Broken, Found, Proof, Run, Tally, Trial
from tests.proofs.stage.promised import BrokenPromise
from tests.proofs.stage.small_world import World


class _Chance:
    """Ids by chance from a seed: they decide in which order calls are claimed that are due at once."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def text(self, length: int) -> str:
        return "".join(self.chance.choices(ids.ALPHABET, k=length))


@contextmanager
def _settings_of(world: World, seed: int) -> Iterator[None]:
    """What the organisation of this world has set; nothing of the world is left."""
    policies = {mode: {"consent": "off", "hours": world.judge.policy} for mode in ("test", "live")}
    with (
        override_settings(POLICIES=policies, CALLS_PER_NUMBER_PER_DAY=world.judge.cap),
        mock.patch.object(ids, "random_text", _Chance(seed).text),
        transaction.atomic(),
    ):
        yield
        transaction.set_rollback(True)


def run(trial: Trial, *, stop: bool = False) -> Tally:
    """World after world, until so many calls were tried; ``stop``: or one is flagged."""
    tally = Tally()
    for seed in range(trial.seed, trial.seed + trial.cases):
        if tally.cases >= trial.cases or (stop and tally.flagged):
            break
        _try(seed, tally, trial)
    return tally


def _try(seed: int, tally: Tally, trial: Trial) -> None:
    world = World(seed)
    with _settings_of(world, seed), Found() as found:
        world.live()
    if error := found.error:
        problem = str(error) if isinstance(error, BrokenPromise) else f"{type(error).__name__}: {error}"
        evidence = {"seed": seed, "program": world.program, "trace": format_tb(error.__traceback__)}
        tally.flag(problem, folder=trial.folder, **evidence, **world.judge.evidence())
    tally.cases += len(world.judge.calls) + len(world.judge.refused)
    tally.counts += world.counts


# The mistakes.


def _with_gate(gate: Gate, mistaken: Gate) -> Run:
    """The product with another gate in the place of this one."""
    asked = {mistaken if one is gate else one: names for one, names in gates.LOOKS_AT.items()}
    return _with(gates, "LOOKS_AT", asked)


def _with_case(change: Callable[[Facts, Call, Case], Case]) -> Run:
    """The product whose gates see something else of a call."""
    case_of = Facts.case_of
    return _with(Facts, "case_of", lambda facts, call: change(facts, call, case_of(facts, call)))


def _with(where: object, name: str, mistaken: object) -> Run:
    def mistake(trial: Trial) -> Tally:
        with mock.patch.object(where, name, mistaken):
            return run(trial, stop=True)

    return mistake


def _hours_at_creation(facts: Facts, *, mode: str, zone: str, was_open: bool) -> Check:
    if facts.lines is None:
        return gates.calling_hours(facts, mode=mode, zone=zone, was_open=was_open)
    return Check(rule="calling_hours", verdict=Verdict.ALLOW, text="It was asked when it was scheduled.")


def _never_late(_facts: Facts, *, campaign: object, late_s: int) -> Check:
    return Check(rule="lateness", verdict=Verdict.ALLOW, text="Better late than never.")


def _whatever_the_instant(gate: Gate, names: Sequence[str], case: Case, facts: Facts) -> Check:
    seen = [getattr(case, name) for name in names]
    if (gate, *seen) not in facts.checks:
        facts.checks[gate, *seen] = gate(facts, **dict(zip(names, seen, strict=True)))
    return facts.checks[gate, *seen]


def _counted_by_call(facts: Facts, call: Call, case: Case) -> Case:
    dials = Attempt.objects.filter(call=call.pk, created_at__gt=facts.now - gates.CAP_SPAN)
    return replace(case, dialed_today=dials.exclude(accepted_at=None).count())


def _counted_until_today(facts: Facts, call: Call, case: Case) -> Case:
    return replace(case, dialed_today=len(facts.dialed.get(call.contact.phone, ())))


def _in_the_zone_asked_for(_facts: Facts, call: Call, case: Case) -> Case:
    return replace(case, zone=call.timezone)


def _in_utc(_facts: Facts, _call: Call, case: Case) -> Case:
    return replace(case, zone="UTC")


def _taken_alone(numbers: set[str], since: datetime) -> Mapping[str, Sequence[datetime]]:
    taken = Attempt.objects.filter(to__in=numbers, created_at__gt=since, accepted_at__isnull=False)
    dialed = defaultdict(list)
    for number, at in taken.values_list("to", "created_at"):
        dialed[number].append(at)
    return dialed


AT_NIGHT, TOO_OFTEN = "rang outside the calling hours", "in 24 hours, with a cap of"
MOVED = "it is due .* instead of"
WRONG_HOURS = f"{AT_NIGHT}|{MOVED}|rang too early|accepted for|refused for"
PROOF = Proof(
    name="nights",
    shows="No phone rings outside calling hours, too often, too early or too late, whoever schedules.",
    unit="calls",
    small=40,
    full=10_000,
    chunk=1_000,
    run=run,
    broken={
        "hours_asked_at_creation_alone": Broken(
            run=_with_gate(gates.calling_hours, _hours_at_creation), seen_by=AT_NIGHT
        ),
        "one_answer_for_all_instants": Broken(
            run=_with(gates, "_asked", _whatever_the_instant), seen_by=WRONG_HOURS
        ),
        "cap_counted_by_call": Broken(run=_with_case(_counted_by_call), seen_by=f"{TOO_OFTEN}|{MOVED}"),
        "cap_of_today_for_later_calls": Broken(run=_with_case(_counted_until_today), seen_by=MOVED),
        "cap_forgets_what_nobody_knows": Broken(
            run=_with(gates, "_dialed_since", _taken_alone), seen_by=f"{TOO_OFTEN}|{MOVED}"
        ),
        "lateness_not_asked": Broken(run=_with_gate(gates.lateness, _never_late), seen_by="rang too late"),
        "hours_in_the_zone_asked_for": Broken(run=_with_case(_in_the_zone_asked_for), seen_by=WRONG_HOURS),
        "hours_in_utc": Broken(run=_with_case(_in_utc), seen_by=WRONG_HOURS),
        "rings_on_after_closing": Broken(
            run=_with(dialing, "may_ring_until", lambda _call, _now, latest: latest), seen_by=AT_NIGHT
        ),
    },
    broken_cases=3_000,
)
