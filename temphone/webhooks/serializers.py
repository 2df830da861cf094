"""The bodies that programs send about webhook endpoints, and how the API shows these."""

from rest_framework import serializers

from temphone.api.fields import Body, BooleanField, Shape, TextField, WordsField
from temphone.lib.data import present
from temphone.webhooks.guard import MAX_LENGTH
from temphone.webhooks.models import Endpoint, Event


class EndpointBody(Body):
    """An address, and what it is told of; of which events there are, docs/webhooks.md tells."""

    name = TextField(least=1, most=60)
    url = TextField(least=1, most=MAX_LENGTH)
    events = WordsField(most=len(Event), length=40)


class RotationBody(Body):
    """Whether the secret before signs as well for a day, so that receivers can follow; it does if unsaid."""

    keep_old = BooleanField(required=False)


class EndpointData(Shape):
    """A webhook endpoint."""

    endpoint_id = serializers.CharField()
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(Event.choices))
    enabled = serializers.BooleanField()
    off_because = serializers.CharField(required=False, help_text="Why TemPhone switched it off.")
    old_secret_until = serializers.DateTimeField(
        required=False, help_text="So long the secret before signs as well."
    )
    last_success_at = serializers.DateTimeField(required=False)
    last_failure_at = serializers.DateTimeField(required=False)
    last_failure = serializers.CharField(required=False)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class EndpointSecretData(EndpointData):
    """A webhook endpoint with its secret, which is shown in this answer alone."""

    secret = serializers.CharField()


def endpoint_data(endpoint: Endpoint) -> dict[str, object]:
    """An endpoint as the API shows it."""
    return present(
        {
            "endpoint_id": endpoint.pk,
            "name": endpoint.name,
            "url": endpoint.url,
            "events": endpoint.events,
            "enabled": endpoint.enabled,
            "off_because": endpoint.off_because or None,
            "old_secret_until": endpoint.before_until,
            "last_success_at": endpoint.last_success_at,
            "last_failure_at": endpoint.last_failure_at,
            "last_failure": endpoint.last_failure or None,
            "created_at": endpoint.created_at,
            "updated_at": endpoint.updated_at,
        }
    )
