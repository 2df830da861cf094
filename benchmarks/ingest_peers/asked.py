"""The body of a request as the peers read it, and what they answer."""

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt, StrictStr

from temphone.lib import phone
from temphone.lib.clock import iso, zone
from temphone.lib.data import present
from temphone.webhooks.guard import check_url

MESSAGE = "AI outbound call scheduled successfully."


def _zone(name: str) -> str:
    return zone(name).key


def _number(text: str) -> str:
    phone.to_e164(text)
    return text


def _address(url: str) -> str:
    check_url(url)
    return url


def _small(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > 16 * 1024:
        raise ValueError("must be a JSON object of at most 16 kB.")
    return value


class Asked(BaseModel):
    """A call to be scheduled."""

    contact_id: StrictStr
    campaign_id: StrictStr | None = None
    scheduled_at: StrictStr
    timezone: Annotated[StrictStr, AfterValidator(_zone)] | None = None
    initial_message: Annotated[StrictStr, Field(min_length=1, max_length=5_000)]
    max_duration_seconds: Annotated[StrictInt, Field(ge=10, le=7_200)] = 900
    caller_id: Annotated[StrictStr, AfterValidator(_number)] | None = None
    metadata: Annotated[dict[str, Any], AfterValidator(_small)] | None = None
    recording_enabled: StrictBool = True
    webhook_url: Annotated[StrictStr, AfterValidator(_address)] | None = None


def answer(
    asked: Asked, *, call_id: str, when: datetime, zone_name: str, due: datetime, now: datetime
) -> dict:
    """The envelope, its data in the specification's order."""
    data = {
        "call_id": call_id,
        "contact_id": asked.contact_id,
        "campaign_id": asked.campaign_id,
        "scheduled_at": iso(when),
        "timezone": zone_name,
        "initial_message": asked.initial_message,
        "max_duration_seconds": asked.max_duration_seconds,
        "caller_id": asked.caller_id,
        "recording_enabled": asked.recording_enabled,
        "webhook_url": asked.webhook_url,
        "metadata": asked.metadata,
        "status": "scheduled",
        "created_at": iso(now),
        "updated_at": iso(now),
        "mode": "test",
        "due_at": iso(due),
        "recording": {"available": False},
    }
    return {"status": "success", "message": MESSAGE, "data": present(data)}
