"""The simulated callees: who answers at which number, and what they do.

+1-415-555-01NN chooses the story. Every other number, anywhere, is a polite human. Speech takes its
length at ``CHARS_PER_S``; nothing here knows how fast the simulation runs.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from temphone.gateway.conversation.moves import Key, Over, Speech, Tone
from temphone.telephony.messages import EndedBy, Outcome

CHARS_PER_S = 15.0
STORY_NUMBERS = "+141555501"
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that the callee does, after thinking for ``after_s``.

    With ``during`` they do not wait for their turn: they cut in halfway through that text of the script.
    """

    act: Speech | Key | Tone | Over
    after_s: float = 0.6
    during: Literal["preface", "message"] | None = None
    lasts_s: float | None = None

    @property
    def duration_s(self) -> float:
        """How long they take to do it."""
        if self.lasts_s is not None:
            return self.lasts_s
        return len(self.act.text) / CHARS_PER_S if isinstance(self.act, Speech) else 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why nobody answers."""

    outcome: Outcome
    by: EndedBy
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One callee. After the last of the lines they say ``then``, as often as they are listened to."""

    waits_s: float = 3.0  # from the dial to the answer, or to the failure
    rings: bool = True  # whether the phone is heard to ring
    failure: Failure | None = None
    lines: tuple[Line, ...] = ()
    then: Line | None = None


GREETINGS = ("Hello?", "Hello, speaking.", "Hi, who is this?", "Yes, hello?")
REPLIES = (
    "Yes, that works for me, thank you.",
    "Sure, that sounds good.",
    "Okay, great, thanks for letting me know.",
    "Yes, that is fine with me.",
)
CLOSINGS = ("Okay, thank you.", "Yes, all right.", "Sure, thanks.")
HELLO = Line(Speech("Hello?"))
HANGS_UP = Line(Over(EndedBy.CALLEE))

NO_ANSWER = Failure(outcome=Outcome.NO_ANSWER, by=EndedBy.SYSTEM, cause="487 Request Terminated")

STORIES = {
    "01": Story(
        lines=(
            Line(Speech("Hi, you have reached Alex. Please leave a message after the tone.")),
            Line(Tone(), after_s=1.0),
        ),
    ),
    "02": Story(
        waits_s=1.0,
        rings=False,
        failure=Failure(outcome=Outcome.BUSY, by=EndedBy.CARRIER, cause="486 Busy Here"),
    ),
    "03": Story(waits_s=DAY_S, failure=NO_ANSWER),
    "04": Story(
        lines=(
            Line(Speech("This is a call screening service. Please say your name and why you are calling.")),
            replace(HANGS_UP, after_s=2.0),
        ),
    ),
    "05": Story(lines=(HELLO, Line(Speech("Please stop calling me.")))),
    "06": Story(
        waits_s=DAY_S,
        rings=False,
        failure=Failure(outcome=Outcome.CARRIER_ERROR, by=EndedBy.CARRIER, cause="408 Request Timeout"),
    ),
    "07": Story(lines=(HELLO, replace(HANGS_UP, during="message"))),
    "08": Story(lines=(HELLO, Line(Speech("I am in a meeting. Can you call me tomorrow?")))),
    "09": Story(lines=(HELLO, Line(Speech("Sorry, I think you have the wrong number.")))),
    "10": Story(lines=(HELLO, Line(Key("9"), during="message"))),
    "11": Story(
        waits_s=2.0,
        failure=Failure(outcome=Outcome.REJECTED, by=EndedBy.CALLEE, cause="603 Decline"),
    ),
    "12": Story(
        waits_s=0.5,
        rings=False,
        failure=Failure(outcome=Outcome.INVALID_NUMBER, by=EndedBy.CARRIER, cause="404 Not Found"),
    ),
    "13": Story(),
    "14": Story(
        lines=(Line(Speech("Thank you for calling. For sales, press one. For support, press two.")),),
    ),
    "15": Story(lines=(HELLO, Line(Speech("Let me tell you a long story."), lasts_s=DAY_S))),
}


def has_story(number: str) -> bool:
    """Whether this E.164 number is one of the stories'."""
    return number.startswith(STORY_NUMBERS) and len(number) == len(STORY_NUMBERS) + 2


def story_for(number: str, attempt_id: str) -> Story:
    """The callee at this E.164 number; the same for the same attempt, however often it is asked."""
    if has_story(number):
        return STORIES.get(number[-2:]) or polite_human(attempt_id)
    return polite_human(attempt_id)


def polite_human(attempt_id: str) -> Story:
    """Somebody friendly; the attempt's id chooses their words and their pace."""
    dice = hashlib.sha256(attempt_id.encode()).digest()
    return Story(
        waits_s=2.0 + dice[0] / 128,
        lines=(
            Line(Speech(GREETINGS[dice[1] % len(GREETINGS)]), after_s=0.3 + dice[2] / 400),
            Line(Speech(REPLIES[dice[3] % len(REPLIES)]), after_s=0.3 + dice[4] / 400),
        ),
        then=Line(Speech(CLOSINGS[dice[5] % len(CLOSINGS)]), after_s=0.3 + dice[6] / 400),
    )
