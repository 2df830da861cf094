"""Whose calls go first: each queue gets its share of the lines, and nobody waits behind a campaign."""

from collections import Counter
from datetime import timedelta

import pytest

from calls.actions.dialing import claim_due
from calls.actions.queues import SINGLE_SHARES
from calls.models import Attempt, Call
from campaigns.states import CampaignStatus
from contacts.models import Contact
from tests.builders import NOON, a_call, a_campaign, a_gateway, a_number, a_trunk, ready

pytestmark = pytest.mark.django_db
SOONER = NOON - timedelta(minutes=1)


def calls_of(campaign, count: int, at=SOONER) -> None:
    for _ in range(count):
        a_call(campaign_id=campaign and campaign.pk, scheduled_at=at.isoformat())


def up_of(*campaigns) -> list[int]:
    return [Call.objects.filter(status="in_progress", campaign=one).count() for one in campaigns]


def claim(limit=100, mode="test") -> int:
    return len(claim_due(mode=mode, now=NOON, limit=limit)[0])


def test_a_single_call_does_not_wait_behind_a_campaign():
    a_gateway()
    campaign = a_campaign()
    calls_of(campaign, 4)
    calls_of(None, 1, at=NOON)
    assert claim(limit=1) == 1
    assert up_of(None, campaign) == [1, 0]


def test_campaigns_share_evenly_however_long_one_has_waited():
    a_gateway()
    large, small = a_campaign(), a_campaign()
    calls_of(large, 9)
    calls_of(small, 3, at=NOON)
    assert claim(limit=4) == 4
    assert up_of(large, small) == [2, 2]


def test_what_is_up_already_counts_for_the_share():
    a_gateway()
    first, second = a_campaign(), a_campaign()
    calls_of(first, 9)
    claim(limit=3)
    calls_of(second, 9)
    claim(limit=5)
    assert up_of(first, second) == [4, 4]


def test_single_calls_have_the_most_of_it_and_never_all():
    a_gateway()
    campaign = a_campaign()
    calls_of(campaign, 3)
    calls_of(None, 12)
    assert claim(limit=10) == 10
    assert up_of(None, campaign) == [2 * SINGLE_SHARES, 2]


def test_what_one_does_not_use_the_others_get():
    a_gateway()
    first, second = a_campaign(), a_campaign()
    calls_of(first, 2)
    calls_of(second, 9)
    calls_of(None, 1)
    assert claim(limit=10) == 10
    assert up_of(None, first, second) == [1, 2, 7]


def test_within_a_queue_the_longest_due_goes_first():
    a_gateway()
    campaign = a_campaign()
    calls_of(campaign, 1, at=NOON)
    calls_of(campaign, 1)
    claim(limit=1)
    assert Call.objects.get(status="in_progress").due_at == SOONER


def test_one_whose_number_is_in_use_gives_its_turn_away():
    a_gateway()
    campaign = a_campaign()
    contact = a_call().contact
    claim(limit=1)
    a_call(contact)
    calls_of(campaign, 1, at=NOON)
    assert claim(limit=1) == 1
    assert up_of(None, campaign) == [1, 1]


@pytest.mark.parametrize("status", [one for one in CampaignStatus if one != CampaignStatus.RUNNING])
def test_of_a_campaign_that_does_not_run_nothing_is_read(status, django_assert_num_queries):
    a_gateway()
    claim()
    with django_assert_num_queries(8) as alone:
        claim()
    campaign = a_campaign()
    calls_of(campaign, 5)
    campaign.status = status
    campaign.save()
    with django_assert_num_queries(len(alone)):
        assert claim() == 0


def test_behind_those_whose_trunk_is_full_others_go_whatever_their_queue(settings):
    settings.POLICIES = {**settings.POLICIES, "live": {**settings.POLICIES["live"], "consent": "off"}}
    full, free = a_trunk(name="full", lines=1), a_trunk(name="free", lines=9)
    a_gateway(legs=["sip"], trunks=ready(full, free))
    busy, other = a_number(trunk=full), a_number("+14155550191", trunk=free)
    campaign = a_campaign(mode="live")
    for number, queue in [(busy, campaign)] * 3 + [(other, campaign), (other, None)]:
        a_call(mode="live", campaign_id=queue and queue.pk, caller_id=number.e164)
    assert claim(limit=4, mode="live") == 3
    assert up_of(None, campaign) == [1, 2]


def test_where_lines_are_fewer_than_queues_each_has_its_turn():
    """A free line goes to one of those that have the least up, and not always to the first of them."""
    a_gateway(lines=1)
    campaigns = [a_campaign() for _ in range(3)]
    for campaign in campaigns:
        calls_of(campaign, 40)
    had: Counter[str] = Counter()
    for _ in range(40):
        claim()
        (attempt,) = Attempt.objects.live().select_related("call")
        had[attempt.call.campaign_id] += 1
        Attempt.objects.live().update(state="ended", outcome="no_answer")
    assert len(had) == 3


def test_too_late_calls_end_without_waiting_for_lines():
    a_gateway(lines=1)
    campaign = a_campaign()
    calls_of(campaign, 30)
    Call.objects.update(due_at=NOON - timedelta(hours=3))
    calls_of(campaign, 1)
    claim()
    assert Call.objects.filter(outcome="expired").count() == 30
    assert claim() == 1


def test_one_call_that_no_gate_can_judge_ends_and_keeps_no_other_waiting(caplog):
    a_gateway()
    broken = a_call(scheduled_at=SOONER.isoformat())
    Contact.objects.filter(pk=broken.contact_id).update(timezone="Mars/Olympus")
    calls_of(None, 2)
    assert claim() == 2
    broken.refresh_from_db()
    assert (broken.status, broken.outcome) == ("failed", "message_incomplete")
    assert "cannot judge" in caplog.text
