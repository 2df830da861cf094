"""The demo as it was seeded; once, since that takes seconds."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.core.management import call_command
from django.test import Client
from django_q.models import OrmQ

from calls.hours import is_open
from calls.models import Attempt, Call, DayCount, Decision, Gateway, Recording, TranscriptTurn
from calls.models.call import needing_attention
from calls.states import CallStatus
from campaigns.models import Campaign
from contacts.models import Contact, PhoneNumber, Suppression
from temphone.accounts.actors import Role
from temphone.accounts.models import ApiKey, Mode, User
from temphone.lib.clock import now as utc_now
from temphone.lib.clock import zone
from temphone.management import demo
from temphone.management.demo.people import PEOPLE
from temphone.telephony.messages import Outcome
from temphone.webhooks.models import Delivery, DeliveryState
from tests.once import made_once

pytestmark = pytest.mark.django_db
KINDS = (
    User,
    ApiKey,
    Contact,
    PhoneNumber,
    Suppression,
    Campaign,
    Call,
    Attempt,
    Decision,
    Recording,
    TranscriptTurn,
    Delivery,
)


@pytest.fixture(scope="module")
def seeded_once(django_db_setup, django_db_blocker) -> Iterator[datetime]:
    with made_once(django_db_blocker):
        began = utc_now()
        counted = {"what": "dialled", "mode": "test", "zone": "UTC", "day": began.date(), "counts": {}}
        DayCount.objects.create(**counted, counted_at=began)
        call_command("seed_demo", verbosity=0)
        with django_db_blocker.block():
            yield began


@pytest.fixture
def seeded(seeded_once, db) -> datetime:
    """The demo, and when it was made: the tests may go on into the time of its next calls."""
    return seeded_once


def counts() -> dict[str, int]:
    return {kind.__name__: kind.objects.count() for kind in KINDS}


def test_seeding_again_changes_nothing(seeded):
    before = counts()
    User.objects.filter(username="admin").update(first_name="Changed")
    call_command("seed_demo", verbosity=0)
    assert counts() == before
    assert all(before.values())
    assert User.objects.get(username="admin").first_name == "Changed"


def test_days_that_were_counted_before_it_are_counted_again(seeded):
    assert not DayCount.objects.exists()


def test_the_specifications_own_names_are_there(seeded):
    contact = Contact.objects.get(pk="ctc_12kd88")
    assert (contact.phone, contact.timezone) == ("+14155550100", "America/Los_Angeles")
    assert Campaign.objects.get(pk="camp_91ks11").status == "running"
    assert ApiKey.objects.get(public_id="51").matches("sk_test_51_fakeapikey123456")


def test_each_role_can_log_in(seeded, client: Client):
    for role in Role:
        sent = {"username": role.value, "password": demo.LOGIN[1]}
        assert client.post("/login/", sent).status_code == 302
        client.logout()
        assert User.objects.get(username=role.value).actor().role == role


def test_no_page_is_empty(seeded):
    assert set(Call.objects.values_list("status", flat=True)) >= set(CallStatus.values) - {"in_progress"}
    outcomes = set(Call.objects.exclude(outcome=None).values_list("outcome", flat=True))
    assert outcomes >= {
        Outcome.MESSAGE_DELIVERED,
        Outcome.VOICEMAIL_LEFT,
        Outcome.OPTED_OUT,
        Outcome.CALLBACK_REQUESTED,
        Outcome.NO_ANSWER,
        Outcome.CANCELED_BY_USER,
    }
    assert len({person.zone for person in PEOPLE}) > 10


def test_what_is_to_come_is_at_hours_at_which_one_may_call(seeded):
    coming = Call.objects.filter(status=CallStatus.SCHEDULED).select_related("contact")
    assert len(coming) > 20
    for call in coming:
        assert call.due_at > seeded
        assert is_open(call.due_at.astimezone(zone(call.contact.timezone))), call.contact


def test_campaigns_are_in_each_state_and_one_that_staff_launched_goes_on(seeded):
    states = set(Campaign.objects.values_list("status", flat=True))
    assert states == {"draft", "running", "paused", "completed"}
    running = Campaign.objects.get(status="running", launch_ended_at__isnull=False)
    assert running.calls.filter(status=CallStatus.SCHEDULED).count() > 5
    assert running.launch_problem == ""


def test_little_needs_attention_and_one_thing_tells_why_it_never_rang(seeded):
    open_ = [Call.objects.filter(**conditions) for conditions in needing_attention(utc_now())]
    unseen = {call.pk: call for calls in open_ for call in calls}
    assert 2 <= len(unseen) <= 8
    missed = next(call for call in unseen.values() if call.outcome == Outcome.EXPIRED)
    assert not missed.attempts.exists()
    assert missed.decisions.latest("pk").rule == "lateness"


def test_one_call_can_be_heard(seeded):
    recording = Recording.objects.get()
    call = recording.attempt.call
    assert (call.contact_id, recording.state) == ("ctc_12kd88", "ready")
    assert call.recording_ms == recording.duration_ms == recording.attempt.duration_s * 1000
    left, right = bytes(recording.peaks[:400]), bytes(recording.peaks[400:])
    assert sum(loud > 0 for loud in left) > 100  # the assistant says most
    assert 10 < sum(loud > 0 for loud in right) < 200
    assert sum(a > 0 < b for a, b in zip(left, right, strict=True)) < 20


def test_nothing_of_it_leaves_the_machine(seeded):
    assert not Delivery.objects.filter(state=DeliveryState.PENDING).exists()
    assert not Attempt.objects.live().exists()
    assert not Gateway.objects.exists()
    assert not OrmQ.objects.exists()
    assert set(Call.objects.values_list("mode", flat=True)) == {Mode.TEST}
