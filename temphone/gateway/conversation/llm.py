"""A language model behind an OpenAI-compatible endpoint, one answer at a time.

Whatever comes from it is data of a stranger: capped, cleaned, and refused where it is no answer.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from temphone.gateway.conversation import briefing
from temphone.gateway.conversation.moves import Deed, Done, Line, Lost, Sentence, Thought
from temphone.gateway.conversation.sentences import Sentences, storable
from temphone.telephony.messages import Script, Tool

MOST_CHARS = 1_200  # of one answer; about a minute and a half of speech
MOST_COMPLETED_CHARS = 20_000
MOST_DEEDS = 8
MOST_ARGUMENT_CHARS = 2_000
NOT_SPEECH = ("{", "[", "<")  # a tool or markup that was written out as text


class Model(Protocol):
    """Something that answers in conversations."""

    def reply(self, script: Script, lines: Sequence[Line]) -> AsyncGenerator[Thought, None]:
        """Its answer: sentences as soon as each is complete, then Done or Lost. May raise anything."""

    def complete(self, script: Script, prompt: str) -> Coroutine[Any, Any, str]:
        """The text that it makes of this prompt; may raise anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Where the model is. ``timeout_s`` is how long a sentence may keep the callee waiting."""

    url: str
    key: str = field(repr=False)
    model: str
    timeout_s: float


class OpenAIModel:
    """A model that any number of calls share."""

    def __init__(self, settings: ModelSettings) -> None:
        """Import the SDK, which takes a second; raises ImportError where it is not installed."""
        from openai import AsyncOpenAI

        self._settings = settings
        # Not tried again: whoever waits on the phone does not wait for a second try.
        self._client: Any = AsyncOpenAI(
            base_url=settings.url,
            api_key=settings.key or "none",
            max_retries=0,
            timeout=2 * settings.timeout_s,  # whoever waits counts, and gives up before
        )
        _ = self._client.chat.completions  # imports more, for which the first callee would wait

    async def close(self) -> None:
        """Let go of its connections."""
        await self._client.close()

    async def reply(self, script: Script, lines: Sequence[Line]) -> AsyncGenerator[Thought, None]:
        """See the interface."""
        stream = await self._client.chat.completions.create(
            model=self._model(script),
            messages=briefing.messages(script, lines),
            tools=briefing.tools(script),
            stream=True,
        )
        async with stream, aclosing(_thoughts(stream)) as thoughts:
            async for thought in thoughts:
                yield thought

    async def complete(self, script: Script, prompt: str) -> str:
        """See the interface."""
        answer = await self._client.chat.completions.create(
            model=self._model(script),
            messages=[{"role": "user", "content": prompt}],
            timeout=10 * self._settings.timeout_s,
        )
        return _text_of(answer.choices[0].message)[:MOST_COMPLETED_CHARS]

    def _model(self, script: Script) -> str:
        return (script.llm.model if script.llm else "") or self._settings.model


async def _thoughts(chunks: AsyncIterator[Any]) -> AsyncGenerator[Thought, None]:
    answer = _Answer()
    async for chunk in chunks:
        for sentence in answer.take(chunk):
            yield Sentence(sentence)
        if answer.is_over:
            break
    for sentence in answer.rest():
        yield Sentence(sentence)
    yield answer.end()


class _Answer:
    """One answer, put together from its pieces."""

    def __init__(self) -> None:
        self._sentences = Sentences()
        self._chars = 0
        self._is_nonsense = False
        self._calls: dict[object, _Call] = {}

    @property
    def is_over(self) -> bool:
        """Whether the rest is not waited for."""
        return self._is_nonsense or self._chars > MOST_CHARS

    def take(self, chunk: Any) -> list[str]:
        """The sentences that this piece completes. Some servers send pieces without choices."""
        choices = getattr(chunk, "choices", None) or [None]
        delta = getattr(choices[0], "delta", None)
        for fragment in getattr(delta, "tool_calls", None) or ():
            self._take_call(fragment)
        return self._take_text(_text_of(delta))

    def _take_text(self, text: str) -> list[str]:
        if not self._chars:
            text = text.lstrip()
            self._is_nonsense = text.startswith(NOT_SPEECH)
        if self._is_nonsense:
            return []
        text = text[: MOST_CHARS - self._chars + 1]
        self._chars += len(text)
        return self._sentences.take(text)

    def _take_call(self, fragment: Any) -> None:
        index = getattr(fragment, "index", None)
        key = len(self._calls) if index is None else index
        if key not in self._calls and len(self._calls) < MOST_DEEDS:
            self._calls[key] = _Call()
        if key in self._calls:
            self._calls[key].take(fragment)

    def rest(self) -> list[str]:
        """What is left when no more comes."""
        return [] if self._is_nonsense else self._sentences.rest()

    def end(self) -> Done | Lost:
        """How it ended."""
        if self._is_nonsense:
            return Lost("nonsense")
        deeds = (call.deed(number) for number, call in enumerate(self._calls.values()))
        return Done(tuple(deed for deed in deeds if deed))


class _Call:
    """One call of a tool, put together from its pieces."""

    def __init__(self) -> None:
        self._id = self._name = self._arguments = ""

    def take(self, fragment: Any) -> None:
        """Add a piece; some servers repeat the name in each."""
        function = getattr(fragment, "function", None)
        self._id = self._id or _word(getattr(fragment, "id", None))
        if self._name not in set(Tool):
            self._name += _word(getattr(function, "name", None))
        if len(self._arguments) <= MOST_ARGUMENT_CHARS:
            arguments = getattr(function, "arguments", None)
            self._arguments += arguments if isinstance(arguments, str) else ""

    def deed(self, number: int) -> Deed | None:
        """What it means; None when there is no such tool."""
        tool = next((tool for tool in Tool if tool == self._name), None)
        return Deed(self._id or f"deed_{number}", tool, self._understood()) if tool else None

    def _understood(self) -> dict[str, str]:
        """The arguments that are texts; none when they are no JSON object."""
        if len(self._arguments) > MOST_ARGUMENT_CHARS:
            return {}
        try:
            given = json.loads(self._arguments or "{}")
        except (ValueError, RecursionError):
            return {}
        if not isinstance(given, dict):
            return {}
        return {name: storable(value)[:200] for name, value in given.items() if isinstance(value, str)}


def _text_of(delta: Any) -> str:
    content = getattr(delta, "content", None)
    return content if isinstance(content, str) else ""


def _word(value: object) -> str:
    """A short printable text; anything else is none."""
    return value if isinstance(value, str) and len(value) <= 64 and value.isascii() else ""
