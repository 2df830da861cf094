"""The back office: campaigns."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from campaigns.actions import (
    cancel_campaign,
    create_campaign,
    pause_campaign,
    resume_campaign,
    update_campaign,
)
from campaigns.models import Agent, AgentVersion, Campaign
from contacts.models import Purpose
from temphone.accounts.actors import Role
from temphone.accounts.models import Mode
from temphone.admin import BackOffice, actor_of
from temphone.lib import clock


@admin.register(Campaign)
class CampaignAdmin(BackOffice):
    """Campaigns. The mode is chosen once; the status is changed by the actions."""

    adds = changes = Role.MANAGER

    list_display = ("name", "id", "status", "mode", "purpose", "created_at", "calls")
    list_filter = ("status", "mode", "purpose")
    search_fields = ("name", "id")
    actions = ("pause", "resume", "cancel")
    fields = ("name", "mode", "purpose", "agent")
    standing = ("id", "status", "created_at", "updated_at", "calls")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Afterwards also how it stands."""
        return (*self.fields, *self.standing) if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """All but the name, the purpose and the agent, once it is there."""
        return ("mode", *self.standing) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Archived agents are not offered."""
        if db_field.name == "agent":
            kwargs["queryset"] = Agent.objects.present()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="calls")
    def calls(self, campaign: Campaign) -> str:
        """Link to its calls."""
        found = urlencode({"campaign": campaign.pk})
        return format_html('<a href="{}?{}">Calls</a>', reverse("admin:calls_call_changelist"), found)

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: Any) -> None:
        """Make it or change it, as everywhere."""
        actor, now = actor_of(request), clock.now()
        if change:
            changes = {**form.cleaned_data, "agent_id": obj.agent_id}
            update_campaign(actor=actor, campaign_id=obj.pk, changes=changes, now=now)
        else:
            made = create_campaign(
                actor=actor,
                name=obj.name,
                mode=Mode(obj.mode),
                purpose=Purpose(obj.purpose),
                agent_id=obj.agent_id,
                now=now,
            )
            obj.pk = made.pk

    @admin.action(description="Pause the chosen campaigns", permissions=["manage"])
    def pause(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        """Hold their calls."""
        self.each(request, campaigns, pause_campaign, by="campaign_id", done="Campaigns paused")

    @admin.action(description="Resume the chosen campaigns", permissions=["manage"])
    def resume(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        """Let their calls go on."""
        self.each(request, campaigns, resume_campaign, by="campaign_id", done="Campaigns resumed")

    @admin.action(description="Cancel the chosen campaigns", permissions=["manage"])
    def cancel(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> Any:
        """After asking: a canceled campaign never dials again."""
        text = "None of their calls is dialled any more. This cannot be undone."
        if question := self.ask_first(request, campaigns, title="Cancel campaigns", text=text):
            return question
        self.each(request, campaigns, cancel_campaign, by="campaign_id", done="Campaigns canceled")
        return None


@admin.register(Agent)
class AgentAdmin(BackOffice):
    """Agents; they are edited on their own pages."""

    list_display = ("name", "id", "version", "is_default", "archived_at", "updated_at")
    list_filter = ("is_default",)
    search_fields = ("name", "id")
    readonly_fields = fields = (
        "name",
        "id",
        "version",
        "is_default",
        "archived_at",
        "created_at",
        "updated_at",
    )


@admin.register(AgentVersion)
class AgentVersionAdmin(BackOffice):
    """What agents say and said."""

    list_display = ("name", "agent_id", "number", "mode", "engine", "created_at", "created_by")
    list_filter = ("mode", "engine")
    search_fields = ("name", "agent__id")

    def audit_target(self, object_id: str) -> str:
        """The agent's id, as the audit log knows it."""
        version = AgentVersion.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        return version.agent_id if version else object_id
