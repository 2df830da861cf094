"""What staff say of a call."""

from django import forms
from django.utils.translation import gettext_lazy as _

from calls.models.staff import LONGEST_NOTE
from calls.states import MARKABLE_CHOICES


class NoteForm(forms.Form):
    """A note about a call."""

    text = forms.CharField(
        max_length=LONGEST_NOTE,
        label=_("Add a note"),
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": LONGEST_NOTE}),
    )


class MarkForm(forms.Form):
    """How a call ended, as a person says."""

    outcome = forms.ChoiceField(
        choices=MARKABLE_CHOICES, label=_("How did it end?"), widget=forms.RadioSelect
    )
