"""What staff type about calls, and what it means."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from calls.actions.idempotency import Idempotency
from calls.actions.scheduling import CallRequest
from calls.models import Call
from calls.models.call import CallQuerySet
from calls.states import OUTCOME_CHOICES, CallStatus
from campaigns.models import Campaign
from campaigns.states import OVER
from temphone.accounts.models import Mode, User
from temphone.lib import phone
from temphone.lib.clock import from_wall
from temphone.lib.errors import DomainError
from temphone.webhooks.guard import check_url

# The form's field for each of the action's.
FIELDS = {
    "contact_id": "contact",
    "campaign_id": "campaign",
    "scheduled_at": "time",
    "timezone": "whose",
    "initial_message": "message",
}
MINUTE = timedelta(minutes=1)


def date_input() -> forms.DateInput:
    """The browser's date picker, in any locale."""
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


def time_input() -> forms.TimeInput:
    """The browser's time picker, in any locale."""
    return forms.TimeInput(format="%H:%M", attrs={"type": "time"})


class CallFilter(forms.Form):
    """The filters of the list, as they stand in its address; what is wrong there is ignored."""

    q = forms.CharField(required=False, label=_("Search calls"))
    status = forms.ChoiceField(
        required=False, label=_("Status"), choices=[("", _("Any status")), *CallStatus.choices]
    )
    outcome = forms.ChoiceField(
        required=False, label=_("Outcome"), choices=[("", _("Any outcome")), *OUTCOME_CHOICES]
    )
    campaign = forms.ModelChoiceField(
        Campaign.objects.all(), required=False, label=_("Campaign"), empty_label=_("Any campaign")
    )
    mode = forms.ChoiceField(
        required=False, label=_("Mode"), choices=[("", _("Test and live")), *Mode.choices]
    )
    since = forms.DateField(required=False, label=_("From"), widget=date_input())
    until = forms.DateField(required=False, label=_("To"), widget=date_input())

    def value(self, name: str) -> Any:
        """What a filter asks for; None if nothing, or nothing readable."""
        return self.cleaned_data.get(name) or None if self.is_valid() or True else None

    def chosen(self) -> list[str]:
        """The filters that are set, but for the text."""
        return [name for name in self.fields if name != "q" and self.value(name)]

    def apply(self, calls: CallQuerySet, zone_name: str) -> CallQuerySet:
        """The calls that match; days are those of the reader's zone."""
        plain = {name: self.value(name) for name in ("status", "outcome", "campaign", "mode")}
        calls = calls.filter(**{name: value for name, value in plain.items() if value})
        if text := self.value("q"):
            calls = calls.matching(text)
        if day := self.value("since"):
            calls = calls.filter(scheduled_at__gte=from_wall(datetime.combine(day, time()), zone_name))
        if day := self.value("until"):
            next_day = day + timedelta(days=1)
            calls = calls.filter(scheduled_at__lt=from_wall(datetime.combine(next_day, time()), zone_name))
        return calls


class MomentForm(forms.Form):
    """A wall time, and whose."""

    date = forms.DateField(label=_("Date"), widget=date_input())
    time = forms.TimeField(label=_("Time"), widget=time_input())
    whose = forms.ChoiceField(label=_("On whose clock"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        mine = user.timezone.rsplit("/", 1)[-1].replace("_", " ")
        whose = self.fields["whose"]
        assert isinstance(whose, forms.ChoiceField)
        whose.choices = [
            ("contact", _("The contact's clock")),
            ("mine", _("My clock (%(city)s)") % {"city": mine}),
            ("utc", "UTC"),
        ]

    @property
    def zone_name(self) -> str | None:
        """The zone whose wall time it is; None: the contact's."""
        return {"mine": self.user.timezone, "utc": "UTC"}.get(self.cleaned_data.get("whose", ""))

    @property
    def scheduled_at(self) -> str:
        """The wall time as the action reads it."""
        return datetime.combine(self.cleaned_data["date"], self.cleaned_data["time"]).isoformat()

    def instant(self, contact_zone: str) -> datetime | None:
        """The instant that is meant, once date and time are there."""
        if not {"date", "time"} <= self.cleaned_data.keys():
            return None
        wall = datetime.combine(self.cleaned_data["date"], self.cleaned_data["time"])
        return from_wall(wall, self.zone_name or contact_zone)

    def refuse(self, error: DomainError) -> None:
        """Show what a rule refused, beside the field that it is about."""
        for field, message in problems(error):
            self.add_error(field if field in self.fields else None, message)


def problems(error: DomainError) -> list[tuple[str | None, str]]:
    """What was wrong, per field of the form, as one reads it beside the field."""
    if not error.fields:
        return [(None, error.message)]
    return [
        (FIELDS.get(name, name), _kindly(name, message))
        for name, messages in error.fields.items()
        for message in messages
    ]


def _kindly(name: str, message: str) -> str:
    if name == "scheduled_at" and "future" in message:
        return str(_("Choose a time that is still to come."))
    subject = _("The message") if name == "initial_message" else _("This")
    return message.replace(f"Field '{name}'", str(subject), 1)


class ScheduleForm(MomentForm):
    """Whom to call, when, and what to say."""

    token = forms.CharField(max_length=64, widget=forms.HiddenInput)
    contact = forms.CharField(
        widget=forms.HiddenInput, error_messages={"required": _("Choose whom to call.")}
    )
    message = forms.CharField(
        label=_("Message"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Write what the assistant shall say first.")},
    )
    mode = forms.ChoiceField(label=_("Mode"), widget=forms.RadioSelect)
    campaign = forms.ModelChoiceField(
        Campaign.objects.exclude(status__in=OVER), required=False, label=_("Campaign"), empty_label=_("None")
    )
    caller_id = forms.CharField(
        required=False,
        max_length=32,
        label=_("Caller ID"),
        help_text=_("The number that they see. Empty: the installation's."),
    )
    max_minutes = forms.IntegerField(
        label=_("Longest call, in minutes"), min_value=1, max_value=120, initial=15
    )
    recording_enabled = forms.BooleanField(required=False, initial=True, label=_("Record the call"))
    webhook_url = forms.CharField(
        required=False, label=_("Webhook URL"), help_text=_("Told when the call starts, is answered, ends.")
    )
    metadata = forms.CharField(
        required=False,
        label=_("Metadata"),
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "order_no: 8841"}),
        help_text=_("One a line, name: value. In the message: {{ metadata.order_no }}"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mode = self.fields["mode"]
        assert isinstance(mode, forms.ChoiceField)
        mode.choices = [choice for choice in Mode.choices if choice[0] == "test" or live_is_possible()]

    def clean_caller_id(self) -> str:
        """The number as typed; the action keeps it so."""
        text: str = self.cleaned_data["caller_id"]
        if not text:
            return text
        try:
            phone.to_e164(text)
        except ValueError as error:
            raise forms.ValidationError(
                _("Write the number with its country, such as +1 415 555 0199.")
            ) from error
        return text

    def clean_webhook_url(self) -> str:
        """An address that may be told."""
        text: str = self.cleaned_data["webhook_url"]
        if not text:
            return text
        try:
            check_url(text)
        except ValueError as error:
            raise forms.ValidationError(
                _("Give a public address that begins with https:// or http://.")
            ) from error
        return text

    def clean_metadata(self) -> dict[str, object] | None:
        """The lines as names and values."""
        lines = [line for line in self.cleaned_data["metadata"].splitlines() if line.strip()]
        pairs = [line.partition(":") for line in lines]
        for name, colon, _value in pairs:
            if not colon or not name.strip():
                raise forms.ValidationError(_("Write each line as name: value."))
        return {name.strip(): value.strip() for name, _colon, value in pairs} or None

    @property
    def request(self) -> CallRequest:
        """The valid form as the action's request."""
        data = self.cleaned_data
        return CallRequest(
            contact_id=data["contact"],
            campaign_id=data["campaign"].pk if data["campaign"] else None,
            scheduled_at=self.scheduled_at,
            timezone=self.zone_name,
            initial_message=data["message"],
            max_duration_s=data["max_minutes"] * 60,
            caller_id=data["caller_id"],
            metadata=data["metadata"],
            recording_enabled=data["recording_enabled"],
            webhook_url=data["webhook_url"],
        )

    @property
    def idempotency(self) -> Idempotency:
        """The form's one-time token: sent twice, it makes one call."""
        return Idempotency(
            key=f"form:{self.cleaned_data['token']}",
            fingerprint=sha256(repr(self.request).encode()).hexdigest(),
        )


def live_is_possible() -> bool:
    """Whether a carrier is there that rings real phones."""
    return bool(settings.LIVE_CARRIER != "none")


def lines(metadata: Mapping[str, object] | None) -> str:
    """Metadata as the form's lines."""
    return "\n".join(f"{name}: {value}" for name, value in (metadata or {}).items())


def again(call: Call) -> dict[str, object]:
    """A form's first values for calling as before."""
    return {
        "message": call.initial_message,
        "campaign": call.campaign_id if call.campaign and call.campaign.status not in OVER else None,
        "caller_id": call.caller_id,
        "max_minutes": max(1, call.max_duration_s // 60),
        "recording_enabled": call.recording_enabled,
        "webhook_url": call.webhook_url,
        "metadata": lines(call.metadata),
        "mode": call.mode,
    }


class StopForm(forms.Form):
    """Why all calling is stopped."""

    reason = forms.CharField(
        required=False,
        max_length=200,
        label=_("Reason"),
        help_text=_("Everybody sees it while calling is stopped."),
    )
