"""The one place that builds adapters from settings."""

from django.conf import settings

from temphone.telephony.adapters.gateway import GatewayCarrier
from temphone.telephony.port import Carrier


def carrier() -> Carrier:
    """What carries every call: our gateway, whatever legs it has."""
    return GatewayCarrier(secret=settings.GATEWAY_SECRET)
