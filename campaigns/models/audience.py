"""Whom a campaign calls: everybody, people with a tag, whom a search finds, or some that were picked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contacts.models import MOST_FOUND, Contact
from contacts.models import ContactQuerySet as People

EVERYBODY, TAG, SEARCH, PICKED = "everybody", "tag", "search", "picked"
MOST_PICKED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The people, by one of four ways; kept in the campaign as JSON."""

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
        present = Contact.objects.present().order_by()
        if self.kind == EVERYBODY:
            return present
        if self.kind == PICKED:
            return present.filter(pk__in=self.ids)
        if not self.text:
            return present.none()
        if self.kind == SEARCH:
            return present.matching(self.text, most=MOST_FOUND)
        return present.with_tag(self.text)
