"""What staff type about many calls: to what time."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from calls.actions.again import When
from calls.forms.moments import MomentForm

MOST = {"minutes": 60 * 24 * 366, "hours": 24 * 366, "days": 366}
MINUTES = {"minutes": 1, "hours": 60, "days": 1440}


class ManyForm(MomentForm):
    """Another time for many calls: a wall time, or one that each has by itself."""

    WAYS: Any = ()

    amount = forms.IntegerField(required=False, min_value=1, initial=1, label=_("By"))
    unit = forms.ChoiceField(
        required=False,
        label=_("Unit"),
        initial="hours",
        choices=[("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days"))],
    )

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        first = self.initial.get("way", self.WAYS[0][0])
        self.fields["way"] = forms.ChoiceField(
            label=_("When"), choices=self.WAYS, initial=first, widget=forms.RadioSelect
        )
        for name in ("date", "time"):
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        """What the chosen way needs, and nothing of the others."""
        data: dict[str, Any] = self.cleaned_data
        way = data.get("way")
        if way == "at":
            for name in ("date", "time"):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, _("Say when, or choose another way above."))
        elif way in {"later", "earlier"}:
            self._check_amount(data)
        return data

    def _check_amount(self, data: dict[str, Any]) -> None:
        amount, most = data.get("amount"), MOST[data.get("unit") or "hours"]
        if not amount and "amount" not in self.errors:
            self.add_error("amount", _("Say by how much."))
        elif amount and amount > most:
            self.add_error("amount", _("A year is the most."))

    @property
    def when(self) -> When:
        """The valid form as the action's value."""
        data = self.cleaned_data
        if data["way"] == "at":
            return When(wall=self.scheduled_at, zone=self.zone_name or "")
        if data["way"] in {"later", "earlier"}:
            minutes = data["amount"] * MINUTES[data["unit"] or "hours"]
            return When(shift_min=minutes if data["way"] == "later" else -minutes)
        return When(tomorrow=True) if data["way"] == "tomorrow" else self._now()

    def _now(self) -> When:
        return When()


class MoveManyForm(ManyForm):
    """To what time calls that are scheduled are moved."""

    WAYS = (
        ("later", _("Later by")),
        ("earlier", _("Earlier by")),
        ("tomorrow", _("To tomorrow, each at its own hour")),
        ("at", _("To one time")),
    )


class AgainForm(ManyForm):
    """When calls are made again."""

    WAYS = (
        ("now", _("Now")),
        ("tomorrow", _("Tomorrow, each at its own hour")),
        ("at", _("At one time")),
    )

    over_min = forms.IntegerField(
        required=False, min_value=0, max_value=1440, initial=0, label=_("Spread over minutes")
    )

    def _now(self) -> When:
        return When(over_min=self.cleaned_data["over_min"] or 0)
