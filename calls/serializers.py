"""The bodies that programs send about calls."""

from rest_framework import serializers

from calls.actions.scheduling import NOT_FUTURE, future_instant
from temphone.api.fields import (
    Body,
    BooleanField,
    CheckedField,
    IdField,
    IntegerField,
    ObjectField,
    PhoneField,
    TextField,
    ZoneField,
    text,
)
from temphone.lib import clock
from temphone.lib.errors import Invalid
from temphone.webhooks.guard import check_url


class MomentField(CheckedField):
    """When to call: an instant, or wall time in the body's ``timezone``, else in the contact's."""

    expected = NOT_FUTURE
    schema = {"type": "string", "format": "date-time", "example": "2026-03-15T15:00:00Z"}

    def value(self, data: object) -> str:
        """The timestamp as sent. Of wall time in the contact's zone, only the form is looked at here."""
        moment = text(data)
        zone_name = self.parent.initial_data.get("timezone")
        known = isinstance(zone_name, str) and zone_name in clock.zone_names()
        if known or not _is_wall_time(moment):
            self._must_be_future(moment, zone_name if known else "UTC")
        return moment

    @staticmethod
    def _must_be_future(moment: str, zone_name: str) -> None:
        try:
            future_instant(moment, zone_name, clock.now())
        except Invalid as error:
            raise serializers.ValidationError(error.message) from error


def _is_wall_time(moment: str) -> bool:
    """Whether the zone matters.

    Raises:
        ValueError: not a timestamp.
    """
    west, east = (clock.parse_timestamp(moment, zone_name=name) for name in ("Etc/GMT+12", "Etc/GMT-14"))
    return west != east


class WebhookField(CheckedField):
    """An address that may be told."""

    expected = "must be a public HTTP(S) URL."
    schema = {"type": "string", "format": "uri", "maxLength": 2048}

    def value(self, data: object) -> str:
        """The URL as sent."""
        url = text(data)
        check_url(url)
        return url


class FixedField(CheckedField):
    """What a call keeps from its creation."""

    expected = "cannot be changed. Cancel the call and schedule another."
    schema = {"type": "string", "readOnly": True}

    def value(self, _data: object) -> object:
        """Refuse any."""
        raise ValueError


class CallBody(Body):
    """A call to be scheduled."""

    contact_id: CheckedField = IdField()
    campaign_id: CheckedField = IdField(required=False, allow_null=True)
    scheduled_at = MomentField()
    timezone = ZoneField(required=False)
    initial_message = TextField(least=1, most=5_000)
    max_duration_seconds = IntegerField(least=10, most=7_200, required=False, source="max_duration_s")
    caller_id = PhoneField(required=False)
    metadata = ObjectField(kilobytes=16, required=False)
    recording_enabled = BooleanField(required=False)
    webhook_url = WebhookField(required=False)


class CallChanges(CallBody):
    """What to change of a call that is still scheduled; what is absent stays."""

    contact_id = FixedField(required=False)
    campaign_id = FixedField(required=False)
