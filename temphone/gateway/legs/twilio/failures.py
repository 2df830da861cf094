"""What Twilio's words mean for the business.

Source: Twilio, "Error and warning dictionary" and "Call status values".
"""

from temphone.gateway.legs.base import Failed
from temphone.gateway.legs.twilio.account import Declined
from temphone.gateway.legs.twilio.progress import Progress, Status
from temphone.telephony.messages import EndedBy, Outcome

INVALID_NUMBER = {13224, 21211, 21214, 21217, 21421}
BLOCKED = {13227, 21215, 21216, 21219, 32205}
WRONG_CALLER_ID = {13214, 21210, 21212, 21213}
TOO_MANY = 429
UNAUTHORIZED = {401, 403}

DECLINED_BY_CALLEE = {"603", "607", "608"}
NO_SUCH_NUMBER = {"404", "410", "484", "604"}


def why_declined(declined: Declined) -> Failed:
    """Why it was not dialled. Not rung is told only where it may work at once: it is dialled anew then."""
    code = declined.code
    if code in INVALID_NUMBER:
        return _refused(Outcome.INVALID_NUMBER, code, "not a number that can be called")
    if code in BLOCKED:
        return _refused(Outcome.CARRIER_ERROR, code, "blocked: the account may not call this number")
    if code in WRONG_CALLER_ID:
        return _refused(Outcome.CARRIER_ERROR, code, "the account may not show this caller ID")
    if declined.status == TOO_MANY:
        return _refused(Outcome.CARRIER_ERROR, code, "too many requests", rang=False)
    if declined.status in UNAUTHORIZED:
        return _refused(Outcome.CARRIER_ERROR, code, "account SID or auth token not accepted")
    return _refused(Outcome.CARRIER_ERROR, code, "the call was refused")


def why_unanswered(progress: Progress) -> Failed:
    """Why a call ended without an answer."""
    sip_code = progress.sip_code
    cause = f"{progress.status}, SIP {sip_code}" if sip_code else progress.status.value
    if sip_code in DECLINED_BY_CALLEE:
        return Failed(Outcome.REJECTED, by=EndedBy.CALLEE, cause=cause)
    if progress.status is Status.FAILED and sip_code in NO_SUCH_NUMBER:
        return Failed(Outcome.INVALID_NUMBER, by=EndedBy.CARRIER, cause=cause)
    if progress.status is Status.BUSY:
        return Failed(Outcome.BUSY, by=EndedBy.CARRIER, cause=cause)
    if progress.status is Status.NO_ANSWER:
        return Failed(Outcome.NO_ANSWER, by=EndedBy.SYSTEM, cause=cause)
    return Failed(Outcome.CARRIER_ERROR, by=EndedBy.CARRIER, cause=cause)


def canceled() -> Failed:
    """Our side hung up before the answer."""
    return Failed(Outcome.CANCELED_BY_USER, by=EndedBy.STAFF, cause="canceled")


def not_rung(cause: str) -> Failed:
    """Surely nothing was asked of Twilio."""
    return Failed(Outcome.CARRIER_ERROR, by=EndedBy.SYSTEM, cause=cause, rang=False)


def unknown(cause: str) -> Failed:
    """Perhaps it rang."""
    return Failed(Outcome.UNKNOWN, by=EndedBy.CARRIER, cause=cause)


def no_answer() -> Failed:
    """Nobody took it within the ring timeout."""
    return Failed(Outcome.NO_ANSWER, by=EndedBy.SYSTEM, cause=Status.NO_ANSWER.value)


def late() -> Failed:
    """It was ours to start so many calls a second, and Twilio kept this one waiting."""
    return Failed(Outcome.CARRIER_ERROR, by=EndedBy.CARRIER, cause="kept too long in Twilio's queue")


def after_restart(progress: Progress) -> Failed:
    """By Twilio's evidence. What was said in an answered call is not known any more."""
    status = progress.status
    if status is Status.CANCELED:
        return Failed(Outcome.NO_ANSWER, by=EndedBy.SYSTEM, cause="restarted while it rang")
    if status.is_final and status is not Status.COMPLETED:
        return why_unanswered(progress)
    return unknown(f"restarted; {status} after {progress.duration_s} s")


def _refused(outcome: Outcome, code: int, cause: str, *, rang: bool = True) -> Failed:
    return Failed(outcome, by=EndedBy.CARRIER, cause=f"Twilio {code}: {cause}", rang=rang)
