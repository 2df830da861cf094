"""Every change to who works here and what they may, as a verb."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry, LoginSession, User
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
def _keeping_an_admin() -> Iterator[None]:
    """Whatever changes within, an admin who can log in is left; inside a transaction.

    Raises:
        Conflict: none would be; nothing is changed.
    """
    # Locked before: two admins who demote each other at one instant would each still see the other.
    before = list(User.objects.admins().order_by("pk").select_for_update())
    yield
    if before and not User.objects.admins().exists():
        raise Conflict(_("There must be another active admin first."), code="last_admin")


def changeable(actor: Actor, user_id: str) -> User:
    """Whom this actor may change: only a superuser changes a superuser."""
    person = get_person(actor=actor, user_id=user_id)
    if person.is_superuser and actor.kind == "user":
        is_above = User.objects.filter(pk=int(actor.id), is_superuser=True).exists()
        if not is_above:
            raise Forbidden(_("Only a superuser changes the account of a superuser."))
    return person


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
    if User.objects.filter(username__iexact=username).exists():
        raise Conflict(
            _("This user name is taken."),
            code="username_taken",
            fields={"username": [_("This user name is taken.")]},
        )
    person = User(
        username=username,
        first_name=first_name,
        last_name=last_name,
        role=role,
        is_staff=is_staff,
        timezone=timezone,
    )
    person.set_unusable_password()
    person.save()
    AuditEntry.record(actor, "user.add", f"user:{person.pk}", role=role)
    return person


@transaction.atomic
def make_link(*, actor: Actor, user_id: str) -> tuple[User, str]:
    """A token that lets the person set a password, once, until they log in, or it is too old.

    Nothing of it is kept: it is a signature over the password's hash, the last login and the number of links.

    Raises:
        Forbidden, NotFound
        Conflict: they are deactivated.
    """
    person = changeable(actor, user_id)
    if not person.is_active:
        raise Conflict(_("Reactivate this person first."), code="person_inactive")
    User.objects.filter(pk=person.pk).update(links=F("links") + 1)
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
    AuditEntry.record(person.actor(), "account.password", f"user:{person.pk}", by="link")
    return person


@transaction.atomic
def change_person(
    *, actor: Actor, user_id: str, first_name: str, last_name: str, role: Role, is_staff: bool
) -> User:
    """Change how somebody is called and what they may.

    Raises:
        Forbidden, NotFound
        Conflict: they are the last admin.
    """
    person = changeable(actor, user_id)
    columns: dict[str, object] = {
        "first_name": first_name,
        "last_name": last_name,
        "role": role,
        "is_staff": is_staff,
        # A superuser is an admin, whatever the role says.
        "is_superuser": person.is_superuser and role == Role.ADMIN,
    }
    fields = sorted(name for name, value in columns.items() if getattr(person, name) != value)
    if not fields:
        return person
    with _keeping_an_admin():
        for name in fields:
            setattr(person, name, columns[name])
        person.save(update_fields=fields)
    told = {"role": role} if "role" in fields else {}
    AuditEntry.record(actor, "user.change", f"user:{person.pk}", fields=fields, **told)
    return person


@transaction.atomic
def switch_person(*, actor: Actor, user_id: str, on: bool) -> User:
    """Deactivate somebody, whose sessions end at once; or let them log in again.

    Raises:
        Forbidden, NotFound
        Conflict: it is their own account, or they are the last admin.
    """
    person = changeable(actor, user_id)
    if not on and actor.kind == "user" and actor.id == str(person.pk):
        raise Conflict(_("This is your own account: another admin can deactivate it."), code="own_account")
    if person.is_active == on:
        return person
    with _keeping_an_admin():
        person.is_active = on
        person.save(update_fields=["is_active"])
    LoginSession.objects.filter(user=person).delete()  # else they would go on with a reactivation
    AuditEntry.record(actor, "user.on" if on else "user.off", f"user:{person.pk}")
    return person
