"""The form that schedules a call."""

from collections.abc import Mapping
from hashlib import sha256
from uuid import uuid4

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from calls.actions.idempotency import Idempotency
from calls.actions.scheduling import CallRequest
from calls.forms.lines import LineForm
from calls.forms.moments import MomentForm, RefusableForm
from calls.models import Call, Number
from campaigns.models import Agent, Campaign
from campaigns.states import OVER
from contacts.models import Contact
from temphone.accounts.models import Mode
from temphone.lib.errors import DomainError
from temphone.webhooks.guard import check_url

EXAMPLE = 'Hi {{ first_name | default: "there" }}, this is …'
OPTIONAL = frozenset({"campaign", "agent", "caller_id", "max_minutes", "webhook_url", "metadata"})


def mode_choices() -> list[tuple[str, str]]:
    """Test always; live where there are real lines."""
    modes = [Mode.TEST, Mode.LIVE] if Number.objects.for_live() else [Mode.TEST]
    return [(mode.value, str(mode.label)) for mode in modes]


class WordsForm(LineForm):
    """What to say in a call, how long at most, and what goes with it."""

    message = forms.CharField(
        label=_("Message"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": EXAMPLE}),
        error_messages={"required": _("Write what the assistant shall say first.")},
    )
    max_minutes = forms.IntegerField(
        label=_("Longest call, in minutes"), min_value=1, max_value=120, initial=15
    )
    webhook_url = forms.CharField(
        required=False, label=_("Webhook URL"), help_text=_("Told when the call starts, is answered, ends.")
    )
    metadata = forms.CharField(
        required=False,
        label=_("Metadata"),
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "order_no: 8841"}),
        help_text=_("One a line, name: value. In the message: {{ metadata.order_no }}"),
    )

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


class ScheduleForm(WordsForm, MomentForm):
    """Whom to call, when, and what to say."""

    token = forms.CharField(max_length=64, widget=forms.HiddenInput)
    again = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    contact = forms.CharField(
        widget=forms.HiddenInput, error_messages={"required": _("Choose whom to call.")}
    )
    mode = forms.ChoiceField(label=_("Mode"), widget=forms.RadioSelect, choices=mode_choices)
    campaign = forms.ModelChoiceField(
        Campaign.objects.exclude(status__in=OVER), required=False, label=_("Campaign"), empty_label=_("None")
    )
    agent = forms.ModelChoiceField(
        Agent.objects.present(),
        required=False,
        label=_("Agent"),
        empty_label=_("The campaign's, or the default"),
        help_text=_("Who speaks."),
    )

    def clean_contact(self) -> str:
        """Somebody who is there."""
        contact_id: str = self.cleaned_data["contact"]
        if not Contact.objects.present().filter(pk=contact_id).exists():
            raise forms.ValidationError(self.fields["contact"].error_messages["required"])
        return contact_id

    def refuse(self, error: DomainError) -> None:
        """Show what a rule refused. A form that was sent before with other values gets a new token."""
        if error.code != "idempotency_mismatch":
            super().refuse(error)
            return
        self.data = {**dict(self.data.items()), "token": uuid4().hex}
        self.add_error(
            None,
            _("This form was sent before, and its call was scheduled already. Send it again for another."),
        )

    @property
    def has_optional_errors(self) -> bool:
        """Whether something is wrong among the folded fields."""
        return bool(OPTIONAL & self.errors.keys())

    @property
    def request(self) -> CallRequest:
        """The valid form as the action's request."""
        data = self.cleaned_data
        return CallRequest(
            contact_id=data["contact"],
            campaign_id=data["campaign"].pk if data["campaign"] else None,
            agent_id=data["agent"].pk if data["agent"] else None,
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
            fingerprint=sha256(repr((self.cleaned_data["mode"], self.request)).encode()).hexdigest(),
        )


def lines(metadata: Mapping[str, object] | None) -> str:
    """Metadata as the form's lines."""
    return "\n".join(f"{name}: {value}" for name, value in (metadata or {}).items())


class EditForm(WordsForm, RefusableForm):
    """Another text, and what goes with it, for a call that waits for its time."""

    def __init__(self, data: QueryDict | None = None, *, call: Call) -> None:
        super().__init__(data, initial=_words_of(call))
        self.call = call

    def clean_metadata(self) -> dict[str, object] | None:
        """As given, where it stands as it was: a program's may be no lines of names and values."""
        before = self.call.metadata or {}
        if _is_the_same(self.cleaned_data["metadata"], lines(before)):
            return self.call.metadata
        given = super().clean_metadata() or {}
        # What reads as it did keeps its kind: a program's number stays one.
        return {name: before[name] if str(before.get(name)) == text else text for name, text in given.items()}

    def clean_message(self) -> str:
        """As it was, where only the ends of its lines differ."""
        text: str = self.cleaned_data["message"]
        return self.call.initial_message if _is_the_same(text, self.call.initial_message) else text

    @property
    def changes(self) -> dict[str, object]:
        """What differs from the call, by the action's names."""
        data, call = self.cleaned_data, self.call
        minutes = data["max_minutes"]
        wanted: dict[str, object] = {
            "initial_message": data["message"],
            "max_duration_s": call.max_duration_s if minutes == _minutes(call) else minutes * 60,
            "caller_id": data["caller_id"],
            "recording_enabled": data["recording_enabled"],
            "webhook_url": data["webhook_url"],
            "metadata": data["metadata"],
        }
        return {name: value for name, value in wanted.items() if value != getattr(call, name)}


def _is_the_same(text: str, other: str) -> bool:
    return text.splitlines() == other.strip().splitlines()


def _minutes(call: Call) -> int:
    return max(1, call.max_duration_s // 60)


def _words_of(call: Call) -> dict[str, object]:
    """A form's first values for what is said in a call, and goes with it."""
    return {
        "message": call.initial_message,
        "caller_id": call.caller_id,
        "max_minutes": _minutes(call),
        "recording_enabled": call.recording_enabled,
        "webhook_url": call.webhook_url,
        "metadata": lines(call.metadata),
    }


def again(call: Call) -> dict[str, object]:
    """A form's first values for calling as before."""
    return {
        **_words_of(call),
        "campaign": call.campaign_id if call.campaign and call.campaign.status not in OVER else None,
        "again": call.pk,
        "agent": call.speaker_id,
        "mode": call.mode,
    }
