"""One attempt from the dial to the end: a leg, a conversation, and the journal of both."""

from temphone.gateway.conversation.analysing import by_model, by_rules, prompt
from temphone.gateway.conversation.dialogue import Conversation
from temphone.gateway.conversation.moves import (
    Classified,
    Heard,
    Key,
    Listen,
    Lost,
    Move,
    Note,
    OptedOut,
    Over,
    Result,
    Say,
    Speech,
    Think,
    ThinkOn,
    Thought,
    Transfer,
)
from temphone.gateway.journal import Journal
from temphone.gateway.legs.base import Failed, Leg
from temphone.gateway.outbox import Outbox
from temphone.gateway.thinking import Mind
from temphone.telephony.messages import AnsweredBy, DialRequest, EndedBy, Ending, EventType, Outcome, Turn

OPT_OUT_WAIT_S = 3.0  # of real time, however fast the simulation runs
HUNG_UP = "BYE"
STOPPED = "gateway_stopped"


class Call:
    """Drives one leg by one conversation."""

    def __init__(
        self, request: DialRequest, leg: Leg, journal: Journal, outbox: Outbox, *, mind: Mind
    ) -> None:
        self.attempt_id = request.attempt_id
        self._script = request.script
        self._leg = leg
        self._journal = journal
        self._outbox = outbox
        self._mind = mind
        self._turns: list[Turn] = []
        self._stopped = False

    async def run(self) -> None:
        """Ring, talk, and record the end."""
        try:
            await self._leg.ring()
            self._journal.record(EventType.RINGING)
            await self._leg.answer()
            self._journal.record(EventType.ANSWERED)
        except Failed as failed:
            self.end(
                Ending(
                    outcome=failed.outcome,
                    ended_by=failed.by,
                    hangup_cause=failed.cause,
                    rang=failed.rang,
                )
            )
        else:
            result = await self._converse()
            self._conclude(result)
            await self._analyze(result)

    def hang_up(self) -> None:
        """End it, whatever it does."""
        self._leg.hang_up()

    def stop(self) -> bool:
        """The gateway stops; whether that ends the call, which is on record as soon as ``run`` returns."""
        self._stopped = self._leg.stop()
        if self._stopped:
            self._mind.stop()
        return self._stopped

    def broke(self) -> None:
        """Record the end of a call that an error of ours stopped. It may have rung: never again."""
        self.end(Ending(outcome=Outcome.UNKNOWN, ended_by=EndedBy.SYSTEM, hangup_cause="gateway_error"))

    def end(self, ending: Ending) -> None:
        """Record the end and let go of the line."""
        self._leg.hang_up()
        self._journal.record(EventType.ENDED, ending=ending)

    def _conclude(self, result: Result) -> None:
        stopped = self._stopped and result.ended_by is EndedBy.STAFF
        self.end(
            Ending(
                outcome=result.outcome,
                ended_by=EndedBy.SYSTEM if stopped else result.ended_by,
                hangup_cause=STOPPED if stopped else HUNG_UP,
                answered_by=result.answered_by,
                duration_s=round(self._leg.offset_ms / 1000),
                evidence=result.evidence,
                analysis=by_rules(result, self._script.questions),
            )
        )

    async def _analyze(self, result: Result) -> None:
        """Have the language model read it again. The call has ended already, whatever becomes of this."""
        if self._script.llm is None or result.answered_by is not AnsweredBy.HUMAN:
            return
        questions = self._script.questions
        text = await self._mind.complete(prompt(self._turns, questions, self._script.language))
        if analysis := by_model(text, questions):
            self._journal.record(EventType.ANALYZED, analysis=analysis)

    async def _converse(self) -> Result:
        dialogue = Conversation(self._script).run()
        heard: Heard | Thought | None = None
        try:
            while True:
                heard = await self._do(dialogue.send(heard))
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            await self._mind.close()

    async def _do(self, move: Move) -> Heard | Thought | None:
        match move:
            case Say(text=text):
                return await self._say(text)
            case Listen(timeout_s=timeout_s):
                return self._note(await self._leg.listen(timeout_s))
            case Classified(answered_by=answered_by):
                self._journal.record(EventType.CLASSIFIED, answered_by=answered_by)
            case OptedOut(evidence=evidence):
                sequence = self._journal.record(EventType.OPTED_OUT, evidence=evidence)
                await self._outbox.acknowledged(self.attempt_id, sequence, within_s=OPT_OUT_WAIT_S)
            case Note(evidence=evidence):
                self._journal.record(EventType.NOTED, evidence=evidence)
            case Transfer(to=to):
                return Over(EndedBy.AGENT) if await self._leg.transfer(to) else None
            case Think() | ThinkOn():
                return await self._think(move)
        return None

    async def _think(self, move: Think | ThinkOn) -> Thought:
        if self._journal.replaying:
            return Lost("restarted")  # it would not say again what is on record
        return await (self._mind.begin(move.lines) if isinstance(move, Think) else self._mind.go_on())

    async def _say(self, text: str) -> Heard | None:
        offset_ms = self._leg.offset_ms
        spoken = await self._leg.say(text)
        if spoken.text:
            self._turn(Turn(speaker="agent", text=spoken.text, offset_ms=offset_ms))
        return self._note(spoken.cut_in)

    def _note(self, heard: Heard | None) -> Heard | None:
        """Put what the callee said into the transcript."""
        if isinstance(heard, Speech | Key):
            self._turn(Turn(speaker="callee", text=_words(heard), offset_ms=heard.offset_ms))
        return heard

    def _turn(self, turn: Turn) -> None:
        self._turns.append(turn)
        self._journal.record(EventType.TURN, turn=turn)


def _words(heard: Speech | Key) -> str:
    """How the transcript shows it."""
    if isinstance(heard, Key):
        return f"[{heard.digit}]"
    return heard.text if heard.understood else f"{heard.text} [not understood]".strip()
