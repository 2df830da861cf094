"""What gateways tell of themselves."""

import logging
from datetime import datetime

from calls.models import Gateway, Trunk
from temphone.lib.sealing import Unreadable
from temphone.telephony.messages import Heartbeat
from temphone.telephony.messages import Trunk as TrunkMessage

MOST_PROBLEM = 200  # characters of what a gateway says is wrong with a trunk

log = logging.getLogger(__name__)


def record_heartbeat(*, heartbeat: Heartbeat, now: datetime) -> None:
    """The gateway is alive; this is where it listens, what it can carry, and how the trunks are there."""
    Gateway.objects.update_or_create(
        ledger=heartbeat.ledger,
        defaults={
            "url": heartbeat.url,
            "version": heartbeat.version,
            "legs": list(heartbeat.legs),
            "trunks": {
                trunk_id: {
                    "ready": state.ready,
                    "problem": state.problem[:MOST_PROBLEM],
                    "most": state.most,
                }
                for trunk_id, state in heartbeat.trunks.items()
            },
            "lines": heartbeat.lines,
            "live": heartbeat.live,
            "outbox": heartbeat.outbox,
            "speaks": heartbeat.speaks,
            "clock_skew_ms": int((heartbeat.at - now).total_seconds() * 1000),
            "last_seen_at": now,
        },
    )


def trunks_to_have_ready() -> list[TrunkMessage]:
    """The trunks that are switched on, their secrets included, for the answer to a heartbeat alone.

    One whose secret cannot be read is left out; its page says so.
    """
    told = []
    for trunk in Trunk.objects.enabled():
        try:
            told.append(trunk.message)
        except Unreadable:
            log.warning("The secret of trunk %s was sealed with another SECRET_KEY.", trunk.pk)
    return told
