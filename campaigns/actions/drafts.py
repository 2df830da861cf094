"""Write a campaign before it is launched."""

from collections.abc import Mapping
from datetime import datetime, time

from django.conf import settings
from django.db import transaction

from calls import messages
from calls.actions.lookup import live_numbers
from calls.actions.scheduling import FURTHEST, shown_number
from campaigns.actions import lock_campaign, must_be_as_seen, must_be_offered
from campaigns.models import Campaign
from campaigns.models.audience import MOST_PICKED
from campaigns.states import CampaignStatus
from contacts.actions import e164
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry, Mode
from temphone.lib.errors import Conflict, Invalid

WRITTEN = (
    "name",
    "purpose",
    "agent_id",
    "message",
    "audience",
    "starts_on",
    "opens",
    "closes",
    "calls_per_minute",
    "max_attempts",
    "first_calls",
    "caller_id",
    "recording_enabled",
)


@transaction.atomic
def save_draft(
    *,
    actor: Actor,
    campaign_id: str | None,
    mode: Mode,
    values: Mapping[str, object],
    version: int | None = None,
    now: datetime,
) -> Campaign:
    """Make a draft (without an id), or change what ``values`` names of WRITTEN. The mode is chosen once.

    ``version`` is the one that whoever changes it has seen.

    Raises:
        Forbidden, NotFound
        Invalid: the message is no template; the window is none, or not within the calling hours; the caller
            ID is no number, or for real calls none of ours.
        Refused: it asks for a caller ID of real lines, and there are none.
        Conflict: it is no draft any more, or not the one that was seen; or its agent is archived.
    """
    actor.require(Role.MANAGER)
    columns = {name: value for name, value in values.items() if name in WRITTEN}
    must_be_offered(columns.get("agent_id"))
    campaign = _locked(actor, campaign_id, version) if campaign_id else _new(mode, now)
    for name, value in columns.items():
        setattr(campaign, name, value)
    campaign.version, campaign.updated_at = campaign.version + 1, now
    _check(campaign, now)
    campaign.save()
    AuditEntry.record(actor, "campaign.draft", campaign.pk, fields=sorted(columns))
    return campaign


def _new(mode: Mode, now: datetime) -> Campaign:
    return Campaign(mode=mode, status=CampaignStatus.DRAFT, version=0, created_at=now)


def _locked(actor: Actor, campaign_id: str, version: int | None) -> Campaign:
    campaign = lock_campaign(actor=actor, campaign_id=campaign_id)
    if not campaign.is_draft:
        raise Conflict(f"{campaign.name} was launched already.", code="campaign_launched")
    must_be_as_seen(campaign, version)
    return campaign


def _check(campaign: Campaign, now: datetime) -> None:
    messages.check(campaign.message, field="message")
    if campaign.caller_id:
        e164("caller_id", campaign.caller_id)
        shown_number(campaign.mode, campaign.caller_id, live_numbers(campaign.mode))
    if len(campaign.whom.ids) > MOST_PICKED:
        raise Invalid.field("audience", f"must be {MOST_PICKED} people at most; use a tag for more.")
    if campaign.starts_on and campaign.starts_on > (now + FURTHEST).date():
        raise Invalid.field("starts_on", "must be within a year.")
    if bool(campaign.opens) != bool(campaign.closes):
        raise Invalid.field("closes", "must be given together with when it opens, or neither.")
    if campaign.window:
        _check_window(*campaign.window)


def _check_window(opens: time, closes: time) -> None:
    first, last = settings.CALLING_HOURS
    if (opens.hour, opens.minute) >= (closes.hour, closes.minute):
        raise Invalid.field("closes", "must be a minute after it opens, or more.")
    if opens < first or closes > last:
        raise Invalid.field(
            "opens", f"must be a window within the calling hours, {first:%H:%M} to {last:%H:%M}."
        )
