"""The bodies that programs send about campaigns, and how the API shows these."""

from rest_framework import serializers

from campaigns.models import Campaign
from campaigns.states import CampaignStatus
from contacts.models import Purpose
from temphone.accounts.models import Mode
from temphone.api.fields import Body, IdField, Shape, TextField, WordField
from temphone.lib.data import present


class CampaignBody(Body):
    """A campaign; its mode is the key's."""

    name = TextField(least=1, most=200)
    purpose = WordField(Purpose.values, required=False)
    agent_id = IdField(required=False, allow_null=True)


class CampaignData(Shape):
    """A campaign."""

    campaign_id = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(CampaignStatus.choices)
    mode = serializers.ChoiceField(Mode.choices)
    purpose = serializers.ChoiceField(Purpose.choices)
    agent_id = serializers.CharField(required=False)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def campaign_data(campaign: Campaign) -> dict[str, object]:
    """A campaign as the API shows it."""
    return present(
        {
            "campaign_id": campaign.pk,
            "name": campaign.name,
            "status": campaign.status,
            "mode": campaign.mode,
            "purpose": campaign.purpose,
            "agent_id": campaign.agent_id,
            "created_at": campaign.created_at,
            "updated_at": campaign.updated_at,
        }
    )
