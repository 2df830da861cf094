"""Two at once, 100,000 times: whoever's answer was given holds. Real commits, real threads.

A race is one order (or one call, where several workers want it) against the workers that claim at the same
time. Many are run in a round, one after the other in the order in which they are claimed. In every other
round the claim is held behind its gates until an order has been answered, or is seen to wait for a lock.
"""

from collections.abc import Callable, Sequence
from functools import partial

from calls.actions.changes import Changes
from tests.proofs.battery import Broken, Proof, Run, Tally, Trial
from tests.proofs.racing.claims import claimers, lines, one_number, sightings
from tests.proofs.racing.doors import erasures, repeats
from tests.proofs.racing.mistakes import (
    NO_LINES_LOCK,
    careful_write,
    careless_write,
    forgetting_to_lock,
    transactions_left_out,
    without_transaction,
)
from tests.proofs.racing.orders import (
    cancels,
    hang_ups,
    moves,
    opt_outs,
    pauses,
    prefix_opt_outs,
    revocations,
    stops,
    there_and_back,
)
from tests.proofs.racing.rounds import CREW, Kind
from tests.proofs.stage.arena import Arena, Mistake
from tests.proofs.stage.crew import Crew
from tests.proofs.stage.slate import wipe

KINDS: tuple[Kind, ...] = (
    cancels,
    moves,
    there_and_back,
    opt_outs,
    prefix_opt_outs,
    pauses,
    stops,
    revocations,
    hang_ups,
    erasures,
    repeats,
    claimers,
    one_number,
    lines,
    sightings,
)


def run(trial: Trial, *, mistake: Mistake | None = None, kinds: Sequence[Kind] = KINDS) -> Tally:
    """Run the kinds in turn, until there were enough races; a broken variant, until it is seen."""
    with Crew(CREW) as crew:
        arena = Arena(trial=trial, crew=crew, mistake=mistake or Mistake())
        tally = arena.tally
        while tally.cases < trial.cases and not (mistake and tally.flagged):
            for kind in kinds:
                arena.begin(kind.__name__)
                count = kind(arena)
                arena.judge_always()
                tally.cases += count
                tally.counts[f"{arena.kind}: races"] += count
        wipe()
    return tally


def read_then_write_cancel(trial: Trial) -> Tally:
    return run(trial, mistake=Mistake(name="read_then_write_cancel"), kinds=[there_and_back])


def update_without_version(trial: Trial) -> Tally:
    Changes._write_calls = careless_write
    try:
        return run(trial, mistake=Mistake(name="update_without_version"), kinds=[there_and_back])
    finally:
        Changes._write_calls = careful_write


def _broken(name: str, claiming: Callable[[], object], *kinds: Kind) -> Run:
    def run_broken(trial: Trial) -> Tally:
        with transactions_left_out():
            return run(trial, mistake=Mistake(name=name, claiming=claiming), kinds=kinds)

    return run_broken


BROKEN = {
    "read_then_write_cancel": Broken(run=read_then_write_cancel, seen_by="the cancel said canceled, it rang"),
    "update_without_version": Broken(run=update_without_version, seen_by="the move said done, it rang"),
    "gate_outside_transaction": Broken(
        run=_broken("gate_outside_transaction", without_transaction, stops, pauses),
        seen_by="was decided to ring after",
    ),
    "lines_counted_without_lock": Broken(
        run=_broken("lines_counted_without_lock", NO_LINES_LOCK, lines),
        seen_by="legs were up on|dials in a second",
    ),
    # On SQLite it costs a transaction, not a lock, and then the comparison of versions still holds.
    "claim_without_number_lock": Broken(
        run=_broken(
            "claim_without_number_lock", partial(forgetting_to_lock, "contacts_phonenumber"), opt_outs
        ),
        seen_by="after the opt-out",
        databases=("postgresql",),
    ),
}
RACES = Proof(
    name="races",
    shows="Whatever happens at the same time, whoever's answer was given holds: by what the phone heard.",
    unit="races",
    small=1_000,
    full=50_000,
    chunk=5_000,
    run=run,
    broken=BROKEN,
    broken_cases=500,
)
