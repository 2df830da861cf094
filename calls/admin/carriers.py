"""The back office: what carries the calls, how fast, and the stop switch."""

from itertools import chain
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from calls.actions.pacing import set_pace
from calls.models import Beat, Gateway, Number, Pacing, Price, StopSwitch, Trunk
from calls.models.trunks import CARRIERS
from temphone.accounts.actors import Role
from temphone.admin import BackOffice, ModelForm, actor_of
from temphone.lib import clock


@admin.register(Gateway)
class GatewayAdmin(BackOffice):
    """Gateways, as their heartbeats tell."""

    list_display = ("ledger", "url", "legs", "live", "lines", "outbox", "clock_skew_ms", "last_seen_at", "up")
    search_fields = ("ledger", "url")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Gateway]:
        """With whether each was heard of lately."""
        reachable = Gateway.objects.reachable(clock.now()).filter(pk=OuterRef("pk"))
        gateways: QuerySet[Gateway] = super().get_queryset(request)
        return gateways.annotate(is_reachable=Exists(reachable))

    @admin.display(description="up", boolean=True)
    def up(self, gateway: Any) -> bool:
        """Heard of lately."""
        return bool(gateway.is_reachable)


class PacingForm(ModelForm):
    """A carrier's limits."""

    carrier = forms.ChoiceField(choices=lambda: [(name, name) for name in carriers()])

    class Meta:
        model = Pacing
        fields = ("carrier", "lines", "calls_per_second")


def carriers() -> list[str]:
    """The kinds of leg that there are."""
    return sorted(chain.from_iterable(CARRIERS.values()))


@admin.register(Pacing)
class PacingAdmin(BackOffice):
    """How fast each carrier may go."""

    adds = changes = Role.MANAGER

    form = PacingForm
    list_display = ("carrier", "lines", "calls_per_second")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The carrier is chosen once."""
        return ("carrier",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Pacing, form: Any, change: Any) -> None:
        """Set it, as everywhere."""
        set_pace(
            actor=actor_of(request),
            carrier=obj.carrier,
            lines=obj.lines,
            calls_per_second=obj.calls_per_second,
        )


@admin.register(Trunk)
class TrunkAdmin(BackOffice):
    """Trunks, without their secrets. They are added and changed on their own pages."""

    sees = Role.ADMIN

    list_display = ("name", "kind", "enabled", "lines", "priority", "host", "account_sid", "id")
    list_filter = ("kind", "enabled")
    search_fields = ("id", "name")
    fieldsets = (
        (None, {"fields": ("id", "name", "kind", "enabled", "lines", "priority")}),
        ("SIP", {"fields": ("host", "port", "transport", "user", "registers")}),
        ("Twilio", {"fields": ("account_sid", "api_url")}),
        ("When", {"fields": ("created_at", "updated_at")}),
    )

    def view_on_site(self, trunk: Trunk) -> str:
        """The trunk's own page."""
        return reverse("trunk", args=[trunk.pk])


@admin.register(Price)
class PriceAdmin(BackOffice):
    """What trunks charge, and from when on. It is changed on the trunk's own page."""

    sees = Role.ADMIN

    list_display = ("trunk", "since", "per_minute", "billed_by_s")
    list_select_related = ("trunk",)
    search_fields = ("trunk__id", "trunk__name")


@admin.register(Number)
class NumberAdmin(BackOffice):
    """The numbers that calls are made from. They are added and changed on their own pages."""

    sees = Role.ADMIN

    list_display = ("e164", "name", "trunk", "is_default", "id")
    list_select_related = ("trunk",)
    search_fields = ("id", "e164", "name")
    fields = ("id", "e164", "name", "trunk", "is_default", "created_at", "updated_at")

    def view_on_site(self, number: Number) -> str:
        """The number's own page."""
        return reverse("number", args=[number.pk])


@admin.register(StopSwitch)
class StopSwitchAdmin(BackOffice):
    """Whether all calling is stopped; it is switched on its own page."""

    list_display = ("on", "changed_at", "changed_by", "reason", "page")

    def view_on_site(self, switch: StopSwitch) -> str:
        """Where it is switched."""
        return reverse("stop")

    @admin.display(description="switch")
    def page(self, switch: StopSwitch) -> str:
        """Link to where it is switched."""
        return format_html('<a href="{}">Change</a>', self.view_on_site(switch))


@admin.register(Beat)
class BeatAdmin(BackOffice):
    """When each kind of process last showed that it is alive."""

    list_display = ("name", "at")
