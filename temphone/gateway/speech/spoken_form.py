"""A text as engines of speech can take it."""

import re
import unicodedata

UNSPEAKABLE = frozenset(("Cs", "Cc", "Cn", "Co"))  # lone surrogates, controls, what is no character
COMMANDS = re.compile(r"\[\[|\]\]")  # Piper takes what stands between for phonemes


def spoken_form(text: str) -> str:
    """The text without what no engine can speak, in one line; empty when there is nothing to say."""
    kept = "".join(" " if unicodedata.category(sign) in UNSPEAKABLE else sign for sign in text)
    plain = " ".join(COMMANDS.sub(" ", kept).split())
    return plain if any(sign.isalnum() for sign in plain) else ""
