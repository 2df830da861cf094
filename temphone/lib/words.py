"""The words by which something is found: folded, so that ``jose`` finds José."""

import re
import unicodedata
from collections.abc import Iterable

import phonenumbers

MAX_WORD = 32  # of longer ones, their beginning
MAX_SOUGHT = 6  # of more words, the first
BACKWARDS = "<"  # no word begins so; behind it, a number's digits from the last to the first
NUMBER = re.compile(r"[+(]*[0-9][0-9().-]*")
PARTS = re.compile(r"[^\W_]+")


def tags_of(text: str) -> list[str]:
    """Each tag of a list with commas once, in the order typed."""
    return list(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))


def words_of(*texts: str) -> set[str]:
    """The words of these texts."""
    return {word for text in texts for word in _folded(text)}


def words_of_number(e164: str) -> set[str]:
    """A number's digits with and without the country's, for its beginning; and backwards, for its end."""
    digits = _digits(e164)
    if not digits:
        return set()
    return {digits, _national(e164) or digits, BACKWARDS + digits[::-1]}


def sought(text: str) -> list[tuple[str, ...]]:
    """What is typed into a search: for each word, the beginnings of which one must be found.

    Digits that stand beside each other are one number, of which its beginning or its end is meant.
    """
    found: list[tuple[str, ...]] = []
    for part in _joined(text.split()):
        if NUMBER.fullmatch(part):
            digits = _digits(part)
            found.append((digits[:MAX_WORD], BACKWARDS + digits[::-1][: MAX_WORD - 1]))
        else:
            found += [(word,) for word in _folded(part)]
    return found[:MAX_SOUGHT]


def _joined(parts: Iterable[str]) -> list[str]:
    """The parts, with ``+1 (415) 555`` as one."""
    joined: list[str] = []
    for part in parts:
        if joined and NUMBER.fullmatch(part) and NUMBER.fullmatch(joined[-1]) and part[0] != "+":
            joined[-1] += part.lstrip("(")
        else:
            joined.append(part)
    return joined


def _folded(text: str) -> list[str]:
    """The words in their order: without case, without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
    return [word[:MAX_WORD] for word in PARTS.findall(plain)]


def _digits(text: str) -> str:
    return "".join(mark for mark in text if mark in "0123456789")


def _national(e164: str) -> str:
    try:
        return str(phonenumbers.national_significant_number(phonenumbers.parse(e164)))
    except phonenumbers.NumberParseException:
        return ""
