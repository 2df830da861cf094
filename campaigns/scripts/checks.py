"""What is wrong with a playbook, with the mend, in words for whoever writes it.

The place of a problem is the path to what is wrong in the playbook's JSON, such as ``steps.1.branches.0.to``.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from temphone.telephony.messages import Branch, Outcome, Question, Step
from temphone.telephony.understanding import asks_to_stop, matches, words_of

OPT_OUT_KEY = "9"
NAME = re.compile(r"[^\n]{1,64}")
MOST_STEPS = 50
MOST_ANSWERS = 20
# How a playbook may say that the call came out: what it can know.
OUTCOMES = (
    Outcome.ANSWERED_HUMAN,
    Outcome.MESSAGE_DELIVERED,
    Outcome.CALLBACK_REQUESTED,
    Outcome.WRONG_PERSON,
    Outcome.OPTED_OUT,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and the mend."""

    place: str
    text: str


def problems_of(
    steps: Sequence[Step], *, transfers: Collection[str], questions: Sequence[Question]
) -> list[Problem]:
    """Everything that is wrong, in the order of the steps."""
    if len(steps) > MOST_STEPS:
        return [Problem("steps", f"A playbook has at most {MOST_STEPS} steps.")]
    names = [step.name for step in steps]
    fields = {question.name for question in questions}
    found: list[Problem] = []
    for index, step in enumerate(steps):
        checked = _Checked(index, step, names, transfers, fields)
        found += checked.problems()
    if not found:  # what leads where is told once every step is sound in itself
        found += [*_unreached(steps), *_endless(steps)]
    return found


class _Checked:
    """One step and what is wrong with it."""

    def __init__(
        self,
        index: int,
        step: Step,
        names: Sequence[str],
        transfers: Collection[str],
        fields: Collection[str],
    ) -> None:
        self.index, self.step = index, step
        self.names, self.transfers, self.fields = names, transfers, fields

    def problems(self) -> Iterator[Problem]:
        if not NAME.fullmatch(self.step.name):
            yield self._problem("name", "it has no name. Give it a short one, such as Ask for a day.")
        elif self.names.count(self.step.name) > 1:
            yield self._problem("name", "it has the name of another step. Give each its own.")
        if not self.step.say.strip():
            yield self._problem("say", "it says nothing. Write what it says, or remove the step.")
        if len(self.step.branches) > MOST_ANSWERS:
            yield self._problem(
                "branches", f"it has more than {MOST_ANSWERS} answers. Split it in two steps."
            )
        for number, branch in enumerate(self.step.branches):
            yield from self._of_branch(f"branches.{number}", f"answer {number + 1}", branch)
            yield from self._of_phrases(number, branch)
        if self.step.otherwise:
            yield from self._of_branch("otherwise", "“otherwise”", self.step.otherwise)

    def _of_branch(self, place: str, which: str, branch: Branch) -> Iterator[Problem]:
        if branch.to is not None and branch.to not in self.names:
            yield self._problem(
                f"{place}.to", f"{which} goes to “{branch.to}”, which is no step. Choose one that is there."
            )
        if branch.outcome is not None and branch.outcome not in OUTCOMES:
            yield self._problem(
                f"{place}.outcome", f"{which} gives an outcome that a playbook cannot know. Choose another."
            )
        if branch.outcome is Outcome.OPTED_OUT and (branch.say or branch.to or branch.transfer):
            yield self._problem(
                f"{place}.outcome",
                f"{which} opts them out, so it says and does nothing else: "
                "the confirmation is spoken for it. Empty the rest.",
            )
        if branch.transfer and branch.transfer not in self.transfers:
            yield self._problem(
                f"{place}.transfer",
                f"{which} transfers to “{branch.transfer}”, which is no destination of this agent. "
                "Add it there, or choose another.",
            )
        if branch.field and branch.field not in self.fields:
            yield self._problem(
                f"{place}.field",
                f"{which} answers the question “{branch.field}”, which this agent does not have. "
                "Add it there, or choose another.",
            )

    def _of_phrases(self, number: int, branch: Branch) -> Iterator[Problem]:
        place, which = f"branches.{number}.phrases", f"answer {number + 1}"
        if not any(words_of(phrase) for phrase in branch.phrases):
            yield self._problem(place, f"{which} expects no words. Write some, such as: yes, gladly.")
        for phrase in branch.phrases:
            if words_of(phrase) == OPT_OUT_KEY or asks_to_stop(phrase):
                yield self._problem(
                    place,
                    f"{which} can never be given by “{phrase}”: that ends the calls to this number, always. "
                    "Take it out.",
                )
            elif first := self._taken_by(phrase, self.step.branches[:number]):
                yield self._problem(
                    place,
                    f"{which} can never be given by “{phrase}”: answer {first} has it already. "
                    "Move this answer up, or take the words out.",
                )

    def _taken_by(self, phrase: str, earlier: Sequence[Branch]) -> int | None:
        """Which earlier answer takes everything in which the phrase is."""
        for number, branch in enumerate(earlier, start=1):
            if any(matches(known, phrase) for known in branch.phrases):
                return number
        return None

    def _problem(self, place: str, text: str) -> Problem:
        return _about(self.index, self.step, place, text)


def _about(index: int, step: Step, place: str, text: str) -> Problem:
    return Problem(f"steps.{index}.{place}", f"{_title(index, step)}: {text}")


def _title(index: int, step: Step) -> str:
    return f"Step {index + 1} ({step.name})" if step.name else f"Step {index + 1}"


def _ways(step: Step) -> list[str | None]:
    """Where the step leads: names of steps, and None for the end."""
    branches = [*step.branches, *([step.otherwise] if step.otherwise else [])]
    ends = not step.otherwise  # an answer that leads nowhere, given twice, is the end
    return [
        *(None if branch.outcome is Outcome.OPTED_OUT else branch.to for branch in branches),
        *([None] if ends else []),
    ]


def _unreached(steps: Sequence[Step]) -> Iterator[Problem]:
    ways = {step.name: _ways(step) for step in steps}
    reached: set[str | None] = set()
    coming: list[str | None] = [steps[0].name] if steps else []
    while coming:
        name = coming.pop()
        if name not in reached:
            reached.add(name)
            coming += ways.get(name or "", [])
    for index, step in enumerate(steps):
        if step.name not in reached:
            yield _about(index, step, "name", "nothing leads to it. Let an answer go to it, or remove it.")


def _endless(steps: Sequence[Step]) -> Iterator[Problem]:
    """Rounds in which a callee who answers otherwise stays for ever."""
    after = {step.name: step.otherwise.to for step in steps if step.otherwise}
    for index, step in enumerate(steps):
        seen = [step.name]
        while (to := after.get(seen[-1])) and to not in seen:
            seen.append(to)
        if to == step.name:
            round_ = " → ".join([*seen, step.name])
            yield _about(
                index,
                step,
                "otherwise.to",
                f"“otherwise” goes round without an end ({round_}). "
                "Let it end the call, or go to a step outside of the round.",
            )
