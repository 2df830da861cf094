"""What staff type about people, consents and numbers."""

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contacts.models import ConsentKind, Contact, Purpose, SuppressionReason
from temphone.lib import phone, words
from temphone.lib.clock import zone_names
from temphone.lib.errors import DomainError
from temphone.widgets import QuickSelect


def zone_choices() -> list[tuple[str, str]]:
    """Every zone that names a place, and UTC."""
    places = sorted(name for name in zone_names() if "/" in name and not name.startswith("Etc/"))
    named = [(name, name.replace("_", " ")) for name in places]
    return [("", gettext("From the number")), ("UTC", "UTC"), *named]


class ContactForm(forms.Form):
    """A person whom we may call."""

    first_name = forms.CharField(required=False, max_length=100, label=_("First name"))
    last_name = forms.CharField(required=False, max_length=100, label=_("Last name"))
    phone = forms.CharField(
        max_length=32,
        label=_("Phone"),
        help_text=_("With its country, such as +1 415 555 0100 or +34 911 23 45 67."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    timezone = forms.ChoiceField(
        required=False,
        choices=zone_choices,
        label=_("Time zone"),
        help_text=_("Where their clock is. Left to the number where it tells."),
        widget=QuickSelect,
    )
    company = forms.CharField(required=False, max_length=200, label=_("Company"))
    language = forms.CharField(
        required=False, max_length=10, label=_("Language"), help_text=_("Such as en or es-MX.")
    )
    tags = forms.CharField(required=False, label=_("Tags"), help_text=_("Separated by commas."))
    attributes = forms.CharField(
        required=False,
        label=_("Attributes"),
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "plan: Gold"}),
        help_text=_("One a line, name: value. In a message: {{ contact.plan }}"),
    )

    def clean_language(self) -> str:
        """English where nothing is given."""
        return self.cleaned_data["language"] or "en"

    def clean_tags(self) -> list[str]:
        """Each tag once, in the order typed."""
        return words.tags_of(self.cleaned_data["tags"])

    def clean_attributes(self) -> dict[str, str]:
        """The lines as names and values."""
        lines = [line for line in self.cleaned_data["attributes"].splitlines() if line.strip()]
        pairs = [line.partition(":") for line in lines]
        if not all(colon and name.strip() for name, colon, _value in pairs):
            raise forms.ValidationError(_("Write each line as name: value."))
        return {name.strip(): value.strip() for name, _colon, value in pairs}

    def refuse(self, error: DomainError) -> None:
        """Show what a rule refused, beside the field that it is about."""
        for name in error.fields:
            self.add_error(name, MENDS.get(name, error.message))
        if not error.fields:
            self.add_error(None, error.message)


MENDS = {
    "phone": _("Write the number with its country, such as +1 415 555 0100."),
    "timezone": _("This number is used in several time zones. Choose where this person is."),
}


def values_of(contact: Contact) -> dict[str, object]:
    """A contact as the form shows it."""
    return {
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "phone": phone.for_people(contact.phone),
        "timezone": contact.timezone,
        "company": contact.company,
        "language": contact.language,
        "tags": ", ".join(contact.tags),
        "attributes": "\n".join(f"{name}: {value}" for name, value in contact.attributes.items()),
    }


class ConsentForm(forms.Form):
    """A consent that was given, or expressly was not."""

    purpose = forms.ChoiceField(choices=Purpose.choices, label=_("For which calls"))
    kind = forms.ChoiceField(
        choices=ConsentKind.choices, initial=ConsentKind.EXPRESS, label=_("How it was given")
    )
    source = forms.CharField(max_length=100, label=_("Where"), help_text=_("Such as web form, or in person."))
    evidence = forms.CharField(
        required=False,
        label=_("Evidence"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What proves it: the words, a link, a document's number."),
    )


class RevokeForm(forms.Form):
    """How it was learned that a consent holds no more."""

    how = forms.CharField(max_length=100, label=_("How it was revoked"), help_text=_("Such as by e-mail."))


class SuppressForm(forms.Form):
    """Why a number must not be called."""

    reason = forms.ChoiceField(
        choices=SuppressionReason.choices, initial=SuppressionReason.STAFF, label=_("Reason")
    )
    source = forms.CharField(
        required=False, max_length=100, label=_("Where it came from"), help_text=_("Such as a letter.")
    )
