"""A login between the password and the code: who is half-way in, and how they come in or do not.

Nobody is logged in meanwhile. A session in which the code was given carries a mark; whoever has two steps
is let in by it alone, whatever door they come by.
"""

from datetime import datetime, timedelta

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from temphone.accounts.actions import Tried, take_code
from temphone.accounts.actors import Role
from temphone.accounts.models import TwoSteps, User
from temphone.lib.sealing import Unreadable
from temphone.lib.totp import new_secret

LASTS = timedelta(minutes=5)
HALF_WAY, PASSED, SECRET = "half_way", "two_steps", "two_steps_secret"  # in the session
BACKEND = "temphone.accounts.backends.Passwords"


def begin(request: HttpRequest, user: User, *, then: str, now: datetime) -> None:
    """Keep that the password was right, and where to go after the code; in a session of another key."""
    if request.user.is_authenticated:
        logout(request)
    request.session.cycle_key()
    request.session[HALF_WAY] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),  # with another password it is over
        "at": now.isoformat(),
        "then": then,
    }


def who(request: HttpRequest, now: datetime) -> User | None:
    """Who is half-way in; None where it is nobody, or too long ago, or they may not any more."""
    kept = request.session.get(HALF_WAY)
    if not kept or not now - LASTS <= datetime.fromisoformat(kept["at"]) <= now:
        return None
    user = User.objects.select_related("two_steps").filter(pk=kept["user"], is_active=True).first()
    if user is None or not user.has_two_steps:
        return None
    return user if constant_time_compare(kept["hash"], user.get_session_auth_hash()) else None


def finish(request: HttpRequest, user: User) -> str:
    """Log in whoever gave their code; the address to go to."""
    then = str(request.session[HALF_WAY]["then"])
    request.session.flush()
    request.session[PASSED] = True
    login(request, user, BACKEND)
    return then


def try_code(request: HttpRequest, user: User, *, code: str, now: datetime) -> Tried:
    """Try a code, unless the address made too many failures; a wrong one is one of its failures.

    Raises:
        Conflict: what the codes are checked with cannot be read any more.
    """
    if not AxesProxyHandler.is_allowed(request, {}):
        return Tried.LOCKED
    tried = take_code(user=user, code=code, now=now)
    if tried in {Tried.WRONG, Tried.LAST}:  # one that was not looked at tells nothing of the address
        user_login_failed.send(sender=__name__, credentials={}, request=request, user=user)
    return tried


def knows_password(request: HttpRequest, user: User, password: str) -> bool:
    """Whether it is the password of whoever is logged in; a wrong one is a failure of the address."""
    return authenticate(request, username=user.get_username(), password=password) is not None


def refuse_one_step(sender: object, request: HttpRequest, user: User, **_kwargs: object) -> None:
    """No door logs in by the password alone who has two steps.

    Raises:
        PermissionDenied
    """
    del sender
    if not request.session.get(PASSED) and TwoSteps.objects.filter(pk=user.pk).exists():
        request.session.flush()
        raise PermissionDenied


def is_by_half(request: HttpRequest, user: User) -> bool:
    """Whether they have two steps and this session only one: it began while they turned them on."""
    return user.has_two_steps and not request.session.get(PASSED)


def must_set_up(user: User) -> bool:
    """Whether they may open nothing until they have two steps."""
    required = settings.REQUIRE_TWO_STEPS
    concerned = required == "everyone" or (required == "admins" and user.actor().role == Role.ADMIN)
    return concerned and not user.has_two_steps


def offer_secret(request: HttpRequest) -> str:
    """A new secret for the set-up page to show, sealed in the session until the next one is."""
    secret = new_secret()
    request.session[SECRET] = TwoSteps.seal(secret)
    return secret


def offered_secret(request: HttpRequest) -> str:
    """The secret that the set-up page showed last; a new one where it showed none that can be read."""
    try:
        return TwoSteps.unseal(request.session[SECRET])
    except (KeyError, Unreadable):
        return offer_secret(request)


def pass_on(request: HttpRequest) -> None:
    """This session goes on, under another key, when it was turned on."""
    request.session.pop(SECRET, None)
    request.session[PASSED] = True
    request.session.cycle_key()
