"""The form that stops all calling."""

from django import forms
from django.utils.translation import gettext_lazy as _


class StopForm(forms.Form):
    """Why all calling is stopped."""

    reason = forms.CharField(
        required=False,
        max_length=200,
        label=_("Reason"),
        help_text=_("Everybody sees it while calling is stopped."),
    )
    hang_up = forms.BooleanField(required=False, label=_("Hang up what is in progress too"))
