"""Every change to a campaign, as a verb."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F

from calls.actions.stop import hold_claims
from campaigns.actions.agents import get_agent
from campaigns.models import Campaign
from campaigns.states import OVER, TRANSITIONS, CampaignStatus
from contacts.models import Purpose
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry, Mode
from temphone.lib.errors import Conflict, NotFound
from temphone.said import in_english

EDITABLE = ("name", "purpose", "agent_id")


def get_campaign(*, actor: Actor, campaign_id: str) -> Campaign:
    """The campaign, if whoever asks may see it: a key sees those of its own mode.

    Raises:
        NotFound: there is none.
    """
    campaigns = Campaign.objects.filter(pk=campaign_id)
    campaign = (campaigns.filter(mode=actor.mode) if actor.mode else campaigns).first()
    if campaign is None:
        raise NotFound(f"Campaign not found: {campaign_id}.", code="campaign_not_found")
    return campaign


def lock_campaign(*, actor: Actor, campaign_id: str) -> Campaign:
    """The same, locked until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    Campaign.objects.select_for_update(no_key=True).filter(pk=campaign_id).first()
    return get_campaign(actor=actor, campaign_id=campaign_id)


@transaction.atomic
def create_campaign(
    *,
    actor: Actor,
    name: str,
    mode: Mode,
    purpose: Purpose = Purpose.INFORMATIONAL,
    agent_id: str | None = None,
    now: datetime,
) -> Campaign:
    """Make a campaign; it runs at once, so its calls are dialled when they are due.

    Raises:
        Forbidden
        NotFound, Conflict: there is no such agent, or it is archived.
    """
    actor.require(Role.MANAGER)
    must_be_offered(agent_id)
    campaign = Campaign.objects.create(
        name=name, mode=mode, purpose=purpose, agent_id=agent_id, created_at=now
    )
    AuditEntry.record(actor, "campaign.create", campaign.pk)
    return campaign


@transaction.atomic
def update_campaign(
    *, actor: Actor, campaign_id: str, changes: Mapping[str, object], now: datetime
) -> Campaign:
    """Change what ``changes`` names of EDITABLE. The purpose decides which consent its calls need.

    Raises:
        Forbidden, NotFound
        Conflict: the agent is archived.
    """
    actor.require(Role.MANAGER)
    columns = {name: value for name, value in changes.items() if name in EDITABLE}
    must_be_offered(columns.get("agent_id"))
    if "purpose" in columns:
        hold_claims()  # one under way asks for the consent of the old purpose
    campaign = get_campaign(actor=actor, campaign_id=campaign_id)
    Campaign.objects.filter(pk=campaign.pk).update(**columns, version=F("version") + 1, updated_at=now)
    AuditEntry.record(actor, "campaign.change", campaign.pk, fields=sorted(columns))
    return get_campaign(actor=actor, campaign_id=campaign_id)


def must_be_offered(agent_id: object) -> None:
    """Return if the agent, where one is named, may be chosen.

    Raises:
        NotFound, Conflict
    """
    if isinstance(agent_id, str) and (agent := get_agent(agent_id)).archived_at:
        raise Conflict(f"{agent.name} is archived. Choose another agent.", code="agent_archived")


def must_be_as_seen(campaign: Campaign, version: int | None) -> None:
    """Return if nobody has written the campaign since whoever acts saw it; None: they saw nothing.

    Raises:
        Conflict
    """
    if version is not None and version != campaign.version:
        raise Conflict(
            f"Somebody else has changed {campaign.name} meanwhile. Look at it again before you go on.",
            code="changed_meanwhile",
        )


def pause_campaign(*, actor: Actor, campaign_id: str, now: datetime) -> Campaign:
    """Hold the campaign's calls: after this has returned, none of them is dialled until it is resumed.

    Raises:
        Forbidden, NotFound, Conflict
    """
    return _go(CampaignStatus.PAUSED, "campaign.pause", actor, campaign_id, now)


def resume_campaign(*, actor: Actor, campaign_id: str, now: datetime) -> Campaign:
    """Let the campaign's calls go on.

    Raises:
        Forbidden, NotFound, Conflict
    """
    return _go(CampaignStatus.RUNNING, "campaign.resume", actor, campaign_id, now)


def cancel_campaign(*, actor: Actor, campaign_id: str, now: datetime) -> Campaign:
    """End the campaign for good: after this has returned, none of its calls is dialled any more.

    Raises:
        Forbidden, NotFound, Conflict
    """
    return _go(CampaignStatus.CANCELED, "campaign.cancel", actor, campaign_id, now)


@transaction.atomic
def _go(to: CampaignStatus, action: str, actor: Actor, campaign_id: str, now: datetime) -> Campaign:
    actor.require(Role.MANAGER)
    # A claim under way has read the old status: wait for it, and let the next one read the new.
    hold_claims()
    campaign = get_campaign(actor=actor, campaign_id=campaign_id)
    before = CampaignStatus(campaign.status)
    # What was written on its page has no calls yet: it is launched there, which makes them.
    is_unlaunched = campaign.is_draft and bool(campaign.message) and to == CampaignStatus.RUNNING
    if to not in TRANSITIONS[before] or is_unlaunched:
        raise Conflict(
            f"Campaign {campaign.pk} is {in_english(before.label).lower()}.", code=f"campaign_{before.value}"
        )
    # A launch that something is in the way of would otherwise be waited for on its page for ever.
    ends_launch = (
        {"launch_ended_at": now, "launch_problem": ""} if to in OVER and campaign.is_launching else {}
    )
    won = Campaign.objects.filter(pk=campaign.pk, status=before).update(
        status=to, updated_at=now, **ends_launch
    )
    if not won:
        raise Conflict(f"Campaign {campaign.pk} has changed meanwhile.", code="changed_meanwhile")
    AuditEntry.record(actor, action, campaign.pk, before=before.value)
    campaign.status, campaign.updated_at = to, now
    return campaign
