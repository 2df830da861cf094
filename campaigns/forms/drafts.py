"""An agent as its form holds it: rows of texts, whether or not they make sense yet.

Steps lead to each other by key, so that a step may be renamed while it is written. Where an answer leads is
one choice: the goodbye, a step, an outcome or a transfer.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict

from campaigns.models import AgentVersion
from temphone.lib import phone

Row = dict[str, str]

GOODBYE, ASK_AGAIN = "", "again"
STEP, OUTCOME, TRANSFER = "step:", "outcome:", "transfer:"
PLAIN = (
    "name",
    "voice",
    "language",
    "mode",
    "engine",
    "goodbye",
    "voicemail",
    "screening",
    "silence_reminder",
    "instructions",
    "turn_budget",
    "model",
)
STEP_TEXTS = ("key", "name", "say", "other", "other_say")
ANSWER_TEXTS = ("phrases", "say", "then", "field", "value")
TRANSFER_TEXTS = ("name", "number")
QUESTION_TEXTS = ("name", "text", "type", "choices")
MOST_ROWS = 60
REMOVED = "(a step that was removed)"


@dataclass
class StepRow:
    """One step, and the answers that it expects."""

    texts: Row
    answers: list[Row] = field(default_factory=list)


@dataclass
class Draft:
    """What the form holds."""

    plain: Row
    tools: list[str]
    steps: list[StepRow] = field(default_factory=list)
    transfers: list[Row] = field(default_factory=list)
    questions: list[Row] = field(default_factory=list)
    version: int = 0

    def new_key(self) -> str:
        """A key that no step has."""
        used = {int(step.texts["key"]) for step in self.steps if step.texts["key"].isdecimal()}
        return str(max(used, default=0) + 1)


def read_draft(posted: QueryDict) -> Draft:
    """What was sent."""
    version = posted.get("version", "")
    return Draft(
        plain={name: posted.get(name, "") for name in PLAIN},
        tools=posted.getlist("tools"),
        steps=[
            StepRow(
                _row(posted, f"step-{number}", STEP_TEXTS),
                _rows(posted, f"step-{number}-answer", ANSWER_TEXTS),
            )
            for number in range(_count(posted, "step"))
        ],
        transfers=_rows(posted, "transfer", TRANSFER_TEXTS),
        questions=_rows(posted, "question", QUESTION_TEXTS),
        version=int(version) if version.isdecimal() and len(version) < 10 else 0,
    )


def _count(posted: QueryDict, prefix: str) -> int:
    """How many rows were sent; each sends its number."""
    return min(len(posted.getlist(f"{prefix}-row")), MOST_ROWS)


def _rows(posted: QueryDict, prefix: str, names: Sequence[str]) -> list[Row]:
    return [_row(posted, f"{prefix}-{number}", names) for number in range(_count(posted, prefix))]


def _row(posted: QueryDict, prefix: str, names: Sequence[str]) -> Row:
    return {name: posted.get(f"{prefix}-{name}", "") for name in names}


def draft_of(version: AgentVersion) -> Draft:
    """What the form shows of a version."""
    keys = {step["name"]: str(number) for number, step in enumerate(version.steps, start=1)}
    return Draft(
        plain={name: str(getattr(version, name)) for name in PLAIN},
        tools=list(version.tools),
        steps=[_step_row(step, keys) for step in version.steps],
        transfers=[
            {"name": name, "number": phone.for_people(number)} for name, number in version.transfers.items()
        ],
        questions=[_question_row(question) for question in version.questions],
        version=version.agent.version if version.agent_id else 0,
    )


def _step_row(step: Mapping[str, object], keys: Mapping[str, str]) -> StepRow:
    other = step.get("otherwise")
    branches = step.get("branches")
    row = {
        "key": keys[str(step["name"])],
        "name": str(step["name"]),
        "say": str(step["say"]),
        "other": _way(other, keys) if isinstance(other, dict) else ASK_AGAIN,
        "other_say": str(other.get("say", "")) if isinstance(other, dict) else "",
    }
    return StepRow(row, [_answer_row(one, keys) for one in branches] if isinstance(branches, list) else [])


def _answer_row(branch: Mapping[str, object], keys: Mapping[str, str]) -> Row:
    phrases = branch.get("phrases")
    return {
        "phrases": ", ".join(map(str, phrases)) if isinstance(phrases, list) else "",
        "say": str(branch.get("say", "")),
        "then": _way(branch, keys),
        "field": str(branch.get("field", "")),
        "value": str(branch.get("value", "")),
    }


def _way(branch: Mapping[str, object], keys: Mapping[str, str]) -> str:
    if branch.get("transfer"):
        return f"{TRANSFER}{branch['transfer']}"
    if branch.get("to"):
        return f"{STEP}{keys.get(str(branch['to']), '0')}"
    return f"{OUTCOME}{branch['outcome']}" if branch.get("outcome") else GOODBYE


def _question_row(question: Mapping[str, object]) -> Row:
    choices = question.get("choices")
    return {
        "name": str(question["name"]),
        "text": str(question["text"]),
        "type": str(question.get("type", "text")),
        "choices": ", ".join(map(str, choices)) if isinstance(choices, list) else "",
    }


def content_of(draft: Draft) -> dict[str, object]:
    """What the version would say, as the action takes it."""
    names = {step.texts["key"]: step.texts["name"].strip() for step in draft.steps}
    budget = draft.plain["turn_budget"].strip()
    return {
        **{name: draft.plain[name].strip() for name in PLAIN},
        "turn_budget": int(budget) if budget.isdecimal() and len(budget) < 5 else 0,
        "tools": draft.tools,
        "steps": [_step(step, names) for step in draft.steps],
        "transfers": {row["name"].strip(): _number(row["number"]) for row in draft.transfers},
        "questions": [_question(row) for row in draft.questions],
    }


def _number(text: str) -> str:
    try:
        return phone.to_e164(text)
    except ValueError:
        return text.strip()


def _step(step: StepRow, names: Mapping[str, str]) -> dict[str, object]:
    texts = step.texts
    content: dict[str, object] = {"name": texts["name"].strip(), "say": texts["say"].strip()}
    if step.answers:
        content["branches"] = [_branch(answer, names) for answer in step.answers]
    if texts["other"] != ASK_AGAIN:
        content["otherwise"] = {"phrases": [], **_leads(texts["other"], texts["other_say"], names)}
    return content


def _branch(answer: Row, names: Mapping[str, str]) -> dict[str, object]:
    noted = {name: answer[name].strip() for name in ("field", "value") if answer["field"]}
    return {
        "phrases": words_in(answer["phrases"]),
        **_leads(answer["then"], answer["say"], names),
        **{name: value for name, value in noted.items() if value},
    }


def _leads(way: str, say: str, names: Mapping[str, str]) -> dict[str, object]:
    content: dict[str, object] = {"say": say.strip()} if say.strip() else {}
    if way.startswith(STEP):
        content["to"] = names.get(way.removeprefix(STEP), REMOVED)
    elif way.startswith(OUTCOME):
        content["outcome"] = way.removeprefix(OUTCOME)
    elif way.startswith(TRANSFER):
        content["transfer"] = way.removeprefix(TRANSFER)
    return content


def _question(row: Row) -> dict[str, object]:
    content: dict[str, object] = {
        "name": _field_name(row["name"] or row["text"]),
        "text": row["text"].strip(),
        "type": row["type"] or "text",
    }
    if row["type"] == "choice":
        content["choices"] = words_in(row["choices"])
    return content


def words_in(text: str) -> list[str]:
    """What stands between commas and line ends."""
    return [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]


def _field_name(text: str) -> str:
    """A name for programs, of whatever was typed: ``Day of visit`` is day_of_visit."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40].lstrip("0123456789_")
