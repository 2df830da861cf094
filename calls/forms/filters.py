"""The filters of the list of calls."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from calls.forms.moments import date_input
from calls.models.call import CallQuerySet
from calls.states import OUTCOME_CHOICES, CallStatus
from campaigns.models import Agent, Campaign
from temphone.accounts.models import Mode
from temphone.lib.clock import from_wall
from temphone.widgets import QuickSelect

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

CAMPAIGNS_OFFERED = 30
CAMPAIGNS_OF_AN_AGENT = 10  # the newest: each is read by itself
PLAIN = ("status", "outcome", "campaign", "mode")


def _one_of(
    label: "StrOrPromise", anything: "StrOrPromise", choices: "Iterable[tuple[str, StrOrPromise]]"
) -> forms.ChoiceField:
    return forms.ChoiceField(
        required=False, label=label, choices=[("", anything), *choices], widget=QuickSelect
    )


class CallFilter(forms.Form):
    """The filters of the list, as they stand in its address; what is wrong there is ignored."""

    q = forms.CharField(required=False, label=_("Search calls"))
    status = _one_of(_("Status"), _("Any status"), CallStatus.choices)
    outcome = _one_of(_("Outcome"), _("Any outcome"), OUTCOME_CHOICES)
    campaign = forms.ModelChoiceField(
        Campaign.objects.all(), required=False, label=_("Campaign"), widget=QuickSelect
    )
    agent = forms.ModelChoiceField(
        Agent.objects.all(),
        required=False,
        label=_("Agent"),
        empty_label=_("Any agent"),
        widget=QuickSelect,
    )
    mode = _one_of(_("Mode"), _("Test and live"), Mode.choices)
    since = forms.DateField(required=False, label=_("From"), widget=date_input())
    until = forms.DateField(required=False, label=_("To"), widget=date_input())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the newest campaigns; the address may name any."""
        super().__init__(*args, **kwargs)
        chosen = self.given.get("campaign")
        newest = list(Campaign.objects.only("name").order_by("-created_at", "-id")[:CAMPAIGNS_OFFERED])
        offered = newest if chosen is None or chosen in newest else [chosen, *newest]
        self.fields["campaign"].widget.choices = [
            ("", _("Any campaign")),
            *((campaign.pk, campaign.name) for campaign in offered),
        ]

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

    @property
    def plain(self) -> dict[str, object]:
        """The filters that a column equals."""
        given = self.given
        return {name: given[name] for name in PLAIN if name in given}

    @property
    def speakers(self) -> list[dict[str, object]]:
        """Conditions that share no call: it has the agent itself, or has none and its campaign does."""
        agent = self.given.get("agent")
        if agent is None:
            return [{}]
        campaigns = Campaign.objects.filter(agent=agent).order_by("-created_at", "-id")
        return [
            {"agent": agent},
            *({"agent": None, "campaign": campaign} for campaign in campaigns[:CAMPAIGNS_OF_AN_AGENT]),
        ]

    def found(self, calls: CallQuerySet) -> CallQuerySet:
        """Those of whom the text tells; the search for them is made at once."""
        return calls.matching(self.given["q"]) if "q" in self.given else calls

    def on_days(self, calls: CallQuerySet, zone_name: str, *, by: str) -> CallQuerySet:
        """Those of the days, which are the reader's zone's, of the time that ``by`` names."""
        given = self.given
        if "since" in given:
            calls = calls.filter(**{f"{by}__gte": _midnight(given["since"], zone_name)})
        if "until" in given:
            day_after = given["until"] + timedelta(days=1)
            calls = calls.filter(**{f"{by}__lt": _midnight(day_after, zone_name)})
        return calls


def _in_words(name: str, value: object) -> str:
    if isinstance(value, date):
        return date_format(value, pgettext("date format", "j M Y"))
    labels = {"status": CallStatus.choices, "outcome": OUTCOME_CHOICES, "mode": Mode.choices}
    return str(dict(labels[name])[str(value)] if name in labels else value)


def _midnight(day: date, zone_name: str) -> datetime:
    return from_wall(datetime.combine(day, time()), zone_name)
