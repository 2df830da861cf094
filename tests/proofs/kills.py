"""Proof: whatever is killed at whatever line, each call rings as often as it must and ends as it must."""

import signal

from tests.proofs.battery import Proof, Tally, Trial
from tests.proofs.lab.besieging import besiege, broken

MEMBERS = {"worker": "worker", "web": "web", "gateway": "gateway"}
# Who is struck in a round: all, some while the others go on, and the worker alone.
ALL = tuple(MEMBERS)
TURNS = (ALL, ("worker", "web"), ("gateway",), ALL, ("worker",), ("gateway", "worker"))
A_ROUND = 50

# The mistakes, who must be killed for each to show, and by what.
RANG_OFTEN = r"rang \d+ times"
LOST = "lost: it never came to an end"
BROKEN = {
    "dial_then_update": ("worker", RANG_OFTEN),
    "nobody_asks": ("worker", LOST),
    "delivered_before_it_is_sent": ("worker", "messages .* were received"),
    "gateway_without_ledger": ("gateway", f"{LOST}|{RANG_OFTEN}"),
    "suppressed_afterwards": ("web", "rang after its number had opted out"),
    "acknowledged_before_applied": ("web", LOST),
    "ring_then_ledger": ("gateway", RANG_OFTEN),
    "no_answer_is_a_refusal": ("gateway", RANG_OFTEN),
    "ring_whatever_rang": ("gateway", "one attempt rang twice"),
    "ring_then_remember": ("gateway", "one attempt rang twice"),
}


def run(trial: Trial) -> Tally:
    """Kill the members at lines drawn by chance, one round after the other."""
    return besiege(trial, MEMBERS, TURNS, number=signal.SIGKILL, a_round=A_ROUND)


PROOFS = (
    Proof(
        name="kills",
        shows="kill -9 at any executed line neither repeats nor loses a call, a status or a message",
        unit="kills",
        small=200,
        full=5_000,
        chunk=500,
        run=run,
        broken=broken(BROKEN, MEMBERS, number=signal.SIGKILL),
    ),
)
