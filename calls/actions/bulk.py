"""Schedule the calls of a campaign: one to each of its people, hundred thousands of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from itertools import groupby
from operator import itemgetter

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Concat

from calls.actions.changes import to_endpoints
from calls.actions.lookup import live_numbers
from calls.actions.scheduling import refuse_campaign, shown_number
from calls.models import Call, CallEvent
from calls.models.call import DEFAULT_MAX_ATTEMPTS
from campaigns.models import Campaign
from contacts.models import Contact
from temphone import rows
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import ApiKey, AuditEntry, Mode
from temphone.lib import ids
from temphone.lib.clock import from_wall
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


def schedule_for_campaign(
    *,
    actor: Actor,
    campaign: Campaign,
    contacts: QuerySet[Contact],
    request: CampaignRequest,
    at: datetime | None = None,
    wall: datetime | None = None,
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Schedule a call to each contact that has none in this campaign yet; how many that were.

    Either all ``at`` one instant, or each when clocks where the contact is show ``wall`` (naive). It is done
    in chunks, each with its calls and their first events in one transaction, after which ``progress`` is
    told how many there are. Whatever stops it: start it again, and nobody gets two.

    Whether the time is still to come and the message is a template is for the launch to check. The gates are
    asked, and the message is rendered, when a call is dialled. ``contacts`` is neither sliced nor distinct.

    Raises:
        Forbidden
        Refused: the campaign is over, also when it ends on the way; or it is live, and there are no real
            lines.
        Invalid: it is live and the caller ID is none of our numbers.
        ValueError: both of ``at`` and ``wall`` are given, or neither.
    """
    actor.require(Role.OPERATOR)
    when, pattern = _when(at, wall), _pattern(actor, campaign, request, now)
    made, last = 0, ""
    while people := _schedule_chunk(actor, pattern, contacts.filter(pk__gt=last), when):
        made, last = made + len(people), [*people][-1]
        if progress:
            progress(made)
    return made


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

    For a launch that keeps its place itself, in the transaction in which it calls this. Otherwise as
    ``schedule_for_campaign``, but for the role, which was asked when it was launched.
    """
    pattern = _pattern(actor, campaign, request, now)
    return [*_schedule_chunk(actor, pattern, contacts, when, limit)]


def _when(at: datetime | None, wall: datetime | None) -> When:
    """The instant for contacts in a zone; each zone is looked at once."""
    if at is not None and wall is None:
        return lambda _place, _zone_name: at
    if wall is not None and at is None:
        there = cache(partial(from_wall, wall))
        return lambda _place, zone_name: there(zone_name)
    raise ValueError("Give either an instant or a wall time.")


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


@transaction.atomic
def _schedule_chunk(
    actor: Actor, pattern: Call, contacts: QuerySet[Contact], when: When, limit: int | None = None
) -> dict[str, str]:
    """Schedule the next calls; whom they are to, and their zones. Empty: there is nobody more."""
    # Launches of this campaign come one after another, so each sees the calls of those before.
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=pattern.campaign_id)
    refuse_campaign(Mode(campaign.mode), campaign)
    pattern.caller_number = shown_number(campaign.mode, pattern.caller_id, live_numbers(campaign.mode))
    people = _without_call(campaign, contacts, limit or CHUNK)
    if people:
        _write(pattern, people, when)
        AuditEntry.record(actor, "campaign.schedule", campaign.pk, calls=len(people))
    return people


def _without_call(campaign: Campaign, contacts: QuerySet[Contact], limit: int) -> dict[str, str]:
    """The first contacts without a call in the campaign, locked against erasing, and their zones."""
    locked = fresh(campaign, contacts).select_for_update(no_key=True, of=("self",))
    return dict(locked.values_list("pk", "timezone")[:limit])


def fresh(campaign: Campaign, contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """The contacts without a call in the campaign."""
    # By contact, as a person has few calls. The campaign, which has many, is written so that no index has it:
    # SQLite would go through all of its calls for each contact.
    having = Call.objects.filter(contact=OuterRef("pk")).alias(of=Concat("campaign", Value("")))
    theirs = having.filter(of=campaign.pk)
    return contacts.filter(~Exists(theirs), erased_at=None).order_by("pk")


def _write(pattern: Call, people: Mapping[str, str], when: When) -> None:
    made = [
        (when(place, zone_name), call_id, contact_id, zone_name)
        for place, (call_id, (contact_id, zone_name)) in enumerate(
            zip(ids.call_ids(len(people)), people.items(), strict=True)
        )
    ]
    made.sort(key=itemgetter(0))
    for instant, together in groupby(made, key=itemgetter(0)):
        pattern.scheduled_at = pattern.due_at = instant
        rows.insert_alike(pattern, ("id", "contact_id", "timezone"), [row[1:] for row in together])
    first = CallEvent(name="scheduled", to_status=pattern.status, at=pattern.created_at)
    rows.insert_alike(first, ("call_id",), [row[1:2] for row in made])
    if subscribed(Event.SCHEDULED):
        _tell([row[1] for row in made], pattern.created_at)


def _tell(call_ids: list[str], now: datetime) -> None:
    for start in range(0, len(call_ids), TOLD_AT_ONCE):
        calls = Call.objects.filter(pk__in=call_ids[start : start + TOLD_AT_ONCE])
        enqueue([notice for call in calls for notice in to_endpoints(call, Event.SCHEDULED, now)])
