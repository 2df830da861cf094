"""An attempt of which nothing is heard is asked for; only proof that it never rang makes another."""

from datetime import timedelta

import pytest

from calls.actions.carrier_events import record_carrier_events
from calls.actions.changing import cancel_call
from calls.actions.dialing import LEASE, claim_due, record_sighting, take_overdue
from calls.models import Attempt, Call, Gateway
from temphone.accounts.actors import SYSTEM
from temphone.telephony.messages import EventType, Outcome, Sighting
from tests.builders import NOON, a_call, a_gateway, events_of

pytestmark = pytest.mark.django_db
LATER = NOON + LEASE


@pytest.fixture
def attempt():
    a_gateway()
    a_call()
    claim_due(mode="test", now=NOON)
    return Attempt.objects.get()


def the_call():
    return Call.objects.get()


def test_it_is_asked_for_when_its_lease_ran_out(attempt):
    assert take_overdue(now=LATER - timedelta(seconds=1)) == []
    assert take_overdue(now=LATER) == [attempt]


def test_proof_that_it_never_rang_makes_a_new_attempt(attempt):
    record_sighting(attempt.pk, Sighting.NEVER, now=LATER)
    assert the_call().status == "scheduled"
    attempt.gateway.last_seen_at = LATER
    attempt.gateway.save()
    (request,), _ = claim_due(mode="test", now=LATER)
    assert request.attempt_id != attempt.pk


@pytest.mark.parametrize("sighting", [Sighting.LIVE, Sighting.ENDED, Sighting.UNREACHABLE])
def test_without_proof_it_is_never_redialled(attempt, sighting):
    for minutes in range(1, 40):
        now = NOON + timedelta(minutes=minutes)
        record_sighting(attempt.pk, sighting, now=now)
        assert claim_due(mode="test", now=now)[0] == []
    assert Attempt.objects.count() == 1


def test_a_gateway_lost_for_good_leaves_the_call_unknown(attempt):
    before = NOON + timedelta(seconds=30 + 900 + 60)
    record_sighting(attempt.pk, Sighting.UNREACHABLE, now=before)
    assert the_call().status == "in_progress"
    record_sighting(attempt.pk, Sighting.UNREACHABLE, now=before + timedelta(seconds=1))
    assert (the_call().status, the_call().outcome) == ("failed", "unknown")


def test_a_leg_that_outlives_its_maximum_is_hung_up(attempt):
    late = NOON + timedelta(seconds=30 + 900 + 61)
    record_sighting(attempt.pk, Sighting.LIVE, now=late)
    assert the_call().hang_up_requested_at == late
    assert Attempt.objects.to_hang_up(late).get() == attempt


def test_events_that_came_first_win_over_a_late_sighting(attempt):
    events = events_of(attempt.pk, EventType.ACCEPTED, EventType.RINGING)
    record_carrier_events(ledger="gw_test", events=events, now=NOON)
    record_sighting(attempt.pk, Sighting.NEVER, now=LATER)
    assert the_call().status == "in_progress"


def test_a_dial_that_never_left_and_was_canceled_ends_canceled(attempt):
    cancel_call(actor=SYSTEM, call_id=the_call().pk, now=NOON)
    record_sighting(attempt.pk, Sighting.NEVER, now=LATER)
    assert (the_call().status, the_call().outcome) == ("canceled", "canceled_by_user")


def test_dials_that_never_left_do_not_use_up_the_tries(attempt):
    now = NOON
    for _ in range(5):
        now += timedelta(seconds=10)
        record_sighting(Attempt.objects.live().get().pk, Sighting.NEVER, now=now)
        Gateway.objects.update(last_seen_at=now)
        claim_due(mode="test", now=now)
    live = Attempt.objects.live().get()
    assert live.number == 6
    events = events_of(live.pk, EventType.ACCEPTED, Outcome.NO_ANSWER)
    record_carrier_events(ledger="gw_test", events=events, now=now)
    assert the_call().status == "scheduled"


def test_a_leg_that_the_carrier_holds_up_for_ever_frees_its_line_at_last(attempt):
    late = NOON + timedelta(seconds=30 + 900 + 61)
    for after in (0, 59):
        record_sighting(attempt.pk, Sighting.LIVE, now=late + timedelta(seconds=after))
        assert the_call().status == "in_progress"
    record_sighting(attempt.pk, Sighting.LIVE, now=late + timedelta(seconds=61))
    assert (the_call().status, the_call().outcome) == ("failed", "unknown")
    assert not Attempt.objects.live().exists()
