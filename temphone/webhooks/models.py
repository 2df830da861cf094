"""What we send out: one row a message, one row a try; and who is sending."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from temphone.lib.clock import now as utc_now


def new_event_id() -> str:
    """A message's id; the same at every try, so that the receiver can tell a repetition."""
    return f"msg_{uuid.uuid4().hex}"


class DeliveryState(models.TextChoices):
    """Where a message is."""

    PENDING = "pending", "Waiting"
    DELIVERED = "delivered", "Delivered"
    EXHAUSTED = "exhausted", "Gave up"
    DISABLED = "disabled", "Not wanted"  # the receiver answered 410 to it, or to one before


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Reads of deliveries."""

    def stream(self, subject: str, url: str) -> "DeliveryQuerySet":
        """The messages that go in order, as they go."""
        return self.filter(subject=subject, url=url).order_by("sequence")

    def due(self, now: datetime) -> "DeliveryQuerySet":
        """Pending, at their time, in nobody's hands, and first of their stream."""
        earlier = Delivery.objects.filter(
            subject=OuterRef("subject"),
            url=OuterRef("url"),
            sequence__lt=OuterRef("sequence"),
            state=DeliveryState.PENDING,
        )
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        waiting = self.filter(free, state=DeliveryState.PENDING, next_try_at__lte=now)
        return waiting.exclude(Exists(earlier)).order_by("next_try_at", "id")


class Delivery(models.Model):
    """One message to one address. Its body is frozen in the transaction of the change it tells of."""

    event_id = models.CharField(max_length=40, unique=True, default=new_event_id, editable=False)
    type = models.CharField(max_length=30)
    subject = models.CharField(
        max_length=64, help_text="The call; messages go in order per call and address."
    )
    sequence = models.PositiveIntegerField()
    url = models.CharField(max_length=2048)
    receiver = models.CharField(max_length=255, help_text="The URL's host and port.")
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Since it was made or sent again by hand.")
    next_try_at = models.DateTimeField(default=utc_now)
    lease_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Until then it is in a drain's hands."
    )
    created_at = models.DateTimeField(default=utc_now)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index(fields=["state", "next_try_at", "id"], name="delivery_due"),
            models.Index(fields=["subject", "sequence"], name="delivery_stream"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"


class DeliveryTry(models.Model):
    """One try: what was answered, or why nothing was."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField(default=utc_now)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True, help_text="The answer's beginning.")
    error = models.CharField(max_length=200, blank=True)
    duration_ms = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name_plural = "delivery tries"

    def __str__(self) -> str:
        return str(self.status_code or self.error)


class Drain(models.Model):
    """The one drain that may send, so that slow receivers never occupy more than one worker."""

    BELIEVED_FOR = timedelta(seconds=10)  # without a further sign; then another may take over

    until = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="one_drain")]

    def __str__(self) -> str:
        return f"until {self.until:%H:%M:%S}"

    @classmethod
    def begin(cls, now: datetime) -> bool:
        """Become the drain; False when another is at work."""
        Drain.objects.bulk_create([Drain(pk=1, until=now)], ignore_conflicts=True)
        # Believed for longer than it may be: the wall clock was set back.
        over = Q(until__lte=now) | Q(until__gt=now + cls.BELIEVED_FOR)
        return bool(cls.objects.filter(over).update(until=now + cls.BELIEVED_FOR))

    @classmethod
    def go_on(cls, now: datetime) -> None:
        """Show that it still works."""
        cls.objects.update(until=now + cls.BELIEVED_FOR)

    @classmethod
    def end(cls, now: datetime) -> None:
        """Let the next one begin."""
        cls.objects.update(until=now)
