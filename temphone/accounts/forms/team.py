"""What is said of a member of staff."""

from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from temphone.accounts.actions import version_of
from temphone.accounts.actors import Role
from temphone.accounts.models import User
from temphone.lib.errors import DomainError

ROLES = (
    (Role.VIEWER, _("Viewer: sees everything, changes nothing")),
    (Role.OPERATOR, _("Operator: schedules, moves and cancels calls")),
    (Role.MANAGER, _("Manager: contacts, campaigns, agents, the stop switch, too")),
    (Role.ADMIN, _("Admin: people, keys, trunks, everything")),
)


class NewPersonForm(forms.Form):
    """How somebody logs in and is called, and what they may."""

    username = UsernameField(  # it reads a name as the login does
        max_length=150,
        label=_("User name"),
        help_text=_("What they log in with, such as ada or ada@example.com."),
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    first_name = forms.CharField(required=False, max_length=150, label=_("First name"))
    last_name = forms.CharField(required=False, max_length=150, label=_("Last name"))
    role = forms.ChoiceField(choices=ROLES, initial=Role.VIEWER, label=_("Role"))
    is_staff = forms.BooleanField(required=False, label=_("May open Administration"))

    def refuse(self, error: DomainError) -> None:
        """Show what a rule refused, beside the field that it is about."""
        for name, problems in error.fields.items():
            for problem in problems:
                self.add_error(name if name in self.fields else None, problem)
        if not error.fields:
            self.add_error(None, error.message)


class PersonForm(NewPersonForm):
    """The same of somebody who is there; superusers alone see who is one."""

    is_superuser = forms.BooleanField(required=False, label=_("Superuser"))
    seen = forms.CharField(required=False, widget=forms.HiddenInput)  # which version of them is shown

    def __init__(self, data: QueryDict | None = None, *, person: User, by_superuser: bool) -> None:
        super().__init__(data, initial=values_of(person))
        if not by_superuser:
            del self.fields["is_superuser"]
        if person.has_two_steps:
            self.fields["username"].help_text = _("Their authenticator app goes on showing the name before.")


def values_of(person: User) -> dict[str, object]:
    """A member of staff as the form shows them."""
    return {
        "username": person.username,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "role": person.actor().role,
        "is_staff": person.is_staff,
        "is_superuser": person.is_superuser,
        "seen": version_of(person),
    }
