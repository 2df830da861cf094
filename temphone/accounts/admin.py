"""The back office: staff, API keys, the audit log."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from temphone.accounts.actions import revoke_key
from temphone.accounts.actors import Role
from temphone.accounts.models import ApiKey, AuditEntry, IdempotencyRecord, KeyMinute, User
from temphone.admin import BackOffice


@admin.register(User)
class StaffAdmin(BackOffice):
    """People, to be read: the team's pages have the rules for changing them, and end their sessions."""

    sees = Role.ADMIN

    list_display = ("username", "name", "role", "timezone", "is_active", "last_login", "page")
    list_filter = ("role", "is_active")
    search_fields = ("username", "first_name", "last_name")
    ordering = ("username",)
    readonly_fields = ("page",)
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "page")}),
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
    """Keys, to be read and revoked: the page on which one is made shows it, and keeps it nowhere."""

    sees = Role.ADMIN

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
    readonly_fields = ("page",)
    fields = (
        "name",
        "mode",
        "role",
        "requests_per_minute",
        "begins",
        "created_by",
        "created_at",
        "last_used_at",
        "revoked_at",
        "page",
    )

    @admin.display(description="page of its own")
    def page(self, key: ApiKey) -> str:
        """Link to where the key is changed, and others are made."""
        return format_html('<a href="{}">Change or revoke it there</a>', reverse("key", args=[key.public_id]))

    @admin.display(description="begins with")
    def begins(self, key: ApiKey) -> str:
        """The part of the key that is no secret."""
        return key.begins

    def audit_target(self, object_id: str) -> str:
        """The audit log knows a key by its public part."""
        row = ApiKey.objects.filter(pk=object_id) if object_id.isdecimal() else ApiKey.objects.none()
        return row.values_list("public_id", flat=True).first() or ""

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

    sees = Role.ADMIN

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
