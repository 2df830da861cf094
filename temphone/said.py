"""What rules say in English, in the reader's language.

Programs get it in English, and so it is kept; a page shows it to people. ``make messages`` finds the
sentences of rules, each with the names of what is put into it, and gives those the context ``rule``.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from string import Formatter

from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_noop, pgettext_lazy

from temphone.lib import countries

RULE = "rule"
# What rules put together of parts, and what is kept of them.
PARTS = (
    gettext_noop("“otherwise”"),
    gettext_noop("has no value for this contact"),
    gettext_noop("not every contact has"),
    gettext_noop("something in it cannot be calculated"),
    pgettext_lazy("rule", "answer {number}"),
    pgettext_lazy("rule", "by {who}"),
    pgettext_lazy("rule", "not seen for {n} s"),
    pgettext_lazy("rule", "{label} consent, {purpose}"),
    pgettext_lazy("rule", "Step {number}: {text}"),
    pgettext_lazy("rule", "Field '{name}' {problem}"),
    pgettext_lazy("rule", "Field '{name}' is outside the contact's calling hours. {text}"),
    pgettext_lazy("rule", "Field '{name}' leads to a number that may not be called. {text}"),
    pgettext_lazy("rule", "answer {number} {problem}"),
    pgettext_lazy("rule", "“otherwise” {problem}"),
    pgettext_lazy(
        "rule",
        "uses '{name}', which {lacking}. Give it one, or a default: {{{{ {name_} | default: \"there\" }}}}.",
    ),
    pgettext_lazy(
        "rule",
        "uses '{name}', which {lacking}. Give it a default: {{{{ {name_} | default: \"there\" }}}}.",
    ),
)
# What is put into a sentence and is itself a word, or a sentence, of ours.
WORDS = re.compile(
    r"(consent|label|lacking|mode|needed|own|problem|purpose|reason|state|status|text|title|which)_*"
)


def in_english(text: str | Promise) -> str:
    """A label in English, whoever reads: for what is kept, and for programs."""
    with translation.override("en"):
        return str(text)


def said(text: str) -> str:
    """A sentence of a rule's in the reader's language; any other text as it is."""
    language = translation.get_language() or "en"
    if language.split("-")[0] == "en" or not text:
        return text
    return _said(language, text + "") or text  # what is marked as safe markup stays so only as it is


def said_of(subject: str, name: str, message: str) -> str:
    """What a rule said of a field, which the API calls by its ``name``, and people as the subject."""
    problem = message.removeprefix(f"Field '{name}' ")
    return said(message) if problem == message else f"{subject} {said(problem)}"


@lru_cache(maxsize=4096)
def _said(language: str, text: str) -> str:
    small = text[0].lower() + text[1:]
    for known in (_known(language, text), _known(language, small)):
        if known:
            return known if text[0].islower() else known[0].upper() + known[1:]
    return ""


def _known(language: str, text: str) -> str:
    if (known := translation.gettext(text)) != text:
        return known
    for pattern, sentence in _sentences(language):
        if match := pattern.fullmatch(text):
            return _filled(sentence, match.groupdict())
    return ""


def _filled(sentence: str, parts: Mapping[str, str]) -> str:
    language = translation.get_language() or "en"
    contexts = [name for name in ("campaign", "call", "import") if name in sentence.lower()]
    words = {
        name: a_word(value, contexts) if WORDS.fullmatch(name) else value for name, value in parts.items()
    }
    if "country" in words:
        words["country"] = countries.in_language(words["country"], language)
    return translation.pgettext(RULE, sentence).format(**words)


def a_word(text: str, contexts: Sequence[str] = ()) -> str:
    """A label in small letters, as it stands within a sentence; or a sentence of its own."""
    if text.endswith("."):
        return said(text)
    label = text.capitalize()
    for known in (
        *(translation.pgettext(context, label) for context in contexts),
        translation.gettext(label),
    ):
        if known != label:
            return known[0].lower() + known[1:]
    return said(text)


@lru_cache(maxsize=8)
def _sentences(language: str) -> Sequence[tuple[re.Pattern[str], str]]:
    """The sentences with places in them, those with the most words of their own first."""
    source = settings.LOCALES / translation.to_locale(language) / "LC_MESSAGES" / "django.po"
    if not source.exists():
        return []
    with source.open("rb") as file:
        found = [str(text.id) for text in read_po(file) if text.context == RULE]
    found.sort(key=lambda sentence: -sum(len(words) for words, *_ in Formatter().parse(sentence)))
    return [(_pattern(sentence), sentence) for sentence in found]


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = [
        re.escape(words) + (f"(?P<{name}>.+?)" if name else "")
        for words, name, *_ in Formatter().parse(sentence)
    ]
    return re.compile("".join(parts), re.DOTALL)
