"""Every change to the second step of a login, as a verb."""

import secrets
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from temphone.accounts.actions.team import changing
from temphone.accounts.actors import SYSTEM, Actor
from temphone.accounts.models import AuditEntry, LoginSession, RecoveryCode, TwoSteps, User
from temphone.lib import totp
from temphone.lib.errors import Conflict, Invalid
from temphone.lib.sealing import Unreadable


class Tried(StrEnum):
    """What became of a code that was tried."""

    RIGHT = "right"
    WRONG = "wrong"  # or used up
    LAST = "last"  # wrong, and the last that is looked at for now
    LOCKED = "locked"  # not looked at: there were too many wrong ones


@transaction.atomic
def turn_on(*, user: User, secret: str, code: str, session_key: str, now: datetime) -> list[str]:
    """Ask for a code at every login from now on; the other sessions end. The recovery codes, this once.

    Raises:
        Invalid: the code is not of this secret: the app would show others at the login, too.
        Conflict: it is on already.
    """
    step = totp.step_of(secret, _digits(code), now)
    if step is None:
        raise Invalid(_("This code is not right. Type the one that the app shows now."))
    columns = {"sealed": TwoSteps.seal(secret), "since": now, "last_step": step}
    _row, made = TwoSteps.objects.get_or_create(pk=user.pk, defaults=columns)
    if not made:
        raise Conflict(_("Two-step login is on already."), code="two_steps_on")
    LoginSession.objects.filter(user=user).exclude(pk=session_key).delete()
    AuditEntry.record(user.actor(), "account.two_steps_on", f"user:{user.pk}")
    return _new_codes(user)


@transaction.atomic
def take_code(*, user: User, code: str, now: datetime) -> Tried:
    """Try a code of the app, or a recovery code; a right one is used up.

    After TwoSteps.MOST_WRONG wrong ones in a row, one is looked at every 15 minutes, from wherever.

    Raises:
        Conflict: what the codes are checked with cannot be read any more.
    """
    mine = TwoSteps.objects.filter(pk=user.pk)
    free = Q(failures__lt=TwoSteps.MOST_WRONG) | Q(failed_at__lte=now - settings.AXES_COOLOFF_TIME)
    # Counted before it is looked at: those that come at one instant are looked at one after the other.
    if not mine.filter(free).update(failures=F("failures") + 1, failed_at=now):
        return Tried.LOCKED
    if _use(mine.get(), user, _digits(code), now):
        mine.update(failures=0, failed_at=None)
        return Tried.RIGHT
    now_tried = mine.get()
    if now_tried.is_guessed and now_tried.failures % TwoSteps.MOST_WRONG == 0:
        AuditEntry.record(SYSTEM, "user.codes_locked", f"user:{user.pk}", wrong_codes=now_tried.failures)
    return Tried.LAST if now_tried.is_guessed else Tried.WRONG


def _use(two_steps: TwoSteps, user: User, code: str, now: datetime) -> bool:
    if len(code) == RecoveryCode.DIGITS:
        return _use_recovery_code(user, code)
    try:
        step = two_steps.step_of(code, now) if len(code) == totp.DIGITS else None
    except Unreadable:
        text = _("Two-step login cannot check codes any more. Ask an admin to reset it.")
        raise Conflict(text, code="two_steps_unreadable") from None
    return step is not None and bool(TwoSteps.objects.filter(pk=user.pk).update(last_step=step))


def _use_recovery_code(user: User, code: str) -> bool:
    found = RecoveryCode.objects.filter(user=user, hash=RecoveryCode.hash_of(user, code))
    used, _models = found.delete()
    if used:
        left = user.recovery_codes.count()
        AuditEntry.record(user.actor(), "account.recovery_code", f"user:{user.pk}", left=left)
    return bool(used)


@transaction.atomic
def renew_codes(*, user: User) -> list[str]:
    """New recovery codes, this once; those made before open nothing any more.

    Raises:
        Conflict: two-step login is off.
    """
    # Locked: it must not be turned off meanwhile, which would leave the codes behind.
    if not TwoSteps.objects.select_for_update().filter(pk=user.pk).exists():
        raise Conflict(_("Two-step login is off."), code="two_steps_off")
    AuditEntry.record(user.actor(), "account.recovery_codes", f"user:{user.pk}")
    return _new_codes(user)


@transaction.atomic
def turn_off(*, user: User) -> None:
    """Ask for the password alone again, for whoever has just given it and a code."""
    if _remove(user):
        AuditEntry.record(user.actor(), "account.two_steps_off", f"user:{user.pk}")


@transaction.atomic
def reset_two_steps(*, actor: Actor, user_id: str, keep_password: bool = False) -> User:
    """Turn it off for somebody who lost their phone and their recovery codes; their sessions end.

    Their password opens nothing any more, unless it is kept: else it alone would let in whoever learned it,
    and was kept out by the code until now. They choose another by a link of ``make_link``.

    Raises:
        Forbidden, NotFound
        Conflict: it is their own, or it is off; or nobody else could log in as an admin.
    """
    with changing(actor, user_id) as person:
        if actor.is_user(person.pk):
            raise Conflict(_("This is your own account: turn it off there, with a code."), code="own_account")
        if not _remove(person):
            raise Conflict(_("Two-step login is off."), code="two_steps_off")
        if not keep_password:
            person.set_unusable_password()
            person.save(update_fields=["password"])
    LoginSession.objects.filter(user=person).delete()
    AuditEntry.record(actor, "user.two_steps_off", f"user:{person.pk}", password_kept=keep_password)
    return person


def _remove(user: User) -> bool:
    removed, _models = TwoSteps.objects.filter(pk=user.pk).delete()
    RecoveryCode.objects.filter(user=user).delete()
    return bool(removed)


def _new_codes(user: User) -> list[str]:
    digits = RecoveryCode.DIGITS
    codes = [f"{secrets.randbelow(10**digits):0{digits}}" for _code in range(RecoveryCode.COUNT)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, hash=RecoveryCode.hash_of(user, code)) for code in set(codes)
    )
    return [f"{code[: digits // 2]}-{code[digits // 2 :]}" for code in codes]


def _digits(code: str) -> str:
    return "".join(sign for sign in code if sign.isascii() and sign.isdecimal())
