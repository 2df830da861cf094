"""What the answers of a trunk mean: for the attempt, and for the trunk."""

import re

from temphone.gateway.legs.base import Failed
from temphone.telephony.messages import EndedBy, Outcome

CALLEE, CARRIER, SYSTEM = EndedBy.CALLEE, EndedBy.CARRIER, EndedBy.SYSTEM

# The final answer to an INVITE. What is not here is a carrier's error.
# Source: RFC 3261 section 21; RFC 8197 (607), RFC 8688 (608).
STATUSES = {
    404: (Outcome.INVALID_NUMBER, CARRIER),  # Not Found
    410: (Outcome.INVALID_NUMBER, CARRIER),  # Gone
    480: (Outcome.NO_ANSWER, CARRIER),  # Temporarily Unavailable
    484: (Outcome.INVALID_NUMBER, CARRIER),  # Address Incomplete
    485: (Outcome.INVALID_NUMBER, CARRIER),  # Ambiguous
    486: (Outcome.BUSY, CARRIER),  # Busy Here
    487: (Outcome.NO_ANSWER, CARRIER),  # Request Terminated, though we did not
    600: (Outcome.BUSY, CARRIER),  # Busy Everywhere
    603: (Outcome.REJECTED, CALLEE),  # Decline
    604: (Outcome.INVALID_NUMBER, CARRIER),  # Does Not Exist Anywhere
    607: (Outcome.REJECTED, CALLEE),  # Unwanted
    608: (Outcome.REJECTED, CARRIER),  # Rejected, by somebody in between
}

# What is wrong with the trunk itself, when it answers so to an INVITE or a REGISTER.
PROBLEMS = {
    401: "wrong user or password",
    403: "wrong password, or the provider does not let us",
    407: "wrong user or password",
}

# The stack's own failures, by the number at their end. Before these no INVITE left.
# Source: errno(3) of Linux.
UNSENT = {
    2: "cannot be reached: its name is not known",
    71: "cannot be reached: its certificate is not to be trusted",
    101: "cannot be reached: no network leads to it",
    111: "cannot be reached: it refuses the connection",
    113: "cannot be reached: no network leads to it",
}
# Over UDP these come of a repeated INVITE too, though the first one has left.
NO_ROUTE = frozenset((101, 113))
LOST = "cannot be reached: no answer"
ERROR_NUMBER = re.compile(r"\[(\d+)\]$")


def failure(text: str, *, rang: bool = False, repeated: bool = False) -> Failed:
    """How an attempt ends whose call the stack closed before the answer, with this text.

    ``rang``: it was heard that it rings. ``repeated``: its INVITE may have gone out before.
    """
    if status := status_in(text):
        outcome, by = STATUSES.get(status, (Outcome.CARRIER_ERROR, CARRIER))
        return Failed(outcome, by=by, cause=_with_reason(status, text))
    number = number_in(text)
    unsent = number in UNSENT and not (repeated and number in NO_ROUTE)
    return Failed(Outcome.CARRIER_ERROR, by=CARRIER, cause=problem(text), rang=rang or not unsent)


def problem(text: str) -> str:
    """What is wrong with a trunk that answered so, in plain words; empty when nothing is."""
    if status := status_in(text):
        return f"{status}: {PROBLEMS[status]}" if status in PROBLEMS else ""
    return UNSENT.get(number_in(text), LOST)


def trouble(text: str) -> str:
    """What a call that ended so says of its trunk; empty when it says nothing against it.

    403 does not: many providers mean the number with it, and other calls would wait for nothing.
    """
    return "" if status_in(text) == 403 else problem(text)


def status_in(text: str) -> int:
    """The status at the beginning of "486 Busy Here"; 0 when there is none."""
    match = re.match(r"([1-6]\d\d)(?: |$)", text)
    return int(match[1]) if match else 0


def number_in(text: str) -> int:
    """The error number at the end of "Connection refused [111]"; 0 when there is none."""
    match = ERROR_NUMBER.search(text)
    return int(match[1]) if match else 0


def canceled(cause: str = "487 Request Terminated") -> Failed:
    """Staff ended it before the answer."""
    return Failed(Outcome.CANCELED_BY_USER, by=EndedBy.STAFF, cause=cause)


def not_answered(cause: str) -> Failed:
    """It rang as long as it may."""
    return Failed(Outcome.NO_ANSWER, by=SYSTEM, cause=cause)


def not_rung(cause: str) -> Failed:
    """Surely no phone rang: it may be dialled anew."""
    return Failed(Outcome.CARRIER_ERROR, by=SYSTEM, cause=cause, rang=False)


def no_reply() -> Failed:
    """The trunk never said a word to the INVITE. It may have come through all the same."""
    return Failed(Outcome.CARRIER_ERROR, by=CARRIER, cause=LOST)


def unknown(cause: str) -> Failed:
    """Nobody knows whether it rang: never again."""
    return Failed(Outcome.UNKNOWN, by=SYSTEM, cause=cause)


def _with_reason(status: int, text: str) -> str:
    return f"{status} {PROBLEMS[status]}" if status in PROBLEMS else text
