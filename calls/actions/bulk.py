"""Schedule the calls of a campaign: one to each of its people, hundred thousands of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from calls.actions.changes import to_endpoints
from calls.actions.lookup import live_numbers
from calls.actions.scheduling import refuse_campaign, shown_number
from calls.models import Call, CallEvent
from calls.models.call import DEFAULT_MAX_ATTEMPTS, unindexed
from campaigns.models import Campaign
from contacts.models import Contact
from temphone import rows
from temphone.accounts.actors import Actor
from temphone.accounts.models import ApiKey, AuditEntry, Mode
from temphone.lib import ids
from temphone.webhooks.actions import enqueue, subscribed
from temphone.webhooks.models import Event

When = Callable[[int, str], datetime]  # a call is due, by its place among those made now, and the zone
CHUNK = 5_000  # so long, some tenths of a second, others wait who write on SQLite
TOLD_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRequest:
    """What all calls of a launch have in common; every value has the right shape already."""

    initial_message: str
    max_duration_s: int = 900
    caller_id: str = ""  # as sent
    metadata: dict[str, object] | None = None
    recording_enabled: bool = True
    webhook_url: str = ""
    max_attempts: int = DEFAULT_MAX_ATTEMPTS


@transaction.atomic
def schedule_next(
    *,
    actor: Actor,
    campaign: Campaign,
    contacts: QuerySet[Contact],
    request: CampaignRequest,
    when: When,
    now: datetime,
    limit: int = CHUNK,
) -> list[str]:
    """Schedule a call to each of the first contacts by id that have none in this campaign yet; their ids.

    Empty: there is nobody more. For a launch that keeps its place itself, in the transaction in which it
    calls this; the role was asked for when it was launched. ``contacts`` is neither sliced nor distinct.

    Whether the time is still to come and the message is a template is for the launch to check. The gates are
    asked, and the message is rendered, when a call is dialled.

    Raises:
        Refused: the campaign is over; or it is live, and there are no real lines.
        Invalid: it is live and the caller ID is none of our numbers.
    """
    # Launches of this campaign come one after another, so each sees the calls of those before.
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    refuse_campaign(Mode(campaign.mode), campaign)
    pattern = _pattern(actor, campaign, request, now)
    pattern.caller_number = shown_number(campaign.mode, pattern.caller_id, live_numbers(campaign.mode))
    people = _without_call(campaign, contacts, limit)
    if people:
        _write(pattern, people, when)
        AuditEntry.record(actor, "campaign.schedule", campaign.pk, calls=len(people))
    return [*people]


def _pattern(actor: Actor, campaign: Campaign, request: CampaignRequest, now: datetime) -> Call:
    """What is the same in all calls."""
    key = ApiKey.objects.filter(public_id=actor.id).first() if actor.kind == "key" else None
    return Call(
        campaign=campaign,
        mode=campaign.mode,
        initial_message=request.initial_message,
        max_duration_s=request.max_duration_s,
        caller_id=request.caller_id,
        metadata=request.metadata,
        recording_enabled=request.recording_enabled,
        webhook_url=request.webhook_url,
        max_attempts=request.max_attempts,
        created_by_key=key,
        created_by_user_id=int(actor.id) if actor.kind == "user" else None,
        created_at=now,
        updated_at=now,
    )


def _without_call(campaign: Campaign, contacts: QuerySet[Contact], limit: int) -> dict[str, str]:
    """The first contacts without a call in the campaign, locked against erasing, and their zones."""
    locked = fresh(campaign, contacts).select_for_update(no_key=True, of=("self",))
    return dict(locked.values_list("pk", "timezone")[:limit])


def fresh(campaign: Campaign, contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """The contacts without a call in the campaign."""
    # By contact, as a person has few calls. The campaign, which has many, is written so that no index has it:
    # SQLite would go through all of its calls for each contact.
    having = Call.objects.filter(contact=OuterRef("pk")).alias(of=unindexed("campaign"))
    theirs = having.filter(of=campaign.pk)
    return contacts.filter(~Exists(theirs), erased_at=None).order_by("pk")


def _write(pattern: Call, people: Mapping[str, str], when: When) -> None:
    call_ids = ids.call_ids(len(people))
    instants = [when(place, zone_name) for place, zone_name in enumerate(people.values())]
    made = [
        (call_id, contact_id, zone_name, instant, instant)
        for call_id, (contact_id, zone_name), instant in zip(call_ids, people.items(), instants, strict=True)
    ]
    rows.insert_alike(pattern, ("id", "contact_id", "timezone", "scheduled_at", "due_at"), made)
    first = CallEvent(name="scheduled", to_status=pattern.status, at=pattern.created_at)
    rows.insert_alike(first, ("call_id",), [row[:1] for row in made])
    if subscribed(Event.SCHEDULED):
        _tell(call_ids, pattern.created_at)


def _tell(call_ids: Sequence[str], now: datetime) -> None:
    for start in range(0, len(call_ids), TOLD_AT_ONCE):
        calls = Call.objects.filter(pk__in=call_ids[start : start + TOLD_AT_ONCE])
        enqueue([notice for call in calls for notice in to_endpoints(call, Event.SCHEDULED, now)])
