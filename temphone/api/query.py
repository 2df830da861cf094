"""Query parameters, each read strictly: a bad value is a 400 that names it."""

from collections.abc import Collection
from datetime import datetime

from django.http import QueryDict

from temphone.lib.clock import parse_timestamp
from temphone.lib.errors import Invalid


class Query:
    """The parameters of one request; those that nobody asks for are ignored, as unknown fields are."""

    def __init__(self, parameters: QueryDict) -> None:
        self.parameters = parameters

    def text(self, name: str) -> str | None:
        """The text, if given."""
        value = self.parameters.get(name)
        if value is not None and "\x00" in value:
            raise self.bad(name, "must not contain NUL characters.")
        return value

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        """One of the words, if given."""
        value = self.text(name)
        if value is not None and value not in allowed:
            raise self.bad(name, f"must be one of {', '.join(allowed)}.")
        return value

    def flag(self, name: str) -> bool:
        """Whether it is given as true."""
        return self.choice(name, ("true", "false")) == "true"

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """An integer within bounds."""
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
            raise self.bad(name, f"must be an integer between {least} and {most}.")
        return int(value)

    def instant(self, name: str) -> datetime | None:
        """An ISO 8601 timestamp, if given; UTC unless it says otherwise."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return parse_timestamp(value, zone_name="UTC")
        except ValueError as error:
            raise self.bad(name, "must be an ISO-8601 timestamp such as 2026-03-15T15:00:00Z.") from error

    def with_prefix(self, prefix: str) -> dict[str, str]:
        """The parameters whose name begins so, by the rest of the name."""
        names = [name for name in self.parameters if name.startswith(prefix)]
        return {name.removeprefix(prefix): self.text(name) or "" for name in names}

    @staticmethod
    def bad(name: str, problem: str) -> Invalid:
        """The refusal of a parameter."""
        message = f"Query parameter '{name}' {problem}"
        return Invalid(message, fields={name: [message]})
