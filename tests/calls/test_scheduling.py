"""Scheduling accepts a call for good, or refuses it whole."""

from datetime import timedelta

import pytest

from calls.actions.idempotency import Idempotency
from calls.actions.scheduling import preview_call, schedule_call
from calls.models import Call, CallEvent, Decision
from campaigns.states import CampaignStatus
from contacts.models import Consent, Suppression
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import IdempotencyRecord, Mode
from temphone.lib.errors import Forbidden, Invalid, NotFound, Refused
from tests.builders import NOON, a_call, a_campaign, a_contact, a_number, a_request, a_trunk

pytestmark = pytest.mark.django_db
NOW = NOON - timedelta(hours=1)
VIEWER = Actor(kind="user", id="1", label="Val", role=Role.VIEWER)


def schedule(contact, *, mode=Mode.TEST, idempotency=None, actor=SYSTEM, now=NOW, **fields):
    request = a_request(contact, **fields)
    return schedule_call(actor=actor, mode=mode, request=request, now=now, idempotency=idempotency)


@pytest.fixture
def live(db, settings):
    a_number(trunk=a_trunk())
    return settings


def test_a_call_its_event_and_its_decision_come_together():
    call = a_call()
    assert (call.status, call.version, call.outcome) == ("scheduled", 1, None)
    assert call.scheduled_at == call.due_at == NOON
    assert [event.name for event in call.events.all()] == ["scheduled"]
    assert [decision.stage for decision in call.decisions.all()] == ["creation"]


def test_the_contacts_zone_is_taken_when_none_is_given():
    call = a_call(scheduled_at="2026-03-15T08:00:00")
    assert call.scheduled_at == NOON
    assert call.timezone == "America/Los_Angeles"


def test_a_time_that_the_clock_change_skips_is_read_later():
    assert a_call(scheduled_at="2026-03-29T02:30:00", timezone="Europe/Madrid").scheduled_at.hour == 1


def test_a_time_that_the_clock_change_repeats_is_read_earlier():
    call = a_call(scheduled_at="2026-10-25T02:30:00", timezone="Europe/Madrid")
    assert call.scheduled_at.isoformat() == "2026-10-25T00:30:00+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-15T14:00:00Z",
        "2026-03-15",
        "15:00",
        "soon",
        "2026-03-15T24:01:00Z",
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_it_refuses_what_is_no_future_timestamp(text):
    message = "Field 'scheduled_at' must be a valid ISO-8601 timestamp in the future."
    with pytest.raises(Invalid) as refusal:
        schedule(a_contact(), scheduled_at=text)
    assert refusal.value.message == message
    assert not Call.objects.exists()


def test_any_instant_after_now_is_accepted():
    assert a_call(scheduled_at=(NOW + timedelta(microseconds=1)).isoformat())


def test_nothing_is_half_created_when_policy_refuses(live):
    contact = a_contact()
    with pytest.raises(Refused) as refusal:
        schedule(contact, mode=Mode.LIVE)
    assert refusal.value.code == "blocked_consent"
    assert not Call.objects.exists()
    assert not CallEvent.objects.exists()
    assert not Decision.objects.exists()


def test_live_calls_need_a_carrier():
    with pytest.raises(Refused) as refusal:
        schedule(a_contact(), mode=Mode.LIVE)
    assert refusal.value.code == "no_live_carrier"


def test_express_consent_suffices_to_inform_but_not_to_market(live):
    contact = a_contact()
    Consent.objects.create(
        contact=contact, phone=contact.phone, purpose="informational", kind="express", captured_at=NOW
    )
    assert schedule(contact, mode=Mode.LIVE).call.status == "scheduled"
    marketing = a_campaign(mode=Mode.LIVE, purpose="marketing")
    with pytest.raises(Refused):
        schedule(contact, mode=Mode.LIVE, campaign_id=marketing.pk)


def test_a_later_absence_of_consent_counts(live):
    contact = a_contact()
    consent = {"contact": contact, "phone": contact.phone, "purpose": "informational"}
    Consent.objects.create(**consent, kind="express", captured_at=NOW - timedelta(days=2))
    Consent.objects.create(**consent, kind="none", captured_at=NOW - timedelta(days=1))
    with pytest.raises(Refused):
        schedule(contact, mode=Mode.LIVE)
    Consent.objects.create(**consent, kind="express", captured_at=NOW)
    assert schedule(contact, mode=Mode.LIVE).call.status == "scheduled"


def test_outside_the_calling_hours_a_live_call_is_refused_with_the_next_opening(live):
    live.POLICIES = live.POLICIES | {"live": {"consent": "off", "hours": "reject"}}
    with pytest.raises(Refused) as refusal:
        schedule(a_contact(), mode=Mode.LIVE, scheduled_at="2026-03-15T14:59:59Z")
    assert "Next opening: 2026-03-15T15:00:00Z" in refusal.value.message
    assert refusal.value.code == "blocked_hours"


def test_outside_the_calling_hours_a_call_can_be_deferred(live):
    live.POLICIES = live.POLICIES | {"live": {"consent": "off", "hours": "defer"}}
    call = schedule(a_contact(), mode=Mode.LIVE, scheduled_at="2026-03-16T04:00:00Z").call  # 21:00
    assert call.due_at == NOON + timedelta(days=1)
    assert call.scheduled_at < call.due_at


def test_test_mode_warns_instead():
    call = a_call(scheduled_at="2026-03-16T09:00:00Z")  # 02:00 there
    verdicts = {check["rule"]: check["verdict"] for check in call.decisions.get().checks}
    assert verdicts["calling_hours"] == verdicts["consent"] == "warn"


def test_a_suppressed_number_is_refused():
    contact = a_contact()
    Suppression.objects.create(number=contact.phone[:8], is_prefix=True, reason="complaint")
    with pytest.raises(Refused) as refusal:
        schedule(contact)
    assert refusal.value.code == "blocked_suppressed"


def test_contact_then_campaign_then_the_rest_is_checked():
    contact = a_contact()
    with pytest.raises(NotFound, match=r"Contact not found: ctc_x\."):
        schedule(contact, contact_id="ctc_x", campaign_id="camp_x", scheduled_at="nonsense")
    with pytest.raises(NotFound, match=r"Campaign not found: camp_x\."):
        schedule(contact, campaign_id="camp_x", scheduled_at="nonsense")


def test_a_campaign_of_the_other_mode_or_over_is_refused(live):
    with pytest.raises(Refused, match="live mode"):
        schedule(a_contact(), campaign_id=a_campaign(mode=Mode.LIVE).pk)
    with pytest.raises(Refused, match="canceled"):
        schedule(a_contact(), campaign_id=a_campaign(status=CampaignStatus.CANCELED).pk)


def test_a_viewer_may_not_schedule():
    with pytest.raises(Forbidden):
        schedule(a_contact(), actor=VIEWER)


def test_the_same_key_and_body_give_the_first_answer_again():
    contact = a_contact()
    key = Idempotency(key="k1", fingerprint="a" * 64)
    first = schedule(contact, idempotency=key)
    again = schedule(contact, idempotency=key)
    assert again.replayed
    assert list(again.data.items()) == list(first.data.items())
    assert Call.objects.count() == 1


def test_the_same_key_with_another_body_is_refused():
    contact = a_contact()
    schedule(contact, idempotency=Idempotency(key="k1", fingerprint="a" * 64))
    with pytest.raises(Refused) as refusal:
        schedule(contact, idempotency=Idempotency(key="k1", fingerprint="b" * 64))
    assert refusal.value.code == "idempotency_mismatch"


def test_a_key_is_kept_for_a_day():
    contact = a_contact()
    key = Idempotency(key="k1", fingerprint="a" * 64)
    later = {"scheduled_at": "2026-04-01T17:00:00Z"}
    schedule(contact, idempotency=key, **later)
    assert schedule(contact, idempotency=key, now=NOW + timedelta(hours=23), **later).replayed
    assert not schedule(contact, idempotency=key, now=NOW + timedelta(hours=25), **later).replayed
    assert IdempotencyRecord.objects.count() == 1


def test_two_owners_may_use_the_same_key():
    contact = a_contact()
    key = Idempotency(key="k1", fingerprint="a" * 64)
    other = Actor(kind="key", id="51", label="Key", role=Role.MANAGER, mode="test")
    assert not schedule(contact, idempotency=key).replayed
    assert not schedule(contact, idempotency=key, actor=other).replayed


def test_a_refused_request_does_not_use_up_its_key():
    contact = a_contact()
    key = Idempotency(key="k1", fingerprint="a" * 64)
    with pytest.raises(Invalid):
        schedule(contact, idempotency=key, initial_message="{{nobody}}")
    assert not schedule(contact, idempotency=key).replayed


def test_a_preview_shows_the_text_and_every_verdict_and_creates_nothing():
    contact = a_contact()
    preview = preview_call(actor=SYSTEM, mode=Mode.TEST, request=a_request(contact), now=NOW)
    assert preview.rendered_message == "Hi Jordan."
    assert preview.contact_local.isoformat() == "2026-03-15T08:00:00-07:00"
    assert preview.verdict == "warn"
    assert len(preview.checks) == 10
    assert not Call.objects.exists()
