"""The list of calls: views, filters, live cards."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from calls.models import Attempt, Call, Prices, TranscriptTurn
from calls.states import CallStatus
from calls.views.browsing import VIEWS, Browsing
from calls.views.rows import POLL, Heard, Row, poll_until
from temphone.lib import clock
from temphone.pages import StaffRequest, page

LIVE_CARDS = 6
# What a card of a live call shows: all columns of the five tables took as long as the rest of the cards.
ON_A_CARD = (
    *("state", "to", "answered_at", "created_at", "agent_version__name"),
    *(f"call__{name}" for name in ("mode", "hang_up_requested_at", "campaign__name")),
    *(f"call__contact__{name}" for name in ("first_name", "last_name", "phone")),
)
# Of an attempt; None where nobody has spoken.
_LAST_TURN = TranscriptTurn.objects.filter(attempt=OuterRef("pk")).order_by("-sequence")
LAST_WORDS = Subquery(_LAST_TURN.values("text")[:1])
LAST_SPEAKER = Subquery(_LAST_TURN.values("speaker")[:1])
WITHOUT_COSTS = frozenset({"upcoming", "live", "attention"})
# What needs attention by what it was, as filters.
KINDS: Sequence[tuple[object, dict[str, str]]] = (
    (_("Everything"), {}),
    (_("Too late"), {"outcome": "expired"}),
    (_("Callbacks"), {"outcome": "callback_requested"}),
    (_("No answer"), {"outcome": "no_answer"}),
    (_("Unknown"), {"outcome": "unknown"}),
    (_("Still waiting"), {"status": "scheduled"}),
)


@page
@require_safe
def call_list(request: StaffRequest) -> HttpResponse:
    """The list, or for htmx what is live in it."""
    now = clock.now()
    browsing = Browsing.of(request.GET, request.user, now)
    in_progress = Call.objects.filter(status=CallStatus.IN_PROGRESS).count()
    listing = browsing.page()
    context = {
        "form": browsing.form,
        "view": browsing.view,
        "query_here": browsing.query,
        "kept": browsing.kept,
        "is_turned": browsing.is_turned,
        "tabs": [
            {"name": name, "label": label, "count": browsing.count(name)}
            for name, (label, _keys) in VIEWS.items()
        ],
        "listing": listing,
        "rows": _rows(browsing, listing.rows, now),
        "chips": browsing.form.chips(),
        "of_campaign": browsing.form.plain.get("campaign"),
        "live": list(_live_attempts()),
        "poll": _poll(in_progress, now),
        "in_progress": in_progress,
        "filtered": bool(browsing.form.given),
        **(_of_attention(browsing) if browsing.view == "attention" else {}),
    }
    return render(request, "calls/list.html#results" if request.htmx else "calls/list.html", context)


def _rows(browsing: Browsing, calls: Sequence[Call], now: datetime) -> list[Row]:
    """The calls as rows; among those in progress with what was said last."""
    key = browsing.keys[0].strip("-")
    heard = _last_words(calls) if browsing.view == "live" else {}
    prices = None if browsing.view in WITHOUT_COSTS else Prices()
    return [
        Row(call=call, at=getattr(call, key), now=now, heard=heard.get(call.pk), prices=prices)
        for call in calls
    ]


def _last_words(calls: Sequence[Call]) -> dict[str, Heard]:
    live = Attempt.objects.live().filter(call__in=[call.pk for call in calls])
    found = live.values_list("call_id", LAST_SPEAKER, LAST_WORDS)
    return {
        call_id: Heard(speaker=speaker, words=words) for call_id, speaker, words in found if words is not None
    }


def _of_attention(browsing: Browsing) -> dict[str, object]:
    """The kinds of it, and how many came too late, as all do after an outage."""
    plain = {name: value for name, value in browsing.kept.items() if name in {"outcome", "status"}}
    kinds = [
        {"label": label, "outcome": one.get("outcome"), "status": one.get("status"), "is_here": one == plain}
        for label, one in KINDS
    ]
    return {"kinds": kinds, "late": browsing.late()}


def _live_attempts() -> QuerySet[Attempt]:
    return (
        Attempt.objects.live()
        .select_related("call__contact", "call__campaign", "agent_version")
        .only(*ON_A_CARD)
        .annotate(last_words=LAST_WORDS, last_speaker=LAST_SPEAKER)
        .order_by("created_at")[:LIVE_CARDS]
    )


def _poll(in_progress: int, now: datetime) -> str:
    """The htmx trigger: often while something is live or due soon, else once when the next call is."""
    if in_progress:
        return POLL
    return poll_until(Call.objects.filter(status=CallStatus.SCHEDULED).order_by("due_at").first(), now)
