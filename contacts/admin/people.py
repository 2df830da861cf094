"""The back office: people and their consents."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from calls.actions.forgetting import erase_contact
from contacts.actions import add_consent, revoke_consent, save_contact
from contacts.admin.filters import ErasedFilter, LanguageFilter, SuppressedFilter, ZoneFilter
from contacts.forms import MENDS, ContactForm, values_of
from contacts.models import Consent, Contact, Suppression
from temphone.accounts.actors import Role
from temphone.admin import BackOffice, ModelForm, TabularInline, actor_of, may
from temphone.lib import clock, phone


class BackOfficeContactForm(ContactForm, ModelForm):
    """The staff's form, over the row."""

    class Meta:
        model = Contact
        fields = (
            "first_name",
            "last_name",
            "phone",
            "timezone",
            "company",
            "language",
            "tags",
            "attributes",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if contact := kwargs.get("instance"):
            kwargs["initial"] = values_of(contact)
        super().__init__(*args, **kwargs)

    def clean_phone(self) -> str:
        """In E.164."""
        try:
            return phone.to_e164(self.cleaned_data["phone"])
        except ValueError as error:
            raise forms.ValidationError(MENDS["phone"]) from error

    def clean(self) -> dict[str, Any]:
        """The zone may be left out where the number implies it."""
        number, zone = self.cleaned_data.get("phone"), self.cleaned_data.get("timezone")
        if number and zone == "":
            implied = phone.implied_zone(number)
            if implied is None:
                self.add_error("timezone", MENDS["timezone"])
            self.cleaned_data["timezone"] = implied
        return self.cleaned_data


class ConsentInline(TabularInline):
    """Consents, append-only: one is added or revoked, never changed."""

    model = Consent
    extra = 0
    can_delete = False
    fields = ("purpose", "kind", "source", "evidence", "captured_at", "recorded_by", "revoked_at")
    readonly_fields = ("recorded_by", "revoked_at")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, Role.MANAGER)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Contact)
class ContactAdmin(BackOffice):
    """People. Nobody is deleted: a person is erased, and the row stays for its calls to point at."""

    adds = changes = Role.MANAGER

    form = BackOfficeContactForm
    list_display = ("name", "number", "company", "timezone", "language", "may_be_called", "calls")
    list_filter = (SuppressedFilter, ZoneFilter, LanguageFilter, ErasedFilter)
    search_fields = ("first_name", "last_name", "phone", "company")
    search_help_text = "Name, number, company, or the contact's id."
    sortable_by = ()
    actions = ("erase",)
    inlines = (ConsentInline,)
    fieldsets = (
        (None, {"fields": ("first_name", "last_name", "phone", "timezone", "company", "language")}),
        ("For messages", {"fields": ("tags", "attributes")}),
        ("Kept by TemPhone", {"fields": ("id", "may_be_called", "created_at", "updated_at", "erased_at")}),
    )
    readonly_fields = ("id", "may_be_called", "created_at", "updated_at", "erased_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        """With whether the number must not be called."""
        # Each beginning of the number is looked up in the index; a comparison with every prefix is not.
        beginnings = [Left(OuterRef("phone"), length) for length in range(1, phone.LONGEST + 1)]
        in_force = Suppression.objects.in_force(clock.now())
        whole = in_force.filter(is_prefix=False, number=OuterRef("phone"))
        prefix = in_force.filter(is_prefix__in=[True], number__in=beginnings)
        contacts: QuerySet[Contact] = super().get_queryset(request)
        return contacts.annotate(suppressed=Exists(whole) | Exists(prefix))

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """As the staff's list does."""
        return queryset.matching(search_term), False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was erased stays so."""
        return super().has_change_permission(request, obj) and not (obj and obj.erased_at)

    @admin.display(description="number")
    def number(self, contact: Contact) -> str:
        """As people read it."""
        return phone.for_people(contact.phone)

    @admin.display(description="may be called", boolean=True)
    def may_be_called(self, contact: Any) -> bool:
        """Not suppressed."""
        return not contact.suppressed

    @admin.display(description="calls")
    def calls(self, contact: Contact) -> str:
        """Link to the contact's calls."""
        url = reverse("admin:calls_call_changelist")
        return format_html('<a href="{}?{}">Calls</a>', url, urlencode({"q": contact.pk}))

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: Any) -> None:
        """Make or change the person, as everywhere."""
        saved = save_contact(
            actor=actor_of(request),
            contact_id=obj.pk if change else None,
            values=form.cleaned_data,
            now=clock.now(),
        )
        obj.pk = saved.pk

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        """Record the consents that were added."""
        actor, now = actor_of(request), clock.now()
        formset.new_objects = [
            add_consent(
                actor=actor,
                contact_id=form.instance.pk,
                now=now,
                **{
                    name: added.cleaned_data[name] for name in added.base_fields if name in added.cleaned_data
                },
            )
            for added in formset.extra_forms
            if added.has_changed()
        ]
        formset.changed_objects, formset.deleted_objects = [], []

    @admin.action(description="Erase the chosen contacts", permissions=["manage"])
    def erase(self, request: HttpRequest, contacts: QuerySet[Contact]) -> Any:
        """After asking: who they are is forgotten."""
        text = (
            "Names, numbers, companies, tags and attributes are forgotten, recordings are deleted. "
            "This cannot be undone."
        )
        if question := self.ask_first(request, contacts, title="Erase contacts", text=text):
            return question
        self.each(request, contacts, erase_contact, by="contact_id", done="Contacts erased")
        return None


@admin.register(Consent)
class ConsentAdmin(BackOffice):
    """All consents; new ones are added on the contact's page."""

    list_display = ("contact", "purpose", "kind", "source", "captured_at", "recorded_by", "revoked_at")
    list_filter = ("purpose", "kind", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("contact",)
    exact_search = ("contact_id",)
    search_help_text = "The contact's id, in full."
    sortable_by = ()
    ordering = ("-id",)
    actions = ("revoke",)

    @admin.action(description="Revoke the chosen consents", permissions=["manage"])
    def revoke(self, request: HttpRequest, consents: QuerySet[Consent]) -> Any:
        """After asking: a revoked consent never holds again."""
        text = "From now on these consents permit no call. To call again, a new consent is needed."
        if question := self.ask_first(request, consents, title="Revoke consents", text=text):
            return question
        revoked = partial(revoke_consent, how="in the back office")
        self.each(request, consents, revoked, by="consent_id", done="Consents revoked")
        return None
