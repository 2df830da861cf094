"""The back office: calls and their history. All of it is read, none of it changed."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from calls.models import Attempt, Call, CallEvent, DayCount, Decision, Recording, TranscriptTurn
from campaigns.models import Campaign
from temphone.accounts.models import Mode
from temphone.admin import BackOffice, ReadOnlyInline, lines
from temphone.lib import phone

CAMPAIGNS_OFFERED = 30


class CampaignFilter(admin.SimpleListFilter):
    """The newest campaigns."""

    title = parameter_name = "campaign"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = Campaign.objects.order_by("-created_at", "-id")[:CAMPAIGNS_OFFERED]
        return [(campaign.pk, campaign.name) for campaign in newest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(campaign_id=self.value()) if self.value() else queryset


class ModeFilter(admin.SimpleListFilter):
    """Test or live; asked as everywhere, so that there is an index."""

    title = parameter_name = "mode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in Mode.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.having({"mode": self.value()}) if self.value() else queryset


def checks_of(decision: Decision) -> str:
    """Each gate's verdict, in order."""
    return lines(f"{check['rule']}: {check['verdict']}. {check['text']}" for check in decision.checks)


class AttemptInline(ReadOnlyInline):
    """The dials of a call."""

    model = Attempt
    fields = ("number", "state", "outcome", "answered_by", "dialled", "created_at", "answered_at", "ended_at")
    readonly_fields = fields

    @admin.display(description="to")
    def dialled(self, attempt: Attempt) -> str:
        """The number as people read it."""
        return phone.for_people(attempt.to)


class CallEventInline(ReadOnlyInline):
    """What happened to a call."""

    model = CallEvent
    fields = ("moment", "name", "from_status", "to_status", "reason", "dial")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description="attempt")
    def dial(self, event: CallEvent) -> str:
        """Which attempt it was about; empty when it was the call."""
        return event.attempt_id or ""


class DecisionInline(ReadOnlyInline):
    """Why a call was dialled, or not."""

    model = Decision
    fields = ("moment", "stage", "verdict", "rule", "each_check")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description="checks")
    def each_check(self, decision: Decision) -> str:
        """All gates."""
        return checks_of(decision)


class TurnInline(ReadOnlyInline):
    """What was said in an attempt."""

    model = TranscriptTurn
    fields = ("sequence", "speaker", "text", "offset_ms")
    readonly_fields = fields
    show_change_link = False


@admin.register(Call)
class CallAdmin(BackOffice):
    """Calls. They are scheduled, moved and canceled on their own pages."""

    list_display = (
        "id",
        "contact",
        "status",
        "outcome",
        "mode",
        "scheduled_at",
        "due_at",
        "campaign",
        "page",
    )
    list_filter = ("status", ModeFilter, "scheduled_at", CampaignFilter, "outcome")
    list_select_related = ("contact", "campaign")
    search_fields = ("id", "contact")
    search_help_text = "A call's or contact's id, or a contact's name, number or company."
    sortable_by = ()
    ordering = ("-scheduled_at", "-id")
    inlines = (AttemptInline, CallEventInline, DecisionInline)
    fieldsets = (
        (None, {"fields": ("id", "contact", "campaign", "mode", "status", "outcome", "answered_by")}),
        ("When", {"fields": ("scheduled_at", "timezone", "due_at", "hang_up_requested_at")}),
        ("What", {"fields": ("initial_message", "transcript", "metadata", "webhook_url")}),
        ("How", {"fields": ("caller_id", "max_duration_s", "max_attempts", "recording_enabled")}),
        ("Who", {"fields": ("created_by_user", "created_by_key", "created_at", "updated_at", "version")}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[QuerySet[Call], bool]:
        """By id, or by whom is called."""
        return queryset.matching(search_term), False

    def view_on_site(self, call: Call) -> str:
        """The call's own page."""
        return reverse("call", args=[call.pk])

    @admin.display(description="page")
    def page(self, call: Call) -> str:
        """Link to the call's own page."""
        return format_html('<a href="{}">Open</a>', self.view_on_site(call))

    @admin.display(description="transcript")
    def transcript(self, call: Call) -> str:
        """All that was said, attempt by attempt."""
        turns = TranscriptTurn.objects.filter(attempt__call=call).order_by("attempt__number", "sequence")
        return lines(f"{turn.get_speaker_display()}: {turn.text}" for turn in turns)


class OfOneCall(BackOffice):
    """History of calls, searched by the call's id."""

    exact_search: tuple[str, ...] = ("call_id",)
    search_help_text = "The call's id, in full."
    sortable_by = ()
    ordering: ClassVar[tuple[str, ...]] = ("-id",)


@admin.register(Attempt)
class AttemptAdmin(OfOneCall):
    """Dials."""

    list_display = (
        "id",
        "call",
        "number",
        "state",
        "outcome",
        "dialled",
        "carrier",
        "trunk",
        "gateway",
        "created_at",
    )
    list_filter = ("state", "outcome", "answered_by")
    list_select_related = ("call", "gateway", "trunk")
    exact_search = ("id", "call_id", "to")
    search_help_text = "The attempt's or call's id, or the number dialled in E.164, in full."
    ordering: ClassVar[tuple[str, ...]] = ("-created_at", "-id")
    inlines = (TurnInline,)

    @admin.display(description="to")
    def dialled(self, attempt: Attempt) -> str:
        """The number as people read it."""
        return phone.for_people(attempt.to)


@admin.register(CallEvent)
class CallEventAdmin(OfOneCall):
    """What happened."""

    list_display = ("moment", "call", "name", "from_status", "to_status", "reason", "attempt")
    list_select_related = ("call", "attempt")


@admin.register(Decision)
class DecisionAdmin(OfOneCall):
    """Why calls were dialled, or not."""

    list_display = ("moment", "call", "stage", "verdict", "rule", "attempt")
    list_filter = ("verdict", "stage")
    list_select_related = ("call", "attempt")
    fields = ("call", "attempt", "stage", "verdict", "rule", "each_check", "at")

    @admin.display(description="checks")
    def each_check(self, decision: Decision) -> str:
        """All gates."""
        return checks_of(decision)


@admin.register(TranscriptTurn)
class TranscriptTurnAdmin(OfOneCall):
    """What was said."""

    list_display = ("moment", "attempt", "sequence", "speaker", "text")
    list_filter = ("speaker",)
    list_select_related = ("attempt",)
    search_help_text = "The call's or attempt's id, in full."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TranscriptTurn], search_term: str
    ) -> tuple[QuerySet[TranscriptTurn], bool]:
        """By the attempts with this id, which are few; an OR over two tables would read both."""
        term = search_term.strip()
        attempts = Attempt.objects.filter(Q(pk=term) | Q(call=term)).values_list("pk", flat=True)
        return (queryset.filter(attempt__in=list(attempts)) if term else queryset), False


@admin.register(Recording)
class RecordingAdmin(OfOneCall):
    """Recordings: where each is. They are heard on the call's page."""

    list_display = ("attempt", "state", "problem", "duration_ms", "size", "created_at", "deleted_at")
    list_filter = ("state", "problem")
    list_select_related = ("attempt",)
    exact_search = ("attempt", "attempt__call")
    search_help_text = "The attempt's or call's id, in full."
    ordering: ClassVar[tuple[str, ...]] = ("-created_at", "-attempt")
    exclude = ("peaks",)

    def view_on_site(self, recording: Recording) -> str:
        """The call's own page."""
        return reverse("call", args=[recording.attempt.call_id])


@admin.register(DayCount)
class DayCountAdmin(BackOffice):
    """What was counted of the days that are over."""

    list_display = ("day", "zone", "mode", "what", "counts", "talk_s", "counted_at")
    list_filter = ("what", "mode")
    ordering: ClassVar[tuple[str, ...]] = ("-day", "-pk")
