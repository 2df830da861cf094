"""Every change to agents, as a verb. A change of what an agent says makes its next version."""

import re
from collections.abc import Mapping
from datetime import datetime

import msgspec
from django.conf import settings
from django.db import transaction

from calls.messages import render_text
from campaigns.models import Agent, AgentVersion, Campaign, Engine, SpeakingMode
from campaigns.models.agents import ALL_TOOLS, CONTENT
from campaigns.scripts import Problem, problems_of, questions_of, steps_of
from campaigns.states import OVER
from contacts.models import Destinations, Suppression
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib import phone
from temphone.lib.errors import Conflict, Invalid, NotFound
from temphone.telephony.messages import Question, Step

LACKING = "not every contact has"
MOST_CHARS = 2_000
MOST_INSTRUCTIONS = 10_000
MOST_TRANSFERS = 20
MOST_QUESTIONS = 20
MOST_TURNS = 50
TEXTS = ("goodbye", "voicemail", "screening", "silence_reminder")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
DESTINATION = re.compile(r"[^\W\d_][^\n+]{0,63}")  # a name, and nothing that could be taken for a number
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

Problems = dict[str, list[str]]


def get_agent(agent_id: str) -> Agent:
    """The agent, archived or not.

    Raises:
        NotFound: there is none.
    """
    agent = Agent.objects.filter(pk=agent_id).first()
    if agent is None:
        raise NotFound(f"Agent not found: {agent_id}.", code="agent_not_found")
    return agent


@transaction.atomic
def save_agent(
    *,
    actor: Actor,
    agent_id: str | None,
    values: Mapping[str, object],
    version: int | None = None,
    now: datetime,
) -> Agent:
    """Make an agent (without an id), or the next version of one, with what ``values`` names of CONTENT.

    ``version`` is the one that whoever changes it has seen. What is the same makes no new version.

    Raises:
        Forbidden, NotFound
        Invalid: names each field, and in a playbook each place (see ``campaigns.scripts.checks``).
        Conflict: somebody else has changed it meanwhile, or it is archived.
    """
    actor.require(Role.MANAGER)
    agent = _locked(agent_id) if agent_id else Agent(created_at=now, version=0)
    if version is not None and version != agent.version:
        raise Conflict(f"{agent.name} has changed meanwhile; look at it again.", code="changed_meanwhile")
    before = agent.current.content if agent_id else AgentVersion().content
    content = before | {name: values[name] for name in CONTENT if name in values}
    problems = check(content) or _not_to_be_called(content, now)
    if problems:
        raise Invalid(next(iter(problems.values()))[0], fields=problems)
    if agent_id and content == before:
        return agent
    agent.version, agent.name, agent.updated_at = agent.version + 1, str(content["name"]), now
    agent.save()
    agent.versions.create(number=agent.version, created_at=now, created_by=actor.label, **content)
    action = "agent.change" if agent_id else "agent.add"
    AuditEntry.record(actor, action, agent.pk, version=agent.version)
    return agent


@transaction.atomic
def duplicate_agent(*, actor: Actor, agent_id: str, now: datetime) -> Agent:
    """Make another that says the same.

    Raises:
        Forbidden, NotFound
    """
    actor.require(Role.MANAGER)
    content = get_agent(agent_id).current.content
    name = f"{str(content['name'])[:90]} (copy)"
    return save_agent(actor=actor, agent_id=None, values={**content, "name": name}, now=now)


@transaction.atomic
def make_default(*, actor: Actor, agent_id: str, now: datetime) -> Agent:
    """Have it speak wherever no other is chosen.

    Raises:
        Forbidden, NotFound
        Conflict: it is archived.
    """
    actor.require(Role.MANAGER)
    # All of them, in one order: two that are chosen at once come one after the other.
    list(Agent.objects.select_for_update().order_by("pk").values_list("pk"))
    agent = _locked(agent_id)
    Agent.objects.filter(is_default=True).exclude(pk=agent.pk).update(is_default=False, updated_at=now)
    Agent.objects.filter(pk=agent.pk).update(is_default=True, updated_at=now)
    AuditEntry.record(actor, "agent.default", agent.pk)
    return get_agent(agent_id)


@transaction.atomic
def archive_agent(*, actor: Actor, agent_id: str, now: datetime) -> Agent:
    """Offer it no more; what it said stays on record.

    Raises:
        Forbidden, NotFound
        Conflict: it is the default, or a campaign that is not over has it.
    """
    actor.require(Role.MANAGER)
    agent = _locked(agent_id)
    if agent.is_default:
        raise Conflict("This is the default agent. Make another the default first.", code="agent_is_default")
    campaign = Campaign.objects.filter(agent=agent).exclude(status__in=OVER).first()
    if campaign:
        raise Conflict(
            f"The campaign “{campaign.name}” has this agent. Give it another first.", code="agent_in_use"
        )
    Agent.objects.filter(pk=agent.pk).update(archived_at=now, updated_at=now)
    AuditEntry.record(actor, "agent.archive", agent.pk)
    return get_agent(agent_id)


def _locked(agent_id: str) -> Agent:
    Agent.objects.select_for_update(no_key=True).filter(pk=agent_id).first()
    agent = get_agent(agent_id)
    if agent.archived_at:
        raise Conflict(f"{agent.name} is archived.", code="agent_archived")
    return agent


def _not_to_be_called(content: Mapping[str, object], now: datetime) -> Problems:
    """A transfer would ring a number that must not be called, or one where calls may not go."""
    transfers = content["transfers"]
    named = (
        {str(number): str(name) for name, number in transfers.items()} if isinstance(transfers, dict) else {}
    )
    barred = sorted(Suppression.objects.covered(named, now))
    texts = [
        f"Field 'transfers' must not lead to a number that must not be called: “{named[number]}”."
        for number in barred
    ]
    texts += _where_not_to(named)
    return {"transfers": texts} if texts else {}


def _where_not_to(named: Mapping[str, str]) -> list[str]:
    destinations = Destinations.read()
    found = []
    for number, name in sorted(named.items()):
        if text := destinations.why_not(phone.place_of(number)):
            found.append(f"Field 'transfers' must not lead where calls may not go: “{name}”. {text}")
    return found


def check(content: Mapping[str, object]) -> Problems:
    """What is wrong with an agent, by field; nothing else is looked at than this."""
    return _Checks(content).run()


class _Checks:
    """The checks of one agent."""

    def __init__(self, content: Mapping[str, object]) -> None:
        self._content = content
        self._found: Problems = {}

    def run(self) -> Problems:
        self._words()
        self._texts()
        transfers, questions = self._transfers(), self._questions()
        steps = self._steps()
        for problem in problems_of(steps, transfers=transfers, questions=questions):
            self._note(problem)
        for index, step in enumerate(steps):
            self._step_texts(index, step)
        return self._found

    def _note(self, problem: Problem) -> None:
        self._found.setdefault(problem.place, []).append(problem.text)

    def _field(self, name: str, problem: str) -> None:
        self._note(Problem(name, f"Field '{name}' {problem}"))

    def _text(self, name: str) -> str:
        value = self._content[name]
        return value if isinstance(value, str) else ""

    def _words(self) -> None:
        if not 1 <= len(self._text("name").strip()) <= 100:
            self._field("name", "must be a text of 1 to 100 characters.")
        if self._text("language") and not LANGUAGE.fullmatch(self._text("language")):
            self._field("language", "must be a language such as en or es-MX, or empty.")
        for name in ("voice", "model"):
            if len(self._text(name)) > 100:
                self._field(name, "must be a text of at most 100 characters.")
        if self._content["mode"] not in SpeakingMode.values:
            self._field("mode", f"must be one of {', '.join(SpeakingMode.values)}.")
        if self._content["engine"] not in Engine.values:
            self._field("engine", f"must be one of {', '.join(Engine.values)}.")
        tools = self._content["tools"]
        if not isinstance(tools, list) or not set(tools) <= set(ALL_TOOLS):
            self._field("tools", f"must be a list of some of {', '.join(ALL_TOOLS)}.")
        budget = self._content["turn_budget"]
        if not isinstance(budget, int) or not 1 <= budget <= MOST_TURNS:
            self._field("turn_budget", f"must be an integer between 1 and {MOST_TURNS}.")

    def _texts(self) -> None:
        for name in TEXTS:
            if name != "voicemail" and not self._text(name).strip():
                self._field(name, "must not be empty.")
            self._template(name, self._text(name), most=MOST_CHARS)
        if self._content["engine"] == Engine.LLM and not self._text("instructions").strip():
            self._field("instructions", "must say what the language model is to do.")
        self._template("instructions", self._text("instructions"), most=MOST_INSTRUCTIONS)

    def _template(self, name: str, text: str, *, most: int, title: str = "") -> None:
        """Whether it can be rendered for every contact."""
        if len(text) > most:
            self._field(name, f"must be a text of at most {most:,} characters.")
            return
        known = {"message": "message", "organisation": settings.ORGANISATION}
        try:
            render_text(text, known, field=name, lacking=LACKING)
        except Invalid as error:
            problem = error.message.replace("Give it one, or a default", "Give it a default")
            self._note(Problem(name, problem.replace(f"Field '{name}'", title) if title else problem))

    def _transfers(self) -> Mapping[str, str]:
        transfers = self._content["transfers"]
        if not isinstance(transfers, dict) or len(transfers) > MOST_TRANSFERS:
            self._field("transfers", f"must be an object of at most {MOST_TRANSFERS} names and numbers.")
            return {}
        for name, number in transfers.items():
            if not DESTINATION.fullmatch(name):
                self._field("transfers", f"must name each destination in words; “{name}” is no name.")
            elif not _is_e164(number):
                self._field("transfers", f"must have an E.164 number for “{name}”, such as +14155550100.")
        if len({name.casefold() for name in transfers}) < len(transfers):
            self._field("transfers", "must not have two destinations of one name.")
        return transfers

    def _questions(self) -> tuple[Question, ...]:
        try:
            questions = questions_of(self._listed("questions"))
        except msgspec.ValidationError as error:
            self._field("questions", f"must be a list of questions: {error}.")
            return ()
        if len(questions) > MOST_QUESTIONS:
            self._field("questions", f"must be a list of at most {MOST_QUESTIONS} questions.")
        names = [question.name for question in questions]
        for question in questions:
            self._question(question, is_double=names.count(question.name) > 1)
        return questions

    def _question(self, question: Question, *, is_double: bool) -> None:
        if not FIELD_NAME.fullmatch(question.name) or is_double:
            self._field(
                "questions",
                f"must give each question a name of its own, of small letters, digits and _; "
                f"“{question.name}” is none.",
            )
        if not 1 <= len(question.text.strip()) <= 300:
            self._field("questions", f"must say what “{question.name}” asks, in at most 300 characters.")
        if question.type == "choice" and len(question.choices) < 2:
            self._field("questions", f"must give “{question.name}” two choices or more, or another type.")

    def _steps(self) -> tuple[Step, ...]:
        try:
            return steps_of(self._listed("steps"))
        except msgspec.ValidationError as error:
            self._field("steps", f"must be a list of steps: {error}.")
            return ()

    def _listed(self, name: str) -> list[object]:
        value = self._content[name]
        if isinstance(value, list):
            return value
        self._field(name, "must be a list.")
        return []

    def _step_texts(self, index: int, step: Step) -> None:
        title, place = f"Step {index + 1} ({step.name}):", f"steps.{index}"
        self._template(f"{place}.say", step.say, most=MOST_CHARS, title=title)
        for number, branch in enumerate(step.branches):
            at = f"{place}.branches.{number}.say"
            self._template(at, branch.say, most=MOST_CHARS, title=f"{title} answer {number + 1}")
        if step.otherwise:
            at = f"{place}.otherwise.say"
            self._template(at, step.otherwise.say, most=MOST_CHARS, title=f"{title} “otherwise”")


def _is_e164(number: object) -> bool:
    try:
        return isinstance(number, str) and phone.to_e164(number) == number
    except ValueError:
        return False
