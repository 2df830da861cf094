"""The back office: staff, API keys, the audit log."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from temphone.accounts.actions import create_key, revoke_key
from temphone.accounts.actors import Role
from temphone.accounts.models import ApiKey, AuditEntry, IdempotencyRecord, KeyMinute, Mode, User
from temphone.admin import BackOffice, actor_of
from temphone.lib import clock


@admin.register(User)
class StaffAdmin(BackOffice):
    """People, to be read: the team's pages have the rules for changing them, and end their sessions."""

    sees = Role.ADMIN

    list_display = ("username", "name", "email", "role", "timezone", "is_active", "last_login", "page")
    list_filter = ("role", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    readonly_fields = ("page",)
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email", "page")}),
        ("Rights", {"fields": ("role", "is_active", "is_staff", "is_superuser")}),
        ("Clock", {"fields": ("timezone", "last_login", "date_joined")}),
    )

    @admin.display(description="name", ordering="last_name")
    def name(self, user: User) -> str:
        """First and last name."""
        return user.get_full_name()

    @admin.display(description="team page")
    def page(self, user: User) -> str:
        """Link to where the person is changed, given a new password, or deactivated."""
        return format_html('<a href="{}">Change on the Team page</a>', reverse("person", args=[user.pk]))

    def audit_target(self, object_id: str) -> str:
        """The audit log knows a person by their number."""
        return f"user:{object_id}"


@admin.register(ApiKey)
class ApiKeyAdmin(BackOffice):
    """Keys. One is made, shown once, and revoked; it is never changed."""

    sees = adds = Role.ADMIN

    list_display = (
        "name",
        "begins",
        "mode",
        "role",
        "created_by",
        "created_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("mode", "role", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("created_by",)
    search_fields = ("name", "public_id")
    actions = ("revoke",)
    fields = ("name", "mode", "role", "requests_per_minute")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Afterwards also how it begins, and what became of it."""
        after = ("begins", "created_by", "created_at", "last_used_at", "revoked_at")
        return (*self.fields, *after) if obj else self.fields

    @admin.display(description="begins with")
    def begins(self, key: ApiKey) -> str:
        """The part of the key that is no secret."""
        return key.begins

    def audit_target(self, object_id: str) -> str:
        """The audit log knows a key by its public part."""
        row = ApiKey.objects.filter(pk=object_id) if object_id.isdecimal() else ApiKey.objects.none()
        return row.values_list("public_id", flat=True).first() or ""

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: Any) -> None:
        """Make the key and show it, this once."""
        key, whole = create_key(
            actor=actor_of(request),
            name=obj.name,
            mode=Mode(obj.mode),
            role=Role(obj.role),
            requests_per_minute=obj.requests_per_minute,
            now=clock.now(),
        )
        obj.pk = key.pk
        self.message_user(
            request, f"The key is {whole} Copy it now: it is not shown again.", messages.WARNING
        )

    @admin.action(description="Revoke the chosen keys", permissions=["administer"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> Any:
        """After asking: a revoked key never works again."""
        text = "Programs that use these keys are refused at once, for good."
        if question := self.ask_first(request, keys, title="Revoke keys", text=text):
            return question
        self.each(request, keys, revoke_key, by="public_id", column="public_id", done="Keys revoked")
        return None


@admin.register(AuditEntry)
class AuditEntryAdmin(BackOffice):
    """Who changed what, when."""

    list_display = ("moment", "actor_label", "actor_kind", "action", "target", "details")
    list_filter = ("at", ("actor_kind", admin.ChoicesFieldListFilter))
    exact_search = ("target",)
    search_help_text = "The id of what was changed, such as call_1j2kd9, in full."
    sortable_by = ()


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(BackOffice):
    """Answers kept for requests that are sent again."""

    sees = Role.ADMIN

    list_display = ("created_at", "owner", "key", "target")
    exact_search = ("key", "target")
    ordering = ("-created_at",)


@admin.register(KeyMinute)
class KeyMinuteAdmin(BackOffice):
    """Requests counted per key and minute."""

    sees = Role.ADMIN

    list_display = ("minute", "key", "requests")
    list_select_related = ("key",)
    ordering = ("-id",)
