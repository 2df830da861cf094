"""To hand the callee over to somebody: to a preset number only, and never against their word."""

from temphone.gateway.conversation.interruptions import LineOver
from temphone.gateway.conversation.moves import Answer, Over, Part, Silence, Speech, Transfer, heard_in
from temphone.gateway.conversation.talking import Talk
from temphone.telephony.messages import Outcome
from temphone.telephony.sentences import sentences_in
from temphone.telephony.understanding import agrees, objects_to_transfer

OBJECTION_WAIT_S = 1.0


def transfer(talk: Talk, name: str) -> Part[Answer | None]:
    """Hand them over to the preset of this name, after a moment in which they may object.

    Returns what they said instead, if they did; None when it cannot be done, which they are told.
    """
    number = preset(talk, name)
    if number is None:
        return (yield from _refuse(talk))
    heard = yield from talk.listen(OBJECTION_WAIT_S)
    if not isinstance(heard, Silence) and not agrees(heard.text):
        talk.note_answer(heard)
        return heard
    over = heard_in((yield Transfer(number)))
    if isinstance(over, Over):
        talk.decide(Outcome.TRANSFERRED, {**talk.evidence, "transferred_to": name})
        yield from _hear_the_rest(talk)
        raise LineOver(over.by)
    return (yield from _refuse(talk))


def _hear_the_rest(talk: Talk) -> Part[None]:
    """What they said while it rang there; an opt-out among it counts."""
    try:
        while not isinstance((yield from talk.listen(0.0)), Silence):
            pass
    except LineOver:
        return


def preset(talk: Talk, name: str) -> str | None:
    """The number behind a name. A number is no name."""
    wanted = name.strip().casefold()
    return next((to for known, to in talk.script.transfers.items() if known.casefold() == wanted), None)


def may_transfer(last: Answer | None) -> bool:
    """Whether what they said last does not forbid it."""
    return not isinstance(last, Speech) or not objects_to_transfer(last.text)


def _refuse(talk: Talk) -> Part[Answer | None]:
    heard = yield from talk.speak(sentences_in(talk.script.language).not_connected)
    return heard if isinstance(heard, Answer) else None
