"""The code that proves who one is."""

from django import forms
from django.utils.translation import gettext_lazy as _

WRONG_CODE = _("This code is wrong, or was used already. Type the next one that the app shows.")
WRONG_PASSWORD = _("This is not your password.")
SOMEBODY_GUESSES = _(
    "Wrong codes were typed after your password. If it was not you, somebody has your password: change it."
)


def _code(**attrs: str) -> forms.CharField:
    """Digits, in which spaces and dashes do not count."""
    offered = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false", **attrs}
    return forms.CharField(label=_("Code"), max_length=32, widget=forms.TextInput(attrs=offered))


class LoginCodeForm(forms.Form):
    """A code after the password."""

    code = _code(autofocus="")
    code.help_text = _("The six digits that your app shows, or one of your recovery codes.")


class CodeForm(forms.Form):
    """Password and code, of whoever is logged in: a screen left open suffices for nothing."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = _code()


class ProveForm(CodeForm):
    """The same of whoever has two steps."""

    code = _code()
    code.help_text = _("The six digits that your app shows, or one of your recovery codes.")
