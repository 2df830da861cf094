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

    def require(self, role: Role) -> None:
        """Return if the actor's role includes ``role``.

        Raises:
            Forbidden: it does not.
        """
        if not self.role.includes(role):
            needed, own = (in_english(one.label).lower() for one in (role, self.role))
            raise Forbidden(f"This needs the role {needed}; yours is {own}.")


SYSTEM = Actor(kind="system", id="", label="TemPhone", role=Role.ADMIN)
