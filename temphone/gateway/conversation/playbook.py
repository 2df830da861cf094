"""A playbook: the steps of a script, and where each answer leads."""

from collections.abc import Sequence
from dataclasses import replace

from temphone.telephony.messages import Branch, Step
from temphone.telephony.understanding import matches

GOODBYE = Branch(phrases=())  # it says nothing and leads to no step
JUST_LISTEN = Step(name="", say="")


class Playbook:
    """The steps, by name. A branch that leads to no step leads to the goodbye."""

    def __init__(self, steps: Sequence[Step]) -> None:
        ready = [_open_ended(step) for step in steps or (JUST_LISTEN,)]
        self.first = ready[0]
        self._steps = {step.name: step for step in ready}

    def after(self, branch: Branch) -> Step | None:
        """The step to which the branch leads."""
        return self._steps.get(branch.to) if branch.to is not None else None


def matching(branches: Sequence[Branch], text: str) -> Branch | None:
    """The first branch of which a phrase is in the text."""
    return next(
        (branch for branch in branches if any(matches(phrase, text) for phrase in branch.phrases)), None
    )


def _open_ended(step: Step) -> Step:
    """A step that expects nothing takes any answer and leads to the goodbye."""
    return step if step.branches or step.otherwise else replace(step, otherwise=GOODBYE)
