"""What is said of an API key."""

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from temphone.accounts.actors import Role
from temphone.accounts.models import ApiKey, Mode

MOST_A_MINUTE = 1_000_000


class KeyForm(forms.Form):
    """What can be changed of a key."""

    name = forms.CharField(
        max_length=100,
        label=_("Name"),
        help_text=_("The program that will use it, such as Shop or CRM, so that you know it later."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    requests_per_minute = forms.IntegerField(
        required=False, min_value=1, max_value=MOST_A_MINUTE, label=_("Requests per minute")
    )

    def __init__(self, data: QueryDict | None = None, *, key: ApiKey | None = None) -> None:
        initial = {"name": key.name, "requests_per_minute": key.requests_per_minute} if key else {}
        super().__init__(data, initial=initial)
        limit = self.fields["requests_per_minute"]
        limit.help_text = _("Left empty: {limit}, as for every key.").format(
            limit=settings.REQUESTS_PER_MINUTE
        )


class NewKeyForm(KeyForm):
    """What is decided once, when a key is made, too."""

    mode = forms.ChoiceField(choices=Mode.choices, initial=Mode.TEST, label=_("Mode"))
    role = forms.ChoiceField(
        choices=Role.choices,
        initial=Role.MANAGER,
        label=_("Role"),
        help_text=_("What its programs may do, as for staff."),
    )
    field_order = ("name", "mode", "role", "requests_per_minute")
