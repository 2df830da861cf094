"""What the AI says in one call, from the answer to the goodbye.

A dialogue is a generator: it yields its next move, and is sent what was heard. It knows no line and no
clock, so it reads from top to bottom, and any leg can drive it. What ends the script from anywhere
(an opt-out, a wrong person, a callback, the end of the line) is an exception.
"""

from temphone.gateway.conversation.answering import asks_who_calls, classify
from temphone.gateway.conversation.following import follow
from temphone.gateway.conversation.interruptions import (
    Concluded,
    LineOver,
    Mistaken,
    OptOutAsked,
    VoiceLost,
    attend,
)
from temphone.gateway.conversation.moves import (
    Answer,
    Classified,
    Heard,
    Key,
    Listen,
    OptedOut,
    Part,
    Result,
    Silence,
    Speech,
    Tone,
    heard_in,
)
from temphone.gateway.conversation.playbook import Playbook
from temphone.gateway.conversation.reasoning import ModelLost, reason
from temphone.gateway.conversation.talking import TRIES, Talk
from temphone.telephony.messages import AnsweredBy, EndedBy, Outcome, Script
from temphone.telephony.sentences import sentences_in
from temphone.telephony.understanding import asks_to_repeat

GREETING_WAIT_S = 1.5  # who says nothing for so long is taken for a human who waits
TONE_WAIT_S = 3.0  # after a voicemail's greeting; some have no beep
CONFIRM_WAIT_S = 5.0
SCREENING_WAIT_S = 30.0


class Conversation:
    """One conversation by a script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._talk = Talk(script)
        self._delivered = False

    def run(self) -> Part[Result]:
        """The moves, in turn; returns how it came out. The first is to be fetched by sending None."""
        by = EndedBy.AGENT
        try:
            yield from self._converse()
        except LineOver as over:
            by = over.by
        except VoiceLost as lost:
            self._talk.evidence = {**self._talk.evidence, "voice_lost": lost.problem}
            return self._result(self._outcome(by), EndedBy.SYSTEM)
        return self._result(self._outcome(by), by)

    def _result(self, outcome: Outcome, by: EndedBy) -> Result:
        return Result(
            outcome=self._talk.decided or outcome,
            ended_by=by,
            answered_by=self._talk.answered_by,
            evidence=self._talk.evidence,
            fields=self._talk.fields,
        )

    def _outcome(self, by: EndedBy) -> Outcome:
        who = self._talk.answered_by
        machines = {
            AnsweredBy.SCREENING: Outcome.SCREENED,
            AnsweredBy.IVR: Outcome.IVR,
            AnsweredBy.VOICEMAIL: Outcome.VOICEMAIL_LEFT if self._delivered else Outcome.VOICEMAIL_HUNGUP,
        }
        if by is EndedBy.SYSTEM:
            return Outcome.MAX_DURATION
        if who in machines and by is not EndedBy.STAFF:
            return machines[who]
        if not self._delivered:
            return Outcome.MESSAGE_INCOMPLETE
        if self._talk.conversed and self._script.mode == "converse" and by is not EndedBy.STAFF:
            return Outcome.ANSWERED_HUMAN
        return Outcome.MESSAGE_DELIVERED

    def _converse(self) -> Part[None]:
        try:
            yield from self._until_concluded()
        except OptOutAsked as asked:
            self._talk.decide(Outcome.OPTED_OUT, asked.evidence)
            yield OptedOut(asked.evidence)
            yield from self._talk.recite(self._script.opt_out_confirmation)
            yield from self._talk.recite(self._script.goodbye)

    def _until_concluded(self) -> Part[None]:
        try:
            yield from self._open()
        except Concluded as end:
            self._talk.decide(end.outcome, end.evidence)
            yield from self._say_goodbye()

    def _open(self) -> Part[None]:
        greeting: Answer | Tone | Silence | None = yield from self._talk.listen(GREETING_WAIT_S)
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
            self._talk.evidence = greeting.evidence if who is not AnsweredBy.HUMAN else {}
        self._talk.answered_by = who
        yield Classified(who)
        if who in {AnsweredBy.HUMAN, AnsweredBy.UNKNOWN}:
            self._talk.conclude(greeting)
            yield from self._speak_with_human()
        elif who is AnsweredBy.VOICEMAIL:
            yield from self._leave_message(greeting)
        elif who is AnsweredBy.SCREENING:
            yield from self._pass_screening()

    def _leave_message(self, heard: Heard | None) -> Part[None]:
        if not self._script.voicemail_message:
            return
        while isinstance(heard, Speech | Key):
            heard = heard_in((yield Listen(TONE_WAIT_S)))
            attend(heard)
        self._delivered = yield from self._talk.say(self._script.voicemail_message)

    def _pass_screening(self) -> Part[None]:
        """Say who calls and why, and again if it asks again; whom it puts through is met anew."""
        yield from self._talk.say(self._script.screening_message)
        heard = yield from self._talk.listen(SCREENING_WAIT_S)
        times_said = 1
        while isinstance(heard, Speech) and classify(heard) is AnsweredBy.SCREENING:
            if times_said < TRIES and asks_who_calls(heard):
                yield from self._talk.say(self._script.screening_message)
                times_said += 1
            heard = yield from self._talk.listen(SCREENING_WAIT_S)
        if not isinstance(heard, Silence):
            yield from self._meet(heard)

    def _speak_with_human(self) -> Part[None]:
        if not (yield from self._talk.say(self._script.preface)):
            # Who calls, that it is an AI, the recording: without it nothing else is said.
            self._talk.conclude((yield from self._say_goodbye()))
            return
        self._delivered = yield from self._talk.say(self._script.message)
        if self._script.mode == "deliver":
            yield from self._confirm()
        elif self._script.llm is None:
            yield from follow(self._talk, Playbook(self._script.steps))
        else:
            yield from self._reason()
        self._talk.conclude((yield from self._say_goodbye()))

    def _say_goodbye(self) -> Part[Heard | None]:
        """Say it, and hear out who began to speak before its end."""
        heard = yield from self._talk.speak(self._script.goodbye)
        return heard or (yield from self._talk.listen(0.0))

    def _reason(self) -> Part[None]:
        """By the model; the playbook takes over where it fails."""
        if self._script.llm is None:
            return
        try:
            yield from reason(self._talk, self._script.llm)
        except ModelLost:
            if self._script.steps:
                yield from follow(self._talk, Playbook(self._script.steps))
            else:
                yield from self._talk.speak(sentences_in(self._script.language).no_answer_now)

    def _confirm(self) -> Part[None]:
        heard = yield from self._talk.listen(CONFIRM_WAIT_S)
        self._talk.conclude(heard)
        if isinstance(heard, Speech) and asks_to_repeat(heard.text):
            yield from self._talk.say(self._script.message)
