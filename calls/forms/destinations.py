"""Where calls may go, as an admin chooses it."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from calls.forms.moments import RefusableForm
from contacts.models import CostlyKind, Destinations
from temphone.lib import countries

EVERYWHERE, CHOSEN = "everywhere", "chosen"
EXPLAINED = {
    CostlyKind.PREMIUM_RATE: _("Whoever calls pays for a service, such as +1 900 or +44 909."),
    CostlyKind.SHARED_COST: _("The price is shared, and more than a call's, such as +49 180."),
    CostlyKind.PERSONAL_NUMBER: _("They follow somebody, at their price, such as +44 70 or +1 500."),
    CostlyKind.PAGER: _("Nobody hears a call there, such as +44 76."),
    CostlyKind.NETWORK: _("The dearest calls that there are, such as +870 and +881."),
}


def country_choices() -> list[tuple[str, str]]:
    """Every country that has numbers, with how they begin, in the reader's language."""
    return list(countries.with_codes(get_language() or "en").items())


class DestinationsForm(RefusableForm):
    """The countries, and the kinds that cost more than others."""

    scope = forms.ChoiceField(
        label=_("Countries"),
        widget=forms.RadioSelect,
        choices=[(EVERYWHERE, _("Every country")), (CHOSEN, _("Only the countries that are ticked below"))],
    )
    countries = forms.MultipleChoiceField(required=False, choices=country_choices, label=_("Countries"))
    kinds = forms.MultipleChoiceField(
        required=False, choices=CostlyKind.choices, label=_("Numbers that cost more")
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, data: Mapping[str, object] | None = None, *, destinations: Destinations) -> None:
        chosen = destinations.countries
        super().__init__(
            data,
            initial={
                "scope": CHOSEN if chosen else EVERYWHERE,
                "countries": chosen,
                "kinds": destinations.kinds,
                "version": destinations.version,
            },
        )

    def clean(self) -> dict[str, object]:
        """No country at all would be every country."""
        data = self.cleaned_data
        if data.get("scope") == CHOSEN and not data.get("countries") and "countries" not in self.errors:
            self.add_error("countries", _("Tick a country, or let calls go to every country."))
        return data

    @property
    def chosen(self) -> list[str]:
        """The countries alone that are called; none: every one."""
        return self.cleaned_data["countries"] if self.cleaned_data["scope"] == CHOSEN else []

    @property
    def country_ticks(self) -> list[tuple[str, str, bool]]:
        """Each country with its name, and whether it is ticked; those first that are called by now."""
        ticked = set(self["countries"].value() or ())
        kept = set(self.initial["countries"])
        ticks = [(region, name, region in ticked) for region, name in country_choices()]
        return sorted(ticks, key=lambda tick: tick[0] not in kept)

    @property
    def kind_ticks(self) -> list[tuple[str, str, str, bool]]:
        """Each kind with its name, what it is, and whether it is ticked."""
        ticked = set(self["kinds"].value() or ())
        return [(kind.value, str(kind.label), str(EXPLAINED[kind]), kind in ticked) for kind in CostlyKind]
