"""The form that writes a campaign."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from calls.forms.lines import LineForm
from calls.forms.moments import date_input, time_input
from calls.forms.scheduling import EXAMPLE, mode_choices
from campaigns.models import Agent, Audience, Campaign
from campaigns.models.audience import EVERYBODY, MOST_PICKED, PICKED, SEARCH, TAG
from campaigns.models.campaign import DEFAULT_TRIES
from contacts.models import Purpose
from temphone.accounts.models import Mode
from temphone.lib.errors import DomainError
from temphone.said import said_of

PACE = 30
HEARD = ("message", "agent", "caller_id")
MOST_TRIES = 5
FIRST_CALLS = (1, 5, 20, 100)  # to be looked at before the others are scheduled
FIRST = 5
FIELDS = {"initial_message": "message", "agent_id": "agent", "audience": "people"}
KINDS = [
    (TAG, _("Everybody with a tag")),
    (SEARCH, _("Whom a search finds")),
    (PICKED, _("People whom I pick")),
    (EVERYBODY, _("Everybody")),
]


def _asked_after(n: int) -> str:
    return ngettext("{n} call, then ask", "{n} calls, then ask", n).format(n=n)


class CampaignForm(LineForm):
    """Whom to call, what to say, when, and how fast."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(
        max_length=200,
        label=_("Name"),
        help_text=_("For you; nobody who is called hears it."),
        error_messages={"required": _("Give it a name.")},
    )
    purpose = forms.ChoiceField(
        choices=Purpose.choices,
        label=_("Purpose"),
        help_text=_("It decides which consent is needed: marketing needs a written one."),
    )
    agent = forms.ModelChoiceField(
        Agent.objects.present(), required=False, label=_("Agent"), empty_label=_("The default agent")
    )
    message = forms.CharField(
        label=_("Message"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": EXAMPLE}),
        error_messages={"required": _("Write what the assistant shall say first.")},
    )
    mode = forms.ChoiceField(label=_("Mode"), widget=forms.RadioSelect, choices=mode_choices)
    kind = forms.ChoiceField(label=_("Whom"), widget=forms.RadioSelect, choices=KINDS)
    tag = forms.CharField(
        required=False,
        max_length=100,
        label=_("Tag"),
        widget=forms.TextInput(attrs={"list": "tags", "autocomplete": "off"}),
    )
    search = forms.CharField(
        required=False,
        max_length=100,
        label=_("Search for"),
        help_text=_("Name, company or number, as on the page of contacts. At most 1,000 people."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    starts_on = forms.DateField(
        required=False, label=_("Not before"), widget=date_input(), help_text=_("Empty: when it is launched.")
    )
    opens = forms.TimeField(required=False, label=_("Call from"), widget=time_input())
    closes = forms.TimeField(required=False, label=_("Until"), widget=time_input())
    calls_per_minute = forms.IntegerField(
        label=_("Calls a minute"), min_value=1, max_value=10_000, initial=PACE
    )
    max_attempts = forms.IntegerField(
        label=_("Tries"),
        min_value=1,
        max_value=MOST_TRIES,
        initial=DEFAULT_TRIES,
        help_text=_("Again after no answer, busy, voicemail or a fault of the network."),
    )
    first_calls = forms.TypedChoiceField(
        label=_("Begin with"),
        choices=lambda: [(0, _("All calls")), *((n, _asked_after(n)) for n in FIRST_CALLS)],
        coerce=int,
        required=False,
        help_text=_("You look at the first calls, then let the others go on."),
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        campaign: Campaign | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial or _values(campaign))
        self.picked: list[str] = (
            data.getlist("people")[: MOST_PICKED + 1]
            if data is not None
            else list(campaign.whom.ids)
            if campaign
            else []
        )
        if campaign:
            del self.fields["mode"]  # it was chosen

    def clean_first_calls(self) -> int:
        """All at once where nothing is said."""
        return self.cleaned_data["first_calls"] or 0

    def clean(self) -> dict[str, Any]:
        """The way that was chosen must lead to somebody."""
        data = super().clean() or {}
        missing = {
            TAG: ("tag", not data.get("tag"), _("Choose a tag.")),
            SEARCH: ("search", not data.get("search"), _("Write what to search for.")),
            PICKED: ("kind", not self.picked, _("Pick at least one person.")),
        }
        if data.get("kind") in missing:
            field, is_missing, text = missing[data["kind"]]
            if is_missing:
                self.add_error(field, text)
        return data

    @property
    def audience(self) -> Audience:
        """Whom it is about, as far as it is filled in."""
        kind = self.cleaned_data.get("kind") or TAG
        text = {TAG: "tag", SEARCH: "search"}.get(kind, "")
        return Audience(
            kind=kind,
            text=self.cleaned_data.get(text, "").strip() if text else "",
            ids=self.picked if kind == PICKED else (),
        )

    @property
    def values(self) -> dict[str, object]:
        """The form as the action takes it, as far as it is valid."""
        data = {name: self.cleaned_data[name] for name in PLAIN if name in self.cleaned_data}
        agent = self.cleaned_data.get("agent")
        return {**data, "agent_id": agent.pk if agent else None, "audience": self.audience.kept}

    @property
    def untold(self) -> list[str]:
        """What is wrong of that which is heard."""
        heard = [self.errors[name] for name in HEARD if name in self.errors]
        return [str(error) for errors in heard for error in errors]

    @property
    def version_seen(self) -> int | None:
        """Which version of the draft it was filled with."""
        seen: int | None = self.cleaned_data.get("version")
        return seen

    @property
    def mode_chosen(self) -> Mode:
        """Test, unless live was chosen."""
        return Mode(self.cleaned_data.get("mode") or Mode.TEST)

    def refuse(self, error: DomainError) -> None:
        """Show what a rule refused, beside the field that it is about."""
        if not error.fields:
            self.add_error(None, error.message)
        for name, told in error.fields.items():
            field = FIELDS.get(name, name)
            for text in told:
                kindly = said_of(str(_("This")), name, text)
                self.add_error(field if field in self.fields else None, kindly)


class LaunchForm(forms.Form):
    """Which version of the draft whoever launches it has before them."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


PLAIN = (
    "name",
    "purpose",
    "message",
    "starts_on",
    "opens",
    "closes",
    "calls_per_minute",
    "max_attempts",
    "first_calls",
    "caller_id",
    "recording_enabled",
)


def _values(campaign: Campaign | None) -> dict[str, Any]:
    """A campaign as the form shows it; without one, a new form's."""
    if campaign is None:
        return {"mode": Mode.TEST, "kind": TAG, "purpose": Purpose.INFORMATIONAL, "first_calls": FIRST}
    whom = campaign.whom
    text = {TAG: "tag", SEARCH: "search"}.get(whom.kind)
    return {
        "version": campaign.version,
        **{name: getattr(campaign, name) for name in PLAIN},
        "agent": campaign.agent_id,
        "kind": whom.kind,
        **({text: whom.text} if text else {}),
    }
