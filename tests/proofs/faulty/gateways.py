"""Faults of gateways: lost, silent, back, another, at another time."""

from datetime import timedelta

from tests.proofs.faulty.answers import on
from tests.proofs.faulty.lab import LOST, Lab, Mend


def another_ledger(lab: Lab) -> None:
    """It comes back without its memory; what it carried then is never told."""
    lab.work()
    old = lab.gateway
    old.stop()
    lab.silent.add(old.ledger)
    lab.add_gateway("gw_2")
    lab.wait(LOST.total_seconds())


def lost_for_good(lab: Lab) -> None:
    on("/dial", "reset", acts=True)(lab)
    lab.work()
    lab.gateway.stop()
    lab.silent.add("gw_1")
    lab.wait(LOST.total_seconds())


def silent_and_back(lab: Lab) -> None:
    lab.work()
    lab.silent.add("gw_1")
    for _ in range(4):
        lab.wait(40)
        lab.work()
    lab.silent.clear()


def stopped_and_back(lab: Lab) -> None:
    on("/dial", "reset", acts=True)(lab)
    lab.work()
    lab.gateway.stop()
    lab.wait(40)
    lab.work()
    lab.gateway.start_again()


def one_of_two_dies(lab: Lab) -> None:
    lab.add_gateway("gw_2")
    lab.gateway.stop()
    lab.work()
    lab.silent.add("gw_1")


def skewed(seconds: int) -> Mend:
    def fault(lab: Lab) -> None:
        lab.skew = timedelta(seconds=seconds)
        lab.work()
        if lab.rings():
            lab.broke.append("it was given calls although its clock is off")
        lab.skew = timedelta(0)

    return fault


FAULTS: dict[str, Mend] = {
    "back with another ledger": another_ledger,
    "lost for good": lost_for_good,
    "silent for longer than the lease": silent_and_back,
    "down for longer than the lease": stopped_and_back,
    "one of two gateways dies": one_of_two_dies,
    "a clock that is fast": skewed(60),
    "a clock that is slow": skewed(-60),
}
