"""The bodies that programs send about calls, and the shapes of what they are answered."""

from collections.abc import Mapping

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from calls.actions.scheduling import NOT_FUTURE, future_instant
from calls.models.history import Stage, Verdict
from calls.states import ANALYZED_BY_CHOICES, ANSWERED_BY_CHOICES, OUTCOME_CHOICES, AttemptState, CallStatus
from temphone.accounts.models import Mode
from temphone.api.fields import (
    Body,
    BooleanField,
    CheckedField,
    IdField,
    IntegerField,
    ObjectField,
    PhoneField,
    Shape,
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
    schema = {"type": "string", "example": "2026-03-15T15:00:00Z"}

    def read(self, data: object, body: Mapping[str, object]) -> str:
        """The timestamp as sent. Of wall time in the contact's zone, only the form is looked at here."""
        zone_name = body.get("timezone")
        known = isinstance(zone_name, str) and zone_name in clock.zone_names()
        try:
            moment = text(data)
            wall = not known and _is_wall_time(moment)
        except (TypeError, ValueError) as error:
            raise Invalid.field(str(self.field_name), self.expected) from error
        if not wall:
            future_instant(moment, str(zone_name) if known else "UTC", clock.now())
        return moment


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


class CallsField(CheckedField):
    """Bodies of calls; each is looked at by itself, so that a bad one spoils no other."""

    most = 1_000
    expected = f"must be a list of 1 to {most:,} calls."
    schema = {
        "type": "array",
        "items": {"$ref": "#/components/schemas/CallBody"},
        "minItems": 1,
        "maxItems": most,
    }

    def value(self, data: object) -> list[object]:
        """The bodies as sent."""
        if not isinstance(data, list) or not 1 <= len(data) <= self.most:
            raise ValueError
        return data


class BatchBody(Body):
    """Calls to be scheduled."""

    calls = CallsField()


class CallChanges(CallBody):
    """What to change of a call that is still scheduled; what is absent stays."""

    contact_id = FixedField(required=False)
    campaign_id = FixedField(required=False)


class RecordingData(Shape):
    """Whether there is a recording, and where."""

    available = serializers.BooleanField()
    duration_seconds = serializers.IntegerField(required=False)
    url = serializers.CharField(required=False, help_text="A path of this server; it needs the key, too.")


class CallData(Shape):
    """A call. What is unset is absent."""

    call_id = serializers.CharField()
    contact_id = serializers.CharField()
    campaign_id = serializers.CharField(required=False)
    scheduled_at = serializers.DateTimeField(help_text="The time asked for; only a reschedule changes it.")
    timezone = serializers.CharField()
    initial_message = serializers.CharField(help_text="As sent.")
    max_duration_seconds = serializers.IntegerField()
    caller_id = serializers.CharField(required=False, help_text="As sent.")
    recording_enabled = serializers.BooleanField()
    webhook_url = serializers.CharField(required=False)
    metadata = serializers.DictField(required=False)
    status = serializers.ChoiceField(CallStatus.choices)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(OUTCOME_CHOICES, required=False, help_text="How it ended.")
    answered_by = serializers.ChoiceField(ANSWERED_BY_CHOICES, required=False)
    mode = serializers.ChoiceField(Mode.choices)
    due_at = serializers.DateTimeField(help_text="When it is dialled next; retries move it.")
    hang_up_requested_at = serializers.DateTimeField(required=False)
    recording = RecordingData(help_text="The latest of the call.")


class VerdictData(Shape):
    """What became of one call of a batch."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    status = serializers.ChoiceField(["scheduled", "error"])
    data_ = CallData(required=False, help_text="The call, if it was scheduled.")
    code = serializers.CharField(required=False, help_text="As a single call would have been answered.")
    message = serializers.CharField(required=False)
    errors_ = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), required=False
    )


class BatchData(Shape):
    """What became of a batch."""

    scheduled = serializers.IntegerField()
    failed = serializers.IntegerField()
    items = VerdictData(many=True, help_text="One each, in the order of the request.")


class AttemptData(Shape):
    """One dial."""

    attempt_id = serializers.CharField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(AttemptState.choices)
    outcome = serializers.ChoiceField(OUTCOME_CHOICES, required=False)
    answered_by = serializers.ChoiceField(ANSWERED_BY_CHOICES, required=False)
    carrier = serializers.CharField(help_text="The kind of line: simulated, sip, twilio.")
    trunk_id = serializers.CharField(required=False, help_text="Which trunk; the simulated network has none.")
    to = serializers.CharField()
    caller_id = serializers.CharField()
    rendered_message = serializers.CharField()
    created_at = serializers.DateTimeField()
    ringing_at = serializers.DateTimeField(required=False)
    answered_at = serializers.DateTimeField(required=False)
    ended_at = serializers.DateTimeField(required=False)
    ended_by = serializers.CharField(required=False)
    hangup_cause = serializers.CharField(required=False)
    duration_seconds = serializers.IntegerField(required=False)
    evidence = serializers.DictField(required=False)
    recording = RecordingData()
    summary = serializers.CharField(required=False)
    extracted = serializers.DictField(required=False)
    analyzed_by = serializers.ChoiceField(ANALYZED_BY_CHOICES, required=False)


class EventData(Shape):
    """Something that happened to the call."""

    name = serializers.CharField()
    at = serializers.DateTimeField()
    attempt_id = serializers.CharField(required=False)
    from_status = serializers.ChoiceField(CallStatus.choices, required=False)
    to_status = serializers.ChoiceField(CallStatus.choices, required=False)
    reason = serializers.CharField(required=False)
    data_ = serializers.DictField(required=False)


class TurnData(Shape):
    """One thing said."""

    attempt_id = serializers.CharField()
    speaker = serializers.ChoiceField(["agent", "callee"])
    text = serializers.CharField()
    offset_ms = serializers.IntegerField(help_text="After the answer.")
    at = serializers.DateTimeField()


class CheckData(Shape):
    """What one gate said."""

    rule = serializers.CharField()
    verdict = serializers.ChoiceField(Verdict.choices)
    text = serializers.CharField()
    input = serializers.DictField()


class DecisionData(Shape):
    """One run of the gates, and which of them decided."""

    stage = serializers.ChoiceField(Stage.choices)
    verdict = serializers.ChoiceField(Verdict.choices)
    rule = serializers.CharField()
    checks = CheckData(many=True)
    at = serializers.DateTimeField()
    attempt_id = serializers.CharField(required=False)


class CallDetails(CallData):
    """A call with all that happened to it."""

    attempts = AttemptData(many=True)
    events = EventData(many=True)
    transcript = TurnData(many=True)
    decisions = DecisionData(many=True)
    summary = serializers.CharField(required=False)
    extracted = serializers.DictField(required=False)
    analyzed_by = serializers.ChoiceField(ANALYZED_BY_CHOICES, required=False)


class PreviewData(Shape):
    """What scheduling would do."""

    rendered_message = serializers.CharField()
    scheduled_at = serializers.DateTimeField()
    timezone = serializers.CharField()
    contact_local_time = serializers.DateTimeField()
    verdict = serializers.ChoiceField(Verdict.choices)
    checks = CheckData(many=True)
    planned_attempts = serializers.IntegerField()


ASKED = {
    "contact_id": "ctc_12kd88",
    "campaign_id": "camp_91ks11",
    "scheduled_at": "2026-03-15T15:00:00Z",
    "timezone": "America/Los_Angeles",
    "initial_message": "Hi {{first_name}}, this is the TemPhone AI assistant following up on your renewal.",
    "max_duration_seconds": 900,
    "caller_id": "+1-415-555-0199",
    "recording_enabled": True,
    "webhook_url": "https://webhooks.yourapp.com/ai-calls",
    "metadata": {"playbook": "renewal_followup_v2", "priority": "high"},
}
ANSWERED = {
    "call_id": "call_1j2kd9",
    **ASKED,
    "status": "scheduled",
    "created_at": "2026-03-15T14:22:11Z",
    "updated_at": "2026-03-15T14:22:11Z",
    "mode": "test",
    "due_at": "2026-03-15T15:00:00Z",
    "recording": {"available": False},
}
EXAMPLES = (
    OpenApiExample("A call", ASKED, request_only=True),
    OpenApiExample(
        "Scheduled",
        {"status": "success", "message": "AI outbound call scheduled successfully.", "data": ANSWERED},
        response_only=True,
        status_codes=["201"],
    ),
)
BATCH_EXAMPLES = (
    OpenApiExample("Two calls", {"calls": [ASKED, {**ASKED, "contact_id": "ctc_nobody"}]}, request_only=True),
    OpenApiExample(
        "One scheduled, one refused",
        {
            "status": "success",
            "message": "1 of 2 calls scheduled.",
            "data": {
                "scheduled": 1,
                "failed": 1,
                "items": [
                    {"index": 0, "status": "scheduled", "data": ANSWERED},
                    {
                        "index": 1,
                        "status": "error",
                        "code": "contact_not_found",
                        "message": "Contact not found: ctc_nobody.",
                    },
                ],
            },
        },
        response_only=True,
        status_codes=["207"],
    ),
)
