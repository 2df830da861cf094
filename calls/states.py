"""The states of calls, attempts and recordings, the ways between them, and what each outcome does."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from temphone.telephony.messages import AnsweredBy, Outcome, RecordingProblem


class CallStatus(TextChoices):
    """The public status; the specification's five."""

    SCHEDULED = "scheduled", _("Scheduled")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", pgettext_lazy("call", "Completed")
    FAILED = "failed", pgettext_lazy("call", "Failed")
    CANCELED = "canceled", pgettext_lazy("call", "Canceled")


FINAL = frozenset({CallStatus.COMPLETED, CallStatus.FAILED, CallStatus.CANCELED})
TRANSITIONS: dict[CallStatus, frozenset[CallStatus]] = {
    CallStatus.SCHEDULED: frozenset({CallStatus.IN_PROGRESS, CallStatus.FAILED, CallStatus.CANCELED}),
    # Back to scheduled: to be tried again.
    CallStatus.IN_PROGRESS: frozenset({CallStatus.SCHEDULED, *FINAL}),
    CallStatus.COMPLETED: frozenset(),
    # Only from outcome unknown, to what the carrier's evidence shows later.
    CallStatus.FAILED: FINAL,
    CallStatus.CANCELED: frozenset(),
}


class AttemptState(TextChoices):
    """Where one dial is."""

    DIALING = "dialing", _("Dialing")
    RINGING = "ringing", _("Ringing")
    ANSWERED = "answered", pgettext_lazy("attempt", "Answered")
    ENDED = "ended", _("Ended")
    UNKNOWN = "unknown", _("Unknown")


LIVE = (AttemptState.DIALING, AttemptState.RINGING, AttemptState.ANSWERED)


class RecordingState(TextChoices):
    """Where the sound of an attempt is."""

    UPLOADING = "uploading", _("On its way")
    READY = "ready", pgettext_lazy("recording", "Ready")
    FAILED = "failed", pgettext_lazy("recording", "Failed")
    DELETED = "deleted", pgettext_lazy("recording", "Deleted")


# As the end of "Was to be recorded, but ...".
RECORDING_PROBLEM_LABELS = {
    RecordingProblem.DISK_FULL: _("the disk of the gateway was full"),
    RecordingProblem.DISK_ERROR: _("the disk of the gateway failed"),
    RecordingProblem.EMPTY: _("it ended before there was anything to hear"),
    RecordingProblem.BROKEN: _("what arrived from the gateway cannot be played"),
    RecordingProblem.LOST: _("it never arrived whole from the gateway"),
}
RECORDING_PROBLEMS = [(problem.value, label) for problem, label in RECORDING_PROBLEM_LABELS.items()]

OUTCOME_LABELS = {
    Outcome.MESSAGE_DELIVERED: _("Message delivered"),
    Outcome.ANSWERED_HUMAN: _("Spoke with a person"),
    Outcome.OPTED_OUT: _("Opted out"),
    Outcome.WRONG_PERSON: _("Wrong person"),
    Outcome.CALLBACK_REQUESTED: _("Callback requested"),
    Outcome.TRANSFERRED: _("Transferred"),
    Outcome.VOICEMAIL_LEFT: _("Voicemail left"),
    Outcome.MAX_DURATION: _("Reached its maximum length"),
    Outcome.VOICEMAIL_HUNGUP: _("Voicemail, no message left"),
    Outcome.NO_ANSWER: _("No answer"),
    Outcome.BUSY: _("Busy"),
    Outcome.CARRIER_ERROR: _("Carrier error"),
    Outcome.REJECTED: _("Declined"),
    Outcome.SCREENED: _("Screened"),
    Outcome.IVR: _("Answered by a menu"),
    Outcome.INVALID_NUMBER: _("Number not in service"),
    Outcome.UNKNOWN: _("Unknown"),
    Outcome.MESSAGE_INCOMPLETE: _("Message not finished"),
    Outcome.EXPIRED: _("Too late to call"),
    Outcome.BLOCKED_CONSENT: _("Blocked: no consent"),
    Outcome.BLOCKED_SUPPRESSED: _("Blocked: do not call"),
    Outcome.BLOCKED_HOURS: _("Blocked: outside calling hours"),
    Outcome.BLOCKED_DESTINATION: _("Blocked: destination"),
    Outcome.SPEND_CAP: _("Blocked: spending limit"),
    Outcome.CANCELED_BY_USER: pgettext_lazy("call", "Canceled"),
}
OUTCOME_CHOICES = [(outcome.value, label) for outcome, label in OUTCOME_LABELS.items()]

ANSWERED_BY_LABELS = {
    AnsweredBy.HUMAN: _("A person"),
    AnsweredBy.VOICEMAIL: _("Voicemail"),
    AnsweredBy.SCREENING: _("Call screening"),
    AnsweredBy.IVR: _("A menu"),
    AnsweredBy.UNKNOWN: _("Unknown"),
}
ANSWERED_BY_CHOICES = [(kind.value, label) for kind, label in ANSWERED_BY_LABELS.items()]

ANALYZED_BY_CHOICES = [("rules", _("Rules")), ("llm", _("Language model"))]

COMPLETED_BY = frozenset(
    {
        Outcome.MESSAGE_DELIVERED,
        Outcome.ANSWERED_HUMAN,
        Outcome.OPTED_OUT,
        Outcome.WRONG_PERSON,
        Outcome.CALLBACK_REQUESTED,
        Outcome.TRANSFERRED,
        Outcome.VOICEMAIL_LEFT,
        Outcome.MAX_DURATION,
    }
)
RETRIED = frozenset({Outcome.VOICEMAIL_HUNGUP, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.CARRIER_ERROR})

# What a person can know of a call that is over, and say by hand.
MARKABLE = (
    Outcome.ANSWERED_HUMAN,
    Outcome.MESSAGE_DELIVERED,
    Outcome.CALLBACK_REQUESTED,
    Outcome.OPTED_OUT,
    Outcome.WRONG_PERSON,
    Outcome.TRANSFERRED,
    Outcome.VOICEMAIL_LEFT,
    Outcome.NO_ANSWER,
    Outcome.BUSY,
    Outcome.REJECTED,
    Outcome.INVALID_NUMBER,
)
MARKABLE_CHOICES = [(outcome.value, OUTCOME_LABELS[outcome]) for outcome in MARKABLE]


def status_after(outcome: Outcome) -> CallStatus:
    """The final status that an outcome gives a call that is not tried again."""
    if outcome in COMPLETED_BY:
        return CallStatus.COMPLETED
    return CallStatus.CANCELED if outcome == Outcome.CANCELED_BY_USER else CallStatus.FAILED
