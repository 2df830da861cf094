"""What we send out: one row a message, one row a try; and who is sending."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Exists, Max, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from temphone.lib.clock import now as utc_now
from temphone.webhooks.models.endpoints import Endpoint


def new_event_id() -> str:
    """A message's id; the same at every try, so that the receiver can tell a repetition."""
    return f"msg_{uuid.uuid4().hex}"


class DeliveryState(models.TextChoices):
    """Where a message is."""

    PENDING = "pending", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    EXHAUSTED = "exhausted", _("Gave up")
    DISABLED = "disabled", _("Not wanted")  # answered 410, it or one before; or its endpoint is off


# By so much a message with a lower id may be the younger: a transaction was long, a clock was set.
OUT_OF_ORDER = timedelta(hours=1)

FAILED = (DeliveryState.EXHAUSTED, DeliveryState.DISABLED)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Reads of deliveries."""

    def stream(self, subject: str, url: str, endpoint_id: str | None = None) -> "DeliveryQuerySet":
        """The messages that go in order, as they go: a call's to one endpoint, or to one URL."""
        where = {"endpoint": endpoint_id} if endpoint_id else {"endpoint": None, "url": url}
        return self.filter(subject=subject, **where).order_by("sequence")

    def made_since(self, since: datetime) -> "DeliveryQuerySet":
        """Those made since then, without a look at those before: ids rise as time does, but for a little."""
        before, behind = 0, 1 + (Delivery.objects.aggregate(last=Max("pk"))["last"] or 0)
        while before + 1 < behind:  # halved each time
            middle = (before + behind) // 2
            one = Delivery.objects.filter(pk__gte=middle, pk__lt=behind).order_by("pk")
            made = one.values_list("pk", "created_at").first()
            if made and made[1] < since - OUT_OF_ORDER:
                before = made[0]
            else:
                behind = middle
        return self.filter(pk__gt=before, created_at__gte=since)

    def unwanted(self) -> "DeliveryQuerySet":
        """Pending, for an endpoint that is off."""
        off = Endpoint.objects.filter(enabled=False)
        return self.filter(state=DeliveryState.PENDING, endpoint__in=off.order_by().values("pk"))

    def due(self, now: datetime) -> "DeliveryQuerySet":
        """Pending, at their time, in nobody's hands, and first of their stream."""
        nobody = Value("")
        earlier = Delivery.objects.alias(whose=Coalesce("endpoint_id", nobody)).filter(
            Q(endpoint__isnull=False) | Q(url=OuterRef("url")),
            whose=Coalesce(OuterRef("endpoint_id"), nobody),
            subject=OuterRef("subject"),
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
    # No index of its own: those below begin with it.
    endpoint = models.ForeignKey(
        Endpoint,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="deliveries",
        db_index=False,
        help_text="Empty: the call's own address.",
    )
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
            models.Index(fields=["endpoint", "state", "id"], name="delivery_of_endpoint"),
            models.Index(fields=["state", "id"], name="delivery_state"),
            models.Index(fields=["type", "id"], name="delivery_type"),
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
