"""To converse by a playbook."""

from temphone.gateway.conversation.interruptions import OptOutAsked
from temphone.gateway.conversation.moves import Answer, Part
from temphone.gateway.conversation.playbook import Playbook, matching
from temphone.gateway.conversation.talking import Talk
from temphone.gateway.conversation.transferring import transfer
from temphone.telephony.messages import Branch, Outcome, Step
from temphone.telephony.understanding import agrees, asks_to_repeat


def follow(talk: Talk, playbook: Playbook) -> Part[None]:
    """From the first step to where no answer leads on."""
    step: Step | None = playbook.first
    while step is not None:
        branch = yield from _take(talk, step)
        if branch is None:
            return
        yield from _answer(talk, branch)
        step = playbook.after(branch)


def _answer(talk: Talk, branch: Branch) -> Part[None]:
    """Say what the branch says, and hand them over if it does; not when they object meanwhile."""
    if not branch.transfer:
        yield from talk.say(branch.say)
        return
    heard = yield from talk.speak(branch.say)
    if not isinstance(heard, Answer) or agrees(heard.text):
        heard = yield from transfer(talk, branch.transfer)
    talk.conclude(heard)


def _take(talk: Talk, step: Step) -> Part[Branch | None]:
    """Ask, and a second time when the answer leads nowhere; None when nothing leads on."""
    for text in (step.say, step.say or talk.script.message):
        answer = yield from talk.ask(text)
        if answer is None:
            return None
        if branch := matching(step.branches, answer.text):
            return _chosen(talk, branch, answer)
        talk.conclude(answer)
        if step.otherwise and not asks_to_repeat(answer.text):
            return _chosen(talk, step.otherwise, answer)
    return step.otherwise


def _chosen(talk: Talk, branch: Branch, answer: Answer) -> Branch:
    if branch.field:
        talk.fields[branch.field] = branch.value or answer.text
    if branch.outcome is Outcome.OPTED_OUT:
        raise OptOutAsked(answer.evidence)
    if branch.outcome is not None:
        talk.decide(branch.outcome, answer.evidence)
    return branch
