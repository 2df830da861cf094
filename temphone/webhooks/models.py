"""What we send out: one row a message, one row a try."""

import uuid
from datetime import datetime
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


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Reads of deliveries."""

    def due(self, now: datetime) -> "DeliveryQuerySet":
        """Pending, at their time, in nobody's hands, and first of their stream."""
        earlier = Delivery.objects.filter(
            subject=OuterRef("subject"), url=OuterRef("url"), sequence__lt=OuterRef("sequence")
        ).filter(state=DeliveryState.PENDING)
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
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=utc_now)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=utc_now)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index(fields=["next_try_at", "id"], name="delivery_due", condition=Q(state="pending")),
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
