"""The back office: what was sent out, how each try ended, and sending again."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from temphone.accounts.actors import Role
from temphone.admin import BackOffice, ReadOnlyInline
from temphone.lib import ids
from temphone.webhooks.actions import resend
from temphone.webhooks.models import Delivery, DeliveryState, DeliveryTry, Drain, Endpoint


class DeliveryTryInline(ReadOnlyInline):
    """The log of a message."""

    model = DeliveryTry
    fields = ("moment", "status_code", "error", "duration_ms", "answer")
    readonly_fields = fields
    show_change_link = False


@admin.register(Delivery)
class DeliveryAdmin(BackOffice):
    """Messages, each with its log."""

    list_display = ("type", "call", "state", "tries", "last_answer", "next_try", "receiver", "created_at")
    list_filter = ("state",)
    exact_search = ("subject", "event_id", "receiver")
    search_help_text = "A call, a message's id, or a receiver such as hooks.example.com:443, in full."
    sortable_by = ()
    actions = ("send_again",)
    inlines = (DeliveryTryInline,)
    fields = (
        "event_id",
        "type",
        "call",
        "sequence",
        "to",
        "state",
        "tries",
        "next_try",
        "created_at",
        "payload",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """With the last try's status code and error."""
        last = DeliveryTry.objects.filter(delivery=OuterRef("pk")).order_by("-id")
        deliveries: QuerySet[Delivery] = super().get_queryset(request)
        return deliveries.annotate(
            last_status_code=Subquery(last.values("status_code")[:1]),
            last_error=Subquery(last.values("error")[:1]),
        )

    def audit_target(self, object_id: str) -> str:
        """The audit log knows a message by its own id."""
        row = Delivery.objects.filter(pk=object_id) if object_id.isdecimal() else Delivery.objects.none()
        return row.values_list("event_id", flat=True).first() or ""

    @admin.display(description="call")
    def call(self, delivery: Delivery) -> str:
        """Link to the call's page; a test has none."""
        if not delivery.subject.startswith(ids.CALL):
            return delivery.subject
        return format_html('<a href="{}">{}</a>', reverse("call", args=[delivery.subject]), delivery.subject)

    @admin.display(description="to")
    def to(self, delivery: Delivery) -> str:
        """An endpoint's address may hold a token, so only admins see it, on their own pages."""
        return delivery.receiver if delivery.endpoint_id else delivery.url

    @admin.display(description="last answer")
    def last_answer(self, delivery: Any) -> str:
        """Its status code, or why there was none."""
        return str(delivery.last_status_code or delivery.last_error or "")

    @admin.display(description="next try")
    def next_try(self, delivery: Delivery) -> Any:
        """Empty when there is none to come."""
        return delivery.next_try_at if delivery.state == DeliveryState.PENDING else None

    @admin.display(description="payload")
    def payload(self, delivery: Delivery) -> str:
        """The body, made readable; what is sent has no spaces."""
        readable = json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", readable)

    @admin.action(description="Send the chosen messages again", permissions=["administer"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        """With their own ids and bodies."""
        self.each(request, deliveries, resend, by="delivery_id", done="Messages to be sent again")


@admin.register(Endpoint)
class EndpointAdmin(BackOffice):
    """Endpoints, without their secrets. They are added and changed on their own pages."""

    sees = Role.ADMIN

    list_display = ("name", "url", "enabled", "last_success_at", "last_failure_at", "deleted_at", "id")
    search_fields = ("id", "name")
    fields = (
        "id",
        "name",
        "url",
        "events",
        "enabled",
        "off_because",
        "last_success_at",
        "last_failure_at",
        "last_failure",
        "created_at",
        "updated_at",
        "deleted_at",
    )


@admin.register(Drain)
class DrainAdmin(BackOffice):
    """Until when the process that sends is believed to be at work."""

    list_display = ("until",)
