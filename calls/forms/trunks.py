"""What staff type about trunks and numbers."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from calls.actions.trunks import OWN, SHARED
from calls.forms.moments import RefusableForm
from calls.models import BilledBy, Number, Tariff, Trunk, TrunkKind, tariff_of
from calls.models.prices import DECIMALS
from calls.models.trunks import MOST_LINES, TWILIO, Transport
from temphone.lib import phone

HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
# As in RFC 3261, section 25.1, but for what ends an address or one of its parameters; some have a domain.
USER = re.compile(r"[A-Za-z0-9._~!*'()&=+$?/-]+(@[A-Za-z0-9.-]+)?")
ACCOUNT = re.compile(r"AC[0-9A-Fa-f]{32}")
MOST_PER_MINUTE = 1_000
PORTS = {Transport.TLS: 5061}


def secret_input() -> forms.PasswordInput:
    """A field that shows nothing of what is kept, and that no browser fills in."""
    return forms.PasswordInput(attrs={"autocomplete": "new-password"})


class TrunkForm(RefusableForm):
    """What trunks of each kind have."""

    kind: TrunkKind

    name = forms.CharField(
        max_length=60, label=_("Name"), help_text=_("As you call it, such as the provider's.")
    )
    lines = forms.IntegerField(
        min_value=1,
        max_value=MOST_LINES,
        initial=10,
        label=_("Lines"),
        help_text=_("Calls at once that the provider lets you make."),
    )
    priority = forms.IntegerField(
        min_value=0,
        max_value=999,
        initial=10,
        label=_("Order"),
        help_text=_("Of two trunks with a free line, the one with the lower number carries the call."),
    )
    per_minute = forms.DecimalField(
        required=False,
        min_value=0,
        max_value=MOST_PER_MINUTE,
        decimal_places=DECIMALS,
        label=_("Price of a minute"),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    billed_by_s = forms.TypedChoiceField(
        coerce=int,
        choices=BilledBy.choices,
        initial=BilledBy.MINUTE.value,
        label=_("Charged for"),
        help_text=_("What the provider counts, from the answer on."),
    )

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        trunk: Trunk | None = None,
        initial: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(data, initial={**(values_of(trunk) if trunk else {}), **(initial or {})})
        self.fields["per_minute"].help_text = _(
            "In {currency}, of calls that are answered. Empty: no costs are shown."
        ).format(currency=settings.CURRENCY)
        if trunk and trunk.sealed:
            self.fields["secret"].help_text = _("Kept, and never shown. Type one only to change it.")
        else:
            self.fields["secret"].required = self.kind == TrunkKind.TWILIO

    def clean_secret(self) -> str:
        """On one line."""
        secret: str = self.cleaned_data["secret"]
        if not secret.isprintable():
            raise forms.ValidationError(_("This holds what no keyboard types. Copy it again."))
        return secret

    @property
    def values(self) -> dict[str, object]:
        """The valid form as the action's values; the secret goes beside them."""
        return {name: self.cleaned_data[name] for name in SHARED | OWN[self.kind]}

    @property
    def tariff(self) -> Tariff:
        """What the provider charges, of the valid form."""
        data = self.cleaned_data
        return Tariff(per_minute=data["per_minute"], billed_by_s=data["billed_by_s"])


class SipForm(TrunkForm):
    """A SIP provider."""

    kind = TrunkKind.SIP

    host = forms.CharField(
        max_length=253,
        label=_("Server"),
        help_text=_("The provider's name or address, such as sip.example.com."),
    )
    port = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=65_535,
        label=_("Port"),
        help_text=_("Empty: 5060, with TLS 5061."),
    )
    transport = forms.ChoiceField(
        choices=Transport.choices,
        initial=Transport.UDP,
        label=_("Transport"),
        help_text=_("TLS, where the provider has it: nobody on the way reads whom you call."),
    )
    user = forms.CharField(
        required=False,
        max_length=100,
        label=_("User"),
        help_text=_("Empty, where the provider knows you by your address."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    secret = forms.CharField(
        label=_("Password"), required=False, max_length=200, strip=False, widget=secret_input()
    )
    registers = forms.BooleanField(required=False, label=_("Register with the provider"))

    field_order = ("name", "host", "port", "transport", "user", "secret", "registers", "lines", "priority")

    def clean_host(self) -> str:
        """A name or an address, and nothing else."""
        host: str = self.cleaned_data["host"]
        if not HOST.fullmatch(host):
            raise forms.ValidationError(
                _("Write the server alone, such as sip.example.com or 192.0.2.1; IPv6 in brackets.")
            )
        return host

    def clean_user(self) -> str:
        """One that an address can hold."""
        user: str = self.cleaned_data["user"]
        if user and not USER.fullmatch(user):
            raise forms.ValidationError(_("A user has no spaces, quotes, commas, colons or angle brackets."))
        return user

    def clean(self) -> dict[str, object]:
        """The port that belongs to the transport, where none is given."""
        data = self.cleaned_data
        if "port" in data:
            data["port"] = data["port"] or PORTS.get(Transport(data.get("transport", "udp")), 5060)
        return data


class TwilioForm(TrunkForm):
    """An account at Twilio, or at whoever speaks its API."""

    kind = TrunkKind.TWILIO

    account_sid = forms.CharField(
        max_length=64,
        label=_("Account SID"),
        help_text=_("Begins with AC; it stands in the account's console."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    secret = forms.CharField(
        label=_("Auth token"), required=False, max_length=200, strip=False, widget=secret_input()
    )
    api_url = forms.CharField(
        max_length=200,
        initial=TWILIO,
        label=_("API address"),
        help_text=_("Twilio's, unless another provider speaks its API. The token is sent there."),
    )

    field_order = ("name", "account_sid", "secret", "api_url", "lines", "priority")

    def clean_account_sid(self) -> str:
        """As Twilio writes it."""
        sid: str = self.cleaned_data["account_sid"]
        if not ACCOUNT.fullmatch(sid):
            raise forms.ValidationError(_("An account SID is AC and 32 digits or letters from a to f."))
        return sid

    def clean_api_url(self) -> str:
        """An address without a path's end."""
        url: str = self.cleaned_data["api_url"].rstrip("/")
        if not is_api(url):
            raise forms.ValidationError(_("Write an address such as https://api.twilio.com."))
        return url


FORMS: Mapping[str, type[TrunkForm]] = {TrunkKind.SIP: SipForm, TrunkKind.TWILIO: TwilioForm}


def is_api(url: str) -> bool:
    """Whether requests can be sent there: https, or http to somebody near; no credentials, no query."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        known = parts.scheme == "https" or (parts.scheme == "http" and is_near(host))
        known = known and bool(host) and parts.port != 0
    except ValueError:
        return False
    return known and not re.search(r"[\s@?#\\]", url) and url.isascii()


def is_near(host: str) -> bool:
    """Whether what is sent there unencrypted stays within the own network, as far as the name tells."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host


def values_of(trunk: Trunk) -> dict[str, object]:
    """A trunk as its form shows it: without its secret."""
    tariff = tariff_of(trunk)
    price = None if tariff.per_minute is None else f"{tariff.per_minute.normalize():f}"
    charged = {"per_minute": price, "billed_by_s": tariff.billed_by_s}
    return {**{name: getattr(trunk, name) for name in SHARED | OWN[trunk.kind]}, **charged}


class NumberForm(RefusableForm):
    """A number that calls are made from."""

    number = forms.CharField(
        max_length=32,
        label=_("Number"),
        help_text=_("One that the provider gave you, with its country, such as +1 415 555 0199."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    name = forms.CharField(
        required=False, max_length=60, label=_("Name"), help_text=_("Such as Sales, Madrid.")
    )
    trunk = forms.ModelChoiceField(
        Trunk.objects.all(),
        required=False,
        label=_("Calls go by"),
        empty_label=_("Any trunk"),
        help_text=_("Choose the provider's trunk if it lets you call from this number and others do not."),
    )

    def __init__(self, data: Mapping[str, object] | None = None, *, number: Number | None = None) -> None:
        initial = {"name": number.name, "trunk": number.trunk_id} if number else {}
        super().__init__(data, initial=initial)
        if number:
            del self.fields["number"]

    def clean_number(self) -> str:
        """In E.164."""
        try:
            return phone.to_e164(self.cleaned_data["number"])
        except ValueError as error:
            raise forms.ValidationError(
                _("Write the number with its country, such as +1 415 555 0199.")
            ) from error

    @property
    def trunk_id(self) -> str | None:
        """The trunk that is chosen; None: any."""
        trunk = self.cleaned_data["trunk"]
        return trunk.pk if trunk else None
