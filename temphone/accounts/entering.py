"""Who comes in, goes, and fails to: what the audit log holds of logins.

It never holds a name or a password that was typed. Of failures, what is not looked at any more (the address
waits) is not written either, and what many addresses try is written as far as ``MOST_FAILURES``: the log is
kept for ever, and must not be filled by whoever can open the login page.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from temphone.accounts.actors import SYSTEM, Actor
from temphone.accounts.logins import address_of
from temphone.accounts.models import AuditEntry, User
from temphone.lib import clock

MOST_FAILURES = 10  # written of one person, or of all unknown ones, in a cool-off
FAILURES = ("user.password_wrong", "user.code_wrong", "user.unknown")
LOCKS = ("login.locked",)
NOBODY = ""  # the target where no such person is


def came_in(sender: object, request: HttpRequest | None, user: User, **_kwargs: object) -> None:
    """Write that somebody logged in; a program that makes up a request, such as a test, is no browser."""
    del sender
    if request is not None and request.method:
        address, two_steps = address_of(request), user.has_two_steps
        AuditEntry.record(user.actor(), "account.login", _target(user), address=address, two_steps=two_steps)


def went(
    sender: object, request: HttpRequest | None, user: AbstractBaseUser | None, **_kwargs: object
) -> None:
    """Write that somebody logged out, or was because their login was by half."""
    del sender
    if request is not None and request.method and isinstance(user, User):
        AuditEntry.record(user.actor(), "account.logout", _target(user))


def failed(
    sender: object,
    credentials: Mapping[str, object],
    request: HttpRequest | None = None,
    user: User | None = None,
    **_kwargs: object,
) -> None:
    """Write that a password was wrong, or a code of ``user``.

    It is called after django-axes, which has counted the failure, unless the address was waiting already.
    """
    del sender
    if request is None or getattr(request, "axes_failures_since_start", None) is None:
        return
    person = user or User.objects.filter(username=str(credentials.get("username", ""))).first()
    action = ("user.code_wrong" if user else "user.password_wrong") if person else "user.unknown"
    now, target = clock.now(), _target(person) if person else NOBODY
    written = _written(FAILURES, target, now)
    if written < MOST_FAILURES:
        AuditEntry.record(_who(request), action, target, address=address_of(request))
    if written == MOST_FAILURES - 1:
        AuditEntry.record(SYSTEM, "user.failures_untold", target, most=MOST_FAILURES)
    if getattr(request, "axes_locked_out", False) and _written(LOCKS, NOBODY, now) < MOST_FAILURES:
        AuditEntry.record(SYSTEM, "login.locked", NOBODY, address=address_of(request))


def _who(request: HttpRequest) -> Actor:
    """Whoever is logged in and is asked for their password or code; else nobody knows."""
    user = getattr(request, "user", None)
    return user.actor() if isinstance(user, User) else SYSTEM


def _target(user: User) -> str:
    return f"user:{user.pk}"


def _written(actions: Sequence[str], target: str, now: datetime) -> int:
    """How many of these the log has of late, counted no further than to the most."""
    since = now - settings.AXES_COOLOFF_TIME
    found = AuditEntry.objects.filter(target=target, action__in=actions, at__gt=since)
    return found.order_by()[:MOST_FAILURES].count()
