from datetime import timedelta

import pytest
from django.test import Client

from calls.models import (
    Attempt,
    Beat,
    Call,
    CallEvent,
    DayCount,
    Decision,
    Gateway,
    Pacing,
    Price,
    StopSwitch,
    TranscriptTurn,
)
from contacts.models import Consent, PhoneNumber, Suppression
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import ApiKey, AuditEntry, IdempotencyRecord, KeyMinute, User
from temphone.webhooks.models import Delivery, DeliveryTry, Drain
from tests.builders import (
    NOON,
    a_call,
    a_campaign,
    a_contact,
    a_delivery,
    a_number,
    a_recording,
    a_trunk,
    an_endpoint,
)

SECOND = timedelta(seconds=1)


def staff(role: Role, **columns: object) -> User:
    """Somebody whom the back office lets in."""
    return User.objects.create(username=role.value, first_name="Ada", role=role, is_staff=True, **columns)


def logged_in(role: Role, **columns: object) -> Client:
    """A browser of somebody with this role."""
    client = Client()
    client.force_login(staff(role, **columns))
    return client


@pytest.fixture
def office(db) -> Client:
    """An admin's, who is no superuser: the role suffices."""
    return logged_in(Role.ADMIN)


def fill(count: int, *, tag: str = "a") -> None:
    """``count`` of everything that a list can hold many of."""
    for number in range(count):
        name = f"{tag}{number}"
        key = ApiKey.objects.create(public_id=name, hash="h", name=f"Key {name}", mode="test")
        KeyMinute.objects.create(key=key, minute=NOON)
        IdempotencyRecord.objects.create(owner="key", key=name, fingerprint="f", target="call", answer="{}")
        User.objects.create(username=name)
        contact = a_contact(company="Acme", tags=["gold", "new"])
        Consent.objects.create(
            contact=contact, phone=contact.phone, purpose="marketing", kind="written", source="web form"
        )
        trunk = a_trunk(name=f"Trunk {name}", secret="canary")
        Price.objects.create(trunk=trunk, since=NOON, per_minute="0.01")
        a_number(contact.phone, trunk=trunk)
        a_whole_call(contact, campaign=a_campaign(name=f"Campaign {name}"), name=name, trunk=trunk)
        Suppression.objects.create(number=contact.phone, reason="staff")


def a_whole_call(contact, *, campaign, name: str, trunk=None) -> Call:
    """A call with everything that can hang on it."""
    call = a_call(contact)
    Call.objects.filter(pk=call.pk).update(campaign=campaign)
    gateway = Gateway.objects.create(
        ledger=f"gw_{name}", url="http://127.0.0.1:9", legs=["simulated"], last_seen_at=NOON
    )
    attempt = Attempt.objects.create(
        call=call,
        number=1,
        state="ended",
        outcome="no_answer",
        carrier="simulated",
        gateway=gateway,
        trunk=trunk,
        to=contact.phone,
        caller_id="+14155550199",
        rendered_message="Hi Jordan.",
        not_after=NOON,
        lease_until=NOON,
    )
    CallEvent.objects.create(call=call, attempt=attempt, name="ringing", at=NOON)
    checks = [{"rule": "hours", "verdict": "warn", "text": "It is early there.", "input": {}}]
    Decision.objects.create(
        call=call, attempt=attempt, stage="claim", verdict="warn", rule="hours", checks=checks, at=NOON
    )
    TranscriptTurn.objects.create(
        attempt=attempt, sequence=1, speaker="agent", text="Good morning.", offset_ms=0, at=NOON
    )
    a_recording(attempt)
    delivery = a_delivery(subject=call.pk)
    DeliveryTry.objects.create(delivery=delivery, status_code=503, answer="busy", duration_ms=9)
    return call


def fill_all() -> None:
    """Something of everything."""
    fill(2)
    counted = {"what": "dialled", "mode": "test", "zone": "Europe/Madrid", "counted_at": NOON}
    DayCount.objects.create(day=NOON.date(), counts={"no_answer": 2}, **counted)
    Pacing.objects.create(carrier="simulated")
    StopSwitch.objects.create(pk=1)
    Beat.mark("clock", NOON)
    Drain.begin(NOON)
    an_endpoint()
    AuditEntry.record(SYSTEM, "stop.on", "stop_switch", reason="a test")
    PhoneNumber.objects.get_or_create(e164="+14155552000")
    assert Delivery.objects.exists()
