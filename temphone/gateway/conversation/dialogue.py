"""What the AI says in one call, from the answer to the goodbye.

A dialogue is a generator: it yields its next move, and is sent what was heard. It knows no line and no
clock, so it reads from top to bottom, and any leg can drive it. What ends the script from anywhere
(an opt-out, a wrong person, a callback, the end of the line) is an exception.
"""

from collections.abc import Generator
from typing import TypeVar

from temphone.gateway.conversation.answering import classify
from temphone.gateway.conversation.interruptions import (
    Concluded,
    LineOver,
    Mistaken,
    OptOutAsked,
    VoiceLost,
    attend,
    conclude,
)
from temphone.gateway.conversation.moves import (
    Classified,
    Evidence,
    Heard,
    Key,
    Listen,
    Move,
    Mute,
    OptedOut,
    Over,
    Result,
    Say,
    Silence,
    Speech,
    Tone,
)
from temphone.gateway.conversation.playbook import Playbook, matching
from temphone.gateway.conversation.understanding import asks_to_repeat
from temphone.telephony.messages import AnsweredBy, Branch, EndedBy, Outcome, Script, Step

T = TypeVar("T")
Part = Generator[Move, Heard | None, T]
Answer = Speech | Key

GREETING_WAIT_S = 1.5  # who says nothing for so long is taken for a human who waits
TONE_WAIT_S = 3.0  # after a voicemail's greeting; some have no beep
CONFIRM_WAIT_S = 5.0
REMINDER_AFTER_S = 10.0
END_AFTER_S = 30.0
SCREENING_WAIT_S = 30.0
TRIES = 3  # how often a text is begun when the callee cuts in


class Conversation:
    """One conversation by a script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._answered_by: AnsweredBy | None = None
        self._decided: Outcome | None = None
        self._evidence: Evidence = {}
        self._delivered = False
        self._conversed = False
        self._reminded = False

    def run(self) -> Part[Result]:
        """The moves, in turn; returns how it came out. The first is to be fetched by sending None."""
        by = EndedBy.AGENT
        try:
            yield from self._talk()
        except LineOver as over:
            by = over.by
        except VoiceLost as lost:
            self._evidence = {**self._evidence, "voice_lost": lost.problem}
            return self._result(self._outcome(by), EndedBy.SYSTEM)
        return self._result(self._outcome(by), by)

    def _result(self, outcome: Outcome, by: EndedBy) -> Result:
        return Result(
            outcome=self._decided or outcome,
            ended_by=by,
            answered_by=self._answered_by,
            evidence=self._evidence,
        )

    def _outcome(self, by: EndedBy) -> Outcome:
        machines = {
            AnsweredBy.SCREENING: Outcome.SCREENED,
            AnsweredBy.IVR: Outcome.IVR,
            AnsweredBy.VOICEMAIL: Outcome.VOICEMAIL_LEFT if self._delivered else Outcome.VOICEMAIL_HUNGUP,
        }
        if by is EndedBy.SYSTEM:
            return Outcome.MAX_DURATION
        if self._answered_by in machines and by is not EndedBy.STAFF:
            return machines[self._answered_by]
        if not self._delivered:
            return Outcome.MESSAGE_INCOMPLETE
        if self._conversed and self._script.mode == "converse" and by is not EndedBy.STAFF:
            return Outcome.ANSWERED_HUMAN
        return Outcome.MESSAGE_DELIVERED

    def _decide(self, outcome: Outcome, evidence: Evidence) -> None:
        self._decided, self._evidence = outcome, evidence

    def _talk(self) -> Part[None]:
        try:
            yield from self._until_concluded()
        except OptOutAsked as asked:
            self._decide(Outcome.OPTED_OUT, asked.evidence)
            yield OptedOut(asked.evidence)
            yield from self._recite(self._script.opt_out_confirmation)
            yield from self._recite(self._script.goodbye)

    def _until_concluded(self) -> Part[None]:
        try:
            yield from self._open()
        except Concluded as end:
            self._decide(end.outcome, end.evidence)
            yield from self._say_goodbye()

    def _open(self) -> Part[None]:
        greeting: Answer | Tone | Silence | None = yield from self._listen(GREETING_WAIT_S)
        while greeting:
            greeting = yield from self._meet_anew(greeting)

    def _meet_anew(self, greeting: Answer | Tone | Silence) -> Part[Speech | Tone | None]:
        """What showed in between that it is somebody else."""
        try:
            yield from self._meet(greeting)
        except Mistaken as mistaken:
            return mistaken.heard
        return None

    def _meet(self, greeting: Answer | Tone | Silence) -> Part[None]:
        """Find out who is there and treat them accordingly."""
        who = AnsweredBy.VOICEMAIL if isinstance(greeting, Tone) else AnsweredBy.HUMAN
        if isinstance(greeting, Speech):
            who = classify(greeting)
            self._evidence = greeting.evidence if who is not AnsweredBy.HUMAN else {}
        self._answered_by = who
        yield Classified(who)
        if who in {AnsweredBy.HUMAN, AnsweredBy.UNKNOWN}:
            self._conclude(greeting)
            yield from self._speak_with_human()
        elif who is AnsweredBy.VOICEMAIL:
            yield from self._leave_message(greeting)
        elif who is AnsweredBy.SCREENING:
            yield from self._pass_screening()

    def _leave_message(self, heard: Heard | None) -> Part[None]:
        if not self._script.voicemail_message:
            return
        while isinstance(heard, Speech | Key):
            heard = yield Listen(TONE_WAIT_S)
            attend(heard)
        self._delivered = yield from self._say(self._script.voicemail_message)

    def _pass_screening(self) -> Part[None]:
        yield from self._say(self._script.screening_message)
        heard = yield from self._listen(SCREENING_WAIT_S)
        while isinstance(heard, Speech) and classify(heard) is AnsweredBy.SCREENING:
            heard = yield from self._listen(SCREENING_WAIT_S)
        if not isinstance(heard, Silence):
            yield from self._meet(heard)

    def _speak_with_human(self) -> Part[None]:
        yield from self._say(self._script.preface)
        self._delivered = yield from self._say(self._script.message)
        if self._script.mode == "deliver":
            yield from self._confirm()
        else:
            yield from self._follow(Playbook(self._script.steps))
        self._conclude((yield from self._say_goodbye()))

    def _confirm(self) -> Part[None]:
        heard = yield from self._listen(CONFIRM_WAIT_S)
        self._conclude(heard)
        if isinstance(heard, Speech) and asks_to_repeat(heard.text):
            yield from self._say(self._script.message)

    def _follow(self, playbook: Playbook) -> Part[None]:
        step: Step | None = playbook.first
        while step is not None:
            branch = yield from self._take(step)
            if branch is None:
                return
            yield from self._say(branch.say)
            step = playbook.after(branch)

    def _take(self, step: Step) -> Part[Branch | None]:
        """Ask, and a second time when the answer leads nowhere; None when nothing leads on."""
        for text in (step.say, step.say or self._script.message):
            answer = yield from self._ask(text)
            if answer is None:
                return None
            if branch := matching(step.branches, answer.text):
                return self._chosen(branch, answer)
            self._conclude(answer)
            if step.otherwise and not asks_to_repeat(answer.text):
                return self._chosen(step.otherwise, answer)
        return step.otherwise

    def _chosen(self, branch: Branch, answer: Answer) -> Branch:
        if branch.outcome is Outcome.OPTED_OUT:
            raise OptOutAsked(answer.evidence)
        if branch.outcome is not None:
            self._decide(branch.outcome, answer.evidence)
        return branch

    def _ask(self, text: str) -> Part[Answer | None]:
        """Say it and listen; an answer that cuts in counts. None when they stay silent to the end."""
        heard = yield from self._speak(text)
        if not isinstance(heard, Speech | Key):
            heard = yield from self._listen(END_AFTER_S if self._reminded else REMINDER_AFTER_S)
        if isinstance(heard, Silence) and not self._reminded:
            heard = yield from self._remind()
        if isinstance(heard, Silence):
            return None
        self._conversed = True
        if self._decided is None:
            self._evidence = heard.evidence
        return heard

    def _remind(self) -> Part[Answer | Silence]:
        self._reminded = True
        heard = yield from self._speak(self._script.silence_reminder)
        if isinstance(heard, Speech | Key):
            return heard
        return (yield from self._listen(END_AFTER_S - REMINDER_AFTER_S))

    def _say_goodbye(self) -> Part[Heard | None]:
        """Say it, and hear out who began to speak before its end."""
        heard = yield from self._speak(self._script.goodbye)
        return heard or (yield from self._listen(0.0))

    def _listen(self, timeout_s: float) -> Part[Answer | Silence]:
        heard: Heard | None = Tone()
        while isinstance(heard, Tone):
            heard = yield Listen(timeout_s)
            attend(heard)
        return heard if isinstance(heard, Speech | Key) else Silence()

    def _say(self, text: str) -> Part[bool]:
        """Say it to its end, beginning again when the callee cuts in; whether it came to its end."""
        for _ in range(TRIES):
            heard = yield from self._speak(text)
            if heard is None:
                return True
            self._conclude(heard)
        return False

    def _speak(self, text: str) -> Part[Heard | None]:
        """Say it until something cuts in."""
        if not text:
            return None
        heard = yield Say(text)
        attend(heard)
        return heard

    def _recite(self, text: str) -> Part[None]:
        """Say it once, whatever they say; a key that is pressed again and again does not silence it."""
        heard: Heard | None = Key("")
        tries = TRIES if text else 0
        while tries and isinstance(heard, Key):
            heard = yield Say(text)
            tries -= 1
        if isinstance(heard, Over | Mute):
            attend(heard)

    def _conclude(self, heard: Heard | None) -> None:
        """End the script if they are the wrong person or want a callback; a machine's words do not count."""
        if self._answered_by in {AnsweredBy.HUMAN, AnsweredBy.UNKNOWN}:
            conclude(heard)
