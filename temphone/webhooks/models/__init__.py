"""What we send out, and to whom."""

from temphone.webhooks.models.deliveries import (
    FAILED,
    Delivery,
    DeliveryState,
    DeliveryTry,
    Drain,
    new_event_id,
)
from temphone.webhooks.models.endpoints import SUBSCRIBERS, Endpoint, Event

__all__ = [
    "FAILED",
    "SUBSCRIBERS",
    "Delivery",
    "DeliveryState",
    "DeliveryTry",
    "Drain",
    "Endpoint",
    "Event",
    "new_event_id",
]
