"""A launch that begins with a few calls, and waits until somebody has looked at them."""

from functools import partial

import pytest

from campaigns.actions import cancel_campaign, pause_campaign, resume_campaign
from campaigns.actions.ending import complete_through
from campaigns.actions.launching import let_on, schedule_some, waiting
from campaigns.models import Campaign
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.errors import Conflict, Forbidden
from tests.campaigns.test_launching import NOW, a_draft, called, ids_of, launch, people
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def make_all(campaign: Campaign) -> Campaign:
    """As the worker does, until there is nothing for it to do."""
    for _ in range(20):
        if not waiting(NOW).filter(pk=campaign.pk).exists():
            break
        schedule_some(campaign_id=campaign.pk, now=NOW, limit=4)
    campaign.refresh_from_db()
    return campaign


def go_on(campaign: Campaign, actor: Actor = SYSTEM) -> Campaign:
    return let_on(actor=actor, campaign_id=campaign.pk, now=NOW)


def test_the_first_calls_are_made_and_the_others_once_it_is_let_on():
    contacts = ids_of(people(9))
    campaign = make_all(launch(a_draft(first_calls=5)))
    assert (called(campaign), campaign.launch_made) == (contacts[:5], 5)
    assert (campaign.waits_to_go_on, campaign.is_launching, campaign.status) == (True, True, "running")
    assert not waiting(NOW).exists()
    assert not schedule_some(campaign_id=campaign.pk, now=NOW)

    go_on(campaign)
    campaign = make_all(campaign)
    assert (called(campaign), campaign.waits_to_go_on, campaign.is_launching) == (contacts, False, False)
    entry = AuditEntry.objects.get(action="campaign.let_on")
    assert (entry.target, entry.details) == (campaign.pk, {"calls": 5})


@pytest.mark.parametrize("size", [1, 4, 5])
def test_where_there_are_no_others_nobody_is_waited_for(size):
    contacts = people(size)
    campaign = make_all(launch(a_draft(first_calls=5)))
    assert (called(campaign), campaign.waits_to_go_on, campaign.is_launching) == (
        ids_of(contacts),
        False,
        False,
    )


def test_a_campaign_that_waits_is_not_through_when_its_first_calls_are():
    people(3)
    campaign = make_all(launch(a_draft(first_calls=1)))
    campaign.calls.update(status="completed", outcome="message_delivered")
    assert complete_through(now=NOW) == 0


def test_it_is_let_on_once_and_only_where_it_waits():
    people(4)
    draft = a_draft(first_calls=2)
    with pytest.raises(Conflict):
        go_on(draft)
    campaign = launch(draft)
    with pytest.raises(Conflict, match="does not wait"):  # its first calls are not made
        go_on(campaign)
    make_all(campaign)
    with pytest.raises(Forbidden):
        go_on(campaign, Actor(kind="user", id="1", label="Ada", role=Role.OPERATOR))
    go_on(campaign)
    with pytest.raises(Conflict):
        go_on(campaign)
    assert AuditEntry.objects.filter(action="campaign.let_on").count() == 1


def test_paused_it_waits_as_before_and_canceled_it_ends():
    people(4)
    campaign = make_all(launch(a_draft(first_calls=2)))
    pause_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOW)
    resume_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOW)
    assert make_all(campaign).waits_to_go_on

    cancel_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOW)
    campaign = make_all(campaign)
    assert (campaign.waits_to_go_on, campaign.is_launching, campaign.launch_made) == (False, False, 2)
    with pytest.raises(Conflict):
        go_on(campaign)


def test_the_others_are_planned_from_when_it_is_let_on():
    people(4)
    campaign = make_all(launch(a_draft(first_calls=2, calls_per_minute=1)))
    much_later = NOW.replace(day=NOW.day + 1)
    let_on(actor=SYSTEM, campaign_id=campaign.pk, now=much_later)
    schedule_some(campaign_id=campaign.pk, now=much_later)
    due = list(campaign.calls.order_by("due_at").values_list("due_at", flat=True))
    assert [moment >= much_later for moment in due] == [False, False, True, True]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_no_more_than_the_first():
    for _ in range(3):
        campaign = launch(a_draft(first_calls=3)) if people(8) else None

        def work(campaign=campaign):
            while schedule_some(campaign_id=campaign.pk, now=NOW, limit=2):
                pass

        at_once(*[partial(work)] * 3)
        assert campaign.calls.count() == 3
