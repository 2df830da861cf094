"""Whom a campaign calls: people with a tag, those whom a search finds, or some that were picked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, Value
from django.db.models.sql.compiler import SQLCompiler

from contacts.models import MOST_FOUND, Contact
from contacts.models import ContactQuerySet as People

TAG, SEARCH, PICKED = "tag", "search", "picked"
MOST_PICKED = 200
TAGS_FROM = 2_000  # the newest people, whose tags are offered
Sql = tuple[str, Any]


class HasTag(Func):
    """Whether a list of texts in JSON holds a text."""

    output_field = BooleanField()

    def __init__(self, name: str, text: str) -> None:
        super().__init__(F(name), Value(text))

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        """By going through the list."""
        template = "EXISTS (SELECT 1 FROM JSON_EACH(%(expressions)s)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") WHERE value = ")

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        """By the operator that is there for it."""
        return self.as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner=" ? ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The people, by one of three ways; kept in the campaign as JSON."""

    kind: str = TAG
    text: str = ""  # the tag, or what is searched for
    ids: Sequence[str] = ()  # of those picked

    @classmethod
    def read(cls, kept: dict[str, Any]) -> "Audience":
        """As the campaign keeps it."""
        return cls(kind=kept.get("kind", TAG), text=kept.get("text", ""), ids=tuple(kept.get("ids", ())))

    @property
    def kept(self) -> dict[str, Any]:
        """As the campaign keeps it."""
        return {"kind": self.kind, "text": self.text, "ids": list(self.ids)}

    @property
    def people(self) -> People:
        """Those of them who were not erased, in no order. A search finds at most MOST_FOUND."""
        present = Contact.objects.present()
        if self.kind == PICKED:
            return present.filter(pk__in=self.ids).order_by()
        if not self.text:
            return present.none()
        if self.kind == SEARCH:
            return present.matching(self.text, most=MOST_FOUND).order_by()
        return present.filter(HasTag("tags", self.text)).order_by()


def tags_in_use() -> list[str]:
    """The tags of the people who came last, by name."""
    newest = Contact.objects.present().order_by("-created_at", "-id")[:TAGS_FROM]
    lists = newest.values_list("tags", flat=True)
    return sorted({str(tag) for tags in lists for tag in tags}, key=str.casefold)
