"""What the AI says in a call: its agent's texts, and around them what no agent can leave out.

Who calls, that it is an automated AI, that the call is recorded, how to stop: made here, never by an agent
or a model.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from django.conf import settings

from calls.messages import data_for, render_text
from calls.models import Call
from campaigns.models import AgentVersion, Engine
from campaigns.scripts import questions_of, steps_of
from temphone.telephony.messages import Branch, Instructions, Script, Step, Tool
from temphone.telephony.sentences import sentences_in


def script_for(
    call: Call, message: str, agent: AgentVersion, *, now: datetime, barred: Collection[str] = ()
) -> Script:
    """The script of an attempt; ``message`` is rendered already. To ``barred`` numbers nobody is transferred.

    Raises:
        Invalid: a text of the agent cannot be rendered for this contact.
    """
    language = agent.language or call.contact.language
    ours = sentences_in(language)
    hello, this_is = (text.replace("{who}", settings.ORGANISATION) for text in (ours.hello, ours.this_is))
    recorded = ours.recorded if call.recording_enabled else ""
    say = _Texts(call, message, now)
    left = say("voicemail", agent.voicemail)
    return Script(
        mode="deliver" if agent.mode == "deliver" else "converse",
        preface=_joined(hello, recorded, ours.stop),
        message=message,
        voicemail_message=_joined(hello, recorded, left, ours.stop_later) if left else "",
        screening_message=_joined(this_is, say("screening", agent.screening), recorded, ours.stop),
        goodbye=say("goodbye", agent.goodbye),
        opt_out_confirmation=ours.stopped,
        silence_reminder=say("silence_reminder", agent.silence_reminder),
        language=language,
        notices_in=ours.language,
        voice=agent.voice,
        steps=say.steps(steps_of(agent.steps)),
        transfers={name: number for name, number in agent.transfers.items() if number not in barred},
        llm=_instructions(agent, say),
        questions=questions_of(agent.questions),
    )


def _joined(*texts: str) -> str:
    return " ".join(filter(None, texts))


def _instructions(agent: AgentVersion, say: "_Texts") -> Instructions | None:
    if agent.engine != Engine.LLM:
        return None
    return Instructions(
        text=say("instructions", agent.instructions),
        tools=tuple(Tool(tool) for tool in agent.tools),
        turn_budget=agent.turn_budget,
        model=agent.model,
    )


class _Texts:
    """An agent's texts, rendered for one call."""

    def __init__(self, call: Call, message: str, now: datetime) -> None:
        self._call, self._message, self._now = call, message, now
        self._data: Mapping[str, object] | None = None

    def __call__(self, field: str, template: str) -> str:
        if "{" not in template and "<" not in template:
            return template
        if self._data is None:
            about = data_for(self._call.contact, self._call.metadata or {}, self._now)
            self._data = {**about, "message": self._message, "organisation": settings.ORGANISATION}
        return render_text(template, self._data, field=field)

    def steps(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(
            replace(
                step,
                say=self(f"steps: {step.name}", step.say),
                branches=tuple(self._branch(step, branch) for branch in step.branches),
                otherwise=self._branch(step, step.otherwise) if step.otherwise else None,
            )
            for step in steps
        )

    def _branch(self, step: Step, branch: Branch) -> Branch:
        return replace(branch, say=self(f"steps: {step.name}", branch.say))
