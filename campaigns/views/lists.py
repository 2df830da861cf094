"""The list of campaigns."""

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from campaigns.actions.tallies import tallies
from campaigns.models import Campaign
from campaigns.states import CampaignStatus
from campaigns.views.progress import CampaignRow
from temphone.pages import StaffRequest, page, read_page

NEWEST = ("-created_at", "-id")
POLL = "every 5s"


@page
@require_safe
def campaign_list(request: StaffRequest) -> HttpResponse:
    """All campaigns, the latest first, or those in one state; for htmx the results alone."""
    state = request.GET.get("state", "")
    state = state if state in CampaignStatus.values else ""
    campaigns = Campaign.objects.filter(status=state) if state else Campaign.objects.all()
    listing = read_page(campaigns, request.GET, keys=NEWEST)
    found = tallies([campaign.pk for campaign in listing.rows])
    rows = [CampaignRow(campaign=campaign, tally=found[campaign.pk]) for campaign in listing.rows]
    context = {
        "state": state,
        "tabs": _tabs(),
        "listing": listing,
        "rows": rows,
        "poll": POLL if any(row.is_live for row in rows) else "",
    }
    template = "campaigns/list.html"
    return render(request, f"{template}#results" if request.htmx else template, context)


def _tabs() -> list[dict[str, object]]:
    """The states that there are, with how many are in each."""
    counts = dict(Campaign.objects.order_by().values_list("status").annotate(Count("pk")))
    shown = [one for one in CampaignStatus if one != CampaignStatus.SCHEDULED or counts.get(one)]
    tabs = [(one.value, one.label, counts.get(one, 0)) for one in shown]
    return [
        {"name": name, "label": label, "count": count}
        for name, label, count in [("", _("All"), sum(counts.values())), *tabs]
    ]
