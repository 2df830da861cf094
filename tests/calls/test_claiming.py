"""The claim decides on what is due: dial, wait, move or end; and writes why."""

from datetime import timedelta

import pytest

from calls.actions.carrier_events import record_carrier_events
from calls.actions.changing import cancel_call
from calls.actions.dialing import BATCH, claim_due, record_dial_results, record_sighting
from calls.actions.scheduling import schedule_call
from calls.actions.stop import set_stop_switch
from calls.models import Attempt, Call, Decision
from campaigns import tasks
from campaigns.states import CampaignStatus
from contacts.models import Contact, PhoneNumber
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.lib.clock import iso
from temphone.telephony.messages import EventType, Outcome, Placed, Refused, Sighting, Unsure
from tests.builders import (
    NOON,
    a_call,
    a_campaign,
    a_contact,
    a_gateway,
    a_number,
    a_request,
    a_trunk,
    events_of,
)

pytestmark = pytest.mark.django_db
LATE = timedelta(seconds=1)


def claim(now=NOON, limit=BATCH):
    requests, _ = claim_due(mode="test", now=now, limit=limit)
    return requests


def test_it_dials_a_call_at_its_time_and_not_before():
    a_gateway()
    call = a_call()
    assert claim(NOON - timedelta(seconds=1)) == []
    (request,) = claim(NOON)
    call.refresh_from_db()
    attempt = call.attempts.get()
    assert request.attempt_id == attempt.pk
    assert request.to == call.contact.phone
    assert request.script.message == "Hi Jordan."
    assert call.status == "in_progress"
    assert attempt.state == "dialing"
    assert call.due_at == call.scheduled_at == NOON


def test_it_claims_a_call_once():
    a_gateway()
    a_call()
    assert len(claim()) == 1
    assert claim() == []


def test_it_writes_each_gates_verdict_in_order():
    a_gateway()
    call = a_call()
    claim()
    decision = call.decisions.get(stage="claim")
    assert [check["rule"] for check in decision.checks] == [
        "stop_switch",
        "campaign",
        "suppression",
        "destination",
        "consent",
        "calling_hours",
        "number_in_use",
        "caps",
        "lateness",
        "lines",
    ]
    assert decision.verdict == "warn"  # test mode warns that no consent is recorded
    assert decision.attempt == call.attempts.get()


def test_two_calls_to_one_number_do_not_ring_at_once():
    a_gateway()
    contact = a_contact()
    first, second = a_call(contact), a_call(contact)
    (request,) = claim()
    assert claim() == []
    waiting = Call.objects.get(status="scheduled")
    assert {waiting.pk, request.attempt_id} != {first.pk, second.pk}
    assert Attempt.objects.live().filter(to=contact.phone).count() == 1
    assert waiting.decisions.get(stage="claim").rule == "number_in_use"


def test_a_waiting_call_is_told_of_once():
    call = a_call()  # no gateway: no line
    for seconds in range(5):
        assert claim(NOON + timedelta(seconds=seconds)) == []
    assert call.decisions.filter(stage="claim", rule="lines", verdict="wait").count() == 1


def test_it_takes_no_more_than_the_free_lines():
    a_gateway(lines=2)
    for _ in range(3):
        a_call()
    assert len(claim()) == 2
    assert claim() == []
    assert Call.objects.filter(status="scheduled").count() == 1


def test_it_spreads_over_gateways():
    a_gateway(ledger="gw_a", lines=2)
    a_gateway(ledger="gw_b", lines=1)
    for _ in range(3):
        a_call()
    assert sorted(request.gateway.ledger for request in claim()) == ["gw_a", "gw_a", "gw_b"]


def test_it_keeps_to_the_carriers_pace(settings):
    settings.CALLS_PER_SECOND = 2
    a_gateway()
    for _ in range(5):
        a_call()
    assert len(claim()) == 2
    assert claim(NOON + timedelta(milliseconds=900)) == []
    assert len(claim(NOON + timedelta(seconds=1))) == 2


def test_it_ignores_a_gateway_that_is_silent():
    a_gateway(now=NOON - timedelta(seconds=60))
    a_call()
    assert claim() == []


def test_the_stop_switch_holds_all_calls_and_they_do_not_expire():
    a_gateway(now=NOON + timedelta(hours=3))
    call = a_call()
    set_stop_switch(actor=SYSTEM, on=True, now=NOON)
    assert claim() == []
    assert claim(NOON + timedelta(hours=3)) == []
    call.refresh_from_db()
    assert call.status == "scheduled"
    set_stop_switch(actor=SYSTEM, on=False, now=NOON)
    claim(NOON + timedelta(hours=3))
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("failed", "expired")


@pytest.mark.parametrize("status", [CampaignStatus.PAUSED, CampaignStatus.DRAFT, CampaignStatus.SCHEDULED])
def test_a_campaign_that_does_not_run_holds_its_calls_and_no_others(status):
    a_gateway()
    campaign = a_campaign()
    held = a_call(campaign_id=campaign.pk)
    campaign.status = status
    campaign.save()
    free = a_call()
    assert [request.to for request in claim()] == [free.contact.phone]
    held.refresh_from_db()
    assert held.status == "scheduled"


def test_held_calls_do_not_stand_in_the_way_of_others():
    a_gateway()
    campaign = a_campaign()
    for _ in range(3):
        a_call(campaign_id=campaign.pk)
    campaign.status = CampaignStatus.PAUSED
    campaign.save()
    free = a_call(scheduled_at=(NOON + LATE).isoformat())
    assert [request.to for request in claim(NOON + LATE, limit=2)] == [free.contact.phone]


def test_calls_of_a_canceled_campaign_end_canceled():
    a_gateway()
    campaign = a_campaign()
    call = a_call(campaign_id=campaign.pk)
    campaign.status = CampaignStatus.CANCELED
    campaign.save()
    assert claim() == []
    tasks.end()
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("canceled", "canceled_by_user")


@pytest.mark.parametrize(
    ("late", "campaign", "dialled"), [(15, False, 1), (16, False, 0), (120, True, 1), (121, True, 0)]
)
def test_it_does_not_dial_too_late(late, campaign, dialled):
    now = NOON + timedelta(minutes=late)
    a_gateway(now=now)
    call = a_call(campaign_id=a_campaign().pk if campaign else None)
    assert len(claim(now)) == dialled
    call.refresh_from_db()
    assert call.outcome == (None if dialled else "expired")


def test_late_calls_end_even_without_a_line():
    call = a_call()
    claim(NOON + timedelta(minutes=16))
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("failed", "expired")


def test_a_message_that_lacks_a_value_meanwhile_is_not_spoken():
    a_gateway()
    contact = a_contact()
    call = a_call(contact)
    contact.first_name = ""
    contact.save()
    assert claim() == []
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("failed", "message_incomplete")


def test_live_calls_never_go_to_the_simulated_network(settings):
    settings.POLICIES = settings.POLICIES | {"live": {"consent": "off", "hours": "warn"}}
    a_number(trunk=a_trunk())
    a_gateway()
    call = a_call(mode=Mode.LIVE)
    assert claim() == []
    assert claim_due(mode="live", now=NOON)[0] == []  # the only gateway has no trunk
    call.refresh_from_db()
    assert call.status == "scheduled"


def test_without_consent_a_live_call_is_blocked_at_the_claim(settings):
    settings.POLICIES = settings.POLICIES | {"live": {"consent": "off", "hours": "warn"}}
    a_number(trunk=a_trunk())
    call = a_call(mode=Mode.LIVE)
    settings.POLICIES = settings.POLICIES | {"live": {"consent": "require", "hours": "warn"}}
    claim_due(mode="live", now=NOON)
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("failed", "blocked_consent")


def test_a_day_cap_moves_the_call_to_the_next_day(settings):
    settings.CALLS_PER_NUMBER_PER_DAY = 1
    a_gateway()
    contact = a_contact()
    a_call(contact)
    (request,) = claim()
    Attempt.objects.filter(pk=request.attempt_id).update(state="ended", outcome="no_answer", accepted_at=NOON)
    second = a_call(contact)
    assert claim() == []
    second.refresh_from_db()
    assert second.status == "scheduled"
    assert second.due_at == NOON + timedelta(hours=24)
    assert second.scheduled_at == NOON


def test_a_dial_of_which_nobody_knows_whether_it_rang_counts_for_the_cap(settings):
    settings.CALLS_PER_NUMBER_PER_DAY = 1
    gateway = a_gateway()
    contact = a_contact()
    a_call(contact)
    (request,) = claim()
    lost = NOON + timedelta(hours=2)
    record_sighting(request.attempt_id, Sighting.UNREACHABLE, now=lost)
    gateway.last_seen_at = lost
    gateway.save()
    second = schedule(contact, lost + LATE, now=lost)
    assert claim(lost + LATE) == []
    assert second.due_at == lost + LATE + timedelta(hours=24)
    ending = events_of(request.attempt_id, EventType.ACCEPTED, Outcome.ANSWERED_HUMAN)
    record_carrier_events(ledger="gw_test", events=ending, now=lost)
    assert schedule(contact, lost + LATE, now=lost).due_at == lost + LATE + timedelta(hours=24)


def test_a_dial_that_surely_never_rang_does_not_count_for_the_cap(settings):
    settings.CALLS_PER_NUMBER_PER_DAY = 1
    a_gateway()
    contact = a_contact()
    a_call(contact)
    (request,) = claim()
    record_sighting(request.attempt_id, Sighting.NEVER, now=NOON + LATE)
    assert len(claim(NOON + 2 * LATE)) == 1


@pytest.mark.parametrize(("hours", "seconds"), [("reject", 2), ("defer", 2), ("warn", 10)])
def test_no_phone_may_ring_once_the_hours_are_over(settings, hours, seconds):
    settings.POLICIES = {"test": {"consent": "off", "hours": hours}}
    closing = NOON + timedelta(hours=13)
    a_gateway(now=closing)
    schedule(a_contact(), closing - 2 * LATE, now=NOON)
    (request,) = claim(closing - 2 * LATE)
    last = closing + timedelta(seconds=seconds - 2)
    assert request.not_after == (last if hours == "warn" else last - timedelta.resolution)


def schedule(contact, when, *, now):
    request = a_request(contact, scheduled_at=iso(when))
    return schedule_call(actor=SYSTEM, mode=Mode.TEST, request=request, now=now).call


def test_a_placed_dial_waits_for_its_events():
    a_gateway()
    call = a_call()
    (request,) = claim()
    record_dial_results([Placed(attempt_id=request.attempt_id)], now=NOON)
    call.refresh_from_db()
    assert call.status == "in_progress"
    assert call.attempts.get().state == "dialing"


def test_a_refused_dial_is_made_again_as_a_new_attempt():
    gateway = a_gateway()
    call = a_call()
    (request,) = claim()
    record_dial_results([Refused(attempt_id=request.attempt_id, cause="no line", retry=True)], now=NOON)
    call.refresh_from_db()
    assert (call.status, call.due_at) == ("scheduled", NOON)
    assert claim(NOON + LATE) == []  # not to the same gateway until it is heard of again
    gateway.refresh_from_db()
    gateway.last_seen_at = NOON + 2 * LATE
    gateway.save()
    (again,) = claim(NOON + 2 * LATE)
    assert again.attempt_id != request.attempt_id
    assert [attempt.number for attempt in call.attempts.all()] == [1, 2]


def test_a_dial_that_was_refused_for_good_ends_the_call():
    a_gateway()
    call = a_call()
    (request,) = claim()
    record_dial_results([Refused(attempt_id=request.attempt_id, cause="no such leg", retry=False)], now=NOON)
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("failed", "carrier_error")
    assert claim() == []


@pytest.mark.parametrize("skew_ms", [2001, -2001])
def test_a_gateway_whose_clock_is_off_gets_no_calls(skew_ms):
    a_gateway(clock_skew_ms=skew_ms)
    a_call()
    assert claim() == []


def test_a_call_that_cannot_be_made_does_not_keep_others_from_theirs():
    a_gateway()
    broken, other = a_call(), a_call()
    Call.objects.filter(pk=broken.pk).update(caller_id="nonsense")
    assert [request.to for request in claim()] == [other.contact.phone]
    broken.refresh_from_db()
    assert (broken.status, broken.outcome) == ("failed", "message_incomplete")


def test_a_call_that_became_late_past_the_calling_hours_expires(settings):
    settings.POLICIES = settings.POLICIES | {"live": {"consent": "off", "hours": "reject"}}
    a_number(trunk=a_trunk())
    evening = NOON + timedelta(hours=12, minutes=59)  # 20:59 there
    call = a_call(mode=Mode.LIVE, scheduled_at=evening.isoformat())
    claim_due(mode="live", now=evening + timedelta(minutes=2))
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("failed", "expired")


def test_an_unsure_dial_is_asked_for_and_not_made_again():
    a_gateway()
    call = a_call()
    (request,) = claim()
    record_dial_results([Unsure(attempt_id=request.attempt_id, cause="timeout")], now=NOON)
    assert claim(NOON + LATE) == []
    assert list(Attempt.objects.overdue(NOON)) == [call.attempts.get()]


def test_a_canceled_call_is_never_claimed():
    a_gateway()
    call = a_call()
    cancel_call(actor=SYSTEM, call_id=call.pk, now=NOON)
    assert claim() == []
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("canceled", "canceled_by_user")


def test_a_claim_costs_the_same_number_of_queries_for_ten_as_for_two(django_assert_num_queries):
    a_gateway()
    for _ in range(13):
        a_call()
    PhoneNumber.lock(Contact.objects.values_list("phone", flat=True))  # known since they were saved
    claim(limit=1)  # makes the pacing row
    with django_assert_num_queries(20) as two:
        claim(limit=2)
    with django_assert_num_queries(len(two)):
        claim(limit=10)


def test_blocked_calls_do_not_stand_in_the_way_of_others():
    a_gateway()
    contact = a_contact()
    for _ in range(4):
        a_call(contact)
    other = a_call(scheduled_at=(NOON + LATE).isoformat())
    claimed = {request.to for _ in range(3) for request in claim(NOON + LATE, limit=2)}
    assert claimed == {contact.phone, other.contact.phone}


def test_every_decision_names_a_rule_that_it_checked():
    a_gateway()
    a_call()
    claim()
    for decision in Decision.objects.all():
        assert decision.rule in {check["rule"] for check in decision.checks}


def test_the_outcome_of_a_final_call_is_known():
    assert {outcome.value for outcome in Outcome} == set(dict(Call._meta.get_field("outcome").choices))
