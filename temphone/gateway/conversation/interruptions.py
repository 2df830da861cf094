"""What ends a script from wherever it stands, as exceptions."""

from temphone.gateway.conversation.answering import is_machine_after_all
from temphone.gateway.conversation.moves import Evidence, Heard, Key, Mute, Over, Speech, Tone
from temphone.telephony.messages import EndedBy, Outcome
from temphone.telephony.understanding import asks_for_callback, asks_to_stop, is_wrong_person

OPT_OUT_KEY = "9"


class LineOver(Exception):
    """The connection has ended."""

    def __init__(self, by: EndedBy) -> None:
        super().__init__(by)
        self.by = by


class VoiceLost(Exception):
    """Our own voice fails; whatever is not said by now will not be."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Mistaken(Exception):
    """What was taken for a human is a machine."""

    def __init__(self, heard: Speech | Tone) -> None:
        super().__init__()
        self.heard = heard


class OptOutAsked(Exception):
    """They want no more calls."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__()
        self.evidence = evidence


class Concluded(Exception):
    """Nothing is left to say but goodbye."""

    def __init__(self, outcome: Outcome, evidence: Evidence) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.evidence = evidence


def attend(heard: Heard | None) -> None:
    """What holds at every moment of every call. Raises LineOver, VoiceLost, OptOutAsked."""
    match heard:
        case Over(by=by):
            raise LineOver(by)
        case Mute(problem=problem):
            raise VoiceLost(problem)
        case Key(digit=digit) if digit == OPT_OUT_KEY:
            raise OptOutAsked(heard.evidence)
        case Speech(text=text) if asks_to_stop(text):
            raise OptOutAsked(heard.evidence)


def conclude(heard: Heard | None) -> None:
    """What ends a script that did not expect it. Raises Concluded, Mistaken."""
    if isinstance(heard, Tone) or (isinstance(heard, Speech) and is_machine_after_all(heard)):
        raise Mistaken(heard)
    if not isinstance(heard, Speech):
        return
    if is_wrong_person(heard.text):
        raise Concluded(Outcome.WRONG_PERSON, heard.evidence)
    if asks_for_callback(heard.text):
        raise Concluded(Outcome.CALLBACK_REQUESTED, heard.evidence)
