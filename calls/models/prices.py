"""What the minutes of trunks cost, and from when on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.models.attempt import Attempt
from calls.models.trunks import Trunk
from temphone.telephony.messages import Outcome

MINUTE_S = 60
DECIMALS = 5


class BilledBy(models.IntegerChoices):
    """What is charged in full once it has begun, in seconds."""

    SECOND = 1, _("every second")
    SIX_SECONDS = 6, _("every 6 seconds begun")
    HALF_MINUTE = 30, _("every 30 seconds begun")
    MINUTE = 60, _("every minute begun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What a provider charges for calls that are answered, in the organisation's currency.

    ``per_minute`` is None where it is not known.
    """

    per_minute: Decimal | None = None
    billed_by_s: int = BilledBy.MINUTE

    def cost(self, duration_s: int) -> Decimal | None:
        """Of a call that was answered and lasted so long; of one that was not it is zero."""
        if self.per_minute is None:
            return None
        begun = -(-duration_s // self.billed_by_s)
        return self.per_minute * begun * self.billed_by_s / MINUTE_S


UNKNOWN = Tariff()


class PriceQuerySet(models.QuerySet["Price"]):
    """Reads of prices."""

    def in_order(self) -> "PriceQuerySet":
        """The latest last."""
        return self.order_by("since", "id")

    def latest_of(self, trunk: Trunk) -> "Price | None":
        """The trunk's latest; None where it never had one."""
        return self.filter(trunk=trunk).in_order().last()


class Price(models.Model):
    """A trunk's tariff from an instant on, until another follows; what was called before keeps its own."""

    trunk = models.ForeignKey(Trunk, on_delete=models.CASCADE, related_name="prices", db_index=False)
    since = models.DateTimeField()
    per_minute = models.DecimalField(
        max_digits=9, decimal_places=DECIMALS, null=True, blank=True, help_text="Null: not known any more."
    )
    billed_by_s = models.PositiveSmallIntegerField(choices=BilledBy, default=BilledBy.MINUTE)

    objects = PriceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["trunk", "since", "id"]
        indexes: ClassVar = [models.Index(fields=["trunk", "since", "id"], name="price_of_trunk")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(per_minute=None) | Q(per_minute__gte=0), name="price_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(billed_by_s__in=BilledBy.values), name="price_billed_by_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trunk_id}, {self.since:%Y-%m-%d}"

    @property
    def tariff(self) -> Tariff:
        """What it says."""
        return Tariff(per_minute=self.per_minute, billed_by_s=self.billed_by_s)


def tariff_of(trunk: Trunk) -> Tariff:
    """What is charged now."""
    latest = Price.objects.latest_of(trunk)
    return latest.tariff if latest else UNKNOWN


class Prices:
    """All there are, to tell what dials cost; one query, of a few rows."""

    def __init__(self) -> None:
        self._of: dict[str, list[Price]] = {}
        for price in Price.objects.in_order():
            self._of.setdefault(price.trunk_id, []).append(price)

    def __bool__(self) -> bool:
        return bool(self._of)

    def of_attempt(self, attempt: Attempt) -> Decimal | None:
        """What an ended dial cost; None where nobody knows, or the simulated network carried it."""
        if attempt.trunk_id is None or attempt.is_live or attempt.outcome == Outcome.UNKNOWN:
            return None
        if attempt.answered_at is None:
            return self._tariff(attempt.trunk_id, attempt.created_at).cost(0)
        if attempt.duration_s is None:
            return None
        # Less than half a second is kept as none, and is charged for.
        return self._tariff(attempt.trunk_id, attempt.created_at).cost(max(attempt.duration_s, 1))

    def of_attempts(self, attempts: Iterable[Attempt]) -> Decimal | None:
        """What they cost together; None where that is not known of each."""
        known = [self.of_attempt(attempt) for attempt in attempts]
        costs = [cost for cost in known if cost is not None]
        return sum(costs, Decimal()) if costs and len(costs) == len(known) else None

    def _tariff(self, trunk_id: str, at: datetime) -> Tariff:
        prices: Sequence[Price] = self._of.get(trunk_id, ())
        return next((price.tariff for price in reversed(prices) if price.since <= at), UNKNOWN)
