"""A wall time as people type it, and what a rule said of it."""

from datetime import date, datetime

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from temphone.accounts.models import User
from temphone.lib.clock import from_wall
from temphone.lib.errors import DomainError
from temphone.said import said_of

# The form's field for each of the action's.
FIELDS = {
    "contact_id": "contact",
    "campaign_id": "campaign",
    "agent_id": "agent",
    "scheduled_at": "time",
    "timezone": "whose",
    "initial_message": "message",
}
FIRST_YEAR, LAST_YEAR = 1970, 2999
DAY_FAR = _("Choose a day between the years %(first)s and %(last)s.")


def date_input() -> forms.DateInput:
    """The browser's date picker, in any locale."""
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


def check_day(day: date) -> None:
    """Return if the day is one that every zone's clock and every rule can count with.

    Raises:
        ValidationError: it is near the calendar's edges.
    """
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise forms.ValidationError(DAY_FAR % {"first": FIRST_YEAR, "last": LAST_YEAR})


def time_input() -> forms.TimeInput:
    """The browser's time picker, in any locale."""
    return forms.TimeInput(format="%H:%M", attrs={"type": "time"})


class RefusableForm(forms.Form):
    """A form that shows what a rule refused, beside the field that it is about."""

    def refuse(self, error: DomainError) -> None:
        """Show it."""
        for field, message in problems(error):
            self.add_error(field if field in self.fields else None, message)


class MomentForm(RefusableForm):
    """A wall time, and whose."""

    date = forms.DateField(label=_("Date"), widget=date_input())
    time = forms.TimeField(label=_("Time"), widget=time_input())

    def __init__(
        self, data: QueryDict | None = None, *, user: User, initial: dict[str, object] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.user = user
        city = user.timezone.rsplit("/", 1)[-1].replace("_", " ")
        self.fields["whose"] = forms.ChoiceField(
            label=_("On whose clock"),
            choices=[
                ("contact", _("The contact's clock")),
                ("mine", _("My clock (%(city)s)") % {"city": city}),
                ("utc", "UTC"),
            ],
        )

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
        try:
            return from_wall(wall, self.zone_name or contact_zone)
        except ValueError:
            return None  # at the calendar's edge; the action says what is wrong with it


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
    return said_of(str(subject), name, message)
