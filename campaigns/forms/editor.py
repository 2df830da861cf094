"""The form of an agent: one form of fixed fields, and a small one for each row."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django import forms
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.forms.drafts import (
    ASK_AGAIN,
    GOODBYE,
    OUTCOME,
    REMOVED,
    STEP,
    TRANSFER,
    Draft,
    Row,
    StepRow,
    content_of,
)
from campaigns.models import Engine, SpeakingMode
from campaigns.scripts.checks import OUTCOMES
from temphone.telephony.messages import Outcome, Tool

Choices = list[tuple[str, str]]

OUTCOME_WORDS: dict[Outcome, str | Promise] = {
    Outcome.ANSWERED_HUMAN: gettext_lazy("Goodbye; they were spoken with"),
    Outcome.MESSAGE_DELIVERED: gettext_lazy("Goodbye; they only got the message"),
    Outcome.CALLBACK_REQUESTED: gettext_lazy("Goodbye; they want to be called back"),
    Outcome.WRONG_PERSON: gettext_lazy("Goodbye; they are the wrong person"),
    Outcome.OPTED_OUT: gettext_lazy("Never call them again"),
}
TOOL_WORDS = [
    (Tool.END_CALL.value, gettext_lazy("End the call")),
    (Tool.CALLBACK.value, gettext_lazy("Note a callback")),
    (Tool.TRANSFER.value, gettext_lazy("Transfer to one of the numbers below")),
    (Tool.MARK_OUTCOME.value, gettext_lazy("Note how it came out")),
]
TYPES = [
    ("text", gettext_lazy("Text")),
    ("yes_no", gettext_lazy("Yes or no")),
    ("number", gettext_lazy("A number")),
    ("date", gettext_lazy("A date")),
    ("choice", gettext_lazy("One of a few")),
]
PREFIXED = re.compile(r"^Field '[^']*' (.)")


def area(rows: int, **attrs: str) -> forms.Textarea:
    """A text of several lines."""
    return forms.Textarea(attrs={"rows": rows, **attrs})


class AgentForm(forms.Form):
    """Who speaks, and the texts around the conversation."""

    name = forms.CharField(required=False, max_length=100, label=gettext_lazy("Name"))
    mode = forms.ChoiceField(
        required=False, choices=SpeakingMode.choices, label=gettext_lazy("After the message")
    )
    voice = forms.CharField(
        required=False,
        max_length=100,
        label=gettext_lazy("Voice"),
        help_text=gettext_lazy(
            "The speech engine's name of it; at Cartesia and ElevenLabs its id. Piper speaks with the one "
            "voice of its model, whatever stands here. Empty: the engine's default."
        ),
    )
    language = forms.CharField(
        required=False,
        max_length=10,
        label=gettext_lazy("Language"),
        help_text=gettext_lazy("Such as en or es-MX. Empty: the contact's."),
    )
    goodbye = forms.CharField(required=False, label=gettext_lazy("Goodbye"), widget=area(2))
    silence_reminder = forms.CharField(
        required=False, label=gettext_lazy("When they stay silent"), widget=area(2)
    )
    voicemail = forms.CharField(
        required=False,
        label=gettext_lazy("On voicemail"),
        widget=area(2),
        help_text=gettext_lazy("Follows who calls. {{ message }} is the call's message. Empty: hang up."),
    )
    screening = forms.CharField(
        required=False,
        label=gettext_lazy("To a call screener"),
        widget=area(2),
        help_text=gettext_lazy("Ends the sentence “This is an automated AI assistant calling for …”."),
    )
    engine = forms.ChoiceField(
        required=False, choices=Engine.choices, label=gettext_lazy("What leads the conversation")
    )
    instructions = forms.CharField(
        required=False,
        label=gettext_lazy("Instructions"),
        widget=area(6),
        help_text=gettext_lazy("What it is to find out, what it may tell, how it is to speak."),
    )
    tools = forms.MultipleChoiceField(
        required=False,
        choices=TOOL_WORDS,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("It may"),
    )
    turn_budget = forms.CharField(
        required=False,
        label=gettext_lazy("Answers at most"),
        widget=forms.NumberInput(attrs={"min": 1, "max": 50}),
        help_text=gettext_lazy("Then it says goodbye."),
    )
    model = forms.CharField(
        required=False,
        max_length=100,
        label=gettext_lazy("Model"),
        help_text=gettext_lazy("Empty: the one that the gateway is set to."),
    )


class StepForm(forms.Form):
    """One step of a playbook."""

    key = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(required=False, max_length=64, label=gettext_lazy("Name of the step"))
    say = forms.CharField(required=False, label=gettext_lazy("Say"), widget=area(2))
    other = forms.ChoiceField(required=False, label=gettext_lazy("If they answer anything else"))
    other_say = forms.CharField(required=False, label=gettext_lazy("Then say"), widget=area(1))


class AnswerForm(forms.Form):
    """An answer that a step expects."""

    phrases = forms.CharField(
        required=False,
        label=gettext_lazy("If they say"),
        help_text=gettext_lazy("Words with commas between, such as: yes, gladly. Or a key: 1."),
    )
    say = forms.CharField(required=False, label=gettext_lazy("Answer"), widget=area(1))
    then = forms.ChoiceField(required=False, label=gettext_lazy("Then"))
    field = forms.ChoiceField(required=False, label=gettext_lazy("Answers the question"))
    value = forms.CharField(
        required=False,
        max_length=100,
        label=gettext_lazy("With"),
        help_text=gettext_lazy("Empty: what they said."),
    )


class TransferForm(forms.Form):
    """Somebody to whom a callee may be transferred."""

    name = forms.CharField(required=False, max_length=64, label=gettext_lazy("Name"))
    number = forms.CharField(
        required=False,
        max_length=32,
        label=gettext_lazy("Number"),
        widget=forms.TextInput(attrs={"type": "tel"}),
    )


class QuestionForm(forms.Form):
    """Something to be learned in the call."""

    text = forms.CharField(required=False, max_length=300, label=gettext_lazy("Question"))
    name = forms.CharField(
        required=False, max_length=60, label=gettext_lazy("Short name"), help_text=gettext_lazy("In exports.")
    )
    type = forms.ChoiceField(required=False, choices=TYPES, label=gettext_lazy("Kind of answer"))
    choices = forms.CharField(
        required=False, label=gettext_lazy("Choices"), help_text=gettext_lazy("With commas between.")
    )


@dataclass
class Card:
    """A step's forms."""

    form: forms.Form
    answers: list[forms.Form]


class Editor:
    """The forms of a draft; problems stand beside what they are about."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        data = _flat(draft)
        ways = _ways(draft)
        fields = [("", _("None")), *((name, name) for name in _question_names(draft))]
        self.agent = _filled(AgentForm, data, None, {})
        self.steps = [
            Card(
                _filled(StepForm, data, f"step-{number}", {"other": _other_ways(step, ways)}),
                [
                    _filled(
                        AnswerForm,
                        data,
                        f"step-{number}-answer-{place}",
                        {"then": _with(ways, row["then"]), "field": _with(fields, row["field"])},
                    )
                    for place, row in enumerate(step.answers)
                ],
            )
            for number, step in enumerate(draft.steps)
        ]
        self.transfers = _all(TransferForm, data, "transfer", draft.transfers)
        self.questions = _all(QuestionForm, data, "question", draft.questions)
        self.section_errors: dict[str, list[str]] = {"steps": [], "transfers": [], "questions": []}
        self._note_silenced()
        self._note_twins()

    @property
    def has_problems(self) -> bool:
        """Whether anything is wrong."""
        everything = [self.agent, *(form for card in self.steps for form in (card.form, *card.answers))]
        return any(form.errors for form in everything) or any(self.section_errors.values())

    def _note_silenced(self) -> None:
        for card in self.steps:
            texts = card.form.cleaned_data
            if texts.get("other") == ASK_AGAIN and texts.get("other_say"):
                problem = _("It asks once more, so this is not said. Choose where it goes, or empty it.")
                card.form.add_error("other_say", problem)

    def _note_twins(self) -> None:
        """One would hide the other."""
        names = [row["name"].strip().casefold() for row in self.draft.transfers if row["name"].strip()]
        if len(set(names)) < len(names):
            self.section_errors["transfers"].append(_("Two destinations have one name. Give each its own."))

    def refuse(self, problems: Mapping[str, Sequence[str]]) -> None:
        """Show what a rule refused beside the field that it is about."""
        for place, texts in problems.items():
            for text in texts:
                self._put(place, PREFIXED.sub(lambda found: found[1].upper(), text))

    def _put(self, place: str, text: str) -> None:
        section, *path = place.split(".")
        if section == "steps" and path:
            self._put_step(self.steps[int(path[0])], path[1:], text)
        elif section in self.section_errors:
            self.section_errors[section].append(text)
        else:
            self.agent.add_error(section if section in self.agent.fields else None, text)

    def _put_step(self, card: Card, path: Sequence[str], text: str) -> None:
        if path[0] == "branches" and len(path) == 3:
            field = "then" if path[2] in {"to", "outcome", "transfer"} else path[2]
            card.answers[int(path[1])].add_error(field, text)
        elif path[0] == "otherwise":
            card.form.add_error("other_say" if path[1] == "say" else "other", text)
        else:
            card.form.add_error(path[0] if path[0] in card.form.fields else None, text)


def _filled(
    kind: Callable[..., forms.Form], data: QueryDict, prefix: str | None, choices: Mapping[str, Choices]
) -> forms.Form:
    form = kind(data, prefix=prefix)
    for name, offered in choices.items():
        field = form.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = offered
    form.is_valid()
    return form


def _all(kind: Callable[..., forms.Form], data: QueryDict, prefix: str, rows: list[Row]) -> list[forms.Form]:
    return [_filled(kind, data, f"{prefix}-{number}", {}) for number in range(len(rows))]


def _flat(draft: Draft) -> QueryDict:
    """The draft as a form sends it."""
    data = QueryDict(mutable=True)
    data.update(draft.plain)
    data.setlist("tools", draft.tools)
    for number, step in enumerate(draft.steps):
        _put_row(data, f"step-{number}", step.texts)
        for place, answer in enumerate(step.answers):
            _put_row(data, f"step-{number}-answer-{place}", answer)
    for prefix, rows in (("transfer", draft.transfers), ("question", draft.questions)):
        for number, row in enumerate(rows):
            _put_row(data, f"{prefix}-{number}", row)
    return data


def _put_row(data: QueryDict, prefix: str, row: Row) -> None:
    for name, value in row.items():
        data[f"{prefix}-{name}"] = value


def _ways(draft: Draft) -> Choices:
    """Where an answer may lead."""
    steps = [
        (
            f"{STEP}{step.texts['key']}",
            _("Step {number}: {name}").format(number=number, name=step.texts["name"] or _("(no name yet)")),
        )
        for number, step in enumerate(draft.steps, start=1)
    ]
    transfers = [
        (f"{TRANSFER}{row['name'].strip()}", _("Transfer to {name}").format(name=row["name"].strip()))
        for row in draft.transfers
        if row["name"].strip()
    ]
    outcomes = [(f"{OUTCOME}{outcome.value}", str(OUTCOME_WORDS[outcome])) for outcome in OUTCOMES]
    return [(GOODBYE, _("Goodbye")), *steps, *transfers, *outcomes]


def _other_ways(step: StepRow, ways: Choices) -> Choices:
    return _with([(ASK_AGAIN, _("Ask once more, then goodbye")), *ways], step.texts["other"])


def _with(choices: Choices, value: str) -> Choices:
    """The choices, and what is chosen though it is gone: its problem is told when it is saved."""
    if value in {choice for choice, _label in choices}:
        return choices
    label = REMOVED if value.startswith(STEP) else value.partition(":")[2] or value
    return [*choices, (value, label)]


def _question_names(draft: Draft) -> list[str]:
    questions = content_of(draft)["questions"]
    names = [str(question["name"]) for question in questions] if isinstance(questions, list) else []
    return [name for name in names if name]
