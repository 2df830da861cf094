"""Every change to who works here and what they may, as a verb."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry, LoginSession, User, UserQuerySet, digest
from temphone.lib.errors import Conflict, Forbidden, NotFound

MOST_DIGITS = 18  # of a number that the database's column holds


class Links(PasswordResetTokenGenerator):
    """A link's token also signs how many were made: a newer one ends those before."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}:{user.links}"


LINKS = Links()


def get_person(*, actor: Actor, user_id: str) -> User:
    """The member of staff with this number.

    Raises:
        Forbidden, NotFound
    """
    actor.require(Role.ADMIN)
    known = user_id.isascii() and user_id.isdecimal() and len(user_id) <= MOST_DIGITS
    person = User.objects.filter(pk=user_id).first() if known else None
    if person is None:
        raise NotFound(f"Person not found: {user_id}.", code="person_not_found")
    return person


@contextmanager
def changing(actor: Actor, user_id: str) -> Iterator[User]:
    """The person, locked, whom the actor may change; inside a transaction.

    Whatever of them changes within, an admin who can log in is left. So is a superuser, if there was one:
    nobody else could change the accounts of superusers.

    Raises:
        Forbidden, NotFound
        Conflict: none would be left; nothing is changed.
    """
    get_person(actor=actor, user_id=user_id)
    # Locked before: two admins who demote each other at one instant would each still see the other. All in
    # one order, and the person among them: what is read of them within stays so.
    held = User.objects.filter(Q(pk=user_id) | Q(pk__in=User.objects.admins().values("pk")))
    list(held.order_by("pk").select_for_update())
    had = {code: people.exists() for code, people in _needed().items()}
    yield changeable(actor, user_id)
    for code, people in _needed().items():
        if had[code] and not people.exists():
            raise Conflict(str(NEEDED[code]), code=code)


NEEDED = {
    "last_admin": gettext_lazy("There must be another active admin first."),
    "last_superuser": gettext_lazy("There must be another active superuser first."),
}


def _needed() -> dict[str, UserQuerySet]:
    admins = User.objects.admins()
    return {"last_admin": admins, "last_superuser": admins.filter(is_superuser=True)}


def changeable(actor: Actor, user_id: str) -> User:
    """Whom this actor may change: only a superuser changes a superuser."""
    person = get_person(actor=actor, user_id=user_id)
    if person.is_superuser and not is_above(actor):
        raise Forbidden(_("Only a superuser changes the account of a superuser."))
    return person


def is_above(actor: Actor) -> bool:
    """Whether the actor may change superusers, and make them."""
    if actor.kind == "user":
        return User.objects.filter(pk=int(actor.id), is_superuser=True).exists()
    return actor.kind == "system"


@transaction.atomic
def add_person(
    *, actor: Actor, username: str, first_name: str, last_name: str, role: Role, is_staff: bool, timezone: str
) -> User:
    """Add somebody, who cannot log in until they set a password by the link of ``make_link``.

    Raises:
        Forbidden
        Conflict: the user name is taken.
    """
    actor.require(Role.ADMIN)
    person = User(
        username=User.normalize_username(username),  # as the login does
        first_name=first_name,
        last_name=last_name,
        role=role,
        is_staff=is_staff,
        timezone=timezone,
    )
    person.set_unusable_password()
    _save(person)
    AuditEntry.record(actor, "user.add", f"user:{person.pk}", role=role)
    return person


def _save(person: User, fields: Sequence[str] | None = None) -> None:
    """Save them, all or these fields, unless somebody else has the user name, in whatever case.

    Raises:
        Conflict: somebody has.
    """
    taken = _("This user name is taken.")
    refusal = Conflict(taken, code="username_taken", fields={"username": [taken]})
    is_named = fields is None or "username" in fields
    if is_named and User.objects.filter(username__iexact=person.username).exclude(pk=person.pk).exists():
        raise refusal
    try:
        with transaction.atomic():
            person.save(update_fields=fields)
    except IntegrityError as error:  # at one instant with another who takes it
        raise refusal from error


@transaction.atomic
def make_link(*, actor: Actor, user_id: str) -> tuple[User, str]:
    """A token that lets the person set a password, once, until they log in, or it is too old.

    Nothing of it is kept: it is a signature over the password's hash, the last login and the number of links.

    Raises:
        Forbidden, NotFound
        Conflict: they are deactivated, or it is their own account.
    """
    person = changeable(actor, user_id)
    if actor.is_user(person.pk):
        # Else a screen left open would suffice: there the old password is asked for.
        text = _("This is your own account: change your password on its page.")
        raise Conflict(text, code="own_account")
    if not person.is_active:
        raise Conflict(_("Reactivate this person first."), code="person_inactive")
    _end_links(person)
    person.refresh_from_db(fields=["links"])
    AuditEntry.record(actor, "user.link", f"user:{person.pk}")
    return person, LINKS.make_token(person)


def invited(*, user_id: str, token: str) -> User:
    """Whom a link of ``make_link`` was made for.

    Raises:
        NotFound: it was used, is too old, or never was one.
    """
    known = user_id.isascii() and user_id.isdecimal() and len(user_id) <= MOST_DIGITS
    person = User.objects.filter(pk=user_id, is_active=True).first() if known else None
    if person is None or not LINKS.check_token(person, token):
        raise NotFound(_("This link was used already, or is too old."), code="link_over")
    return person


@transaction.atomic
def accept_link(*, user_id: str, token: str, password: str) -> User:
    """Set the password of whom the link is for; it was validated. Their sessions end, the link is used up.

    Raises:
        NotFound: the link opens nothing, or nothing any more.
    """
    # Locked: of two who use one link at one instant, the second finds it used.
    list(User.objects.filter(pk=invited(user_id=user_id, token=token).pk).select_for_update())
    person = invited(user_id=user_id, token=token)
    person.set_password(password)
    person.save(update_fields=["password"])
    LoginSession.objects.filter(user=person).delete()
    # Nobody knows that it was they: whoever had the link did it.
    AuditEntry.record(person.actor(), "account.password_by_link", f"user:{person.pk}")
    return person


@transaction.atomic
def change_person(
    *,
    actor: Actor,
    user_id: str,
    username: str,
    first_name: str,
    last_name: str,
    role: Role,
    is_staff: bool,
    is_superuser: bool | None = None,
    seen: str | None = None,
) -> User:
    """Change how somebody logs in, how they are called, and what they may.

    ``seen`` is the ``version_of`` what the actor looked at; without ``is_superuser`` that stays as it is.
    Where what they may changes, a link of ``make_link`` opens nothing any more: it was for the rights before.

    Raises:
        Forbidden, NotFound
        Conflict: they are the last admin or superuser; a superuser would not be an admin; the user name is
            taken; or somebody else changed them meanwhile.
    """
    with changing(actor, user_id) as person:
        if seen is not None and seen != version_of(person):
            text = _("Somebody else changed this account meanwhile. Look at it again, then decide.")
            raise Conflict(text, code="changed_meanwhile")
        columns: dict[str, object] = {
            "username": User.normalize_username(username),
            "first_name": first_name,
            "last_name": last_name,
            "role": role,
            "is_staff": is_staff,
            "is_superuser": _superuser(actor, person, wanted=is_superuser, role=role),
        }
        fields = sorted(name for name, value in columns.items() if getattr(person, name) != value)
        for name in fields:
            setattr(person, name, columns[name])
        if fields:
            _save(person, fields)
    if {"role", "is_superuser"} & set(fields):
        _end_links(person)
    if fields:
        told = {name: columns[name] for name in ("username", "role", "is_superuser") if name in fields}
        AuditEntry.record(actor, "user.change", f"user:{person.pk}", fields=fields, **told)
    return person


def version_of(person: User) -> str:
    """What ``change_person`` changes, as it is; it differs once any of it does."""
    shown = (person.username, person.first_name, person.last_name, person.role, person.is_staff)
    return digest("\0".join(map(str, (*shown, person.is_superuser))))[:24]


def _superuser(actor: Actor, person: User, *, wanted: bool | None, role: Role) -> bool:
    """Whether the person is to be a superuser.

    Raises:
        Forbidden: that is for superusers to say.
        Conflict: a superuser may all that an admin may, so the role would be a lie.
    """
    wanted = person.is_superuser if wanted is None else wanted
    if wanted != person.is_superuser and not is_above(actor):
        raise Forbidden(_("Only a superuser makes somebody a superuser."))
    if wanted and role != Role.ADMIN:
        text = _("A superuser is an admin. Take the superuser tick away first.")
        raise Conflict(text, code="superuser_is_admin", fields={"role": [text]})
    return wanted


def _end_links(person: User) -> None:
    User.objects.filter(pk=person.pk).update(links=F("links") + 1)


@transaction.atomic
def switch_person(*, actor: Actor, user_id: str, on: bool) -> User:
    """Deactivate somebody, whose sessions end at once; or let them log in again.

    Raises:
        Forbidden, NotFound
        Conflict: it is their own account, or they are the last admin or superuser.
    """
    with changing(actor, user_id) as person:
        if not on and actor.is_user(person.pk):
            text = _("This is your own account: another admin can deactivate it.")
            raise Conflict(text, code="own_account")
        if person.is_active == on:
            return person
        person.is_active = on
        person.save(update_fields=["is_active"])
    _end_links(person)
    LoginSession.objects.filter(user=person).delete()  # else they would go on with a reactivation
    AuditEntry.record(actor, "user.on" if on else "user.off", f"user:{person.pk}")
    return person
