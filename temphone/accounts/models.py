"""Staff, API keys, and the log of who changed what."""

import hashlib
import hmac
import threading
import time
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from temphone.accounts.actors import Actor, Role
from temphone.lib import ids, totp
from temphone.lib.clock import now as utc_now
from temphone.lib.clock import zone
from temphone.lib.sealing import seal, unseal


class Theme(models.TextChoices):
    """The colours of the pages."""

    AUTO = "auto", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Mode(models.TextChoices):
    """Test rings nobody: the simulated network answers. Live rings people."""

    TEST = "test", _("Test")
    LIVE = "live", _("Live")


def validate_zone(name: str) -> None:
    """Refuse what is no IANA zone."""
    from django.core.exceptions import ValidationError

    try:
        zone(name)
    except ValueError as error:
        raise ValidationError("Choose an IANA time zone, such as Europe/Madrid.") from error


class UserQuerySet(models.QuerySet["User"]):
    """Reads of staff."""

    def admins(self) -> "UserQuerySet":
        """Admins who can log in."""
        may = Q(role=Role.ADMIN) | Q(is_superuser=True)
        return self.filter(may, is_active=True).exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)


class Staff(UserManager["User"]):
    """Makes users as Django's does, and reads them as ours."""

    def get_queryset(self) -> UserQuerySet:
        """All of them."""
        return UserQuerySet(self.model, using=self._db)

    def admins(self) -> UserQuerySet:
        """Admins who can log in."""
        return self.get_queryset().admins()


class User(AbstractUser):
    """A member of staff."""

    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    timezone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_zone],
        help_text="The zone in which you read times, such as Europe/Madrid.",
    )
    zone_chosen = models.BooleanField(
        default=False, editable=False, help_text="Whether they chose the zone; else the browser's is offered."
    )

    language = models.CharField(
        max_length=10, choices=settings.LANGUAGES, blank=True, help_text="Of the pages; empty: the browser's."
    )

    phone = models.CharField(
        max_length=16, blank=True, editable=False, help_text="Their own, in E.164: the one they had called."
    )

    theme = models.CharField(max_length=5, choices=Theme, default=Theme.AUTO, editable=False)
    single_keys = models.BooleanField(
        default=True, editable=False, help_text="Whether single keys are shortcuts (WCAG 2.1.4)."
    )

    links = models.PositiveIntegerField(
        default=0, editable=False, help_text="Links to choose a password that were made: the last one opens."
    )

    REQUIRED_FIELDS: ClassVar[list[str]] = []  # no e-mail: nothing is sent to one

    objects: ClassVar[Staff] = Staff()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
            models.CheckConstraint(condition=Q(theme__in=Theme.values), name="user_theme_known"),
        ]

    @property
    def state(self) -> str:
        """Whether they can log in: active, invited (no password yet), or off."""
        if not self.is_active:
            return "off"
        return "active" if self.has_usable_password() else "invited"

    @property
    def has_two_steps(self) -> bool:
        """Whether a code is asked for after their password."""
        return hasattr(self, "two_steps")

    def may(self, role: Role) -> bool:
        """Whether they may do what this role may. A superuser is an admin."""
        return self._role.includes(role)

    @property
    def _role(self) -> Role:
        return Role.ADMIN if self.is_superuser else Role(self.role)

    def actor(self) -> Actor:
        """This person as whoever causes a change."""
        name = self.get_full_name()
        label = (name or self.username)[:150]  # what the audit log holds
        username = self.username if name else ""
        return Actor(kind="user", id=str(self.pk), label=label, role=self._role, username=username)


class LoginSession(AbstractBaseSession):
    """A session, with whose it is, so that they can see theirs and end them."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    seen_at = models.DateTimeField(default=utc_now)

    class Meta(AbstractBaseSession.Meta):
        abstract = False

    @classmethod
    def get_session_store_class(cls) -> "type[SessionBase]":
        """The engine whose rows these are."""
        engine: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return engine

    @property
    def fingerprint(self) -> str:
        """What pages call it: whoever had the key itself would have the session."""
        return digest(self.session_key)[:24]


def digest(secret: str) -> str:
    """The hash kept of an API key. SHA-256 is enough: a key's secret has 165 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Reads of keys."""

    def usable(self) -> "ApiKeyQuerySet":
        """Keys not revoked."""
        return self.filter(revoked_at=None)

    def revoked(self) -> "ApiKeyQuerySet":
        """Keys that work no more."""
        return self.exclude(revoked_at=None)

    def update(self, **columns: Any) -> int:
        """As always; and what this process keeps of keys is forgotten, now and when it is committed."""
        changed = super().update(**columns)
        KEYS.forget()
        transaction.on_commit(KEYS.forget)
        return changed


class ApiKey(models.Model):
    """A program's key: ``sk_<mode>_<public part>_<secret>``. Only a hash of it is kept."""

    MARK_EVERY = timedelta(minutes=1)

    public_id = models.CharField(max_length=40, unique=True)
    hash = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    mode = models.CharField(max_length=4, choices=Mode)
    role = models.CharField(max_length=10, choices=Role, default=Role.MANAGER)
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: the installation's default."
    )
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=utc_now)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]
        verbose_name = "API key"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="key_mode_known"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="key_role_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["-created_at", "-public_id"], name="key_newest")]

    def __str__(self) -> str:
        return f"{self.name} ({self.begins})"

    @property
    def begins(self) -> str:
        """The part of the key that is no secret."""
        return f"sk_{self.mode}_{self.public_id}_…"

    @staticmethod
    def new_secret(mode: str) -> tuple[str, str]:
        """A new key's public part and the whole key."""
        public_id = ids.random_text(12)
        return public_id, f"sk_{mode}_{public_id}_{ids.random_text(32)}"

    def matches(self, secret: str) -> bool:
        """Whether ``secret`` is this key; in constant time."""
        return hmac.compare_digest(self.hash, digest(secret))

    def actor(self) -> Actor:
        """This key as whoever causes a change."""
        return Actor(kind="key", id=self.public_id, label=self.name, role=Role(self.role), mode=self.mode)

    def mark_used(self, now: datetime) -> None:
        """Say that it was used, at most once a minute."""
        if self.last_used_at is None or self.last_used_at <= now - self.MARK_EVERY:
            self.last_used_at = now
            # By the base manager: what is kept of keys stays true.
            ApiKey._base_manager.filter(pk=self.pk).update(last_used_at=now)


class KnownKeys:
    """Usable keys as last read: a process that revokes one forgets it at once, others within KEPT_S."""

    KEPT_S = 5.0

    def __init__(self) -> None:
        self._keys: dict[str, tuple[float, ApiKey]] = {}
        self._times_forgotten = 0
        self._lock = threading.Lock()

    def find(self, public_id: str) -> ApiKey | None:
        """The usable key with this public part. Requests share it; they only read it."""
        now = time.monotonic()
        until, key = self._keys.get(public_id, (0.0, None))
        return key if now < until else self._read(public_id, now)

    def _read(self, public_id: str, now: float) -> ApiKey | None:
        before = self._times_forgotten
        key = ApiKey.objects.usable().filter(public_id=public_id).first()
        with self._lock:
            # What was read before it was revoked is not kept after.
            if key and before == self._times_forgotten:
                self._keys[public_id] = (now + self.KEPT_S, key)
        return key

    def forget(self) -> None:
        """Read every key anew."""
        with self._lock:
            self._times_forgotten += 1
            self._keys.clear()


KEYS = KnownKeys()


class KeyMinute(models.Model):
    """How many requests of one minute were granted to a key, over all processes."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE)
    minute = models.DateTimeField()
    requests = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "minute"], name="one_count_a_key_and_minute"),
        ]

    def __str__(self) -> str:
        return f"{self.requests} in {self.minute:%H:%M}"

    @classmethod
    def take(cls, key: ApiKey, minute: datetime, *, wanted: int, limit: int) -> int:
        """Take requests of this minute; as many as are left of the limit, at most ``wanted``.

        The first of a minute drops the minutes past.
        """
        with connection.cursor() as cursor:
            cursor.execute(TAKE, [key.pk, connection.ops.adapt_datetimefield_value(minute), wanted])
            taken = int(cursor.fetchone()[0])
        if taken == wanted:
            KeyMinute.objects.filter(key=key, minute__lt=minute).delete()
        return max(0, min(wanted, limit - (taken - wanted)))


# One statement, since every request of a key with a low limit waits for it.
TAKE = """
    INSERT INTO accounts_keyminute (key_id, minute, requests) VALUES (%s, %s, %s)
    ON CONFLICT (key_id, minute) DO UPDATE SET requests = accounts_keyminute.requests + excluded.requests
    RETURNING requests
"""


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Reads of the audit log; an index gives each filter's entries in its order."""

    def newest(self) -> "AuditQuerySet":
        """The newest first."""
        return self.order_by("-at", "-id")

    def by(self, kind: str, actor_id: str) -> "AuditQuerySet":
        """What one person, key, or TemPhone itself did."""
        return self.filter(actor_kind=kind, actor_id=actor_id)


class AuditEntry(models.Model):
    """Who changed what, when. Never changed, never deleted by the application."""

    at = models.DateTimeField(default=utc_now)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=150)
    action = models.CharField(max_length=50)
    target = models.CharField(max_length=64)
    details = models.JSONField(default=dict)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["actor_kind", "actor_id", "-at", "-id"], name="audit_by_actor"),
            models.Index(fields=["action", "-at", "-id"], name="audit_by_action"),
            models.Index(fields=["target", "-at", "-id"], name="audit_by_target"),
            models.Index(fields=["actor_kind", "actor_id", "action", "-at", "-id"], name="audit_by_both"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"

    @classmethod
    def of(cls, actor: Actor, action: str, target: str, **details: object) -> "AuditEntry":
        """One entry, not saved. ``details`` hold no numbers, names or speech."""
        return cls(
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_label=actor.label,
            action=action,
            target=target,
            details=details,
        )

    @classmethod
    def record(cls, actor: Actor, action: str, target: str, **details: object) -> None:
        """Write one entry, as ``of`` makes it."""
        cls.of(actor, action, target, **details).save()


class IdempotencyRecord(models.Model):
    """The answer to a request that carried an idempotency key, kept to be given again."""

    KEPT = timedelta(hours=24)

    owner = models.CharField(max_length=80, help_text="Kind and id of the actor.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the request's body.")
    target = models.CharField(max_length=64, help_text="What the request made.")
    # Text, since a JSON column may give its keys back in another order.
    answer = models.TextField(help_text="The JSON of the data that was answered.")
    created_at = models.DateTimeField(default=utc_now, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "key"], name="one_answer_an_owner_and_key"),
        ]

    def __str__(self) -> str:
        return self.target


class TwoSteps(models.Model):
    """Somebody's second step: without a row, the password suffices. Made, tried and removed by actions."""

    PURPOSE = b"temphone two-step secrets"
    MOST_WRONG = 10  # codes in a row; then few are looked at

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="two_steps")
    sealed = models.TextField(help_text="The secret that their app shares, encrypted.")
    since = models.DateTimeField(default=utc_now)
    last_step = models.BigIntegerField(help_text="Codes up to this half-minute since 1970 are used up.")
    failures = models.PositiveIntegerField(default=0, help_text="Codes tried since the last right one.")
    failed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Two-step login of user {self.user_id}"

    @property
    def is_guessed(self) -> bool:
        """Whether so many wrong codes were typed, all after the right password, that few are looked at."""
        return self.failures >= self.MOST_WRONG

    @classmethod
    def seal(cls, secret: str) -> str:
        """A secret as it is kept."""
        return seal(secret, secret=settings.SECRET_KEY, purpose=cls.PURPOSE)

    @classmethod
    def unseal(cls, sealed: str) -> str:
        """A secret as it was before it was sealed.

        Raises:
            Unreadable: that was under another SECRET_KEY.
        """
        return unseal(sealed, secret=settings.SECRET_KEY, purpose=cls.PURPOSE)

    def step_of(self, code: str, now: datetime) -> int | None:
        """The half-minute that the code is of; None where it is wrong, or used up.

        Raises:
            Unreadable: the secret was sealed under another SECRET_KEY.
        """
        step = totp.step_of(self.unseal(self.sealed), code, now)
        return step if step is not None and step > self.last_step else None


class RecoveryCode(models.Model):
    """A code that opens once in place of the app's. Only a hash of it is kept, under SECRET_KEY."""

    COUNT = 10
    DIGITS = 10

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    hash = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "hash"], name="one_recovery_code_once"),
        ]

    def __str__(self) -> str:
        return f"A recovery code of user {self.user_id}"

    @staticmethod
    def hash_of(user: User, code: str) -> str:
        """The hash of a code of this user."""
        text = f"{user.pk}:{code}"
        return salted_hmac("temphone recovery codes", text, algorithm="sha256").hexdigest()
