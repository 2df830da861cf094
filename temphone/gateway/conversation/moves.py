"""What passes between a conversation and the line: what was heard, what to do next, how it came out.

Offsets count from the answer.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from temphone.telephony.messages import AnsweredBy, EndedBy, Outcome, Tool

T = TypeVar("T")
Evidence = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Speech:
    """The callee said something and finished.

    What a deaf engine did not understand is no silence: the text is what it did understand, if anything.
    """

    text: str
    offset_ms: int = 0
    lasts_ms: int = 0  # from their first sound to their last; 0: not known
    understood: bool = True

    @property
    def evidence(self) -> Evidence:
        """What shows it."""
        if self.understood:
            return {"said": self.text, "offset_ms": self.offset_ms}
        return {"said": self.text, "offset_ms": self.offset_ms, "not_understood_ms": self.lasts_ms}


@dataclass(frozen=True, slots=True)
class Key:
    """The callee pressed a key: 0 to 9, * or #."""

    digit: str
    offset_ms: int = 0

    @property
    def text(self) -> str:
        """What a playbook's phrases are compared with."""
        return self.digit

    @property
    def evidence(self) -> Evidence:
        """What shows it."""
        return {"pressed": self.digit, "offset_ms": self.offset_ms}


@dataclass(frozen=True, slots=True)
class Tone:
    """The beep of a voicemail."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing, for as long as was listened."""


@dataclass(frozen=True, slots=True)
class Over:
    """The connection has ended, and who ended it; SYSTEM means the maximum duration."""

    by: EndedBy


@dataclass(frozen=True, slots=True)
class Mute:
    """Our own voice fails, and why: nothing can be said any more."""

    problem: str


Heard = Speech | Key | Tone | Silence | Over | Mute
Answer = Speech | Key


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that the language model does; ``id`` is its own name for it."""

    id: str
    tool: Tool
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sentence:
    """The language model's next sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The language model has finished its answer, with what it does."""

    deeds: tuple[Deed, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """The language model gives no more, and why not."""

    problem: str


Thought = Sentence | Done | Lost


@dataclass(frozen=True, slots=True)
class Line:
    """What the language model is told was said or done."""

    speaker: Literal["agent", "callee", "tool"]
    text: str
    deeds: tuple[Deed, ...] = ()  # of the agent
    answers: str = ""  # a tool's: the id of the deed


@dataclass(frozen=True, slots=True)
class Say:
    """Speak; answered by what cut in, or None when it was spoken to its end."""

    text: str


@dataclass(frozen=True, slots=True)
class Listen:
    """Listen until something is heard, or nothing for so long."""

    timeout_s: float


@dataclass(frozen=True, slots=True)
class Classified:
    """Report who answered."""

    answered_by: AnsweredBy


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Report an opt-out, and go on when it is safely known."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Note:
    """Report something that whoever reads of the call should know."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Think:
    """Have the language model answer; answered by its first Thought. Drops what it was thinking before."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ThinkOn:
    """Answered by the next Thought of the same answer."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand them over to this E.164 number; answered by Over when the network took them, else by None."""

    to: str


Move = Say | Listen | Classified | OptedOut | Note | Think | ThinkOn | Transfer
Part = Generator[Move, Heard | Thought | None, T]


def heard_in(answer: Heard | Thought | None) -> Heard | None:
    """What the line answered to a move."""
    return None if isinstance(answer, Sentence | Done | Lost) else answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How the conversation came out."""

    outcome: Outcome
    ended_by: EndedBy
    answered_by: AnsweredBy | None
    evidence: Evidence = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)  # what the playbook noted, by question
