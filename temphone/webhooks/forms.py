"""What staff type about webhooks, and how they look through the log."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from temphone.lib import ids
from temphone.lib.errors import DomainError
from temphone.webhooks.actions.endpoints import TEST
from temphone.webhooks.guard import MAX_LENGTH
from temphone.webhooks.models import Delivery, DeliveryState, Endpoint, Event
from temphone.webhooks.models.deliveries import DeliveryQuerySet

EVENT_LABELS = {
    Event.SCHEDULED: _("A call was scheduled."),
    Event.STARTED: _("The carrier took the dial of an attempt."),
    Event.ANSWERED: _("Somebody, or something, answered."),
    Event.COMPLETED: _("A call is over, and reached whom it was for."),
    Event.FAILED: _("A call is over, and did not."),
    Event.CANCELED: _("A call was canceled before it was answered."),
    Event.RETRY_SCHEDULED: _("A call is to be tried again."),
    Event.ANALYZED: _("A summary was made of what was said."),
    Event.CORRECTED: _("A call was found to have ended otherwise."),
    Event.OPTED_OUT: _("Somebody asked not to be called again."),
}
USUAL = [Event.COMPLETED, Event.FAILED, Event.CANCELED, Event.CORRECTED, Event.OPTED_OUT]
MENDS = {
    "url": _(
        "Write a public address such as https://hooks.example.com/calls, without a user name. "
        "One in your own network must be named in TEMPHONE_WEBHOOK_ALLOW."
    ),
    "events": _("Choose at least one event."),
}
OWN = "none"  # stands for the calls' own addresses


class EndpointForm(forms.Form):
    """An address, and what it is told."""

    name = forms.CharField(max_length=60, label=_("Name"), help_text=_("As you call it, such as CRM."))
    url = forms.CharField(
        max_length=MAX_LENGTH,
        label=_("Address"),
        help_text=_("Where the messages are posted, such as https://hooks.example.com/calls."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        choices=[(event.value, event.value) for event in Event],
        label=_("Events"),
        error_messages={"required": MENDS["events"]},
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, endpoint: Endpoint | None = None) -> None:
        if endpoint:
            initial = {"name": endpoint.name, "url": endpoint.url, "events": endpoint.events}
        else:
            initial = {"events": [event.value for event in USUAL]}
        super().__init__(data, initial=initial)

    def ticks(self) -> list[dict[str, object]]:
        """Each event with what it says, and whether it is chosen."""
        chosen = self["events"].value() or []
        return [
            {"event": event.value, "label": EVENT_LABELS[event], "is_chosen": event.value in chosen}
            for event in Event
        ]

    def refuse(self, error: DomainError) -> None:
        """Show what a rule refused, beside the field that it is about."""
        for name in error.fields:
            self.add_error(name, MENDS.get(name, error.message))
        if not error.fields:
            self.add_error(None, error.message)


class DeliveryFilter(forms.Form):
    """The filters of the log, as they stand in its address; what is wrong there is ignored."""

    q = forms.CharField(required=False, max_length=64, label=_("Search the log"))
    state = forms.ChoiceField(
        required=False, label=_("State"), choices=[("", _("Any state")), *DeliveryState.choices]
    )
    type = forms.ChoiceField(
        required=False,
        label=_("Event"),
        choices=[("", _("Any event")), *((event, event) for event in (*Event.values, TEST))],
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.endpoints = list(Endpoint.objects.all())
        self.fields["endpoint"] = forms.ChoiceField(
            required=False,
            label=pgettext_lazy("address", "To"),
            choices=[
                ("", _("All addresses")),
                (OWN, _("The calls' own addresses")),
                *((one.pk, one.name) for one in self.endpoints if one.deleted_at is None),
                *(
                    (one.pk, _("{name} (deleted)").format(name=one.name))
                    for one in self.endpoints
                    if one.deleted_at
                ),
            ],
        )

    @property
    def given(self) -> dict[str, str]:
        """The filters that are set, and readable."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def chips(self) -> list[dict[str, object]]:
        """The filters that are set, but for the text: what each is called, and its value in words."""
        words = {name: dict(self[name].field.widget.choices) for name in ("state", "type", "endpoint")}
        return [
            {"name": name, "label": self.fields[name].label, "value": words[name][value]}
            for name, value in self.given.items()
            if name != "q"
        ]

    def apply(self) -> list[DeliveryQuerySet]:
        """The messages that match, in parts that share none; an index gives each by its key."""
        given = self.given
        found = Delivery.objects.order_by("-id")
        if text := given.get("q"):
            return [_of(found, given).filter(**_sought(text))]
        if "endpoint" in given and "state" not in given:
            # The index of an endpoint has them by state.
            return [_of(found, {**given, "state": state}) for state in DeliveryState.values]
        return [_of(found, given)]


def _of(found: DeliveryQuerySet, given: Mapping[str, str]) -> DeliveryQuerySet:
    columns: dict[str, object] = {name: given[name] for name in ("state", "type") if name in given}
    if "endpoint" in given:
        columns["endpoint"] = None if given["endpoint"] == OWN else given["endpoint"]
    return found.filter(**columns)


def _sought(text: str) -> dict[str, str]:
    """A message's own id, else what it is about."""
    return {"event_id": text} if text.startswith("msg_") else {"subject": text}


class ResendForm(forms.Form):
    """Since when what failed is to be sent again."""

    SPANS = {
        "1": (timedelta(hours=1), _("The last hour")),
        "24": (timedelta(days=1), _("The last 24 hours")),
        "168": (timedelta(days=7), _("The last 7 days")),
        "720": (timedelta(days=30), _("The last 30 days")),
    }
    hours = forms.ChoiceField(
        label=_("What failed in"),
        choices=[(hours, label) for hours, (_span, label) in SPANS.items()],
        initial="24",
    )

    def since(self, now: datetime) -> datetime:
        """The instant."""
        return now - self.SPANS[self.cleaned_data["hours"]][0]


def is_call(subject: str) -> bool:
    """Whether a message's subject is a call."""
    return subject.startswith(ids.CALL)
