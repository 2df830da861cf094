"""What everybody may change of their own account."""

from django.db import transaction

from temphone.accounts.models import AuditEntry, LoginSession, Theme, User
from temphone.lib.errors import NotFound


@transaction.atomic
def save_account(*, user: User, first_name: str, last_name: str, timezone: str, language: str) -> None:
    """Change one's own name, and the zone and language in which one reads. Everybody may."""
    columns = {"first_name": first_name, "last_name": last_name, "timezone": timezone, "language": language}
    fields = sorted(name for name, value in columns.items() if getattr(user, name) != value)
    by = user.actor()  # as they were called until now
    for name in fields:
        setattr(user, name, columns[name])
    user.zone_chosen = True  # it stood in the form
    user.save(update_fields=[*fields, "zone_chosen"])
    if fields:
        AuditEntry.record(by, "account.change", f"user:{user.pk}", fields=fields)


def choose_zone(*, user: User, timezone: str) -> None:
    """Read times in the zone that was offered, or go on in one's own; it is not offered again."""
    names = {"first_name": user.first_name, "last_name": user.last_name, "language": user.language}
    save_account(user=user, timezone=timezone, **names)


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Change one's own password, which was validated. All sessions end; the page begins its own anew."""
    user.set_password(password)
    user.save(update_fields=["password"])
    LoginSession.objects.filter(user=user).delete()
    AuditEntry.record(user.actor(), "account.password", f"user:{user.pk}")


def save_look(*, user: User, theme: Theme | None = None, single_keys: bool | None = None) -> None:
    """Change how one's own pages look and listen to keys. It concerns nobody else, so no audit."""
    given = {"theme": theme, "single_keys": single_keys}
    columns = {name: value for name, value in given.items() if value is not None}
    if columns:
        User.objects.filter(pk=user.pk).update(**columns)


@transaction.atomic
def end_session(*, user: User, fingerprint: str) -> None:
    """Log oneself out of one session, wherever it is.

    Raises:
        NotFound: one has no such session, or it is over.
    """
    found = [one for one in LoginSession.objects.filter(user=user) if one.fingerprint == fingerprint]
    if not found:
        raise NotFound(f"Session not found: {fingerprint[:24]}.", code="session_not_found")
    LoginSession.objects.filter(pk=found[0].pk).delete()
    AuditEntry.record(user.actor(), "account.end_session", f"user:{user.pk}")


@transaction.atomic
def end_other_sessions(*, user: User, session_key: str) -> int:
    """Log oneself out of all sessions but this one; how many there were."""
    ended, _ = LoginSession.objects.filter(user=user).exclude(pk=session_key).delete()
    AuditEntry.record(user.actor(), "account.end_sessions", f"user:{user.pk}", sessions=ended)
    return ended
