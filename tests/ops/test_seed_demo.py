from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django_q.models import OrmQ

from calls.hours import is_open
from calls.models import Attempt, Call, Decision, Gateway, Recording, TranscriptTurn
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
from tests.builders import NOON, a_call

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


@pytest.fixture
def seeded(db) -> None:
    call_command("seed_demo", verbosity=0)


def counts() -> dict[str, int]:
    return {kind.__name__: kind.objects.count() for kind in KINDS}


def test_seeding_again_changes_nothing(seeded):
    before = counts()
    User.objects.filter(username="admin").update(first_name="Changed")
    call_command("seed_demo", verbosity=0)
    assert counts() == before
    assert all(before.values())
    assert User.objects.get(username="admin").first_name == "Changed"


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


def test_what_is_to_come_is_little_and_at_hours_at_which_one_may_call(seeded):
    coming = Call.objects.filter(status=CallStatus.SCHEDULED).select_related("contact")
    assert 3 <= len(coming) <= 12
    for call in coming:
        assert call.due_at > utc_now()
        assert is_open(call.due_at.astimezone(zone(call.contact.timezone))), call.contact


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


@pytest.mark.parametrize("hours", [0, 7, 13, 19])
def test_it_can_be_seeded_at_any_hour(db, hours, monkeypatch):
    moment = NOON + timedelta(hours=hours)
    monkeypatch.setattr("temphone.management.commands.seed_demo.utc_now", lambda: moment)
    call_command("seed_demo", verbosity=0)
    retried = Call.objects.get(contact="ctc_demobusyline0", created_at__gt=moment - timedelta(days=3))
    assert retried.status == CallStatus.SCHEDULED
    assert retried.attempts.exists()
    assert retried.due_at > moment


def test_calls_of_ones_own_are_left_alone(db):
    mine = a_call()
    call_command("seed_demo", verbosity=0)
    assert list(Call.objects.all()) == [mine]
