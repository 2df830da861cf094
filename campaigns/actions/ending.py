"""How campaigns end: a canceled one's calls are canceled, and one that is through is completed."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from calls.actions.changes import gathering
from calls.actions.finishing import finish_call
from calls.actions.stop import hold_claims
from calls.models import Call
from calls.states import CallStatus
from campaigns.models import Campaign
from campaigns.states import OVER, CampaignStatus
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import AuditEntry
from temphone.telephony.messages import Outcome

BATCH = 500


def with_rest(_now: datetime) -> QuerySet[Campaign]:
    """Campaigns that are over, and of which calls are still scheduled."""
    scheduled = Call.objects.filter(campaign=OuterRef("pk"), status=CallStatus.SCHEDULED)
    return Campaign.objects.filter(Exists(scheduled), status__in=OVER)


def through(_now: datetime) -> QuerySet[Campaign]:
    """Launched campaigns that run, and have no call left."""
    to_come = (CallStatus.SCHEDULED, CallStatus.IN_PROGRESS)
    left = Call.objects.filter(campaign=OuterRef("pk"), status__in=to_come)
    launched = Campaign.objects.filter(status=CampaignStatus.RUNNING, launch_ended_at__isnull=False)
    return launched.filter(~Exists(left))


def cancel_rest(*, campaign_id: str, now: datetime, limit: int = BATCH) -> int:
    """Cancel the next calls of a canceled campaign; how many. What is up goes on to its end.

    None of them would be dialled anyway: the claim takes those of running campaigns. Stop wherever you like.
    """
    with gathering(now) as changes:
        if not Campaign.objects.filter(pk=campaign_id, status=CampaignStatus.CANCELED).exists():
            return 0
        scheduled = Call.objects.filter(campaign=campaign_id, status=CallStatus.SCHEDULED)
        locked = scheduled.order_by("due_at", "id").select_for_update(skip_locked=True)
        calls = list(locked[:limit])
        for call in calls:
            finish_call(changes, call, Outcome.CANCELED_BY_USER, reason="the campaign was canceled")
    return len(calls)


@transaction.atomic
def complete_through(*, now: datetime) -> int:
    """Complete the campaigns that are through; how many."""
    ids = list(through(now).values_list("pk", flat=True))
    if not ids:
        return 0
    hold_claims()  # as every change of a campaign's status does
    done = list(through(now).filter(pk__in=ids).select_for_update(of=("self",), no_key=True))
    Campaign.objects.filter(pk__in=[one.pk for one in done]).update(
        status=CampaignStatus.COMPLETED, updated_at=now
    )
    for campaign in done:
        AuditEntry.record(SYSTEM, "campaign.complete", campaign.pk)
    return len(done)


@transaction.atomic
def reopen_completed(*, now: datetime) -> int:
    """Let completed campaigns run on that have calls to come; how many.

    Whoever scheduled a call saw the campaign running, and was told that the call will be made; it was
    completed before the call could be seen. To prevent it, all who schedule would have to queue for its row.
    """
    completed = with_rest(now).filter(status=CampaignStatus.COMPLETED)
    if not completed.exists():
        return 0
    hold_claims()  # as every change of a campaign's status does
    ids = list(completed.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    Campaign.objects.filter(pk__in=ids).update(status=CampaignStatus.RUNNING, updated_at=now)
    for campaign_id in ids:
        AuditEntry.record(SYSTEM, "campaign.reopen", campaign_id)
    return len(ids)
