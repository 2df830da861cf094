"""The page of one call, live while it runs; and what may be done to it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from calls import messages as spoken
from calls.actions.changing import cancel_call, get_call, update_call
from calls.forms import MomentForm, NoteForm
from calls.models import Attempt, Call, Decision, Prices, TranscriptTurn
from calls.models.call import needs_attention
from calls.models.history import Verdict
from calls.states import CallStatus
from calls.views.browsing import VIEWS, Browsing
from calls.views.moves import told
from calls.views.players import Player, players_of, recorded, signature
from calls.views.rows import POLL, Row, poll_until
from calls.views.why import title_of, why
from campaigns.models import AgentVersion, Engine
from contacts.models import Suppression
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.lib.clock import zone
from temphone.lib.errors import Conflict, DomainError, Invalid
from temphone.pages import StaffRequest, dialog, page
from temphone.webhooks.models import Delivery

LIVE = "every 1s"
LONGEST_CURSOR = 20
ANALYSIS_TAKES = timedelta(seconds=30)


@page
@require_safe
def call_page(request: StaffRequest, call_id: str) -> HttpResponse:
    """The page, or for htmx what has changed of it and what was said after the cursor ``after``."""
    now, actor = clock.now(), request.user.actor()
    call = get_call(actor=actor, call_id=call_id)
    attempts = Attempt.objects.select_related("trunk", "agent_version")
    prefetch_related_objects([call], Prefetch("attempts", attempts), "marks")
    after = request.GET.get("after", "") if request.htmx else ""
    at = call.scheduled_at if call.is_final else call.due_at
    row = Row(call=call, at=at, now=now, prices=Prices())
    turns = list(_turns_after(call, after))
    cursor = _cursor(turns) or after
    players = players_of(call, row.attempts, actor, now)
    heard = signature(players)
    decisions = list(call.decisions.select_related("attempt").order_by("-id"))
    context = {
        "call": call,
        "row": row,
        "attempt": row.last_attempt,
        "events": list(call.events.select_related("attempt")),
        "decisions": decisions,
        "why": why(row, decisions),
        "why_title": title_of(row),
        "warnings": _warnings(decisions),
        "needs_attention": needs_attention(call, now),
        **({} if request.htmx else _around(request, call, now)),
        "deliveries": _deliveries(call),
        "turns": turns,
        "cursor": cursor,
        "seen_attempt": after.partition(".")[0],
        "players": players,
        "playable": {player.attempt.number for player in players if player.recording},
        "heard": heard,
        "recordings_changed": request.GET.get("heard") != heard,
        "recorded": recorded(call),
        "poll": _poll(call, players, now) or _poll_analysis(row.last_attempt, now),
        "questions": _questions(row.last_attempt),
        "rendered": _rendered(call, now),
        "suppressed": _is_suppressed(call, now),
    }
    return render(request, "calls/detail.html#live" if request.htmx else "calls/detail.html", context)


def _around(request: StaffRequest, call: Call, now: datetime) -> dict[str, object]:
    """What stands still while the call goes on: notes, and the neighbours in the list one came from."""
    around: dict[str, object] = {"notes": list(call.notes.all()), "note_form": NoteForm()}
    if "view" in request.GET:
        browsing = Browsing.of(request.GET, request.user, now)
        back, forth = browsing.neighbours(call)
        around |= {"browsing": browsing, "list_label": VIEWS[browsing.view][0], "back": back, "forth": forth}
    return around


def _warnings(decisions: list[Decision]) -> list[dict[str, object]]:
    """What the gates warned of when they were last asked, and whether a live call would be refused for it."""
    checks = decisions[0].checks if decisions else []
    live = settings.POLICIES["live"]
    refusing = {
        "consent": live["consent"] == "require",
        "calling_hours": live["hours"] == "reject",
        "destination": True,
    }
    return [
        {**check, "live_refuses": refusing.get(check["rule"], False)}
        for check in checks
        if check["verdict"] == Verdict.WARN
    ]


def _turns_after(call: Call, cursor: str) -> QuerySet[TranscriptTurn]:
    """What was said in all attempts, after the cursor ``<attempt number>.<sequence>``."""
    turns = TranscriptTurn.objects.filter(attempt__call=call).select_related("attempt")
    attempt, dot, sequence = cursor.partition(".")
    if dot and len(cursor) < LONGEST_CURSOR and attempt.isdecimal() and sequence.isdecimal():
        same = Q(attempt__number=int(attempt), sequence__gt=int(sequence))
        turns = turns.filter(same | Q(attempt__number__gt=int(attempt)))
    return turns.order_by("attempt__number", "sequence")


def _cursor(turns: list[TranscriptTurn]) -> str:
    return f"{turns[-1].attempt.number}.{turns[-1].sequence}" if turns else ""


def _poll(call: Call, players: list[Player], now: datetime) -> str:
    """The htmx trigger; none once the call is final, and its recording not awaited."""
    if call.is_final:
        return POLL if any(player.is_awaited for player in players) else ""
    if call.status == CallStatus.IN_PROGRESS:
        return LIVE
    trigger = poll_until(call, now)
    return LIVE if trigger == POLL else trigger


def _poll_analysis(attempt: Attempt | None, now: datetime) -> str:
    """The trigger while a language model may still read a call that has just ended."""
    version = attempt.agent_version if attempt and attempt.analyzed_by == "rules" else None
    if attempt is None or attempt.ended_at is None or version is None or version.engine != Engine.LLM:
        return ""
    return POLL if now - attempt.ended_at < ANALYSIS_TAKES else ""


def _questions(attempt: Attempt | None) -> list[tuple[str, object]]:
    """What was to be learned, in the agent's words and order, with what was."""
    if attempt is None or not attempt.extracted:
        return []
    asked = {one["name"]: one["text"] for one in (attempt.agent_version or AgentVersion()).questions}
    known = [name for name in asked if name in attempt.extracted]
    return [(asked[name], attempt.extracted[name]) for name in known]


def _rendered(call: Call, now: datetime) -> str:
    """The message as it would be spoken; empty where a value has gone missing since."""
    try:
        return spoken.render_for(call, now=max(call.due_at, now))
    except Invalid:
        return ""


def _is_suppressed(call: Call, now: datetime) -> bool:
    number = call.contact.phone
    return any(one.covers(number) for one in Suppression.objects.in_force(now).covering([number]))


def _deliveries(call: Call) -> list[Delivery]:
    sent = Delivery.objects.filter(subject=call.pk).select_related("endpoint").prefetch_related("log")
    return list(sent.order_by("id"))


@page
@require_http_methods(["GET", "HEAD", "POST"])
def call_cancel(request: StaffRequest, call_id: str) -> HttpResponse:
    """Ask, then cancel the call, or ask for the hang-up of one in progress."""
    actor = request.user.actor()
    actor.require(Role.OPERATOR)
    if request.method != "POST":
        call = get_call(actor=actor, call_id=call_id)
        return dialog(request, "calls/cancel.html", {"call": call})
    try:
        call = cancel_call(actor=actor, call_id=call_id, now=clock.now())
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("call", call_id=call_id)
    if call.status == CallStatus.CANCELED:
        messages.success(request, _("The call is canceled. It will not ring."))
    else:
        messages.info(request, _("The hang-up is asked for."))
    return redirect("call", call_id=call_id)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def call_move(request: StaffRequest, call_id: str) -> HttpResponse:
    """Move a scheduled call to another time."""
    actor = request.user.actor()
    actor.require(Role.OPERATOR)
    call = get_call(actor=actor, call_id=call_id)
    form = MomentForm(request.POST or None, user=request.user, initial=_moment(call))
    moved = _moved(request, call, form) if request.method == "POST" and form.is_valid() else None
    if request.headers.get("Accept") == "application/json":
        return told(form, moved)
    if moved:
        messages.success(request, _("The call is moved."))
        return redirect("call", call_id=call_id)
    return dialog(request, "calls/move.html", {"call": call, "form": form})


def _moment(call: Call) -> dict[str, object]:
    local = call.due_at.astimezone(zone(call.contact.timezone))
    return {"date": local.date(), "time": local.time(), "whose": "contact"}


def _moved(request: StaffRequest, call: Call, form: MomentForm) -> Call | None:
    changes = {
        "scheduled_at": form.scheduled_at,
        "timezone": form.zone_name or call.contact.timezone,
    }
    try:
        return update_call(actor=request.user.actor(), call_id=call.pk, changes=changes, now=clock.now())
    except DomainError as error:
        form.refuse(error)
        return None
