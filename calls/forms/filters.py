"""The filters of the list of calls."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from calls.forms.moments import date_input
from calls.models.call import CallQuerySet
from calls.states import OUTCOME_CHOICES, CallStatus
from campaigns.models import Campaign
from temphone.accounts.models import Mode
from temphone.lib.clock import from_wall

PLAIN = ("status", "outcome", "campaign", "mode")


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

    @property
    def given(self) -> dict[str, Any]:
        """The filters that are set, and readable."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def chips(self) -> list[dict[str, str]]:
        """The filters that are set, but for the text: what each is called, and its value in words."""
        given = {name: value for name, value in self.given.items() if name != "q"}
        return [
            {
                "name": name,
                "label": str(self.fields[name].label),
                "value": _in_words(name, value),
            }
            for name, value in given.items()
        ]

    def apply(self, calls: CallQuerySet, zone_name: str) -> CallQuerySet:
        """The calls that match; days are those of the reader's zone."""
        given = self.given
        calls = calls.filter(**{name: given[name] for name in PLAIN if name in given})
        if "q" in given:
            calls = calls.matching(given["q"])
        if "since" in given:
            calls = calls.filter(scheduled_at__gte=_midnight(given["since"], zone_name))
        if "until" in given:
            day_after = given["until"] + timedelta(days=1)
            calls = calls.filter(scheduled_at__lt=_midnight(day_after, zone_name))
        return calls


def _in_words(name: str, value: object) -> str:
    if isinstance(value, date):
        return date_format(value, "j M Y")
    labels: dict[str, list[tuple[str, str]]] = {
        "status": CallStatus.choices,
        "outcome": OUTCOME_CHOICES,
        "mode": Mode.choices,
    }
    return str(dict(labels[name])[str(value)] if name in labels else value)


def _midnight(day: date, zone_name: str) -> datetime:
    return from_wall(datetime.combine(day, time()), zone_name)
