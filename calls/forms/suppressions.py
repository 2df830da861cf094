"""What staff type about numbers that must not be called, and how they look for one."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from calls.forms.moments import check_day, date_input
from contacts.models import SuppressionReason
from temphone.lib import phone
from temphone.lib.clock import from_wall
from temphone.lib.errors import DomainError

WITH_COUNTRY = _("Write the number with its country, such as +1 415 555 0100.")
MENDS = {
    "number": _("Write the beginning of numbers with their country, such as +1 900."),
    "expires_at": _("Choose a day that is not over yet, or none."),
}
SEPARATORS = re.compile(r"[\s().\-/]")


class SuppressionFilter(forms.Form):
    """The filters of the list, as they stand in its address; what is wrong there is ignored."""

    q = forms.CharField(required=False, max_length=40, label=_("Search numbers"))
    reason = forms.ChoiceField(
        required=False, label=_("Reason"), choices=[("", _("Any reason")), *SuppressionReason.choices]
    )

    @property
    def given(self) -> dict[str, str]:
        """The filters that are set, and readable."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    @property
    def digits(self) -> str:
        """The digits that a number is to begin with, its country's first."""
        return re.sub(r"[^0-9]", "", self.given.get("q", "")).removeprefix("00")


class SuppressionForm(forms.Form):
    """A number, or the beginning of numbers, and why none of them may ring."""

    number = forms.CharField(
        max_length=32,
        label=_("Number"),
        help_text=_("With its country, such as +1 415 555 0100."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    is_prefix = forms.BooleanField(required=False, label=_("All numbers that begin so"))
    reason = forms.ChoiceField(
        choices=SuppressionReason.choices, initial=SuppressionReason.STAFF, label=_("Reason")
    )
    source = forms.CharField(
        required=False, max_length=100, label=_("Where it came from"), help_text=_("Such as a letter.")
    )
    until = forms.DateField(
        required=False,
        label=_("Until"),
        help_text=_("The last day on which it must not be called. Empty: for good."),
        widget=date_input(),
    )

    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, zone_name: str) -> None:
        super().__init__(data)
        self.zone_name = zone_name

    def clean_until(self) -> date | None:
        """A day of our times, or none."""
        until: date | None = self.cleaned_data["until"]
        if until:
            check_day(until)
        return until

    def clean(self) -> dict[str, Any]:
        """The number as it is kept, where it is one number; a beginning without its separators."""
        data = self.cleaned_data
        number = data.get("number", "")
        if data.get("is_prefix"):
            data["number"] = SEPARATORS.sub("", number)
        elif number:
            try:
                data["number"] = phone.to_e164(number)
            except ValueError:
                self.add_error("number", WITH_COUNTRY)
        return data

    @property
    def is_to_be_asked(self) -> bool:
        """Whether it covers more than one may think, and nobody has said yet that it shall."""
        return bool(self.cleaned_data["is_prefix"] and not self.cleaned_data["confirmed"])

    @property
    def values(self) -> dict[str, Any]:
        """What the action is told."""
        data = self.cleaned_data
        return {
            "number": data["number"],
            "is_prefix": data["is_prefix"],
            "reason": data["reason"],
            "source": data["source"],
            "expires_at": self._expires_at,
        }

    @property
    def _expires_at(self) -> datetime | None:
        """The end of the last day, on the reader's clock."""
        until = self.cleaned_data["until"]
        if until is None:
            return None
        return from_wall(datetime.combine(until + timedelta(days=1), time()), self.zone_name)

    def refuse(self, error: DomainError) -> None:
        """Show what a rule refused, beside the field that it is about."""
        for name in error.fields:
            self.add_error("until" if name == "expires_at" else name, MENDS.get(name, error.message))
        if not error.fields:
            self.add_error(None, error.message)
