"""Free lines: counted from the attempts that are up, not by a counter."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count

from calls.models import Attempt, Gateway, Pacing
from temphone.telephony.messages import GatewayRef


@dataclass(slots=True, kw_only=True)
class Lines:
    """The lines that a carrier has free, per gateway, and what its pace allows still."""

    per_gateway: dict[str, int]
    gateways: dict[str, GatewayRef]
    allowed: int | None  # by the carrier's own limits; None: they set none

    @classmethod
    def free(cls, pacing: Pacing, now: datetime) -> "Lines":
        """The free lines now. The caller holds the pacing row, so nobody else takes one meanwhile."""
        reachable = Gateway.objects.reachable(now)
        having = [row for row in reachable if pacing.carrier in row.legs]
        # Of all carriers, as the index on state has them: who is live is few, whom a carrier carried, many.
        up = Attempt.objects.live().values_list("carrier", "gateway").annotate(Count("pk")).order_by()
        busy = {gateway: count for carrier, gateway, count in up if carrier == pacing.carrier}
        return cls(
            per_gateway={row.pk: row.lines - busy.get(row.pk, 0) for row in having},
            gateways={row.pk: row.ref for row in having},
            allowed=_allowed(pacing, sum(busy.values()), now),
        )

    @property
    def count(self) -> int:
        """How many more calls may be dialled now."""
        free = sum(max(0, lines) for lines in self.per_gateway.values())
        return max(0, free if self.allowed is None else min(free, self.allowed))

    def at_most(self, limit: int) -> int:
        """How many calls to look at: no more than may be dialled, but some, lest late ones never end."""
        return min(limit, self.count or limit)

    def take(self) -> GatewayRef:
        """Use one line, on the gateway that has the most; only while ``count`` is above zero."""
        ledger = max(self.per_gateway, key=lambda key: self.per_gateway[key])
        self.per_gateway[ledger] -= 1
        if self.allowed is not None:
            self.allowed -= 1
        return self.gateways[ledger]


def _allowed(pacing: Pacing, up: int, now: datetime) -> int | None:
    limits = []
    per_second = pacing.calls_per_second or settings.CALLS_PER_SECOND
    if per_second:
        started = Attempt.objects.filter(carrier=pacing.carrier, created_at__gt=now - timedelta(seconds=1))
        limits.append(per_second - started.count())
    if pacing.lines is not None:
        limits.append(pacing.lines - up)
    return min(limits, default=None)
