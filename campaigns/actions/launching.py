"""Launch a campaign: one call to each of its people, batch by batch.

How far it is stands in the campaign, and is written in the transaction that makes a batch's calls. So a
worker may die anywhere, and a task may be started twice: whoever comes next goes on behind the last batch.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from calls.actions.bulk import CHUNK, CampaignRequest, schedule_next
from calls.actions.lookup import live_numbers
from calls.actions.scheduling import FURTHEST, shown_number
from calls.actions.stop import hold_claims
from campaigns.actions import get_campaign, lock_campaign, must_be_as_seen
from campaigns.actions.planning import Plan
from campaigns.models import Campaign
from campaigns.states import CampaignStatus
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import AuditEntry, Mode
from temphone.lib.errors import Conflict, DomainError, Refused

AT_ONCE = 500  # calls that are scheduled before a launch answers; more are the worker's business


def waiting(_now: datetime) -> QuerySet[Campaign]:
    """Campaigns of which a batch is to be scheduled."""
    return Campaign.objects.launching()


@transaction.atomic
def launch_campaign(*, actor: Actor, campaign_id: str, version: int | None = None, now: datetime) -> Campaign:
    """Let it run, and its calls be scheduled; of one that something was in the way of, go on with it.

    ``version`` is the one that whoever launches it has seen.

    Raises:
        Forbidden, NotFound
        Conflict: it was launched before, is over, or is not the one that was seen.
        Invalid: its caller ID is none of our numbers any more.
        Refused: it lacks a message or people; it would last over a year; there are no real lines for it.
    """
    actor.require(Role.MANAGER)
    seen = get_campaign(actor=actor, campaign_id=campaign_id)
    people = _people(seen)  # counted before: nothing is dialled while the claims are held
    hold_claims()  # as every change of a campaign's status does
    campaign = lock_campaign(actor=actor, campaign_id=campaign_id)
    must_be_as_seen(campaign, seen.version)
    shown_number(Mode(campaign.mode), campaign.caller_id, live_numbers(campaign.mode))
    if campaign.is_launching and campaign.launch_problem:
        columns: dict[str, object] = {"launch_problem": ""}
    elif campaign.is_draft:
        must_be_as_seen(campaign, version)
        columns = _begun(actor, campaign, people, now)
    else:
        raise Conflict(f"{campaign.name} was launched already.", code="campaign_launched")
    Campaign.objects.filter(pk=campaign.pk).update(**columns, updated_at=now)
    AuditEntry.record(actor, "campaign.launch", campaign.pk)
    return get_campaign(actor=actor, campaign_id=campaign_id)


def _people(campaign: Campaign) -> tuple[int, str]:
    """How many people a draft calls, and the zone of one of them."""
    people = campaign.whom.people
    zones = people.values_list("timezone", flat=True)[:1] if campaign.is_draft else ()
    return (people.count(), zones[0]) if zones else (0, "")


def _begun(actor: Actor, campaign: Campaign, people: tuple[int, str], now: datetime) -> dict[str, object]:
    size, zone_name = people
    if not campaign.message or not size:
        raise Refused("A campaign needs a message, and somebody to call.", code="campaign_incomplete")
    if Plan.of(campaign, now=now).due(size - 1, zone_name) > now + FURTHEST:
        raise Refused(
            "At this pace it would take over a year. Choose a faster one, or a wider window.",
            code="campaign_too_long",
        )
    return {
        "status": CampaignStatus.RUNNING,
        "launch_asked_at": now,
        "plan_since": now,
        "launch_size": size,
        "launch_let_on_at": now if size <= campaign.first_calls else None,  # none are left behind the first
        "launched_by_id": int(actor.id) if actor.kind == "user" else None,
    }


@transaction.atomic
def let_on(*, actor: Actor, campaign_id: str, now: datetime) -> Campaign:
    """Let a launch go on behind its first calls, as somebody has looked at them.

    Raises:
        Forbidden, NotFound
        Conflict: it waits for nobody: somebody else let it go on, it is over, or has yet to make them.
    """
    actor.require(Role.MANAGER)
    campaign = lock_campaign(actor=actor, campaign_id=campaign_id)
    if not campaign.waits_to_go_on:
        raise Conflict(f"{campaign.name} does not wait to go on.", code="campaign_not_waiting")
    Campaign.objects.filter(pk=campaign_id).update(launch_let_on_at=now, updated_at=now)
    AuditEntry.record(actor, "campaign.let_on", campaign.pk, calls=campaign.launch_made)
    return get_campaign(actor=actor, campaign_id=campaign_id)


def schedule_some(*, campaign_id: str, now: datetime, limit: int = CHUNK) -> bool:
    """Schedule the next batch of a launch; whether there may be more.

    What is in the way (the real lines are gone) is noted in the campaign, which then waits for staff.
    """
    try:
        return _schedule_some(campaign_id, now, limit)
    except DomainError as error:
        Campaign.objects.launching().filter(pk=campaign_id).update(
            launch_problem=error.message, updated_at=now
        )
        return False


@transaction.atomic
def _schedule_some(campaign_id: str, now: datetime, limit: int) -> bool:
    # Whoever else has a batch of it in hand is waited for; then the next one is taken.
    locked = Campaign.objects.launching().select_for_update(no_key=True, of=("self",))
    campaign = locked.filter(pk=campaign_id).first()
    if campaign is None:
        return False
    pace = _Pace(
        plan=Plan.of(campaign, now=now), since_call=campaign.plan_from, made=campaign.launch_made, now=now
    )
    if campaign.first_calls and not campaign.launch_let_on_at:
        limit = min(limit, campaign.first_calls - campaign.launch_made)
    people = [] if campaign.is_over else _schedule(campaign, pace, now, limit)
    more = len(people) == limit
    Campaign.objects.filter(pk=campaign_id).update(
        launch_made=F("launch_made") + len(people),
        launch_after=people[-1] if people else campaign.launch_after,
        launch_ended_at=None if more else now,
        plan_since=pace.plan.since,
        plan_from=pace.since_call,
        updated_at=now,
    )
    return more


def _schedule(campaign: Campaign, pace: "_Pace", now: datetime, limit: int) -> list[str]:
    rest = campaign.whom.people.filter(pk__gt=campaign.launch_after, created_at__lte=campaign.launch_asked_at)
    return schedule_next(
        actor=campaign.launched_by.actor() if campaign.launched_by else SYSTEM,
        campaign=campaign,
        contacts=rest,
        request=CampaignRequest(
            initial_message=campaign.message,
            caller_id=campaign.caller_id,
            recording_enabled=campaign.recording_enabled,
            max_attempts=campaign.max_attempts,
        ),
        when=pace.due,
        now=now,
        limit=limit,
    )


@dataclass(slots=True, kw_only=True)
class _Pace:
    """When the calls of a batch are due.

    After a long interruption what is late by now, and all behind it, is planned from now on: at the pace of
    the campaign, and over all batches to come.
    """

    plan: Plan
    since_call: int  # of the launch, with which the plan begins
    made: int  # before this batch
    now: datetime

    def due(self, place: int, zone_name: str) -> datetime:
        """As planned, or as planned anew."""
        number = self.made + place
        due = self.plan.due(number - self.since_call, zone_name)
        if due >= self.now:
            return due
        self.plan, self.since_call = replace(self.plan, since=self.now), number
        return self.plan.due(0, zone_name)
