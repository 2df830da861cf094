"""What gateways tell of themselves."""

from datetime import datetime

from calls.models import Gateway
from temphone.telephony.messages import Heartbeat


def record_heartbeat(*, heartbeat: Heartbeat, now: datetime) -> None:
    """The gateway is alive; this is where it listens and what it can carry."""
    Gateway.objects.update_or_create(
        ledger=heartbeat.ledger,
        defaults={
            "url": heartbeat.url,
            "version": heartbeat.version,
            "legs": list(heartbeat.legs),
            "lines": heartbeat.lines,
            "live": heartbeat.live,
            "outbox": heartbeat.outbox,
            "clock_skew_ms": int((heartbeat.at - now).total_seconds() * 1000),
            "last_seen_at": now,
        },
    )
