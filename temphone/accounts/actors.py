"""Who does something: a person, an API key, or TemPhone itself; and what their role allows."""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from temphone.lib.errors import Forbidden
from temphone.said import in_english


class Role(TextChoices):
    """Each role may all that the ones before it may."""

    VIEWER = "viewer", _("Viewer")  # sees
    OPERATOR = "operator", _("Operator")  # schedules, moves, cancels calls; suppresses numbers
    MANAGER = "manager", _("Manager")  # contacts, consents, campaigns, the stop switch, lifts suppressions
    ADMIN = "admin", _("Admin")  # people, keys, everything

    def includes(self, other: "Role") -> bool:
        """Whether this role may what ``other`` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever causes a change. ``label`` is what the audit log shows; it names no contact."""

    kind: str  # user, key, system
    id: str
    label: str
    role: Role
    mode: str | None = None  # a key's mode; None: the actor chooses
    username: str = ""  # of staff who have a name beside it

    @property
    def signature(self) -> str:
        """The label with the user name, which nobody gives themselves: for what is kept as evidence."""
        return f"{self.label[:70]} ({self.username[:70]})" if self.username else self.label

    def is_user(self, number: int) -> bool:
        """Whether this is the member of staff with that number."""
        return self.kind == "user" and self.id == str(number)

    def require(self, role: Role) -> None:
        """Return if the actor's role includes ``role``.

        Raises:
            Forbidden: it does not.
        """
        if not self.role.includes(role):
            needed, own = (in_english(one.label).lower() for one in (role, self.role))
            raise Forbidden(f"This needs the role {needed}; yours is {own}.")

    @property
    def is_test(self) -> bool:
        """Whether this is a test key."""
        return self.mode == "test"

    def require_live(self) -> None:
        """Return unless it is a test key: both modes share it, and live calls go by it.

        Raises:
            Forbidden: it is one.
        """
        if self.is_test:
            text = "A test key cannot change what live calls go by. Use a live key."
            raise Forbidden(text, code="live_key_needed")


SYSTEM = Actor(kind="system", id="", label="TemPhone", role=Role.ADMIN)
