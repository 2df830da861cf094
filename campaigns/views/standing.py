"""The page of one campaign, live while it runs; and pausing, resuming and canceling it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from calls.gates import LATE_CAMPAIGN_S
from calls.hours import is_open, next_opening
from calls.models import Call
from calls.states import OUTCOME_LABELS, CallStatus
from calls.views.browsing import turned, with_rows
from calls.views.rows import Row
from campaigns.actions import cancel_campaign, get_campaign, pause_campaign, resume_campaign
from campaigns.actions.ending import cancel_rest
from campaigns.actions.launching import AT_ONCE, let_on, schedule_some
from campaigns.actions.tallies import (
    NEVER_DIALED,
    SPOKEN,
    UNREACHED,
    VOICEMAIL,
    Tally,
    outcomes_of,
    tally_of,
)
from campaigns.models import Campaign
from campaigns.states import TRANSITIONS, CampaignStatus
from campaigns.views.progress import CampaignRow, Part, bar, drawn
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.lib.clock import zone
from temphone.lib.errors import DomainError
from temphone.pages import StaffRequest, capped_count, dialog, page, read_page
from temphone.telephony.messages import Outcome

OFTEN, SELDOM = "every 4s", "every 15s"
LOOKED_AT = 2_000  # calls to come, for where they wait
MOST_ZONES = 8
UPCOMING = ("due_at", "id")
NEWEST = ("-scheduled_at", "-id")
VIEWS: dict[str, tuple[Any, CallStatus | None]] = {
    "upcoming": (gettext_lazy("Still to call"), CallStatus.SCHEDULED),
    "live": (gettext_lazy("In progress"), CallStatus.IN_PROGRESS),
    "completed": (gettext_lazy("Reached"), CallStatus.COMPLETED),
    "failed": (gettext_lazy("Not reached"), CallStatus.FAILED),
    "all": (gettext_lazy("All"), None),
}
# The same calls as the list of calls has them, for whoever goes from one to the next.
LISTED = {
    "upcoming": {"view": "upcoming"},
    "live": {"view": "live"},
    "completed": {"view": "completed"},
    "failed": {"view": "all", "status": CallStatus.FAILED.value},
    "all": {"view": "all"},
}


@page
@require_safe
def campaign_page(request: StaffRequest, campaign_id: str) -> HttpResponse:
    """The page, or for htmx what changes of it."""
    now = clock.now()
    campaign = get_campaign(actor=request.user.actor(), campaign_id=campaign_id)
    tally = tally_of(campaign.pk)
    outcomes = outcomes_of(campaign.pk, tally)
    row = CampaignRow(campaign=campaign, tally=tally)
    parts = _parts(row, outcomes)
    context = {
        "campaign": campaign,
        "row": row,
        "tally": tally,
        "parts": parts,
        "series": drawn(parts),
        "results": _results(outcomes),
        "waiting": _waiting(campaign, now),
        "may": {status.value for status in TRANSITIONS[CampaignStatus(campaign.status)]},
        "poll": _poll(row),
        **_calls(request, campaign, tally, now),
    }
    template = "campaigns/detail.html"
    return render(request, f"{template}#live" if request.htmx else template, context)


def _poll(row: CampaignRow) -> str:
    """Often while something happens, seldom while it is held; never once it is over."""
    if row.is_live:
        return OFTEN
    return SELDOM if row.campaign.status == CampaignStatus.PAUSED else ""


def _parts(row: CampaignRow, outcomes: Mapping[Outcome, int]) -> list[Part]:
    def of(*some: Outcome) -> int:
        return sum(outcomes.get(outcome, 0) for outcome in some)

    told = of(*SPOKEN, *VOICEMAIL, *UNREACHED, Outcome.CANCELED_BY_USER)
    return bar(
        ("reached", _("A person answered"), of(*SPOKEN)),
        ("voicemail", _("Voicemail"), of(*VOICEMAIL)),
        ("unanswered", _("No answer or busy"), of(*UNREACHED)),
        ("failed", _("Could not be made"), sum(outcomes.values()) - told),
        ("canceled", _("Canceled"), of(Outcome.CANCELED_BY_USER)),
        ("progress", _("In progress"), row.tally.in_progress),
        ("waiting", _("Still to call"), row.remaining),
    )


def _results(outcomes: Mapping[Outcome, int]) -> dict[str, Any]:
    """How the calls ended, and how many of those dialled were answered by a person."""
    dialed = sum(count for outcome, count in outcomes.items() if outcome not in NEVER_DIALED)
    answered = sum(outcomes.get(outcome, 0) for outcome in SPOKEN)
    total = sum(outcomes.values())
    return {
        "rows": [
            {
                "outcome": outcome.value,
                "label": OUTCOME_LABELS[outcome],
                "count": count,
                "share": round(100 * count / total),
            }
            for outcome, count in outcomes.items()
        ],
        "dialed": dialed,
        "answered": answered,
        "rate": round(100 * answered / dialed) if dialed else None,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A zone where calls wait for the next opening."""

    zone: str
    count: int
    opens_at: datetime


def _waiting(campaign: Campaign, now: datetime) -> dict[str, Any]:
    """Where the next calls wait for their morning; as many of them are looked at as is quick."""
    to_come = Call.objects.having({"campaign_id": campaign.pk, "status": CallStatus.SCHEDULED})
    zones = list(to_come.order_by(*UPCOMING).values_list("contact__timezone", flat=True)[:LOOKED_AT])
    places = [
        Place(zone=name, count=count, opens_at=next_opening(now, name, campaign.window))
        for name, count in Counter(zones).items()
        if not is_open(now.astimezone(zone(name)), campaign.window)
    ]
    places.sort(key=lambda place: (place.opens_at, -place.count, place.zone))
    return {
        "places": places[:MOST_ZONES],
        "more": len(places) - MOST_ZONES,
        "looked_at": LOOKED_AT if len(zones) == LOOKED_AT else None,
    }


def _calls(request: StaffRequest, campaign: Campaign, tally: Tally, now: datetime) -> dict[str, Any]:
    """Its calls, in the view that the address names."""
    view = request.GET.get("view", "")
    view = view if view in VIEWS else "upcoming" if tally.remaining else "all"
    status = VIEWS[view][1]
    conditions = {"campaign_id": campaign.pk} | ({"status": status} if status else {})
    is_turned = request.GET.get("sort") == "turned"
    order: tuple[str, ...] = UPCOMING if view == "upcoming" else NEWEST
    keys = turned(order) if is_turned else order
    listing = read_page(with_rows(Call.objects.having(conditions)), request.GET, keys=keys)
    at = keys[0].strip("-")
    sort = {"sort": "turned"} if is_turned else {}
    return {
        "view": view,
        "is_turned": is_turned,
        "query_here": "?" + urlencode({**LISTED[view], "campaign": campaign.pk, **sort}),
        "tabs": [
            {"name": name, "label": label, "count": tally.of(status) if status else tally.total}
            for name, (label, status) in VIEWS.items()
        ],
        "listing": listing,
        "rows": [Row(call=call, at=getattr(call, at), now=now) for call in listing.rows],
    }


Turn = Callable[..., Campaign]
TURNS: dict[str, tuple[Turn, Any]] = {
    "pause": (pause_campaign, gettext_lazy("{name} is paused. Nothing new is dialled.")),
    "resume": (resume_campaign, gettext_lazy("{name} goes on.")),
    "let_on": (let_on, gettext_lazy("{name} goes on with the other calls.")),
    "cancel": (cancel_campaign, gettext_lazy("{name} is canceled. Nobody more is called.")),
}


@page
@require_http_methods(["GET", "HEAD", "POST"])
def campaign_turn(request: StaffRequest, campaign_id: str, turn: str) -> HttpResponse:
    """Ask, then pause, resume or cancel it, or let its launch go on."""
    actor, now = request.user.actor(), clock.now()
    actor.require(Role.MANAGER)
    campaign = get_campaign(actor=actor, campaign_id=campaign_id)
    if request.method != "POST":
        row = CampaignRow(campaign=campaign, tally=tally_of(campaign.pk))
        late = now - timedelta(seconds=LATE_CAMPAIGN_S)
        scheduled = Call.objects.having({"campaign_id": campaign.pk, "status": CallStatus.SCHEDULED})
        context = {
            "campaign": campaign,
            "turn": turn,
            "tally": row.tally,
            "first_ended": row.first_ended,
            "unscheduled": row.unscheduled,
            "late": capped_count(scheduled.filter(due_at__lt=late).order_by(*UPCOMING)),
        }
        return dialog(request, "campaigns/turn.html", context)
    act, told = TURNS[turn]
    try:
        act(actor=actor, campaign_id=campaign.pk, now=now)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        if turn == "cancel":
            cancel_rest(campaign_id=campaign.pk, now=now)  # of many, the worker does the rest
        if turn == "let_on":
            schedule_some(campaign_id=campaign.pk, now=now, limit=AT_ONCE)  # likewise
        messages.success(request, told.format(name=campaign.name))
    return redirect("campaign", campaign_id=campaign.pk)
