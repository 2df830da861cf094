"""To speak and to listen, as every part of a conversation does it, and what it has come to so far."""

from temphone.gateway.conversation.interruptions import attend, conclude
from temphone.gateway.conversation.moves import (
    Answer,
    Evidence,
    Heard,
    Key,
    Listen,
    Mute,
    Over,
    Part,
    Say,
    Silence,
    Speech,
    Tone,
    heard_in,
)
from temphone.telephony.messages import AnsweredBy, Outcome, Script

REMINDER_AFTER_S = 10.0
END_AFTER_S = 30.0
TRIES = 3  # how often a text is begun when the callee cuts in


class Talk:
    """The talk with one callee by a script. What must end it from anywhere is raised (see interruptions)."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.answered_by: AnsweredBy | None = None
        self.decided: Outcome | None = None
        self.evidence: Evidence = {}
        self.fields: dict[str, str] = {}
        self.conversed = False
        self._reminded = False

    def decide(self, outcome: Outcome, evidence: Evidence) -> None:
        """Settle how it comes out, unless something stronger is said later."""
        self.decided, self.evidence = outcome, evidence

    def ask(self, text: str) -> Part[Answer | None]:
        """Say it and listen; an answer that cuts in counts. None when they stay silent to the end."""
        heard = yield from self.speak(text)
        if not isinstance(heard, Speech | Key):
            heard = yield from self.listen(END_AFTER_S if self._reminded else REMINDER_AFTER_S)
        if isinstance(heard, Silence) and not self._reminded:
            heard = yield from self._remind()
        if isinstance(heard, Silence):
            return None
        self.note_answer(heard)
        return heard

    def note_answer(self, heard: Answer) -> None:
        """They take part; what they said last is the evidence of it."""
        self.conversed = True
        if self.decided is None:
            self.evidence = heard.evidence

    def _remind(self) -> Part[Answer | Silence]:
        self._reminded = True
        heard = yield from self.speak(self.script.silence_reminder)
        if isinstance(heard, Speech | Key):
            return heard
        return (yield from self.listen(END_AFTER_S - REMINDER_AFTER_S))

    def listen(self, timeout_s: float) -> Part[Answer | Silence]:
        """What they say or press; a beep is passed over."""
        heard: Heard | None = Tone()
        while isinstance(heard, Tone):
            heard = heard_in((yield Listen(timeout_s)))
            attend(heard)
        return heard if isinstance(heard, Speech | Key) else Silence()

    def say(self, text: str) -> Part[bool]:
        """Say it to its end, beginning again when the callee cuts in; whether it came to its end."""
        for _ in range(TRIES):
            heard = yield from self.speak(text)
            if heard is None:
                return True
            self.conclude(heard)
        return False

    def speak(self, text: str) -> Part[Heard | None]:
        """Say it until something cuts in."""
        if not text:
            return None
        heard = heard_in((yield Say(text)))
        attend(heard)
        return heard

    def recite(self, text: str) -> Part[None]:
        """Say it once, whatever they say; a key that is pressed again and again does not silence it."""
        heard: Heard | None = Key("")
        tries = TRIES if text else 0
        while tries and isinstance(heard, Key):
            heard = heard_in((yield Say(text)))
            tries -= 1
        if isinstance(heard, Over | Mute):
            attend(heard)

    def conclude(self, heard: Heard | None) -> None:
        """End the script if they are the wrong person or want a callback; a machine's words do not count."""
        if self.answered_by in {AnsweredBy.HUMAN, AnsweredBy.UNKNOWN}:
            conclude(heard)
