"""What staff set of their own account."""

from collections.abc import Callable

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from temphone.accounts.models import User
from temphone.lib.clock import zone_names
from temphone.widgets import QuickSelect


def zone_choices(kept: str = "") -> list[tuple[str, str]]:
    """Every zone that names a place, and UTC; and the one that somebody has, such as Cuba or Etc/GMT-5."""
    places = {name for name in zone_names() if "/" in name and not name.startswith("Etc/")}
    names = sorted(places | ({kept} & zone_names() - {"UTC"}))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class AccountForm(forms.Form):
    """How others see the name, and in which zone times are read."""

    first_name = forms.CharField(required=False, max_length=150, label=_("First name"))
    last_name = forms.CharField(required=False, max_length=150, label=_("Last name"))
    timezone = forms.ChoiceField(
        label=_("Your time zone"),
        choices=zone_choices,
        help_text=_("All times are shown on this clock."),
        widget=QuickSelect,
    )
    language = forms.ChoiceField(
        required=False, label=_("Language"), choices=[("", _("As the browser asks")), *settings.LANGUAGES]
    )

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, object]) -> None:
        """What is there already may stay as it is."""
        super().__init__(data, initial=initial)
        zones = self.fields["timezone"]
        if isinstance(zones, forms.ChoiceField):
            zones.choices = zone_choices(str(initial["timezone"]))


class ZoneForm(forms.Form):
    """The zone alone, as a browser names it, or as it was kept."""

    timezone = forms.ChoiceField(choices=lambda: [(name, name) for name in zone_names()])


class PasswordForm(PasswordChangeForm):
    """The old password and a new one; beside other forms, so it does not take the focus.

    ``is_right`` says whether the old one is, and counts the failures.
    """

    def __init__(self, user: User, is_right: Callable[[str], bool], data: QueryDict | None = None) -> None:
        super().__init__(user, data)
        self.is_right = is_right
        del self.fields["old_password"].widget.attrs["autofocus"]

    def clean_old_password(self) -> str:
        """The old password.

        Raises:
            ValidationError: it is not theirs.
        """
        old = str(self.cleaned_data["old_password"])
        if not self.is_right(old):
            raise ValidationError(self.error_messages["password_incorrect"])
        return old
