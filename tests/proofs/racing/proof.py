"""Two at once, 100,000 times: whoever's answer was given holds. Real commits, real threads.

A race is one order (or one call, where several workers want it) against the workers that claim at the same
time. Many are run in a round, one after the other in the order in which they are claimed. In every other
round the claim is held behind its gates until an order has been answered, or is seen to wait for a lock.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from calls.actions.changes import Changes
from tests.proofs.battery import Broken, Proof, Run, Tally, Trial
from tests.proofs.racing.claims import claimers, lines, one_number, sightings
from tests.proofs.racing.doors import erasures, repeats
from tests.proofs.racing.mistakes import (
    NO_LINES_LOCK,
    careful_write,
    careless_write,
    claims_on_trust,
    forgetting_to_lock,
    keys_kept_afterwards,
    narrowed_at_once,
    opt_outs_left_to_the_gate,
    opt_outs_that_let_ring,
    posts_without_transaction,
    redials_on_a_guess,
    retries_after_the_cancel,
    revoked_at_once,
    transactions_left_out,
    without_transaction,
    without_uniqueness,
)
from tests.proofs.racing.orders import (
    cancels,
    hang_ups,
    moves,
    narrowings,
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
    narrowings,
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


Wrong = Callable[[], AbstractContextManager[object]]


def _broken(name: str, *kinds: Kind, claiming: Wrong = nullcontext, all_along: Wrong = nullcontext) -> Run:
    """With a mistake of those who claim, or one that is there all along."""

    def run_broken(trial: Trial) -> Tally:
        with transactions_left_out(), all_along():
            return run(trial, mistake=Mistake(name=name, claiming=claiming), kinds=kinds)

    return run_broken


BROKEN = {
    "read_then_write_cancel": Broken(run=read_then_write_cancel, seen_by="the cancel said canceled, it rang"),
    "update_without_version": Broken(run=update_without_version, seen_by="the move said done, it rang"),
    "gate_outside_transaction": Broken(
        run=_broken("gate_outside_transaction", stops, pauses, claiming=without_transaction),
        seen_by="was decided to ring after",
    ),
    "destination_outside_transaction": Broken(
        run=_broken("destination_outside_transaction", narrowings, claiming=without_transaction),
        seen_by="was decided to ring after",
    ),
    "consent_outside_transaction": Broken(
        run=_broken("consent_outside_transaction", revocations, claiming=without_transaction),
        seen_by="was decided to ring after",
    ),
    # On SQLite they wait all the same: they write.
    "revoked_at_once": Broken(
        run=_broken("revoked_at_once", revocations, all_along=revoked_at_once),
        seen_by="was decided to ring after",
        databases=("postgresql",),
    ),
    "narrowed_at_once": Broken(
        run=_broken("narrowed_at_once", narrowings, all_along=narrowed_at_once),
        seen_by="was decided to ring after",
        databases=("postgresql",),
    ),
    "lines_counted_without_lock": Broken(
        run=_broken("lines_counted_without_lock", lines, claiming=NO_LINES_LOCK),
        seen_by="legs were up on|dials in a second",
    ),
    # SQLite has no such locks: what is left out there is the transaction, and then versions still differ.
    "claim_without_number_lock": Broken(
        run=_broken(
            "claim_without_number_lock",
            opt_outs,
            claiming=partial(forgetting_to_lock, "contacts_phonenumber"),
        ),
        seen_by="after the opt-out",
        databases=("postgresql",),
    ),
    "a_number_without_its_lock": Broken(
        run=_broken(
            "a_number_without_its_lock",
            one_number,
            claiming=partial(forgetting_to_lock, "calls_pacing", "contacts_phonenumber"),
            all_along=without_uniqueness,
        ),
        seen_by="rang while a call to it was up",
        databases=("postgresql",),
    ),
    "an_opt_out_that_lets_ring": Broken(
        run=_broken("an_opt_out_that_lets_ring", opt_outs, all_along=opt_outs_that_let_ring),
        seen_by="rings on after the opt-out",
    ),
    "a_prefix_that_is_left_to_the_gate": Broken(
        run=_broken(
            "a_prefix_that_is_left_to_the_gate",
            prefix_opt_outs,
            claiming=without_transaction,
            all_along=opt_outs_left_to_the_gate,
        ),
        seen_by="was decided to ring after",
    ),
    "a_retry_after_the_cancel": Broken(
        run=_broken("a_retry_after_the_cancel", hang_ups, all_along=retries_after_the_cancel),
        seen_by="was decided to ring after",
    ),
    "a_redial_on_a_guess": Broken(
        run=_broken("a_redial_on_a_guess", sightings, all_along=redials_on_a_guess),
        seen_by=r"call_\w+ rang [2-9] times",
    ),
    "claims_on_trust": Broken(
        run=_broken("claims_on_trust", claimers, claiming=without_transaction, all_along=claims_on_trust),
        seen_by=r"call_\w+ rang [2-9] times",
    ),
    "a_contact_without_its_lock": Broken(
        run=_broken("a_contact_without_its_lock", erasures, all_along=posts_without_transaction),
        seen_by="post scheduled, erasure done",
    ),
    "keys_kept_afterwards": Broken(
        run=_broken("keys_kept_afterwards", repeats, all_along=keys_kept_afterwards),
        seen_by="one key made several calls",
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
