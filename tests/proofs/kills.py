"""Proof: whatever is killed at whatever line, each call rings as often as it must and ends as it must."""

import signal

from tests.proofs.battery import Proof, Tally, Trial
from tests.proofs.lab.besieging import besiege, broken
from tests.proofs.lab.forgetting import Forgetting
from tests.proofs.lab.posting import Posting

MEMBERS = {"worker": "worker", "web": "web", "gateway": "gateway"}
# Who is struck in a round: all, some while the others go on, and the worker alone.
ALL = tuple(MEMBERS)
TURNS = (ALL, ("worker", "web"), ("gateway",), ALL, ("worker",), ("gateway", "worker"))
A_ROUND = 50

# The mistakes: who must be killed for each to show, in which phases, and by what it is seen.
RANG_OFTEN = r"rang \d+ times"
LOST = "lost: it never came to an end"
BROKEN = {
    "dial_then_update": ("worker", "dial record", RANG_OFTEN),
    "nobody_asks": ("worker", "dial", LOST),
    "delivered_before_it_is_sent": ("worker", "deliver send", "messages .* were received"),
    "sent_in_any_order": ("worker", "deliver send", "taken out of order"),
    "signed_with_another_secret": ("worker", "deliver send", "message .* was not signed"),
    "gateway_without_ledger": ("gateway", "ledger writer leg outbox", f"{LOST}|{RANG_OFTEN}"),
    "suppressed_afterwards": ("web", "suppress", "rang after its number had opted out"),
    "acknowledged_before_applied": ("web", "events", LOST),
    "ring_then_ledger": ("gateway", "ledger switchboard leg", RANG_OFTEN),
    "no_answer_is_a_refusal": ("gateway", "ledger switchboard leg", RANG_OFTEN),
    "ring_whatever_rang": ("gateway", "leg writer ledger", "one attempt rang twice"),
    "ring_then_remember": ("gateway", "leg writer ledger", "one attempt rang twice"),
}
# A client asks for calls meanwhile, and the web is struck where it answers it.
ASKED_MEMBERS = {"web": "api", "worker": "worker", "gateway": "gateway"}
ASKED_BROKEN = {
    "key_kept_after_commit": ("web", "key", r"key made \d+ calls"),
    "decision_after_commit": ("web", "answer", "half made: call_.* has 0 times its (event|decision)"),
    "written_by_and_by": ("web", "door schedule key answer events", "answered 201, and is not there"),
}
# On a line without memory, the gateway is struck.
LINE_MEMBERS = {"worker": "worker", "web": "web", "gateway": "on a line"}
LINE_BROKEN = {
    "rings_before_it_is_noted": ("gateway", "note leg", RANG_OFTEN),
    "noted_by_and_by": ("gateway", "leg writer ledger", RANG_OFTEN),
}


def run(trial: Trial) -> Tally:
    """Kill the members at lines drawn by chance, one round after the other."""
    return besiege(trial, MEMBERS, TURNS, number=signal.SIGKILL, a_round=A_ROUND)


def run_asked(trial: Trial) -> Tally:
    """Kill the web while a client POSTs, and repeats its POST until it is answered."""
    return besiege(trial, ASKED_MEMBERS, (("web",),), number=signal.SIGKILL, a_round=A_ROUND, traffic=Posting)


def run_on_a_line(trial: Trial) -> Tally:
    """Kill the gateway while it carries calls over a line that forgets them."""
    return besiege(
        trial, LINE_MEMBERS, (("gateway",),), number=signal.SIGKILL, a_round=A_ROUND, traffic=Forgetting
    )


PROOFS = (
    Proof(
        name="kills",
        shows="kill -9 at any executed line neither repeats nor loses a call, a status or a message",
        unit="kills",
        small=60,
        small_again=40,
        full=5_000,
        chunk=500,
        run=run,
        broken=broken(BROKEN, MEMBERS, number=signal.SIGKILL),
        broken_cases=100,
    ),
    Proof(
        name="kills_of_web",
        shows="a POST that is repeated with its key until it is answered makes one call, whatever is killed",
        unit="kills",
        small=30,
        full=2_000,
        chunk=500,
        run=run_asked,
        broken=broken(ASKED_BROKEN, ASKED_MEMBERS, number=signal.SIGKILL, traffic=Posting),
        broken_cases=150,
    ),
    Proof(
        name="kills_on_a_line",
        shows="where the network remembers nothing, no killed gateway rings twice, and it says what it lost",
        unit="kills",
        small=50,
        full=2_000,
        chunk=500,
        run=run_on_a_line,
        broken=broken(LINE_BROKEN, LINE_MEMBERS, number=signal.SIGKILL, traffic=Forgetting),
        broken_cases=100,
    ),
)
