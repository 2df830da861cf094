"""The states of calls, attempts and recordings, the ways between them, and what each outcome does."""

from django.db.models import TextChoices

from temphone.telephony.messages import AnsweredBy, Outcome, RecordingProblem


class CallStatus(TextChoices):
    """The public status; the specification's five."""

    SCHEDULED = "scheduled", "Scheduled"
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"


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

    DIALING = "dialing", "Dialing"
    RINGING = "ringing", "Ringing"
    ANSWERED = "answered", "Answered"
    ENDED = "ended", "Ended"
    UNKNOWN = "unknown", "Unknown"


LIVE = (AttemptState.DIALING, AttemptState.RINGING, AttemptState.ANSWERED)


class RecordingState(TextChoices):
    """Where the sound of an attempt is."""

    UPLOADING = "uploading", "On its way"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    DELETED = "deleted", "Deleted"


# As the end of "Was to be recorded, but ...".
RECORDING_PROBLEM_LABELS: dict[RecordingProblem, str] = {
    RecordingProblem.DISK_FULL: "the disk of the gateway was full",
    RecordingProblem.DISK_ERROR: "the disk of the gateway failed",
    RecordingProblem.EMPTY: "it ended before there was anything to hear",
    RecordingProblem.BROKEN: "what arrived from the gateway cannot be played",
    RecordingProblem.LOST: "it never arrived whole from the gateway",
}
RECORDING_PROBLEMS = [(problem.value, label) for problem, label in RECORDING_PROBLEM_LABELS.items()]

OUTCOME_LABELS: dict[Outcome, str] = {
    Outcome.MESSAGE_DELIVERED: "Message delivered",
    Outcome.ANSWERED_HUMAN: "Spoke with a person",
    Outcome.OPTED_OUT: "Opted out",
    Outcome.WRONG_PERSON: "Wrong person",
    Outcome.CALLBACK_REQUESTED: "Callback requested",
    Outcome.TRANSFERRED: "Transferred",
    Outcome.VOICEMAIL_LEFT: "Voicemail left",
    Outcome.MAX_DURATION: "Reached its maximum length",
    Outcome.VOICEMAIL_HUNGUP: "Voicemail, no message left",
    Outcome.NO_ANSWER: "No answer",
    Outcome.BUSY: "Busy",
    Outcome.CARRIER_ERROR: "Carrier error",
    Outcome.REJECTED: "Declined",
    Outcome.SCREENED: "Screened",
    Outcome.IVR: "Answered by a menu",
    Outcome.INVALID_NUMBER: "Number not in service",
    Outcome.UNKNOWN: "Unknown",
    Outcome.MESSAGE_INCOMPLETE: "Message not finished",
    Outcome.EXPIRED: "Too late to call",
    Outcome.BLOCKED_CONSENT: "Blocked: no consent",
    Outcome.BLOCKED_SUPPRESSED: "Blocked: do not call",
    Outcome.BLOCKED_HOURS: "Blocked: outside calling hours",
    Outcome.BLOCKED_DESTINATION: "Blocked: destination",
    Outcome.SPEND_CAP: "Blocked: spending limit",
    Outcome.CANCELED_BY_USER: "Canceled",
}
OUTCOME_CHOICES = [(outcome.value, label) for outcome, label in OUTCOME_LABELS.items()]

ANSWERED_BY_LABELS: dict[AnsweredBy, str] = {
    AnsweredBy.HUMAN: "A person",
    AnsweredBy.VOICEMAIL: "Voicemail",
    AnsweredBy.SCREENING: "Call screening",
    AnsweredBy.IVR: "A menu",
    AnsweredBy.UNKNOWN: "Unknown",
}
ANSWERED_BY_CHOICES = [(kind.value, label) for kind, label in ANSWERED_BY_LABELS.items()]

ANALYZED_BY_CHOICES = [("rules", "Rules"), ("llm", "Language model")]

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
