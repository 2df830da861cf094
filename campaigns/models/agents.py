"""An agent: who speaks in a call, and how, as staff write it.

What it says is in its versions. None is ever changed: a change makes the next, and an attempt keeps the
one that it was dialled with.
"""

from collections.abc import Collection, Mapping
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from temphone.lib import ids
from temphone.lib.clock import now as utc_now
from temphone.telephony.messages import Tool

DEFAULT_TURN_BUDGET = 12
# What a version says; the rest is which one it is.
CONTENT = (
    "name",
    "voice",
    "language",
    "mode",
    "engine",
    "goodbye",
    "voicemail",
    "screening",
    "silence_reminder",
    "steps",
    "instructions",
    "tools",
    "transfers",
    "turn_budget",
    "model",
    "questions",
)


class SpeakingMode(models.TextChoices):
    """What it does after its message."""

    CONVERSE = "converse", _("Converse")
    DELIVER = "deliver", _("Deliver the message, and end")


class Engine(models.TextChoices):
    """What decides what it says in a conversation."""

    PLAYBOOK = "playbook", _("A playbook")
    LLM = "llm", _("A language model")


class AgentQuerySet(models.QuerySet["Agent"]):
    """Reads of agents."""

    def present(self) -> "AgentQuerySet":
        """Those that are not archived."""
        return self.filter(archived_at=None)


class Agent(models.Model):
    """Who speaks, whatever the version."""

    id = models.CharField(max_length=64, primary_key=True, default=ids.agent_id, editable=False)
    name = models.CharField(max_length=100, help_text="Of its current version.")
    version = models.PositiveIntegerField(default=1, help_text="The number of its current version.")
    is_default = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=utc_now, editable=False)
    updated_at = models.DateTimeField(default=utc_now, editable=False)

    objects = AgentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_agent"
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(archived_at=None), name="default_agent_is_present"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def current(self) -> "AgentVersion":
        """What it says now."""
        return self.versions.get(number=self.version)


class AgentVersionQuerySet(models.QuerySet["AgentVersion"]):
    """Reads of versions."""

    def speaking(self, agent_ids: Collection[str | None]) -> Mapping[str | None, "AgentVersion"]:
        """The current version of each agent, and under None that of the default; one query.

        Where there is no default, what stands in for it is in no table.
        """
        wanted = Q(agent__in=[id_ for id_ in agent_ids if id_]) | Q(agent__is_default=True)
        found = self.filter(wanted, number=F("agent__version")).select_related("agent")
        versions: dict[str | None, AgentVersion] = {version.agent_id: version for version in found}
        default = next((one for one in versions.values() if one.agent.is_default), None)
        return {**versions, None: default or AgentVersion()}


class AgentVersion(models.Model):
    """What an agent says and may do. The defaults are those of an agent that nobody has edited."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="versions", db_index=False)
    number = models.PositiveIntegerField(default=1)
    name = models.CharField(max_length=100, default="Standard assistant")
    voice = models.CharField(max_length=100, blank=True, help_text="Empty: the speech engine's default.")
    language = models.CharField(max_length=10, blank=True, help_text="Empty: the contact's.")
    mode = models.CharField(max_length=8, choices=SpeakingMode, default=SpeakingMode.CONVERSE)
    engine = models.CharField(max_length=8, choices=Engine, default=Engine.PLAYBOOK)
    goodbye = models.TextField(default="Thank you for your time. Goodbye.")
    # What stands before these two, who calls, is not the agent's to leave out.
    voicemail = models.TextField(blank=True, default="{{ message }} Goodbye.", help_text="Empty: hang up.")
    screening = models.TextField(default="with a message.")
    silence_reminder = models.TextField(default="Are you still there?")
    steps = models.JSONField(default=list, blank=True)
    instructions = models.TextField(blank=True)
    tools = models.JSONField(default=list, blank=True)
    transfers = models.JSONField(default=dict, blank=True, help_text="E.164 numbers by name.")
    turn_budget = models.PositiveSmallIntegerField(default=DEFAULT_TURN_BUDGET)
    model = models.CharField(max_length=100, blank=True, help_text="Empty: the gateway's.")
    questions = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=utc_now)
    created_by = models.CharField(max_length=150, blank=True)

    objects = AgentVersionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["agent", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agent", "number"], name="agent_version_unique"),
            models.CheckConstraint(condition=Q(mode__in=SpeakingMode.values), name="agent_mode_known"),
            models.CheckConstraint(condition=Q(engine__in=Engine.values), name="agent_engine_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.number}"

    @property
    def content(self) -> dict[str, object]:
        """What it says, by the names of CONTENT."""
        return {name: getattr(self, name) for name in CONTENT}


ALL_TOOLS = [tool.value for tool in Tool if tool is not Tool.OPT_OUT]  # that one is always there
