"""What crosses the carrier port, and its form on the wire between Django and the gateway.

Everything is small, frozen and checked when decoded (msgspec): a message of the wrong shape raises
``msgspec.ValidationError``. Instants are aware UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

import msgspec

T = TypeVar("T")
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]  # a naive one is refused when decoded


class Outcome(StrEnum):
    """How an attempt ended, for the business. The table of DESIGN says what each does to the call."""

    MESSAGE_DELIVERED = "message_delivered"
    ANSWERED_HUMAN = "answered_human"
    OPTED_OUT = "opted_out"
    WRONG_PERSON = "wrong_person"
    CALLBACK_REQUESTED = "callback_requested"
    TRANSFERRED = "transferred"
    VOICEMAIL_LEFT = "voicemail_left"
    MAX_DURATION = "max_duration"
    VOICEMAIL_HUNGUP = "voicemail_hungup"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    CARRIER_ERROR = "carrier_error"
    REJECTED = "rejected"
    SCREENED = "screened"
    IVR = "ivr"
    INVALID_NUMBER = "invalid_number"
    UNKNOWN = "unknown"
    MESSAGE_INCOMPLETE = "message_incomplete"
    EXPIRED = "expired"
    BLOCKED_CONSENT = "blocked_consent"
    BLOCKED_SUPPRESSED = "blocked_suppressed"
    BLOCKED_HOURS = "blocked_hours"
    BLOCKED_DESTINATION = "blocked_destination"
    SPEND_CAP = "spend_cap"
    CANCELED_BY_USER = "canceled_by_user"


class AnsweredBy(StrEnum):
    """Who or what answered. Not known yet is None, never a hopeful default."""

    HUMAN = "human"
    VOICEMAIL = "voicemail"
    SCREENING = "screening"
    IVR = "ivr"
    UNKNOWN = "unknown"


class EndedBy(StrEnum):
    """Whose side ended the leg."""

    AGENT = "agent"
    CALLEE = "callee"
    STAFF = "staff"
    CARRIER = "carrier"
    SYSTEM = "system"


class RecordingProblem(StrEnum):
    """Why a call that was to be recorded was not."""

    DISK_FULL = "disk_full"
    DISK_ERROR = "disk_error"
    EMPTY = "empty"  # it ended before there was sound
    BROKEN = "broken"  # what arrived is no recording
    LOST = "lost"  # it began to arrive, and never came whole


class Tool(StrEnum):
    """What a language model may do in a call, beside speaking."""

    END_CALL = "end_call"
    OPT_OUT = "opt_out"
    CALLBACK = "callback"
    TRANSFER = "transfer"
    MARK_OUTCOME = "mark_outcome"


# What may be said of a call by whoever converses in it; how the line ended only the line can tell.
TOLD_OUTCOMES = (
    Outcome.ANSWERED_HUMAN,
    Outcome.MESSAGE_DELIVERED,
    Outcome.CALLBACK_REQUESTED,
    Outcome.WRONG_PERSON,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """An answer that a playbook's step expects, and where it leads."""

    phrases: tuple[str, ...]
    say: str = ""
    to: str | None = None
    outcome: Outcome | None = None
    transfer: str = ""  # the name of one of the script's transfers
    field: str = ""  # the name of a question that this answers
    value: str = ""  # with what; empty: with what they said


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move of a playbook: say it, then listen for one of the branches."""

    name: str
    say: str
    branches: tuple[Branch, ...] = ()
    otherwise: Branch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """What a language model is told, and what it may do. Whatever it may: opting out it always may."""

    text: str
    tools: tuple[Tool, ...] = ()
    turn_budget: Count = 12  # how often it answers; then comes the goodbye
    model: str = ""  # empty: the gateway's


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be learned in a call, by name."""

    name: str
    text: str
    type: Literal["text", "yes_no", "number", "date", "choice"] = "text"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What to say and how to converse. Every text is rendered already; none is scanned again."""

    mode: Literal["deliver", "converse"] = "converse"
    preface: str
    message: str
    voicemail_message: str
    screening_message: str
    goodbye: str
    opt_out_confirmation: str
    silence_reminder: str
    language: str = "en"
    notices_in: str = ""  # the language of what no agent writes (sentences), empty: as above
    voice: str = ""  # the speech engine's name of it; empty: its default
    steps: tuple[Step, ...] = ()
    transfers: Mapping[str, str] = field(default_factory=dict)  # E.164, by the name that is spoken
    llm: Instructions | None = None  # None: the steps are the conversation; else they stand in for the model
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRef:
    """One gateway: the identity of its ledger and where it listens."""

    ledger: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialRequest:
    """Ring one number once."""

    attempt_id: str  # ours; idempotency key; comes back in every event
    gateway: GatewayRef | None
    to: str  # E.164
    caller_id: str  # E.164
    ring_timeout_s: int  # dial to giving up
    max_duration_s: int  # answer to cut-off
    not_after: Instant  # the leg refuses to ring after this instant
    record: bool
    script: Script
    leg: Literal["simulated", "sip", "twilio"] = "simulated"
    trunk: str = ""  # the id of the trunk that carries it; the simulated network has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The carrier took the dial; events will follow."""

    attempt_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Surely not sent, and never will be. ``retry`` says whether a new attempt makes sense."""

    attempt_id: str
    cause: str
    retry: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """Perhaps ringing. Reconcile; never redial."""

    attempt_id: str
    cause: str


DialResult = Placed | Refused | Unsure


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRef:
    """Which leg: the attempt that it carries, and the gateway that has it."""

    attempt_id: str
    gateway: GatewayRef | None


class Sighting(StrEnum):
    """What a carrier knows of an attempt; the answer of ``Carrier.find``."""

    LIVE = "live"  # it has the attempt; events will follow
    ENDED = "ended"  # over; its last event is on its way
    NEVER = "never"  # never rang, and the carrier will refuse it for ever
    UNREACHABLE = "unreachable"  # could not be asked


class EventType(StrEnum):
    """What can happen to a leg, in this order; turns, opt-outs, classifications and notes in between.

    What was made of a call (analyzed) is the one thing that may follow its end.
    """

    ACCEPTED = "accepted"
    DIALING = "dialing"  # the network is about to be asked to ring; from here on it may have rung
    RINGING = "ringing"
    ANSWERED = "answered"
    CLASSIFIED = "classified"
    TURN = "turn"
    OPTED_OUT = "opted_out"
    NOTED = "noted"
    ENDED = "ended"
    ANALYZED = "analyzed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One thing said, by whom, at how many milliseconds after the answer."""

    speaker: Literal["agent", "callee"]
    text: str
    offset_ms: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What was made of a call: a sentence or two, and the answers to the script's questions by name."""

    engine: Literal["rules", "llm"]
    summary: str
    extracted: Mapping[str, str | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a leg ended, with what shows it."""

    outcome: Outcome
    ended_by: EndedBy
    hangup_cause: str = ""
    answered_by: AnsweredBy | None = None
    duration_s: Count = 0
    rang: bool = True  # False: surely no phone rang, and none will for this attempt
    evidence: Mapping[str, str | int] = field(default_factory=dict)
    analysis: Analysis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierEvent:
    """One event of one attempt. ``sequence`` counts from 1 without a gap, per attempt."""

    attempt_id: Name
    sequence: Count
    type: EventType
    at: Instant
    turn: Turn | None = None
    answered_by: AnsweredBy | None = None
    evidence: Mapping[str, str | int] = field(default_factory=dict)
    ending: Ending | None = None
    analysis: Analysis | None = None


# The wire. Each body names its kind, so that a signed body means one thing at one address only.


class Dial(msgspec.Struct, frozen=True, kw_only=True, tag="dial"):
    """Django to gateway: ``POST /dial``."""

    ledger: str
    requests: Sequence[DialRequest]


class HangUp(msgspec.Struct, frozen=True, kw_only=True, tag="hang_up"):
    """Django to gateway: ``POST /hang-up``. An attempt it does not know it refuses from now on."""

    ledger: str
    attempt_id: str


class Find(msgspec.Struct, frozen=True, kw_only=True, tag="find"):
    """Django to gateway: ``POST /find``. An attempt it does not know it refuses from now on.

    So the answer ``never`` is a proof that needs no clock: Django may make a new attempt at once.
    """

    ledger: str
    attempt_id: str


class Speak(msgspec.Struct, frozen=True, kw_only=True, tag="speak"):
    """Django to gateway: ``POST /speak``. How these texts would sound in a call, one after the other."""

    ledger: str
    texts: Sequence[str]
    language: str = "en"
    voice: str = ""  # as in a script


class Dialed(msgspec.Struct, frozen=True, kw_only=True, tag="dialed"):
    """The gateway's answer to Dial, in the order of its requests; no Unsure: it knows."""

    placed: Sequence[str] = ()
    refused: Sequence[Refused] = ()


class Found(msgspec.Struct, frozen=True, kw_only=True, tag="found"):
    """The gateway's answer to Find."""

    sighting: Sighting


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The gateway's answer to HangUp."""


class Spoken(msgspec.Struct, frozen=True, kw_only=True, tag="spoken"):
    """The gateway's answer to Speak: a WAV (base64 on the wire), or in plain words why there is none."""

    wav: bytes = b""
    problem: str = ""


class Events(msgspec.Struct, frozen=True, kw_only=True, tag="events"):
    """Gateway to Django: ``POST /carriers/gateway/events``, per attempt in the order of sequence."""

    ledger: str
    events: Sequence[CarrierEvent]


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True, tag="acknowledged"):
    """Django's answer to Events: per attempt, the highest sequence below which nothing is missing."""

    sequences: Mapping[str, int]


class SipTrunk(msgspec.Struct, frozen=True, kw_only=True, tag="sip"):
    """A SIP provider, as staff set it up."""

    id: Name
    lines: Count  # calls at once, over all gateways
    host: str
    port: Count
    transport: Literal["udp", "tcp", "tls"] = "udp"
    user: str = ""  # of the digest; empty: the provider knows us by our address
    password: str = ""
    registers: bool = False

    def __repr__(self) -> str:
        return f"SipTrunk({self.id!r})"  # the password goes into no log


class TwilioTrunk(msgspec.Struct, frozen=True, kw_only=True, tag="twilio"):
    """An account at Twilio, or at whoever speaks its API."""

    id: Name
    lines: Count
    account_sid: str
    auth_token: str
    api_url: str = "https://api.twilio.com"

    def __repr__(self) -> str:
        return f"TwilioTrunk({self.id!r})"  # the token goes into no log


Trunk = SipTrunk | TwilioTrunk


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkState:
    """How a trunk is at a gateway; ``problem`` in plain words when it is not ready."""

    ready: bool
    problem: str = ""
    most: int | None = None  # calls at once there over all trunks of its kind; None: its lines alone count


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag="heartbeat"):
    """Gateway to Django: ``POST /carriers/gateway/heartbeat``, every two seconds."""

    ledger: Name
    url: Annotated[str, msgspec.Meta(max_length=200)]
    version: Annotated[str, msgspec.Meta(max_length=40)]
    lines: Count  # legs that it can carry at once
    live: Count  # legs up now
    outbox: Count  # events not yet acknowledged
    legs: Sequence[str]  # the kinds of leg it has: simulated, sip, ...
    at: Instant  # its clock
    trunks: Mapping[str, TrunkState] = {}  # by id, of those it was told of
    speaks: bool = False  # whether it has engines of speech, and they work


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag="welcome"):
    """Django's answer to Heartbeat: its clock, and the trunks that a gateway is to have ready."""

    at: Instant
    trunks: Sequence[Trunk] = ()


class RecordingPart(msgspec.Struct, frozen=True, kw_only=True, tag="recording"):
    """Gateway to Django: ``POST /carriers/gateway/recording``. A piece of an attempt's finished recording.

    The whole is a WAV of ``total`` bytes; ``data`` (base64 on the wire) stands at ``offset`` in it. Without
    data it asks how far Django has it.
    """

    ledger: Name
    attempt_id: Name
    offset: Count
    total: Count
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]  # of the whole
    data: bytes = b""


class RecordingFailed(msgspec.Struct, frozen=True, kw_only=True, tag="recording_failed"):
    """Gateway to Django: ``POST /carriers/gateway/recording-failed``. There will be no recording."""

    ledger: Name
    attempt_id: Name
    problem: RecordingProblem


class Received(msgspec.Struct, frozen=True, kw_only=True, tag="received"):
    """Django's answer to RecordingPart and RecordingFailed: what the gateway does next with its file.

    more: go on from ``through``. kept: delete it, Django has it whole. unwanted: delete it, nobody may hear
    it any more. refused: keep it aside, Django will never take it; ``reason`` is for the log.
    """

    verdict: Literal["more", "kept", "unwanted", "refused"]
    through: Count = 0
    reason: str = ""


def encode(message: object) -> bytes:
    """The JSON of a message."""
    return msgspec.json.encode(message)


# What msgspec knows of a type it learns when the type is first decoded; two threads that do so at once crash
# the process (msgspec 0.22: a web server that was just started, SIGSEGV). So it learns here, in one thread.
DECODERS: Mapping[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind)
    for kind in (
        *(Dial, Dialed, HangUp, Done, Find, Found, Speak, Spoken),
        *(Events, Acknowledged, Heartbeat, Welcome),
        *(RecordingPart, RecordingFailed, Received),
        *(DialRequest, CarrierEvent),
    )
}


def decode(body: bytes, kind: type[T]) -> T:
    """The message of this kind in ``body``.

    Raises:
        msgspec.ValidationError: the shape is wrong, or it is another kind.
        msgspec.DecodeError: not JSON.
    """
    decoded: T = DECODERS[kind].decode(body)
    return decoded
