"""What makes the demo busy: agents, campaigns that staff launched, and a month of calls to the crowd."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import chain, repeat

from django.db.models import Q

from calls.actions.batch import schedule_batch
from calls.actions.remarks import mark_seen
from calls.actions.scheduling import CallRequest
from calls.models import Call
from calls.states import CallStatus
from campaigns.actions.agents import make_default, save_agent
from campaigns.actions.drafts import save_draft
from campaigns.actions.ending import complete_through
from campaigns.actions.launching import launch_campaign, schedule_some
from campaigns.models import Agent, Audience
from contacts.models import Purpose
from temphone.accounts.actors import Actor
from temphone.accounts.models import Mode
from temphone.lib.clock import from_wall, iso, zone
from temphone.management.demo import CAMPAIGN
from temphone.management.demo.crowd import CHECK_UP, CROWD
from temphone.management.demo.stories import (
    AGREED,
    BUSY,
    HUNG_UP,
    MOVED,
    NO_ANSWER,
    SCREENED,
    THANKED,
    VOICEMAIL,
    Told,
)

# How one call after the other went, dial by dial. Seventeen, so that they fall on ever other days and hours.
MOODS = (
    (AGREED,),
    (NO_ANSWER, THANKED),
    (MOVED,),
    (VOICEMAIL,),
    (AGREED,),
    (THANKED,),
    (BUSY, MOVED),
    (AGREED,),
    (NO_ANSWER, VOICEMAIL),
    (THANKED,),
    (MOVED,),
    (NO_ANSWER, NO_ANSWER, NO_ANSWER),
    (AGREED,),
    (VOICEMAIL,),
    (THANKED,),
    (HUNG_UP,),
    (SCREENED,),
)
DAYS, LATELY, THIS_WEEK = 58, 30, 6
SATURDAY = 5
TO_COME = ("09:40", "11:15", "14:20", "16:45")  # on the contact's clocks
DEALT_WITH_AFTER = timedelta(days=4)
SLOTS = ("17:05", "15:35", "18:10", "16:20")  # UTC: from Los Angeles to Berlin people may be called
PER_SLOT = (5, 3, 4, 6, 2)
RENEWAL = (
    "Hi {{first_name}}, your plan for {{ contact.company }} is due next week. Shall we keep it as it is?"
)
CHECK_UPS = (
    'Hi {{ first_name | default: "there" }}, it is time for the yearly check-up of your equipment at '
    "{{ contact.company }}. Does next Thursday morning suit you?"
)


@dataclass(frozen=True, slots=True)
class Tour:
    """A campaign of staff: how long before now it was launched; None: it is a draft."""

    name: str
    message: str
    tag: str
    per_minute: int
    ago: timedelta | None = None
    window: tuple[time | None, time | None] = (None, None)


TOURS = (
    Tour(
        "New delivery days",
        "Hi {{first_name}}, from next month we deliver on Tuesdays, too.",
        CHECK_UP,
        4,
        timedelta(days=16),
        (time(10, 30), time(10, 34)),
    ),
    Tour(
        "Thank-you calls", "Hi {{first_name}}, thank you for ten years with us.", "vip", 24, timedelta(days=6)
    ),
    Tour("Yearly check-ups", CHECK_UPS, CHECK_UP, 1, timedelta(minutes=26)),
    Tour("Holiday opening hours", "Hi {{first_name}}, we are closed from the 24th to the 27th.", "new", 5),
)


def seed_agents(actor: Actor, now: datetime) -> None:
    """Two who speak: one that every call has that names none, and one with questions of its own."""
    iris = save_agent(
        actor=actor,
        agent_id=None,
        values={"name": "Iris", "goodbye": "Thank you for your time, and have a good day. Goodbye."},
        now=now,
    )
    make_default(actor=actor, agent_id=iris.pk, now=now)
    save_agent(actor=actor, agent_id=None, values=MARCO, now=now)


MARCO = {
    "name": "Marco, appointments",
    "steps": [
        {
            "name": "Does it suit",
            "say": "Does that day suit you?",
            "branches": [
                {
                    "phrases": ["yes", "fine", "of course"],
                    "say": "Wonderful.",
                    "field": "comes",
                    "value": "yes",
                },
                {"phrases": ["no", "not", "another"], "say": "No problem.", "to": "Another day"},
            ],
        },
        {
            "name": "Another day",
            "say": "Would the morning or the afternoon of the next day be better?",
            "branches": [
                {
                    "phrases": ["morning"],
                    "say": "I have noted the morning.",
                    "field": "part",
                    "value": "morning",
                },
                {
                    "phrases": ["afternoon"],
                    "say": "I have noted the afternoon.",
                    "field": "part",
                    "value": "afternoon",
                },
            ],
        },
    ],
    "questions": [
        {"name": "comes", "text": "Does the day suit them?", "type": "yes_no"},
        {"name": "part", "text": "Which part of the other day?", "type": "text"},
    ],
}


def schedule_bustle(program: Actor, manager: Actor, now: datetime) -> dict[str, Iterator[Told]]:
    """Schedule a month of calls and the campaigns; per call, how its dials go."""
    for day in range(-DAYS, 0):
        _schedule_day(program, (now + timedelta(days=day)).astimezone(UTC), day)
    for tour in TOURS:
        _begin(manager, tour, now)
    made = Call.objects.order_by("due_at", "contact_id").values_list("pk", flat=True)
    return {call_id: _moods(place) for place, call_id in enumerate(made)}


def _moods(place: int) -> Iterator[Told]:
    mood = MOODS[place % len(MOODS)]
    return chain(mood, repeat(mood[-1]))


def _schedule_day(program: Actor, day: datetime, number: int) -> None:
    """This week four times a day, before that twice; long ago and on weekends once."""
    requests, place = [], number * 5
    for index, slot in enumerate(_slots(day, number)):
        hour, minute = map(int, slot.split(":"))
        due = day.replace(hour=hour, minute=(minute + number * 7) % 60, second=0, microsecond=0)
        for _ in range(PER_SLOT[(number + index * 2) % len(PER_SLOT)]):
            requests.append(_request(CROWD[place % len(CROWD)].id, due, CAMPAIGN if place % 2 else None))
            place += 1
    schedule_batch(actor=program, mode=Mode.TEST, requests=requests, now=day - timedelta(days=2))


def _slots(day: datetime, number: int) -> Sequence[str]:
    if number < -LATELY or day.weekday() >= SATURDAY:
        return SLOTS[:1]
    return SLOTS[:2] if number < -THIS_WEEK else SLOTS


def _request(contact_id: str, due: datetime, campaign_id: str | None) -> CallRequest:
    return CallRequest(
        contact_id=contact_id, campaign_id=campaign_id, scheduled_at=iso(due), initial_message=RENEWAL
    )


def _begin(manager: Actor, tour: Tour, now: datetime) -> None:
    at = now - (tour.ago or timedelta(days=1))
    values = {
        "name": tour.name,
        "message": tour.message,
        "purpose": Purpose.INFORMATIONAL,
        "opens": tour.window[0],
        "closes": tour.window[1],
        "audience": Audience(kind="tag", text=tour.tag).kept,
        "calls_per_minute": tour.per_minute,
        "agent_id": Agent.objects.get(name="Marco, appointments").pk if tour.message == CHECK_UPS else None,
    }
    campaign = save_draft(actor=manager, campaign_id=None, mode=Mode.TEST, values=values, now=at)
    if tour.ago:
        launch_campaign(actor=manager, campaign_id=campaign.pk, now=at)
        schedule_some(campaign_id=campaign.pk, now=at)


def schedule_to_come(program: Actor, now: datetime) -> None:
    """What is planned for the next days."""
    requests = []
    for place in range(24):
        person = CROWD[(place * 5 + 2) % len(CROWD)]
        day = now.astimezone(zone(person.zone)).date() + timedelta(days=1 + place // 5)
        if day.weekday() < SATURDAY:
            clock = time.fromisoformat(TO_COME[place % len(TO_COME)])
            due = from_wall(datetime.combine(day, clock), person.zone)
            requests.append(_request(person.id, due, CAMPAIGN if place % 2 else None))
    schedule_batch(actor=program, mode=Mode.TEST, requests=requests, now=now)


def settle(operator: Actor, now: datetime) -> None:
    """Staff have dealt with what failed, but for the latest; campaigns that are through are completed."""
    crowd = [person.id for person in CROWD]
    failed = Call.objects.filter(status=CallStatus.FAILED, seen_at=None)
    dealt_with = failed.filter(Q(contact__in=crowd) | Q(due_at__lt=now - DEALT_WITH_AFTER))
    for call_id in dealt_with.values_list("pk", flat=True):
        mark_seen(actor=operator, call_id=call_id, now=now)
    complete_through(now=now)
