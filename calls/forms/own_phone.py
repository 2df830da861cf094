"""The small form of whoever has their own phone called; it is sent with another form."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from calls.models import Number
from temphone.accounts.models import User
from temphone.lib import phone


class OwnPhoneForm(forms.Form):
    """A number, and that it is theirs."""

    use_required_attribute = False  # the other form can be sent without

    own_phone = forms.CharField(
        max_length=32,
        label=_("Your number"),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "placeholder": "+14155550199"}),
        error_messages={"required": _("Give your number with its country, such as +1 415 555 0199.")},
    )
    is_own = forms.BooleanField(
        label=_("It is my own phone, and I agree to be called."),
        error_messages={"required": _("Only your own phone can be called so.")},
    )

    def __init__(self, data: QueryDict | None = None, *, user: User, sent_with: str) -> None:
        """``sent_with`` is the id of the other form."""
        super().__init__(data, initial={"own_phone": user.phone})
        for field in self.fields.values():
            field.widget.attrs["form"] = sent_with

    @property
    def rings(self) -> bool:
        """Whether there are real lines to ring it over."""
        return bool(Number.objects.for_live())

    def clean_own_phone(self) -> str:
        """As E.164."""
        try:
            return phone.to_e164(self.cleaned_data["own_phone"])
        except ValueError as error:
            raise forms.ValidationError(self.fields["own_phone"].error_messages["required"]) from error
