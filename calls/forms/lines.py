"""Which number is shown and whether it is recorded, wherever calls are written."""

from django import forms
from django.utils.translation import gettext_lazy as _

from temphone.lib import phone


class LineForm(forms.Form):
    """What a form about calls asks of the line."""

    caller_id = forms.CharField(
        required=False,
        max_length=32,
        label=_("Caller ID"),
        help_text=_("The number that they see. Empty: the installation's."),
    )
    recording_enabled = forms.BooleanField(required=False, initial=True, label=_("Record the call"))

    def clean_caller_id(self) -> str:
        """The number as typed; the action keeps it so."""
        text: str = self.cleaned_data["caller_id"]
        if not text:
            return text
        try:
            phone.to_e164(text)
        except ValueError as error:
            raise forms.ValidationError(
                _("Write the number with its country, such as +1 415 555 0199.")
            ) from error
        return text
