"""The message of a call, and its agent's texts: Liquid output statements over plain data, and nothing else.

No tags, no ranges, no objects; the filters are those of FILTERS; what a value holds is never read as a
template again. A message can cost milliseconds at most: nothing here loops, or grows faster than its text.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from liquid import BoundTemplate, Environment, StrictDefaultUndefined
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.filters.misc import date as liquid_date
from liquid.exceptions import LiquidError, UndefinedError
from liquid.expression import Expression
from liquid.filter import liquid_filter, with_environment

from calls.models import Call
from contacts.models import Contact
from temphone.lib.clock import zone
from temphone.lib.errors import Invalid

FIELD = "initial_message"
MAX_LENGTH = 5_000
MAX_RENDERED_LENGTH = 10_000
TAGS = ("content", "output", "illegal")
FILTERS = (
    "abs",
    "append",
    "at_least",
    "at_most",
    "capitalize",
    "ceil",
    "date",
    "default",
    "divided_by",
    "downcase",
    "floor",
    "lstrip",
    "minus",
    "modulo",
    "plus",
    "prepend",
    "remove",
    "round",
    "rstrip",
    "size",
    "slice",
    "squish",
    "strip",
    "times",
    "truncate",
    "truncatewords",
    "upcase",
)
ANGLED = re.compile(r"<<([^<>{}]*)>>")
DATE_FORMAT = re.compile(r"(%-?[A-Za-z%]|[^%])*")
UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


class _Problem(Exception):
    """What is wrong with a template, as it stands after the name of its field."""


def render(template: str, *, contact: Contact, metadata: Mapping[str, object] | None, now: datetime) -> str:
    """The message as it will be spoken to this contact at ``now``.

    Raises:
        Invalid: it is no template, or a variable has neither a value for this contact nor a default.
    """
    spoken = render_text(template, data_for(contact, metadata or {}, now), field=FIELD)
    if not spoken:
        raise Invalid.field(FIELD, "leaves nothing to say for this contact.")
    return spoken


def check(template: str, *, field: str = FIELD) -> None:
    """Return if it is a template, whoever it is to be spoken to.

    Raises:
        Invalid
    """
    try:
        _parse(template)
    except _Problem as problem:
        raise Invalid.field(field, str(problem)) from problem


def render_for(call: Call, *, now: datetime) -> str:
    """The call's message as it will be spoken at ``now``; raises as ``render``."""
    return render(call.initial_message, contact=call.contact, metadata=call.metadata, now=now)


def render_text(
    template: str, data: Mapping[str, object], *, field: str, lacking: str = "has no value for this contact"
) -> str:
    """Any text as it will be spoken, with these variables; it may be empty.

    Raises:
        Invalid: names ``field``; ``lacking`` says of a variable without a value why it has none.
    """
    try:
        return _rendered(template, data)
    except UndefinedError as error:
        raise Invalid.field(field, _missing(str(error), lacking)) from error
    except _Problem as problem:
        raise Invalid.field(field, str(problem)) from problem


def _rendered(template: str, data: Mapping[str, object]) -> str:
    parsed = _parse(template)
    try:
        text = parsed.render(data)
    except UndefinedError:
        raise
    except (LiquidError, ValueError, ArithmeticError) as error:
        raise _broken(error) from error
    spoken = UNSPEAKABLE.sub("", text).strip()
    if len(spoken) > MAX_RENDERED_LENGTH:
        raise _Problem(f"must not exceed {MAX_RENDERED_LENGTH} characters once rendered.")
    return spoken


@with_environment
@liquid_filter
def _date(value: object, format_: object, *, environment: Environment) -> object:
    # A width such as %999999999d would make strftime fill the memory.
    if not DATE_FORMAT.fullmatch(str(format_)):
        raise ValueError("a date format may hold letters only, such as %A %-d %B")
    return liquid_date(value, format_, environment=environment)


def _environment() -> Environment:
    environment = Environment(undefined=StrictDefaultUndefined, strict_filters=True)
    environment.tags = {name: tag for name, tag in environment.tags.items() if name in TAGS}
    environment.filters = {name: environment.filters[name] for name in FILTERS} | {"date": _date}
    return environment


ENVIRONMENT = _environment()


@lru_cache(maxsize=1000)
def _parse(template: str) -> BoundTemplate:
    if "{%" in template:  # the lexer alone would take some, such as raw
        raise _Problem("must not use tags such as {% if %}.")
    try:
        parsed = ENVIRONMENT.from_string(ANGLED.sub(r"{{\1}}", template))
    except (LiquidError, RecursionError) as error:
        raise _broken(error) from error
    if any(_has_range(node.expressions()) for node in parsed.nodes if not isinstance(node, ContentNode)):
        raise _Problem("must not use ranges such as (1..5).")
    return parsed


def _has_range(expressions: Iterable[Expression]) -> bool:
    return any(isinstance(part, RangeLiteral) or _has_range(part.children()) for part in expressions)


def data_for(contact: Contact, metadata: Mapping[str, object], now: datetime) -> dict[str, object]:
    """The variables of a text for this contact; what is empty is missing."""
    person = {
        **contact.attributes,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "name": contact.name,
        "company": contact.company,
        "language": contact.language,
    }
    local = now.astimezone(zone(contact.timezone))
    data = {**person, "contact": person, "metadata": metadata, "now": local}
    return {name: _without_empty(value) for name, value in data.items() if value not in (None, "")}


def _without_empty(value: object) -> object:
    """The same without empty texts and nulls, which so count as missing."""
    if isinstance(value, Mapping):
        return {key: _without_empty(item) for key, item in value.items() if item is not None and item != ""}
    return value


def _missing(problem: str, lacking: str) -> str:
    name = problem.splitlines()[0].removesuffix(" is undefined").strip("'")
    return (
        f"uses '{name}', which {lacking}. Give it one, or a default: {{{{ {name} | default: \"there\" }}}}."
    )


def _broken(error: Exception) -> _Problem:
    problem = (str(error).splitlines() or ["too deep"])[0]
    if isinstance(error, ArithmeticError):  # these speak of Python
        problem = "something in it cannot be calculated"
    return _Problem(f"must be a valid template: {problem}.")
