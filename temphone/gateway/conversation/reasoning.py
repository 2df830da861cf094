"""To converse by a language model: it is asked for what to say next, and for nothing else.

The preface and the message are spoken before it is asked at all. An opt-out never reaches it: whatever is
heard goes through ``attend`` first. What it does is done by name, if the script allows it.
"""

from collections.abc import Iterable

from temphone.gateway.conversation.interruptions import Concluded, OptOutAsked
from temphone.gateway.conversation.moves import (
    Answer,
    Deed,
    Done,
    Line,
    Lost,
    Note,
    Part,
    Sentence,
    Speech,
    Think,
    ThinkOn,
)
from temphone.gateway.conversation.talking import Talk
from temphone.gateway.conversation.transferring import may_transfer, preset, transfer
from temphone.telephony.messages import TOLD_OUTCOMES, Instructions, Outcome, Tool
from temphone.telephony.sentences import sentences_in

TRIES = 2  # how often it is asked when it only did something and said nothing
# In this order: what they want comes before what the model would like.
ORDER = (Tool.OPT_OUT, Tool.MARK_OUTCOME, Tool.CALLBACK, Tool.TRANSFER, Tool.END_CALL)


class ModelLost(Exception):
    """The model is of no use in this call any more."""


class Finished(Exception):
    """The model has nothing more to say."""


def reason(talk: Talk, instructions: Instructions) -> Part[None]:
    """Converse until the model or the callee ends it, or the turns are used up.

    Raises:
        ModelLost: somebody else must go on.
    """
    reasoning = _Reasoning(talk, instructions)
    try:
        yield from reasoning.run()
    except Finished:
        return


class _Reasoning:
    def __init__(self, talk: Talk, instructions: Instructions) -> None:
        self._talk = talk
        self._instructions = instructions
        self._lines = [Line("agent", text) for text in (talk.script.preface, talk.script.message) if text]
        self._last: Answer | None = None

    def run(self) -> Part[None]:
        answer = yield from self._talk.ask("")
        for _ in range(self._instructions.turn_budget):
            if answer is None:
                return
            self._hear(answer)
            answer = (yield from self._reply()) or (yield from self._talk.ask(""))

    def _hear(self, answer: Answer) -> None:
        self._last = answer
        try:
            self._talk.conclude(answer)
        except Concluded as end:
            # The model may ask when; without the tool the rule is the end, as in a playbook.
            if end.outcome is not Outcome.CALLBACK_REQUESTED or not self._may(Tool.CALLBACK):
                raise
        text = answer.text if isinstance(answer, Speech) else f"[pressed {answer.digit}]"
        self._lines.append(Line("callee", text))

    def _may(self, tool: Tool) -> bool:
        return tool is Tool.OPT_OUT or tool in self._instructions.tools

    def _reply(self) -> Part[Answer | None]:
        """Let the model answer; returns what cut in, or what they said to what it did."""
        for _ in range(TRIES):
            said, end, heard = yield from self._speak()
            deeds = end.deeds if isinstance(end, Done) else ()
            self._lines.append(Line("agent", said, deeds))
            if heard is not None:
                self._talk.note_answer(heard)
                return heard
            if isinstance(end, Lost):
                yield Note({"model_problem": end.problem})
                if not said:
                    raise ModelLost(end.problem)
            heard = yield from self._do_all(deeds, said)
            if said or heard:
                return heard
            if not deeds:
                break
        yield Note({"model_problem": "said nothing"})
        raise ModelLost("said nothing")

    def _speak(self) -> Part[tuple[str, Done | Lost, Answer | None]]:
        """What it said, how it ended, and what cut it short: then what it wanted to do is not asked for."""
        said: list[str] = []
        thought = yield Think(tuple(self._lines))
        while isinstance(thought, Sentence):
            said.append(thought.text)
            heard = yield from self._talk.speak(thought.text)
            if isinstance(heard, Answer):
                return f"{' '.join(said)} [interrupted]", Done(), heard
            thought = yield ThinkOn()
        return " ".join(said), thought if isinstance(thought, Done | Lost) else Lost("out of step"), None

    def _do_all(self, deeds: Iterable[Deed], said: str) -> Part[Answer | None]:
        """Do what it wants, each kind once; returns what they said to it."""
        first = {deed.tool: deed for deed in reversed(list(deeds))}
        heard = None
        for deed in deeds:
            if deed is not first[deed.tool]:
                self._tell(deed, "Done already.")
        for tool in ORDER:
            if tool in first and heard is None:
                heard = yield from self._do(first[tool], said)
        return heard

    def _do(self, deed: Deed, said: str) -> Part[Answer | None]:
        evidence = self._last.evidence if self._last else {}
        if not self._may(deed.tool):
            self._tell(deed, "Not allowed in this call.")
        elif deed.tool is Tool.OPT_OUT:
            raise OptOutAsked(evidence)
        elif deed.tool is Tool.CALLBACK:
            when = deed.arguments.get("when", "")
            raise Concluded(Outcome.CALLBACK_REQUESTED, {**evidence, **({"when": when} if when else {})})
        elif deed.tool is Tool.END_CALL:
            raise Finished
        elif deed.tool is Tool.MARK_OUTCOME:
            self._mark(deed)
        elif deed.tool is Tool.TRANSFER:
            return (yield from self._transfer(deed, said))
        return None

    def _mark(self, deed: Deed) -> None:
        outcome = next((one for one in TOLD_OUTCOMES if one == deed.arguments.get("outcome")), None)
        if outcome is None:
            self._tell(deed, "There is no such outcome.")
            return
        evidence = self._last.evidence if self._last else {}
        if outcome is Outcome.WRONG_PERSON:
            raise Concluded(outcome, evidence)
        self._talk.decide(outcome, evidence)
        self._tell(deed, "Noted.")

    def _transfer(self, deed: Deed, said: str) -> Part[Answer | None]:
        name = deed.arguments.get("to", "")
        if preset(self._talk, name) is None:
            self._tell(deed, "There is nobody of that name to transfer to.")
            return None
        if not may_transfer(self._last):
            self._tell(deed, "They do not want to be transferred.")
            return None
        if not said:
            heard = yield from self._talk.speak(sentences_in(self._talk.script.language).connecting)
            if isinstance(heard, Answer):
                self._tell(deed, "They interrupted, and were not transferred.")
                self._talk.note_answer(heard)
                return heard
        heard = yield from transfer(self._talk, name)
        self._tell(deed, "They were not transferred.")
        return heard

    def _tell(self, deed: Deed, text: str) -> None:
        self._lines.append(Line("tool", text, answers=deed.id))
