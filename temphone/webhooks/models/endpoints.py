"""Addresses that are told of every call, each with a secret of its own."""

import base64
import secrets
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from temphone.lib import ids
from temphone.lib.clock import now as utc_now
from temphone.lib.sealing import Unreadable, seal, unseal

SECRET_BYTES = 24  # Source: Standard Webhooks, "between 24 bytes and 64 bytes"
PURPOSE = b"temphone webhook secrets"


class Event(models.TextChoices):
    """What an endpoint can be told of."""

    SCHEDULED = "call.scheduled"
    STARTED = "call.started"
    ANSWERED = "call.answered"
    COMPLETED = "call.completed"
    FAILED = "call.failed"
    CANCELED = "call.canceled"
    RETRY_SCHEDULED = "call.retry_scheduled"
    ANALYZED = "call.analyzed"
    CORRECTED = "call.corrected"
    OPTED_OUT = "contact.opted_out"


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Reads of endpoints."""

    def present(self) -> "EndpointQuerySet":
        """Those that were not deleted."""
        return self.filter(deleted_at=None)

    def update(self, **columns: Any) -> int:
        """As always; and what this process keeps of endpoints is forgotten, now and when it is committed."""
        changed = super().update(**columns)
        SUBSCRIBERS.forget()
        transaction.on_commit(SUBSCRIBERS.forget)
        return changed


class Endpoint(models.Model):
    """An address that is told what happens to all calls. Deleted, it stays for the log of its messages."""

    id = models.CharField(max_length=64, primary_key=True, default=ids.endpoint_id, editable=False)
    name = models.CharField(max_length=60)
    url = models.CharField(max_length=2048)
    events = models.JSONField(default=list)
    enabled = models.BooleanField(default=True)
    off_because = models.CharField(max_length=200, blank=True, help_text="Why TemPhone switched it off.")
    sealed = models.TextField(blank=True, editable=False, help_text="The secret, encrypted.")
    sealed_before = models.TextField(blank=True, editable=False, help_text="The secret before, encrypted.")
    before_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="So long the secret before signs as well."
    )
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_failure_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_failure = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(default=utc_now, editable=False)
    updated_at = models.DateTimeField(default=utc_now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(deleted_at=None) | Q(enabled=False, sealed="", sealed_before=""),
                name="endpoint_deleted_is_off",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, **options: Any) -> None:
        """Also let this process read the endpoints anew, now and when it is committed."""
        super().save(**options)
        SUBSCRIBERS.forget()
        transaction.on_commit(SUBSCRIBERS.forget)

    def new_secret(self, *, keep_until: datetime | None = None) -> str:
        """Sign with a new secret from now on, and until ``keep_until`` with the one of before as well.

        One that can no longer be read signs nothing, so it is not kept.
        """
        keeps = keep_until is not None and _unsealed(self.sealed) is not None
        self.sealed_before = self.sealed if keeps else ""
        self.before_until = keep_until if keeps else None
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        self.sealed = seal(secret, secret=settings.SECRET_KEY, purpose=PURPOSE)
        return secret

    def signing_secrets(self, now: datetime) -> list[str]:
        """What a message is signed with: the secret, and for a while the one before.

        Raises:
            Unreadable: it was sealed under another SECRET_KEY.
        """
        if not self.sealed:
            return []
        found = [unseal(self.sealed, secret=settings.SECRET_KEY, purpose=PURPOSE)]
        if self._overlaps(now) and (before := _unsealed(self.sealed_before)):
            found.append(before)
        return found

    def signs_twice(self, now: datetime) -> bool:
        """Whether the secret before still signs beside the new one."""
        return self._overlaps(now) and _unsealed(self.sealed_before) is not None

    def _overlaps(self, now: datetime) -> bool:
        return self.before_until is not None and now < self.before_until

    @property
    def is_readable(self) -> bool:
        """Whether messages to it can be signed."""
        try:
            return bool(self.signing_secrets(utc_now()))
        except Unreadable:
            return False


def _unsealed(sealed: str) -> str | None:
    """The secret; None where there is none, or none that this SECRET_KEY opens."""
    try:
        return unseal(sealed, secret=settings.SECRET_KEY, purpose=PURPOSE) if sealed else None
    except Unreadable:
        return None


class Subscribers:
    """The endpoints that are on, as last read: whoever changes one forgets them at once, others soon."""

    KEPT = timedelta(seconds=2)

    def __init__(self) -> None:
        self._read_at = 0.0
        self._known: list[Endpoint] | None = None
        self._times_forgotten = 0
        self._lock = threading.Lock()

    def to(self, event: str) -> Sequence[Endpoint]:
        """Those that are to be told of the event."""
        return [endpoint for endpoint in self._all() if event in endpoint.events]

    def _all(self) -> list[Endpoint]:
        known = self._known
        if known is not None and time.monotonic() - self._read_at < self.KEPT.total_seconds():
            return known
        before = self._times_forgotten
        known = list(Endpoint.objects.present().filter(enabled=True))
        with self._lock:
            # What was read before one changed is not kept after.
            if before == self._times_forgotten:
                self._known, self._read_at = known, time.monotonic()
        return known

    def forget(self) -> None:
        """Read them anew."""
        with self._lock:
            self._times_forgotten += 1
            self._known = None


SUBSCRIBERS = Subscribers()
