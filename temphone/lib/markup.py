"""Markup where a page has hundreds of pieces of it, for each of which a template takes ten times as long."""

from collections.abc import Iterable
from html import escape


class Markup(str):
    """Markup that is well: whoever made it has escaped what it holds. Django takes it as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        """Itself."""
        return self


def filled(form: str, *parts: object) -> Markup:
    """Markup with a part in each of its ``{}``: a piece of markup as it is, anything else as text, escaped.

    Django's ``format_html`` does the same in three times the time.
    """
    return Markup(form.format(*(one if hasattr(one, "__html__") else escape(str(one)) for one in parts)))


def joined(pieces: Iterable[Markup]) -> Markup:
    """One after the other."""
    return Markup("".join(pieces))
