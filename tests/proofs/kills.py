"""Proof: whatever is killed at whatever line, each call rings as often as it must and ends as it must."""

import signal
from functools import partial

from tests.proofs.battery import Proof, Tally, Trial
from tests.proofs.lab.besieging import besiege

MEMBERS = {"worker": "worker", "web": "web", "gateway": "gateway"}
# Who is struck in a round: all, some while the others go on, and the worker alone.
ALL = tuple(MEMBERS)
TURNS = (ALL, ("worker", "web"), ("gateway",), ALL, ("worker",), ("gateway", "worker"))
A_ROUND = 50


# The mistakes, and who must be killed for each to show.
BROKEN = {
    "dial_then_update": "worker",
    "nobody_asks": "worker",
    "delivered_before_it_is_sent": "worker",
    "gateway_without_ledger": "gateway",
}
A_BROKEN_ROUND = 20


def run(trial: Trial) -> Tally:
    """Kill the members at lines drawn by chance, one round after the other."""
    return besiege(trial, MEMBERS, TURNS, number=signal.SIGKILL, a_round=A_ROUND)


def run_broken(mistake: str, trial: Trial) -> Tally:
    """The same with a broken product, until it is seen."""
    turns = ((BROKEN[mistake],),)
    return besiege(trial, MEMBERS, turns, number=signal.SIGKILL, a_round=A_BROKEN_ROUND, mistake=mistake)


PROOFS = (
    Proof(
        name="kills",
        shows="kill -9 at any executed line neither repeats nor loses a call, a status or a message",
        unit="kills",
        small=200,
        full=5_000,
        chunk=500,
        run=run,
        broken={mistake: partial(run_broken, mistake) for mistake in BROKEN},
    ),
)
