"""Proof: who is frozen at whatever line for longer than its lease, and goes on then, does no harm."""

import signal

from tests.proofs.battery import Proof, Tally, Trial
from tests.proofs.lab.besieging import besiege, broken

# Another worker and another web go on meanwhile. A ledger has one gateway: while it is frozen, none answers.
MEMBERS = {
    "worker-1": "worker",
    "worker-2": "worker",
    "web-1": "web",
    "web-2": "web",
    "gateway": "gateway",
}
TURNS = (("worker-1", "web-1"), ("gateway", "worker-2"), ("worker-1", "web-2"))
A_ROUND = 25
# The mistakes: who must be frozen for each to show, in which phases, and by what it is seen.
BROKEN = {
    "look_up_and_redial": ("worker-1", "claim dial", r"rang \d+ times"),
    "retried_with_a_new_attempt": (
        "gateway",
        "ledger switchboard writer",
        "rang for an attempt that is not the call's",
    ),
}
# SQLite has one write lock, and its waiters no order: members frozen with it one after the other kept a
# request from it for more than 20 s, which is a 500 and no ring. Until that is told apart: PostgreSQL alone.


def run(trial: Trial) -> Tally:
    """Freeze the members at lines drawn by chance, past the lease of what they hold; let them go on."""
    return besiege(trial, MEMBERS, TURNS, number=signal.SIGSTOP, a_round=A_ROUND)


PROOFS = (
    Proof(
        name="freezes",
        shows="a process that is frozen past its lease, and goes on then, rings nobody again",
        unit="freezes",
        small=50,
        full=1_000,
        chunk=200,
        run=run,
        broken=broken(BROKEN, MEMBERS, number=signal.SIGSTOP),
        databases=("postgresql",),  # on SQLite a frozen member keeps its lock from all others; see above
    ),
)
