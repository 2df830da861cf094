"""What the buttons of the form do to a draft: add, remove and move rows."""

from collections.abc import MutableSequence
from typing import Any

from campaigns.forms.drafts import (
    ANSWER_TEXTS,
    ASK_AGAIN,
    MOST_ROWS,
    QUESTION_TEXTS,
    STEP_TEXTS,
    TRANSFER_TEXTS,
    Draft,
    StepRow,
)


def apply(draft: Draft, deed: str) -> None:
    """Do it: ``add.step``, ``remove.answer.2.0``, ``up.step.1``. What makes no sense does nothing."""
    verb, _, target = deed.partition(".")
    kind, *places = target.split(".")
    if not all(place.isdecimal() and len(place) < 4 for place in places):
        return
    indexes = [int(place) for place in places]
    rows = _rows(draft, kind, indexes)
    if rows is None:
        return
    if verb == "add":
        if len(rows) < MOST_ROWS:
            rows.append(_new(draft, kind))
    elif indexes and indexes[-1] < len(rows):
        _change(rows, verb, indexes[-1])


def _rows(draft: Draft, kind: str, indexes: list[int]) -> MutableSequence[Any] | None:
    if kind == "answer":
        return draft.steps[indexes[0]].answers if indexes and indexes[0] < len(draft.steps) else None
    rows: dict[str, MutableSequence[Any]] = {
        "step": draft.steps,
        "transfer": draft.transfers,
        "question": draft.questions,
    }
    return rows.get(kind)


def _new(draft: Draft, kind: str) -> object:
    if kind == "step":
        texts = dict.fromkeys(STEP_TEXTS, "") | {"key": draft.new_key(), "other": ASK_AGAIN}
        return StepRow(texts, [dict.fromkeys(ANSWER_TEXTS, "")])
    names = {"answer": ANSWER_TEXTS, "transfer": TRANSFER_TEXTS, "question": QUESTION_TEXTS}
    return dict.fromkeys(names[kind], "")


def _change(rows: MutableSequence[Any], verb: str, index: int) -> None:
    to = {"up": index - 1, "down": index + 1}.get(verb)
    if verb == "remove":
        del rows[index]
    elif to is not None and 0 <= to < len(rows):
        rows[index], rows[to] = rows[to], rows[index]
