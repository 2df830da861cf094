"""Campaigns for programs."""

from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.actions import (
    cancel_campaign,
    create_campaign,
    get_campaign,
    pause_campaign,
    resume_campaign,
    update_campaign,
)
from campaigns.models import Campaign
from campaigns.serializers import CampaignBody, CampaignData, campaign_data
from temphone.api.base import ApiView
from temphone.api.document import PAGE, operation, page_of
from temphone.api.envelope import Answer
from temphone.api.pagination import page


class Campaigns(ApiView):
    """The campaigns of the key's mode."""

    @operation("listCampaigns", data=page_of(CampaignData), parameters=PAGE)
    def get(self, _request: Request) -> Response:
        """List campaigns, the newest first."""
        campaigns = Campaign.objects.filter(mode=self.mode)
        return Answer(page(campaigns, self.query, by="created_at", render=campaign_data))

    @operation(
        "createCampaign", body=CampaignBody, data=CampaignData, status=201, also={404: None, 409: None}
    )
    def post(self, request: Request) -> Response:
        """Create a campaign; it runs at once."""
        campaign = create_campaign(
            actor=self.actor, mode=self.mode, **CampaignBody.read(request), now=self.now
        )
        return Answer(campaign_data(campaign), "Campaign created.", status=201)


class CampaignDetail(ApiView):
    """One campaign."""

    @operation("getCampaign", data=CampaignData)
    def get(self, _request: Request, campaign_id: str) -> Response:
        """Show the campaign."""
        return Answer(campaign_data(get_campaign(actor=self.actor, campaign_id=campaign_id)))

    @operation("changeCampaign", body=CampaignBody, data=CampaignData, also={409: None})
    def patch(self, request: Request, campaign_id: str) -> Response:
        """Change the campaign's name, purpose or agent."""
        changes = CampaignBody.read(request, partial=True)
        campaign = update_campaign(actor=self.actor, campaign_id=campaign_id, changes=changes, now=self.now)
        return Answer(campaign_data(campaign), "Campaign changed.")


class PauseCampaign(ApiView):
    """A campaign's rest."""

    @operation("pauseCampaign", data=CampaignData, also={409: None})
    def post(self, _request: Request, campaign_id: str) -> Response:
        """Hold the campaign's calls until it is resumed."""
        campaign = pause_campaign(actor=self.actor, campaign_id=campaign_id, now=self.now)
        return Answer(campaign_data(campaign), "Campaign paused.")


class ResumeCampaign(ApiView):
    """The end of a campaign's rest."""

    @operation("resumeCampaign", data=CampaignData, also={409: None})
    def post(self, _request: Request, campaign_id: str) -> Response:
        """Let the campaign's calls go on."""
        campaign = resume_campaign(actor=self.actor, campaign_id=campaign_id, now=self.now)
        return Answer(campaign_data(campaign), "Campaign resumed.")


class CancelCampaign(ApiView):
    """A campaign's end."""

    @operation("cancelCampaign", data=CampaignData, also={409: None})
    def post(self, _request: Request, campaign_id: str) -> Response:
        """End the campaign for good."""
        campaign = cancel_campaign(actor=self.actor, campaign_id=campaign_id, now=self.now)
        return Answer(campaign_data(campaign), "Campaign canceled.")
