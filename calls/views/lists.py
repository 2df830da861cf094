"""The list of calls: views, filters, live cards, and canceling many at once."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from calls.actions.changing import cancel_call
from calls.forms import CallFilter
from calls.models import Attempt, Call, TranscriptTurn
from calls.models.call import CallQuerySet, needing_attention
from calls.states import CallStatus
from calls.views.rows import POLL, Row, poll_until
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.lib.errors import Conflict, NotFound
from temphone.pages import KeyPage, StaffRequest, capped_count, dialog, page, read_page

NEWEST = ("-scheduled_at", "-id")
VIEWS = {
    "upcoming": (gettext_lazy("Upcoming"), ("due_at", "id")),
    "live": (gettext_lazy("Live"), NEWEST),
    "attention": (gettext_lazy("Needs attention"), NEWEST),
    "completed": (gettext_lazy("Completed"), NEWEST),
    "all": (gettext_lazy("All"), NEWEST),
}
CONDITIONS: dict[str, dict[str, object]] = {
    "upcoming": {"status": CallStatus.SCHEDULED},
    "live": {"status": CallStatus.IN_PROGRESS},
    "completed": {"status": CallStatus.COMPLETED},
    "all": {},
}
LIVE_CARDS = 6
MOST_AT_ONCE = 200


def _in_view(view: str, calls: CallQuerySet, form: CallFilter, now: datetime) -> list[CallQuerySet]:
    """The calls of the view, in parts that share none; an index gives each in its order."""
    parts = needing_attention(now) if view == "attention" else [CONDITIONS[view]]
    return [calls.having(part, form.plain).newest() for part in parts]


@page
@require_safe
def call_list(request: StaffRequest) -> HttpResponse:
    """The list, or for htmx what is live in it."""
    now = clock.now()
    form = CallFilter(request.GET)
    calls = form.apply(Call.objects.all(), request.user.timezone)
    parts = {name: _in_view(name, calls, form, now) for name in VIEWS}
    view = request.GET.get("view", "")
    view = view if view in VIEWS else "upcoming"
    keys = _keys(view, form)
    in_progress = Call.objects.filter(status=CallStatus.IN_PROGRESS).count()
    listing = _listing(parts[view], request.GET, keys=keys)
    context = {
        "form": form,
        "view": view,
        "tabs": [
            {"name": name, "label": label, "count": capped_count(*parts[name])}
            for name, (label, _keys) in VIEWS.items()
        ],
        "listing": listing,
        "rows": [Row(call=call, at=getattr(call, keys[0].strip("-")), now=now) for call in listing.rows],
        "chips": form.chips(),
        "live": list(_live_attempts()),
        "poll": _poll(in_progress, now),
        "in_progress": in_progress,
        "filtered": bool(form.given),
    }
    return render(request, "calls/list.html#results" if request.htmx else "calls/list.html", context)


def _listing(parts: list[CallQuerySet], params: QueryDict, *, keys: tuple[str, ...]) -> KeyPage[Call]:
    whole = len(parts) == 1
    rows = parts[0] if whole else Call.objects.all()
    rows = rows.select_related("contact", "campaign").prefetch_related("attempts")
    return read_page(rows, params, () if whole else parts, keys=keys)


def _keys(view: str, form: CallFilter) -> tuple[str, ...]:
    """The view's order; with days, which are those of ``scheduled_at``, by that: it has an index."""
    keys = VIEWS[view][1]
    return ("scheduled_at", "id") if keys[0] == "due_at" and form.has_days else keys


def _live_attempts() -> QuerySet[Attempt]:
    last = TranscriptTurn.objects.filter(attempt=OuterRef("pk")).order_by("-sequence")
    return (
        Attempt.objects.live()
        .select_related("call__contact", "call__campaign")
        .annotate(
            last_words=Subquery(last.values("text")[:1]), last_speaker=Subquery(last.values("speaker")[:1])
        )
        .order_by("created_at")[:LIVE_CARDS]
    )


def _poll(in_progress: int, now: datetime) -> str:
    """The htmx trigger: often while something is live or due soon, else once when the next call is."""
    if in_progress:
        return POLL
    return poll_until(Call.objects.filter(status=CallStatus.SCHEDULED).order_by("due_at").first(), now)


@page
@require_POST
def cancel_many(request: StaffRequest) -> HttpResponse:
    """Ask, then cancel the chosen calls one by one; each that can no longer be is counted."""
    request.user.actor().require(Role.OPERATOR)
    ids = request.POST.getlist("call")[:MOST_AT_ONCE]
    if "confirmed" not in request.POST:
        calls = Call.objects.filter(pk__in=ids).select_related("contact").newest()
        return dialog(request, "calls/cancel_many.html", {"calls": calls})
    _report(request, [_canceled(request, call_id) for call_id in ids])
    return redirect("call-list")


def _canceled(request: StaffRequest, call_id: str) -> str:
    try:
        call = cancel_call(actor=request.user.actor(), call_id=call_id, now=clock.now())
    except (Conflict, NotFound):
        return "late"
    return call.status


def _report(request: StaffRequest, ends: Sequence[str]) -> None:
    canceled, asked, late = (ends.count(end) for end in ("canceled", "in_progress", "late"))
    if canceled:
        messages.success(
            request, ngettext("{n} call canceled.", "{n} calls canceled.", canceled).format(n=canceled)
        )
    if asked:
        messages.info(request, _("{n} in progress: the hang-up is asked for.").format(n=asked))
    if late:
        messages.warning(request, _("{n} could no longer be canceled.").format(n=late))
