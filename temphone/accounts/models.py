"""Staff, API keys, and the log of who changed what."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models, transaction
from django.db.models import F, Q

from temphone.accounts.actors import Actor, Role
from temphone.lib import ids
from temphone.lib.clock import now as utc_now
from temphone.lib.clock import zone


class Mode(models.TextChoices):
    """Test rings nobody: the simulated network answers. Live rings people."""

    TEST = "test", "Test"
    LIVE = "live", "Live"


def validate_zone(name: str) -> None:
    """Refuse what is no IANA zone."""
    from django.core.exceptions import ValidationError

    try:
        zone(name)
    except ValueError as error:
        raise ValidationError("Choose an IANA time zone, such as Europe/Madrid.") from error


class User(AbstractUser):
    """A member of staff."""

    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    timezone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_zone],
        help_text="The zone in which you read times, such as Europe/Madrid.",
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
        ]

    def actor(self) -> Actor:
        """This person as whoever causes a change. A superuser is an admin."""
        role = Role.ADMIN if self.is_superuser else Role(self.role)
        label = (self.get_full_name() or self.username)[:150]  # what the audit log holds
        return Actor(kind="user", id=str(self.pk), label=label, role=role)


def digest(secret: str) -> str:
    """The hash kept of an API key. SHA-256 is enough: a key's secret has 165 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Reads of keys."""

    def usable(self) -> "ApiKeyQuerySet":
        """Keys not revoked."""
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """A program's key: ``sk_<mode>_<public part>_<secret>``. Only a hash of it is kept."""

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

    def __str__(self) -> str:
        return f"{self.name} (sk_{self.mode}_{self.public_id}_…)"

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


class KeyMinute(models.Model):
    """How many requests a key made in one minute."""

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
    def count(cls, key: ApiKey, now: datetime) -> int:
        """Count one more request; the number in this minute, this one included. Past minutes are dropped."""
        minute = now.replace(second=0, microsecond=0)
        row = KeyMinute.objects.filter(key=key, minute=minute)
        with transaction.atomic():
            if not row.update(requests=F("requests") + 1):
                KeyMinute.objects.filter(key=key, minute__lt=minute).delete()
                KeyMinute.objects.bulk_create([KeyMinute(key=key, minute=minute)], ignore_conflicts=True)
                row.update(requests=F("requests") + 1)
            return row.get().requests


class AuditEntry(models.Model):
    """Who changed what, when. Never changed, never deleted by the application."""

    at = models.DateTimeField(default=utc_now, db_index=True)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=150)
    action = models.CharField(max_length=50)
    target = models.CharField(max_length=64, db_index=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} {self.target}"

    @classmethod
    def record(cls, actor: Actor, action: str, target: str, **details: object) -> None:
        """Write one entry. ``details`` hold no numbers, names or speech."""
        cls.objects.create(
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_label=actor.label,
            action=action,
            target=target,
            details=details,
        )


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
