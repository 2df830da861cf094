"""The JSON of an agent as the messages that the gateway gets."""

from collections.abc import Sequence

import msgspec

from temphone.telephony.messages import Question, Step

# Made here, in one thread: see temphone.telephony.messages.
STEPS = msgspec.json.Decoder(tuple[Step, ...])
QUESTIONS = msgspec.json.Decoder(tuple[Question, ...])


def steps_of(value: Sequence[object]) -> tuple[Step, ...]:
    """The steps of a playbook.

    Raises:
        msgspec.ValidationError: it is none.
    """
    return STEPS.decode(msgspec.json.encode(value)) if value else ()


def questions_of(value: Sequence[object]) -> tuple[Question, ...]:
    """The questions of an agent; raises as ``steps_of``."""
    return QUESTIONS.decode(msgspec.json.encode(value)) if value else ()
