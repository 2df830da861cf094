import pytest
from django.db import IntegrityError, transaction

from campaigns.actions import create_campaign, update_campaign
from campaigns.actions.agents import archive_agent, duplicate_agent, make_default, save_agent
from campaigns.models import Agent, AgentVersion
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import AuditEntry, Mode
from temphone.lib.errors import Conflict, Forbidden, Invalid, NotFound
from tests.builders import NOON, a_campaign
from tests.campaigns.builders import BOOKING, DESK, QUESTIONS, a_step, an_answer

pytestmark = pytest.mark.django_db
OPERATOR = Actor(kind="user", id="1", label="Olga", role=Role.OPERATOR)
EVERYTHING = {
    "name": "Booking",
    "voice": "amy",
    "language": "en",
    "mode": "converse",
    "engine": "llm",
    "goodbye": "Bye, {{ first_name | default: 'dear guest' }}.",
    "voicemail": "",
    "screening": "about your visit.",
    "silence_reminder": "Hello?",
    "steps": BOOKING,
    "instructions": "Find out whether they come.",
    "tools": ["end_call", "transfer"],
    "transfers": DESK,
    "turn_budget": 5,
    "model": "small",
    "questions": QUESTIONS,
}


def save(agent_id=None, **values):
    return save_agent(actor=SYSTEM, agent_id=agent_id, values={"name": "Booking", **values}, now=NOON)


def refusal(**values) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as refused:
        save(**values)
    return refused.value.fields


def test_a_fresh_installation_has_one_agent_that_says_what_was_always_said():
    agent = Agent.objects.get()
    assert (agent.name, agent.is_default, agent.version) == ("Standard assistant", True, 1)
    assert agent.current.content == AgentVersion().content


def test_it_keeps_everything():
    agent = save(**EVERYTHING)
    assert agent.current.content == EVERYTHING
    assert AuditEntry.objects.filter(action="agent.add", target=agent.pk).count() == 1


def test_a_change_makes_a_new_version_and_the_old_stays():
    agent = save(goodbye="Bye.")
    again = save(agent.pk, name="Other", goodbye="Good day.")
    assert (again.pk, again.version, again.name) == (agent.pk, 2, "Other")
    assert [version.goodbye for version in agent.versions.order_by("number")] == ["Bye.", "Good day."]


def test_what_is_the_same_makes_no_new_version():
    agent = save(**EVERYTHING)
    assert save(agent.pk, **EVERYTHING).version == 1
    assert agent.versions.count() == 1


def test_who_saw_an_older_version_is_told():
    agent = save()
    save(agent.pk, goodbye="Bye.")
    with pytest.raises(Conflict, match="changed meanwhile"):
        save_agent(actor=SYSTEM, agent_id=agent.pk, values={"goodbye": "No."}, version=1, now=NOON)


@pytest.mark.parametrize(
    ("values", "field", "problem"),
    [
        ({"name": " "}, "name", "must be a text of 1 to 100 characters."),
        ({"goodbye": ""}, "goodbye", "must not be empty."),
        ({"goodbye": "x" * 2001}, "goodbye", "must be a text of at most 2,000 characters."),
        (
            {"goodbye": "Bye {{ first_name }}."},
            "goodbye",
            """uses 'first_name', which not every contact has. Give it a default: \
{{ first_name | default: "there" }}.""",
        ),
        ({"screening": "{% if x %}"}, "screening", "must not use tags such as {% if %}."),
        ({"voicemail": "{{ (1..9) | join }}"}, "voicemail", "must"),
        ({"language": "English!"}, "language", "must be a language such as en or es-MX, or empty."),
        ({"mode": "sing"}, "mode", "must be one of converse, deliver."),
        ({"engine": "magic"}, "engine", "must be one of playbook, llm."),
        ({"engine": "llm"}, "instructions", "must say what the language model is to do."),
        ({"tools": ["rm"]}, "tools", "must be a list of some of end_call, callback, transfer, mark_outcome."),
        ({"turn_budget": 0}, "turn_budget", "must be an integer between 1 and 50."),
        ({"transfers": {"desk": "5550100"}}, "transfers", "must have an E.164 number for “desk”"),
        ({"transfers": {"+19005550100": "+19005550100"}}, "transfers", "must name each destination in words"),
        ({"transfers": {"Desk": "+14155550100", "desk": "+14155550101"}}, "transfers", "two destinations"),
        ({"questions": [{"name": "x"}]}, "questions", "must be a list of questions"),
        ({"questions": [{"name": "The X", "text": "?"}]}, "questions", "a name of its own"),
        ({"questions": [{"name": "x", "text": "?", "type": "choice"}]}, "questions", "two choices or more"),
        ({"steps": [{"say": "?"}]}, "steps", "must be a list of steps"),
        ({"steps": {}}, "steps", "must be a list."),
        (
            {"steps": [a_step("a", "Hi {{ plan }}")]},
            "steps.0.say",
            "Step 1 (a): uses 'plan', which not every",
        ),
        (
            {"steps": [a_step("a", "Hi", an_answer("yes", say="{{ x }}"))]},
            "steps.0.branches.0.say",
            "Step 1 (a): answer 1 uses 'x', which not every contact has.",
        ),
    ],
)
def test_it_refuses_and_names_the_field_and_the_mend(values, field, problem):
    fields = refusal(**values)
    assert list(fields) == [field]
    assert problem in fields[field][0]


def test_managers_alone_change_agents():
    agent = save()
    for act in (
        lambda: save_agent(actor=OPERATOR, agent_id=None, values={}, now=NOON),
        lambda: duplicate_agent(actor=OPERATOR, agent_id=agent.pk, now=NOON),
        lambda: make_default(actor=OPERATOR, agent_id=agent.pk, now=NOON),
        lambda: archive_agent(actor=OPERATOR, agent_id=agent.pk, now=NOON),
    ):
        with pytest.raises(Forbidden):
            act()


def test_a_copy_says_the_same():
    agent = save(**EVERYTHING)
    copy = duplicate_agent(actor=SYSTEM, agent_id=agent.pk, now=NOON)
    assert copy.current.content == EVERYTHING | {"name": "Booking (copy)"}
    assert (copy.pk == agent.pk, copy.is_default) == (False, False)


def test_there_is_one_default():
    agent = save()
    make_default(actor=SYSTEM, agent_id=agent.pk, now=NOON)
    assert Agent.objects.get(is_default=True) == agent
    with pytest.raises(IntegrityError), transaction.atomic():
        Agent.objects.update(is_default=True)


def test_an_agent_that_is_needed_is_not_archived():
    default, used, free = Agent.objects.get(), save(), save()
    a_campaign(agent=used)
    a_campaign(agent=free, status="canceled")
    for agent in (default, used):
        with pytest.raises(Conflict):
            archive_agent(actor=SYSTEM, agent_id=agent.pk, now=NOON)
    archive_agent(actor=SYSTEM, agent_id=free.pk, now=NOON)
    assert set(Agent.objects.present()) == {default, used}


def test_an_archived_agent_is_left_alone():
    agent = save()
    archive_agent(actor=SYSTEM, agent_id=agent.pk, now=NOON)
    campaign = a_campaign()
    for act in (
        lambda: save(agent.pk, goodbye="Bye."),
        lambda: make_default(actor=SYSTEM, agent_id=agent.pk, now=NOON),
        lambda: create_campaign(actor=SYSTEM, name="C", mode=Mode.TEST, agent_id=agent.pk, now=NOON),
        lambda: update_campaign(
            actor=SYSTEM, campaign_id=campaign.pk, changes={"agent_id": agent.pk}, now=NOON
        ),
    ):
        with pytest.raises(Conflict):
            act()


def test_there_is_no_other():
    with pytest.raises(NotFound):
        make_default(actor=SYSTEM, agent_id="agt_000000000000", now=NOON)
