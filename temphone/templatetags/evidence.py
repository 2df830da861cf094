"""What shows how a call came out, in plain words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

register = template.Library()

MODEL_PROBLEMS: Mapping[str, Promise] = {
    "no model": gettext_lazy("none is set up"),
    "slow": gettext_lazy("it took too long"),
    "nonsense": gettext_lazy("what it wrote was no speech"),
    "said nothing": gettext_lazy("it said nothing"),
    "cut off": gettext_lazy("it broke off"),
    "gateway_stopped": gettext_lazy("the gateway was stopped"),
    "restarted": gettext_lazy("the gateway was restarted"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that shows it; ``at_ms`` counts from the answer."""

    icon: str
    text: str
    at_ms: int | None = None


@register.filter
def shown(evidence: Mapping[str, object]) -> list[Shown]:
    """What was heard, what went wrong, and where it led to; nothing of what has no words."""
    return [*_heard(evidence), *_went_on(evidence)]


def _heard(evidence: Mapping[str, object]) -> Iterator[Shown]:
    given = evidence.get("offset_ms")
    at_ms = given if isinstance(given, int) else None
    if said := evidence.get("said"):
        yield Shown("quote", _("“{words}”").format(words=said), at_ms)
    if key := evidence.get("pressed"):
        yield Shown("keyboard", _("Key {key} was pressed").format(key=key), at_ms)
    lasted_ms = evidence.get("not_understood_ms")
    if isinstance(lasted_ms, int):
        yield Shown("ear-off", _not_understood(lasted_ms), None if said else at_ms)


def _not_understood(lasted_ms: int) -> str:
    if not lasted_ms:
        return _("Not all that was said was understood")
    seconds = f"{lasted_ms / 1000:.1f}"
    return _("Not all that was said in {seconds} s was understood").format(seconds=seconds)


def _went_on(evidence: Mapping[str, object]) -> Iterator[Shown]:
    if when := evidence.get("when"):
        yield Shown("phone-incoming", _("Wants to be called: {when}").format(when=when))
    if whom := evidence.get("transferred_to"):
        yield Shown("phone-forwarded", _("Transferred to {whom}").format(whom=whom))
    if problem := evidence.get("voice_lost"):
        yield Shown("volume-x", _("Our own voice failed: {problem}").format(problem=problem))
    if problem := evidence.get("model_problem"):
        reason = MODEL_PROBLEMS.get(str(problem), problem)
        yield Shown("bot", _("The language model failed: {reason}").format(reason=reason))
