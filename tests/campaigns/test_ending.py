"""How campaigns end, and what of them does not."""

from datetime import timedelta

import pytest

from calls.actions.dialing import claim_due
from campaigns import tasks
from campaigns.actions.ending import through, with_rest
from campaigns.models import Campaign
from campaigns.states import CampaignStatus
from temphone.accounts.models import AuditEntry
from tests.builders import NOON, a_call, a_campaign, a_gateway

pytestmark = pytest.mark.django_db


def end_with(status: CampaignStatus, **columns) -> Campaign:
    campaign = a_campaign()
    Campaign.objects.filter(pk=campaign.pk).update(status=status, **columns)
    tasks.end()
    campaign.refresh_from_db()
    return campaign


def test_a_call_that_was_scheduled_as_its_campaign_was_completed_is_made():
    a_gateway()
    campaign = a_campaign()
    call = a_call(campaign_id=campaign.pk)
    earlier = NOON - timedelta(hours=2)
    Campaign.objects.filter(pk=campaign.pk).update(
        status="completed", launch_asked_at=earlier, launch_ended_at=earlier
    )
    assert with_rest(NOON).exists()
    tasks.end()
    campaign.refresh_from_db()
    assert campaign.status == "running"
    assert AuditEntry.objects.filter(action="campaign.reopen", target=campaign.pk).exists()
    requests, _ = claim_due(mode="test", now=NOON)
    assert [request.to for request in requests] == [call.contact.phone]
    assert not through(NOON).exists()


@pytest.mark.parametrize("status", [CampaignStatus.COMPLETED, CampaignStatus.CANCELED])
def test_what_is_over_and_has_nothing_to_come_stays_over(status):
    assert end_with(status).status == status
    assert not with_rest(NOON).exists()
