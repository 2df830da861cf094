"""Translations that a page asks for hundreds of times: Django looks through its catalogues for each."""

from functools import lru_cache

from django.utils import translation


def gettext(message: str) -> str:
    """As Django's, kept by language."""
    return _kept(translation.get_language(), message)


@lru_cache(maxsize=1024)
def _kept(_language: str | None, message: str) -> str:
    return translation.gettext(message)
