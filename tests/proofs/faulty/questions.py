"""Faults of questions and orders: what became of an attempt, and to hang up."""

from calls.actions.changing import cancel_call
from temphone.accounts.actors import SYSTEM
from temphone.telephony.messages import EventType, Found, Sighting
from tests.proofs.faulty.answers import on
from tests.proofs.faulty.events import dialled
from tests.proofs.faulty.lab import LOST, Lab, Mend
from tests.proofs.stage.fake_gateway import Trouble

TELLINGS = 5  # of an order to hang up: 35 s apart, far within the time that a call may last


def unsure_then(mend: Mend) -> Mend:
    """Nobody heard whether the dial arrived, and the question for it goes wrong."""

    def fault(lab: Lab) -> None:
        on("/dial", "reset", acts=True)(lab)
        mend(lab)

    return fault


def said_to_be_live(_: Found) -> Found:
    return Found(sighting=Sighting.LIVE)


def said_to_be_live_though_it_ended(lab: Lab) -> None:
    """Its last events come an hour later."""
    dialled(lab)
    lab.gateway.troubles.append(
        Trouble(path="/find", how=said_to_be_live, acts=True, times=len(lab.calls) * 5)
    )
    lab.silent.add("gw_1")
    for _ in range(3):
        lab.wait(LOST.total_seconds())
        lab.work()
    lab.silent.clear()


def hang_up(how: object, *, acts: bool) -> Mend:
    def fault(lab: Lab) -> None:
        lab.work()
        lab.talk(until=EventType.ANSWERED)
        lab.send()
        for call in lab.calls:
            cancel_call(actor=SYSTEM, call_id=call.pk, now=lab.now())
        lab.gateway.troubles.append(Trouble(path="/hang-up", how=how, acts=acts, times=len(lab.calls)))
        lab.work()
        for _ in range(TELLINGS):
            # On a busy machine an order may time out before it meets its trouble, which waits for the next.
            lab.wait(35)
            lab.work()
            if set(lab.gateway.hang_ups) == set(lab.gateway.legs):
                return
        lab.broke.append("the order to hang up never arrived")

    return fault


FAULTS: dict[str, Mend] = {
    "said to be live though it ended": said_to_be_live_though_it_ended,
    "the question times out": unsure_then(on("/find", "time out", acts=True)),
    "the question gets a 500": unsure_then(on("/find", 500, acts=True, times=3)),
    "the question is answered by no sense": unsure_then(on("/find", "no JSON", acts=True, times=3)),
    "the hang-up is lost": hang_up("reset", acts=False),
    "the hang-up is answered and not done": hang_up(200, acts=False),
}
