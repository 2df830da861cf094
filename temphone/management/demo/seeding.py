"""Writes the demo. What is there already stays as it is."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import repeat

from django.conf import settings
from django.contrib.auth.hashers import make_password

from calls.actions.changing import cancel_call
from calls.actions.keeping import keep_recording
from calls.actions.scheduling import CallRequest, schedule_call
from calls.hours import is_open
from calls.models import Attempt, Call
from campaigns.models import Campaign
from contacts.models import Consent, ConsentKind, Contact, Purpose, Suppression
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import ApiKey, Mode, User, digest
from temphone.lib.clock import from_wall, iso, zone
from temphone.management.demo import API_KEY, CONTACT, LOGIN
from temphone.management.demo.bustle import schedule_bustle, schedule_to_come, seed_agents, settle
from temphone.management.demo.calls import MISSED, MISSED_AGO, PAST, RETRIED, TO_COME, WEBHOOK_URL, Planned
from temphone.management.demo.crowd import CROWD
from temphone.management.demo.history import play
from temphone.management.demo.people import CAMPAIGNS, PEOPLE, STAFF, SUPPRESSED, Person
from temphone.management.demo.sound import recording_of
from temphone.management.demo.stories import Told
from temphone.telephony.messages import Turn
from temphone.webhooks.models import Delivery, DeliveryState, DeliveryTry

MEMBER_SINCE = timedelta(days=200)
ASKED_BEFORE = timedelta(days=2)
A_WHILE = timedelta(minutes=20)
PUBLIC_ID = API_KEY.split("_")[2]
ZONES = {person.id: person.zone for person in PEOPLE}


def seed_staff() -> None:
    """One member of staff for each role, all with one password, and the specification's key."""
    if not User.objects.filter(username=LOGIN[0]).exists():
        password = make_password(LOGIN[1])
        User.objects.bulk_create(
            [
                User(
                    username=username,
                    first_name=first_name,
                    last_name=last_name,
                    role=role,
                    password=password,
                    is_staff=True,
                    is_superuser=role == Role.ADMIN,
                )
                for username, first_name, last_name, role in STAFF
            ],
            ignore_conflicts=True,
        )
    ApiKey.objects.get_or_create(
        public_id=PUBLIC_ID,
        defaults={"hash": digest(API_KEY), "name": "Demo program", "mode": Mode.TEST},
    )


def seed_people(now: datetime) -> None:
    """Contacts with their consents, campaigns, and numbers that must not be called."""
    since = now - MEMBER_SINCE
    missing = [person for person in (*PEOPLE, *CROWD) if not Contact.objects.filter(pk=person.id).exists()]
    Contact.objects.bulk_create([_contact(person, since) for person in missing])
    Consent.objects.bulk_create([_consent(person, since) for person in missing])
    Campaign.objects.bulk_create(
        [
            Campaign(id=id_, name=name, mode=Mode.TEST, purpose=purpose, created_at=since)
            for id_, name, _, purpose in CAMPAIGNS
        ],
        ignore_conflicts=True,
    )
    for number, is_prefix, why in SUPPRESSED:
        Suppression.objects.get_or_create(
            number=number, is_prefix=is_prefix, defaults={"source": why, "created_at": since}
        )


def _contact(person: Person, since: datetime) -> Contact:
    return Contact(
        id=person.id,
        first_name=person.first_name,
        last_name=person.last_name,
        phone=person.phone,
        timezone=person.zone,
        language=person.language,
        company=person.company,
        tags=person.all_tags,
        # The specification's comes last, so that lists of the newest, and the first commands, begin with it.
        created_at=since + timedelta(minutes=person.id == CONTACT),
    )


def _consent(person: Person, since: datetime) -> Consent:
    return Consent(
        contact_id=person.id,
        phone=person.phone,
        purpose=Purpose.MARKETING if person.consent == ConsentKind.WRITTEN else Purpose.INFORMATIONAL,
        kind=person.consent,
        source="sign-up form",
        captured_at=since,
    )


def seed_calls(now: datetime) -> bool:
    """Calls of the past weeks, with all that came of them, and some to come; none where calls exist."""
    if Call.objects.exists():
        return False
    seed_agents(_staff("manager"), now - MEMBER_SINCE)
    stories = schedule_bustle(_program(), _staff("manager"), now) | _schedule_past(now)
    play(stories, until=now)
    _schedule(MISSED, now - MISSED_AGO, asked_at=now - ASKED_BEFORE)
    play({}, until=now, since=now)
    settle(_staff("operator"), now)
    _record(CONTACT)
    for id_, _, status, _ in CAMPAIGNS:
        Campaign.objects.filter(pk=id_).update(status=status)
    _deliver_all()
    for planned in TO_COME:
        _schedule(planned, _instant(planned, now), asked_at=now)
    schedule_to_come(_program(), now)
    return True


def _schedule_past(now: datetime) -> dict[str, Iterator[Told]]:
    """Schedule what is past by now; per call, how its dials go."""
    stories = {}
    for planned in PAST:
        when = _instant(planned, now)
        call = _schedule(planned, when, asked_at=when - ASKED_BEFORE)
        stories[call.pk] = iter(planned.told)
        if planned.canceled:
            cancel_call(actor=_staff("operator"), call_id=call.pk, now=when - timedelta(hours=1))
    retried = _schedule(RETRIED, _just_now(now), asked_at=now - ASKED_BEFORE)
    return {**stories, retried.pk: repeat(RETRIED.told[0])}


def _schedule(planned: Planned, when: datetime, *, asked_at: datetime) -> Call:
    errand = planned.errand
    request = CallRequest(
        contact_id=planned.contact,
        campaign_id=errand.campaign,
        scheduled_at=iso(when),
        initial_message=errand.message,
        metadata=dict(errand.metadata) or None,
        webhook_url=WEBHOOK_URL if errand.by_program else "",
    )
    actor = _program() if errand.by_program else _staff("operator")
    return schedule_call(actor=actor, mode=Mode.TEST, request=request, now=asked_at).call


def _instant(planned: Planned, now: datetime) -> datetime:
    """When the call is due: a day and a time on the contact's own clocks."""
    zone_name = ZONES[planned.contact]
    day = now.astimezone(zone(zone_name)).date() + timedelta(days=planned.day)
    return from_wall(datetime.combine(day, time.fromisoformat(planned.time)), zone_name)


def _just_now(now: datetime) -> datetime:
    """A while ago, but within calling hours: so the call was tried, and will be again."""
    zone_name = ZONES[RETRIED.contact]
    local = (now - A_WHILE).astimezone(zone(zone_name))
    if is_open(local):
        return now - A_WHILE
    _, closes = settings.CALLING_HOURS
    day = local.date() if local.time() >= closes else local.date() - timedelta(days=1)
    return from_wall(datetime.combine(day, closes), zone_name) - A_WHILE


def _record(contact_id: str) -> None:
    """Of the last conversation with this contact there is a recording, made here."""
    attempt = Attempt.objects.filter(call__contact=contact_id, answered_at__isnull=False).latest("created_at")
    turns = [
        Turn(
            speaker="agent" if turn.speaker == "agent" else "callee", text=turn.text, offset_ms=turn.offset_ms
        )
        for turn in attempt.turns.all()
    ]
    sound = recording_of(turns, duration_s=attempt.duration_s or 0)
    keep_recording(attempt=attempt, sound=sound, now=attempt.ended_at or attempt.created_at)


def _deliver_all() -> None:
    """The receiver took every message at its first try."""
    waiting = Delivery.objects.filter(state=DeliveryState.PENDING)
    DeliveryTry.objects.bulk_create(
        DeliveryTry(delivery=row, at=row.created_at, status_code=200, answer="ok", duration_ms=84)
        for row in waiting
    )
    waiting.update(state=DeliveryState.DELIVERED, tries=1)


def _staff(username: str) -> Actor:
    return User.objects.get(username=username).actor()


def _program() -> Actor:
    return ApiKey.objects.get(public_id=PUBLIC_ID).actor()
