"""The bodies that programs send about campaigns, and how the API shows these."""

from campaigns.models import Campaign
from contacts.models import Purpose
from temphone.api.fields import Body, TextField, WordField
from temphone.lib.data import present


class CampaignBody(Body):
    """A campaign; its mode is the key's."""

    name = TextField(least=1, most=200)
    purpose = WordField(Purpose.values, required=False)


def campaign_data(campaign: Campaign) -> dict[str, object]:
    """A campaign as the API shows it."""
    return present(
        {
            "campaign_id": campaign.pk,
            "name": campaign.name,
            "status": campaign.status,
            "mode": campaign.mode,
            "purpose": campaign.purpose,
            "created_at": campaign.created_at,
            "updated_at": campaign.updated_at,
        }
    )
