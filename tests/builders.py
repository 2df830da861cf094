"""Plain builders: each makes one thing, valid as it is; name only what the test is about."""

import itertools
from datetime import UTC, datetime, timedelta

from calls.actions.keeping import keep_recording
from calls.actions.scheduling import CallRequest, schedule_call
from calls.models import Attempt, Call, Gateway, Number, Recording, Run, Trunk
from campaigns.models import Campaign
from contacts.models import Contact
from temphone.accounts.actions import create_key
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import ApiKey, Mode, User
from temphone.lib.clock import iso
from temphone.telephony.messages import (
    CarrierEvent,
    EndedBy,
    Ending,
    EventType,
    Outcome,
)
from temphone.webhooks.actions import Notice, enqueue
from temphone.webhooks.models import Delivery, Endpoint, Event
from tests.sounds import a_wav

# A Sunday, 08:00 in Los Angeles: the specification's own example.
NOON = datetime(2026, 3, 15, 15, 0, tzinfo=UTC)
_numbers = itertools.count(2000)


def a_contact(**columns: object) -> Contact:
    """A person in Los Angeles, with a number of their own."""
    defaults = {
        "first_name": "Jordan",
        "last_name": "Lee",
        "phone": f"+1415555{next(_numbers)}",
        "timezone": "America/Los_Angeles",
    }
    return Contact.objects.create(**{**defaults, **columns})


def a_campaign(**columns: object) -> Campaign:
    """A running campaign in test mode."""
    return Campaign.objects.create(**{"name": "Renewals", **columns})


def a_key(
    *, mode: Mode = Mode.TEST, role: Role = Role.MANAGER, requests_per_minute: int = 10_000
) -> tuple[ApiKey, str]:
    """A key of a program, and the whole of it as the program sends it."""
    return create_key(
        actor=SYSTEM,
        name="A program",
        mode=mode,
        role=role,
        requests_per_minute=requests_per_minute,
        now=NOON,
    )


def a_request(contact: Contact, **fields: object) -> CallRequest:
    """A request for a call at NOON."""
    defaults = {"contact_id": contact.pk, "scheduled_at": iso(NOON), "initial_message": "Hi {{first_name}}."}
    return CallRequest(**{**defaults, **fields})


def a_call(contact: Contact | None = None, *, mode: Mode = Mode.TEST, **fields: object) -> Call:
    """A call scheduled for NOON, an hour before."""
    request = a_request(contact or a_contact(), **fields)
    return schedule_call(actor=SYSTEM, mode=mode, request=request, now=NOON - timedelta(hours=1)).call


def a_run(*calls: Call, **columns: object) -> Run:
    """A change of these calls that has yet to begin."""
    user, _ = User.objects.get_or_create(username="runner", defaults={"role": Role.OPERATOR})
    values = {"user": user, "verb": "cancel", "calls": [call.pk for call in calls], "total": len(calls)}
    return Run.objects.create(**{**values, **columns})


def a_gateway(*, now: datetime = NOON, **columns: object) -> Gateway:
    """A gateway with the simulated network and 1,000 lines, heard of just now."""
    defaults = {
        "ledger": "gw_test",
        "url": "http://127.0.0.1:9",
        "legs": ["simulated"],
        "lines": 1000,
        "last_seen_at": now,
    }
    return Gateway.objects.create(**{**defaults, **columns})


def a_trunk(*, secret: str = "", **columns: object) -> Trunk:
    """A SIP trunk of ten lines that is switched on."""
    trunk = Trunk(**{"name": "Main trunk", "kind": "sip", "host": "sip.example.com", **columns})
    trunk.secret = secret
    trunk.save()
    return trunk


def a_twilio_trunk(*, secret: str = "0123456789abcdef0123456789abcdef", **columns: object) -> Trunk:
    """An account at Twilio with ten lines, switched on."""
    defaults = {"name": "Twilio", "kind": "twilio", "host": "", "account_sid": "AC" + 32 * "0"}
    return a_trunk(secret=secret, **{**defaults, **columns})


def a_number(e164: str = "+14155550190", **columns: object) -> Number:
    """A number of ours, by any trunk; the first is the default."""
    defaults = {"is_default": not Number.objects.exists()}
    return Number.objects.create(e164=e164, **{**defaults, **columns})


def ready(*trunks: Trunk, most: int | None = None) -> dict[str, dict[str, object]]:
    """As a gateway tells that these trunks are ready there; ``most`` calls over all of one kind."""
    return {trunk.pk: {"ready": True, "problem": "", "most": most} for trunk in trunks}


def a_recording(attempt: Attempt, sound: bytes | None = None, *, now: datetime = NOON) -> Recording:
    """How the attempt sounded: two seconds of a tone."""
    return keep_recording(attempt=attempt, sound=sound or a_wav(), now=now)


def events_of(attempt_id: str, *steps: EventType | Outcome, at: datetime = NOON) -> list[CarrierEvent]:
    """The events of an attempt from the first on; an outcome stands for the end with it."""
    return [_event(attempt_id, sequence, step, at) for sequence, step in enumerate(steps, start=1)]


def _event(attempt_id: str, sequence: int, step: EventType | Outcome, at: datetime) -> CarrierEvent:
    moment = at + timedelta(seconds=sequence)
    if isinstance(step, EventType):
        return CarrierEvent(attempt_id=attempt_id, sequence=sequence, type=step, at=moment)
    ending = Ending(outcome=step, ended_by=EndedBy.CARRIER, duration_s=sequence)
    return CarrierEvent(
        attempt_id=attempt_id, sequence=sequence, type=EventType.ENDED, at=moment, ending=ending
    )


def a_delivery(**fields: object) -> Delivery:
    """A message due at NOON, the first of its call."""
    defaults = {
        "subject": "call_1j2kd9",
        "url": "https://hooks.example.com/calls",
        "event": "call.started",
        "sequence": 1,
        "data": {"call_id": "call_1j2kd9", "status": "in_progress"},
        "at": NOON,
    }
    notice = Notice(**{**defaults, **fields})
    enqueue([notice])
    stream = Delivery.objects.stream(notice.subject, notice.url, notice.endpoint_id)
    return stream.get(sequence=notice.sequence) if notice.sequence else stream.reverse()[0]


def an_endpoint(**columns: object) -> Endpoint:
    """An endpoint that is told of everything, switched on."""
    defaults = {"name": "CRM", "url": "https://crm.example.com/hooks", "events": Event.values}
    endpoint = Endpoint(**{**defaults, **columns})
    endpoint.new_secret()
    endpoint.save()
    return endpoint
