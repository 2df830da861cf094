"""Words that a page asks for hundreds of times, kept by language: Django makes each of them anew."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec

from django.utils import translation

P = ParamSpec("P")


def by_language(function: Callable[P, str]) -> Callable[P, str]:
    """The function, with what it answered last kept for each language."""
    keeping = lru_cache(maxsize=4096)
    kept: Callable[..., str] = keeping(lambda _language, *args, **kwargs: function(*args, **kwargs))

    @wraps(function)
    def answered(*args: P.args, **kwargs: P.kwargs) -> str:
        return kept(translation.get_language(), *args, **kwargs)

    return answered


@by_language
def gettext(message: str) -> str:
    """As Django's."""
    return translation.gettext(message)
