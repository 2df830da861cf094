"""What an entry of the audit log says beside its deed, in words."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from temphone.accounts.models import AuditEntry
from temphone.said import a_word

NAMES: dict[str, Any] = {
    "address": gettext_lazy("network address"),
    "agent": gettext_lazy("agent"),
    "attempt": gettext_lazy("attempt"),
    "before": gettext_lazy("before"),
    "call": gettext_lazy("call"),
    "calls": gettext_lazy("calls"),
    "calls_per_second": gettext_lazy("calls per second"),
    "changed": gettext_lazy("changed"),
    "consent": gettext_lazy("consent"),
    "countries_added": gettext_lazy("countries added"),
    "countries_removed": gettext_lazy("countries removed"),
    "every_country": gettext_lazy("every country"),
    "events": gettext_lazy("events"),
    "fields": gettext_lazy("what"),
    "filters": gettext_lazy("filters"),
    "from_import": gettext_lazy("by import"),
    "is_superuser": gettext_lazy("superuser"),
    "keep_old": gettext_lazy("old secret kept"),
    "kept": gettext_lazy("left as they were"),
    "kind": gettext_lazy("kind"),
    "kinds_added": gettext_lazy("kinds added"),
    "kinds_removed": gettext_lazy("kinds removed"),
    "left": gettext_lazy("codes left"),
    "lines": gettext_lazy("lines"),
    "made": gettext_lazy("made"),
    "messages": gettext_lazy("messages"),
    "mode": gettext_lazy("mode"),
    "most": gettext_lazy("written in 15 minutes"),
    "moved": gettext_lazy("other address"),
    "new": gettext_lazy("new people"),
    "outcome": gettext_lazy("outcome"),
    "own_phone": gettext_lazy("own phone"),
    "password_kept": gettext_lazy("password kept"),
    "problems": gettext_lazy("problems"),
    "purpose": gettext_lazy("purpose"),
    "reason": gettext_lazy("reason"),
    "role": gettext_lazy("role"),
    "sessions": gettext_lazy("logins"),
    "since": gettext_lazy("since"),
    "size": gettext_lazy("rows"),
    "trunk": gettext_lazy("trunk"),
    "two_steps": gettext_lazy("two steps"),
    "undone": gettext_lazy("undone import"),
    "update": gettext_lazy("to be updated"),
    "username": gettext_lazy("user name"),
    "version": gettext_lazy("version"),
    "wrong_codes": gettext_lazy("wrong codes"),
}
# Of these the values are labels of ours; of all others they are ids, numbers, or what somebody wrote.
LABELS = {"mode", "role", "kind", "purpose", "outcome", "kinds_added", "kinds_removed"}
# Names of what was changed, or by what was found.
FIELDS: dict[str, Any] = {
    "action": gettext_lazy("deed"),
    "after": gettext_lazy("page"),
    "agent": gettext_lazy("agent"),
    "agent_id": gettext_lazy("agent"),
    "api_url": gettext_lazy("API address"),
    "attributes": gettext_lazy("more about them"),
    "audience": gettext_lazy("whom"),
    "caller_id": gettext_lazy("caller ID"),
    "calls_per_minute": gettext_lazy("calls a minute"),
    "campaign": gettext_lazy("campaign"),
    "closes": gettext_lazy("closes"),
    "company": gettext_lazy("company"),
    "contact": gettext_lazy("contact"),
    "first_name": gettext_lazy("first name"),
    "host": gettext_lazy("server"),
    "is_staff": gettext_lazy("Administration"),
    "is_superuser": gettext_lazy("superuser"),
    "initial_message": gettext_lazy("message"),
    "language": gettext_lazy("language"),
    "last_name": gettext_lazy("last name"),
    "lines": gettext_lazy("lines"),
    "max_attempts": gettext_lazy("tries"),
    "max_duration_s": gettext_lazy("longest duration"),
    "message": gettext_lazy("message"),
    "metadata": gettext_lazy("metadata"),
    "mode": gettext_lazy("mode"),
    "name": gettext_lazy("name"),
    "on": gettext_lazy("on what"),
    "opens": gettext_lazy("opens"),
    "outcome": gettext_lazy("outcome"),
    "phone": gettext_lazy("phone"),
    "port": gettext_lazy("port"),
    "priority": gettext_lazy("priority"),
    "purpose": gettext_lazy("purpose"),
    "q": gettext_lazy("search"),
    "recording_enabled": gettext_lazy("recording"),
    "role": gettext_lazy("role"),
    "scheduled_at": gettext_lazy("time"),
    "secret": gettext_lazy("password"),
    "since": gettext_lazy("from"),
    "starts_on": gettext_lazy("first day"),
    "status": gettext_lazy("status"),
    "tags": gettext_lazy("tags"),
    "timezone": gettext_lazy("time zone"),
    "transport": gettext_lazy("transport"),
    "until": gettext_lazy("to"),
    "user": gettext_lazy("user name"),
    "username": gettext_lazy("user name"),
    "view": gettext_lazy("view"),
    "webhook_url": gettext_lazy("webhook"),
    "who": gettext_lazy("who"),
}
OF_FIELDS = {"fields", "filters"}


def details_of(entry: AuditEntry) -> str:
    """What more the entry says, in one line."""
    return "; ".join(
        f"{NAMES.get(name, name)}: {_plain(name, value)}" for name, value in entry.details.items()
    )


def _plain(name: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(name, one) for one in value)
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if name in OF_FIELDS:
        return str(FIELDS.get(str(value), value))
    return a_word(str(value).replace("_", " ")) if name in LABELS else str(value)
