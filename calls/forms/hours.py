"""Whom and when staff ask about, to see whether we may call then."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from calls.forms.moments import MomentForm, check_day
from campaigns.models import Campaign
from contacts.forms import zone_choices
from contacts.models import Contact
from temphone.accounts.models import Mode, User
from temphone.lib import ids, phone
from temphone.lib.clock import from_wall
from temphone.widgets import QuickSelect

CAMPAIGNS_OFFERED = 30
SEVERAL = _("Several people match. Write the number with its country, such as +1 415 555 0100.")
NOBODY = _("Nobody matches. Write a number with its country, such as +1 415 555 0100, or a contact's name.")
ZONE_UNKNOWN = _("This number is used in several time zones. Choose where it is.")


class TryForm(MomentForm):
    """A number or a contact, and a moment."""

    who = forms.CharField(
        max_length=100,
        label=_("Number or contact"),
        help_text=_("A number with its country, a name, or a contact's id."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    zone = forms.ChoiceField(
        required=False, choices=zone_choices, label=_("Where the number is"), widget=QuickSelect
    )
    mode = forms.ChoiceField(choices=Mode.choices, label=_("Mode"))
    campaign = forms.ModelChoiceField(
        Campaign.objects.none(),
        required=False,
        label=_("As a call of"),
        empty_label=_("No campaign: it informs"),
    )

    field_order = ("who", "date", "time", "whose", "zone", "mode", "campaign")

    def __init__(
        self, data: QueryDict | None = None, *, user: User, initial: dict[str, object] | None = None
    ) -> None:
        super().__init__(data, user=user, initial=initial)
        newest = Campaign.objects.order_by("-created_at", "-id").values_list("pk", flat=True)
        offered = Campaign.objects.filter(pk__in=list(newest[:CAMPAIGNS_OFFERED])).order_by("name")
        self.fields["campaign"] = forms.ModelChoiceField(
            offered, required=False, label=_("As a call of"), empty_label=_("No campaign: it informs")
        )
        self.order_fields(self.field_order)

    def clean_date(self) -> date:
        """A day of our times."""
        day: date = self.cleaned_data["date"]
        check_day(day)
        return day

    def clean(self) -> dict[str, Any]:
        """The contact whom it is about; one that is not saved for a number of nobody's."""
        data = self.cleaned_data
        if text := data.get("who", "").strip():
            try:
                data["contact"] = self._contact(text, data.get("zone", ""))
            except forms.ValidationError as error:
                self.add_error("zone" if error.message is ZONE_UNKNOWN else "who", error)
        return data

    def _contact(self, text: str, zone_name: str) -> Contact:
        people = Contact.objects.present()
        try:
            number = phone.to_e164(text)
        except ValueError:
            found = list(people.matching(text, most=2)[:2])
            if len(found) != 1:
                raise forms.ValidationError(SEVERAL if found else NOBODY) from None
            return found[0]
        if known := people.filter(phone=number).order_by("created_at", "id").first():
            return known
        where = zone_name or phone.implied_zone(number)
        if where is None:
            raise forms.ValidationError(ZONE_UNKNOWN)
        return Contact(id=ids.contact_id(), phone=number, timezone=where)

    @property
    def at(self) -> datetime:
        """The instant that is meant."""
        data = self.cleaned_data
        wall = datetime.combine(data["date"], data["time"])
        return from_wall(wall, self.zone_name or data["contact"].timezone)
