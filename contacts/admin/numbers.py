"""The back office: numbers, and those that must not be called."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from calls.actions.suppression import suppress
from contacts.actions import lift_suppression
from contacts.forms import MENDS
from contacts.models import PhoneNumber, Suppression
from temphone.accounts.actors import Role
from temphone.admin import BackOffice, ModelForm, actor_of
from temphone.lib import clock, phone


class SuppressionForm(ModelForm):
    """A number, or the beginning of numbers."""

    number = forms.CharField(
        max_length=32, help_text="Such as +1 415 555 0100; of a prefix the beginning, such as +1900."
    )

    class Meta:
        model = Suppression
        fields = ("number", "is_prefix", "reason", "source", "expires_at")

    def clean(self) -> dict[str, Any]:
        """A whole number in E.164; a prefix as it is."""
        number = self.cleaned_data.get("number", "")
        if number and not self.cleaned_data["is_prefix"]:
            try:
                self.cleaned_data["number"] = phone.to_e164(number)
            except ValueError:
                self.add_error("number", MENDS["phone"])
        return self.cleaned_data


@admin.register(Suppression)
class SuppressionAdmin(BackOffice):
    """Numbers that must not be called. One is lifted, never changed or deleted."""

    adds = Role.OPERATOR

    form = SuppressionForm
    list_display = ("readable", "reason", "source", "created_by", "created_at", "expires_at", "lifted_at")
    list_filter = ("reason", "is_prefix", ("lifted_at", admin.EmptyFieldListFilter))
    search_fields = ("number",)
    search_help_text = "The beginning of a number, such as +1415, or a whole one."
    sortable_by = ()
    actions = ("lift",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        """By the digits, however they are written."""
        digits = "".join(filter(str.isdigit, search_term))
        return (queryset.filter(number__startswith=f"+{digits}") if digits else queryset), False

    @admin.display(description="number")
    def readable(self, suppression: Suppression) -> str:
        """As people read it; a prefix with its dots."""
        return str(suppression) if suppression.is_prefix else phone.for_people(suppression.number)

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: Any) -> None:
        """Suppress it, as everywhere: nothing more is dialled, what rings is hung up."""
        made = suppress(actor=actor_of(request), now=clock.now(), **form.cleaned_data)
        obj.pk = made.pk

    @admin.action(description="Lift the chosen suppressions", permissions=["manage"])
    def lift(self, request: HttpRequest, suppressions: QuerySet[Suppression]) -> Any:
        """After asking: their people may be called again."""
        text = "These numbers may be called again. Lift only what was set by mistake or taken back."
        if question := self.ask_first(request, suppressions, title="Lift suppressions", text=text):
            return question
        self.each(request, suppressions, lift_suppression, by="suppression_id", done="Suppressions lifted")
        return None


@admin.register(PhoneNumber)
class PhoneNumberAdmin(BackOffice):
    """Every number that was ever a contact's; each is a lock."""

    list_display = ("e164",)
    exact_search = ("e164",)
    ordering = ("e164",)
