"""How the demo's past calls went: what rang, who answered, what was said."""

from dataclasses import dataclass
from typing import Literal

from temphone.telephony.messages import Analysis, AnsweredBy, EndedBy, Outcome

Said = tuple[Literal["agent", "callee"], str]  # what the agent says may be named as in its script


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One dial as it went."""

    outcome: Outcome
    ring_s: float = 4.0
    answered_by: AnsweredBy | None = None
    ended_by: EndedBy = EndedBy.AGENT
    cause: str = ""
    turns: tuple[Said, ...] = ()
    analysis: Analysis | None = None


HELLO: tuple[Said, ...] = (("callee", "Hello?"), ("agent", "preface"), ("agent", "message"))
BYE: Said = ("agent", "goodbye")

AGREED = Told(
    outcome=Outcome.MESSAGE_DELIVERED,
    answered_by=AnsweredBy.HUMAN,
    turns=(*HELLO, ("callee", "Yes, that works for me, thank you."), BYE),
)
THANKED = Told(
    outcome=Outcome.MESSAGE_DELIVERED,
    ring_s=7.0,
    answered_by=AnsweredBy.HUMAN,
    turns=(*HELLO, ("callee", "Okay, great, thanks for letting me know."), BYE),
)
MOVED = Told(
    outcome=Outcome.ANSWERED_HUMAN,
    ring_s=6.0,
    answered_by=AnsweredBy.HUMAN,
    turns=(
        *HELLO,
        ("callee", "That week is difficult for me. Could we talk about it on Friday instead?"),
        ("agent", "Of course. Would the morning or the afternoon be better?"),
        ("callee", "The morning, please. Around ten."),
        ("agent", "I have noted Friday morning, around ten. Is there anything that we should bring?"),
        ("callee", "Just the price list. Thank you!"),
        BYE,
    ),
    analysis=Analysis(
        engine="rules",
        summary="They heard the message and want to talk about it on Friday morning, around ten; "
        "they asked for the price list.",
        extracted={"comes": False, "part": "morning"},
    ),
)
KEPT = Told(
    outcome=Outcome.ANSWERED_HUMAN,
    ring_s=5.0,
    answered_by=AnsweredBy.HUMAN,
    turns=(
        *HELLO,
        ("callee", "Yes, please. But can you send the papers to my new address?"),
        ("agent", "Of course. Is it the one in Harbour Street, or a newer one?"),
        ("callee", "Harbour Street is right, number twelve."),
        ("agent", "Then the papers go to Harbour Street 12 today. Is there anything else?"),
        ("callee", "No, that is all. Thanks for calling!"),
        BYE,
    ),
    analysis=Analysis(
        engine="rules",
        summary="They keep the plan, and want the papers sent to Harbour Street 12.",
    ),
)
VOICEMAIL = Told(
    outcome=Outcome.VOICEMAIL_LEFT,
    ring_s=18.0,
    answered_by=AnsweredBy.VOICEMAIL,
    turns=(
        ("callee", "Hi, you have reached Alex. Please leave a message after the tone."),
        ("agent", "voicemail_message"),
    ),
)
OPTED_OUT = Told(
    outcome=Outcome.OPTED_OUT,
    answered_by=AnsweredBy.HUMAN,
    turns=(*HELLO, ("callee", "Please stop calling me."), ("agent", "opt_out_confirmation")),
)
CALLBACK = Told(
    outcome=Outcome.CALLBACK_REQUESTED,
    answered_by=AnsweredBy.HUMAN,
    turns=(*HELLO, ("callee", "I am in a meeting. Can you call me tomorrow?"), BYE),
)
WRONG_PERSON = Told(
    outcome=Outcome.WRONG_PERSON,
    answered_by=AnsweredBy.HUMAN,
    turns=(*HELLO, ("callee", "Sorry, I think you have the wrong number."), BYE),
)
HUNG_UP = Told(
    outcome=Outcome.MESSAGE_INCOMPLETE,
    answered_by=AnsweredBy.HUMAN,
    ended_by=EndedBy.CALLEE,
    turns=HELLO,
)
SCREENED = Told(
    outcome=Outcome.SCREENED,
    answered_by=AnsweredBy.SCREENING,
    ended_by=EndedBy.CALLEE,
    turns=(
        ("callee", "This is a call screening service. Please say your name and why you are calling."),
        ("agent", "screening_message"),
    ),
)
BUSY = Told(outcome=Outcome.BUSY, ring_s=0.0, ended_by=EndedBy.CARRIER, cause="486 Busy Here")
NO_ANSWER = Told(
    outcome=Outcome.NO_ANSWER, ring_s=30.0, ended_by=EndedBy.SYSTEM, cause="487 Request Terminated"
)
CARRIER_ERROR = Told(
    outcome=Outcome.CARRIER_ERROR, ring_s=0.0, ended_by=EndedBy.CARRIER, cause="408 Request Timeout"
)
