"""Faults of answers: to the dial."""

from temphone.telephony.messages import Dialed, Done, Refused
from tests.proofs.faulty.lab import Lab, Mend
from tests.proofs.stage.fake_gateway import Trouble


def on(path: str, how: object, *, acts: bool, times: int = 1) -> Mend:
    """The fault is in the answer to a request of this kind."""

    def fault(lab: Lab) -> None:
        lab.gateway.troubles.append(Trouble(path=path, how=how, acts=acts, times=times))

    return fault


def another_attempt(_: Dialed) -> Dialed:
    return Dialed(placed=["att_of_nobody"])


def missing_some(answer: Dialed) -> Dialed:
    return Dialed(placed=answer.placed[1:])


def refusing(cause: str, *, retry: bool) -> Mend:
    def fault(lab: Lab) -> None:
        left = [len(lab.calls)]

        def objection(request):
            left[0] -= 1
            return Refused(attempt_id=request.attempt_id, cause=cause, retry=retry) if left[0] >= 0 else None

        lab.gateway.objection = objection

    return fault


def nobody_listens(lab: Lab) -> None:
    lab.gateway.stop()
    lab.work()
    lab.gateway.start_again()


FAULTS: dict[str, Mend] = {
    "a time-out before the ring": on("/dial", "time out", acts=False),
    "a time-out after the ring": on("/dial", "time out", acts=True),
    "a reset before the ring": on("/dial", "reset", acts=False),
    "a reset after the ring": on("/dial", "reset", acts=True),
    "nobody listens": nobody_listens,
    "500 before the ring": on("/dial", 500, acts=False),
    "500 after the ring": on("/dial", 500, acts=True),
    "503 before the ring": on("/dial", 503, acts=False),
    "502 after the ring": on("/dial", 502, acts=True),
    "a redirect after the ring": on("/dial", 302, acts=True),
    "401": on("/dial", 401, acts=False),
    "400": on("/dial", 400, acts=False),
    "404": on("/dial", 404, acts=False),
    "409": on("/dial", 409, acts=False),
    "429": on("/dial", 429, acts=False),
    "half an answer": on("/dial", "half", acts=True),
    "an answer drop by drop": on("/dial", "drip", acts=True),
    "an answer that is no JSON": on("/dial", "no JSON", acts=True),
    "an empty answer": on("/dial", "nothing", acts=True),
    "the answer to another question": on("/dial", lambda _: Done(), acts=True),
    "an answer for another attempt": on("/dial", another_attempt, acts=True),
    "an answer without some attempts": on("/dial", missing_some, acts=True),
    "refused, try again": refusing("busy here", retry=True),
    "refused for good": refusing("no such number", retry=False),
    "no free line": refusing("no free line", retry=True),
}
