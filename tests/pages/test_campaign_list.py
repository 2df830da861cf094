"""The list of campaigns."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.models import Call
from campaigns.actions import tallies
from campaigns.actions.tallies import Kept, outcomes_of, tally_of
from temphone.accounts.actors import Role
from temphone.telephony.messages import Outcome
from tests.builders import NOON, a_call, a_campaign
from tests.pages.conftest import a_finished_call, a_live_call, htmx, text_of


def calls_of(campaign) -> None:
    """One of each kind."""
    a_call(campaign_id=campaign.pk)
    a_live_call(campaign_id=campaign.pk)
    a_finished_call(campaign_id=campaign.pk)
    a_finished_call("no_answer", campaign_id=campaign.pk)


def test_without_campaigns_it_says_what_one_is(browse):
    page = text_of(browse(Role.VIEWER), "/campaigns/")

    assert "No campaigns yet" in page
    assert "A campaign calls many people with one message" in page


def test_each_stands_with_its_state_and_its_numbers(browse):
    campaign = a_campaign(name="Renewals", status="paused")
    calls_of(campaign)
    a_call()

    response = browse(Role.VIEWER).get("/campaigns/")
    (row,) = response.context["rows"]

    assert (row.total, row.tally.reached, row.remaining, row.done) == (4, 1, 1, 50)
    assert [(part.name, part.count) for part in row.parts] == [
        ("reached", 1),
        ("failed", 1),
        ("progress", 1),
        ("left", 1),
    ]
    assert [part.x for part in row.parts] == [0, 250, 500, 750]
    assert row.tally.last_at == row.tally.next_at == NOON
    assert (
        'aria-label="Reached: 1, Not reached: 1, In progress: 1, Still to call: 1"'
        in response.content.decode()
    )


def test_the_state_stands_in_the_address(browse):
    a_campaign(name="Held", status="paused")
    a_campaign(name="Going")
    client = browse()

    page = text_of(client, "/campaigns/?state=paused")
    assert "Held" in page
    assert "Going" not in page
    assert "No campaign is in this state" in text_of(client, "/campaigns/?state=draft")
    assert "Going" in text_of(client, "/campaigns/?state=nonsense")


def test_further_pages_follow_by_key(browse):
    for number in range(30):
        a_campaign(name=f"Campaign {number:02}", created_at=NOON - timedelta(hours=number))
    client = browse()
    first = client.get("/campaigns/")
    then = client.get("/campaigns/", {"after": first.context["listing"].next})

    names = [row.campaign.name for page in (first, then) for row in page.context["rows"]]
    assert names == [f"Campaign {number:02}" for number in range(30)]


def test_it_costs_the_same_however_many(browse):
    client = browse()
    calls_of(a_campaign())
    client.get("/campaigns/")
    with CaptureQueriesContext(connection) as few:
        client.get("/campaigns/")
    for _ in range(8):
        calls_of(a_campaign())
    with CaptureQueriesContext(connection) as many:
        client.get("/campaigns/")

    assert len(many) == len(few)


def test_it_looks_again_only_while_something_changes(browse):
    campaign = a_campaign()
    client = browse()
    assert "every 5s" not in htmx(client, "/campaigns/")

    a_call(campaign_id=campaign.pk)
    assert "every 5s" in htmx(client, "/campaigns/")


@pytest.mark.django_db
def test_calls_are_counted_along_an_index_and_no_row_is_read():
    if connection.vendor != "sqlite":
        return
    campaign = a_campaign()
    a_finished_call(campaign_id=campaign.pk)
    with CaptureQueriesContext(connection) as made:
        outcomes_of(campaign.pk, tally_of(campaign.pk))
    assert len(made) == 2
    for query in made:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan = [row[-1] for row in cursor.fetchall()]
        reads = [step for step in plan if step.startswith(("SEARCH", "SCAN one"))]
        assert reads
        assert all("COVERING INDEX" in step for step in reads), plan


def test_outcomes_are_those_of_its_calls_the_most_frequent_first(db):
    campaign = a_campaign()
    calls_of(campaign)
    a_finished_call("no_answer", campaign_id=campaign.pk)
    a_finished_call("no_answer", campaign_id=a_campaign().pk)

    found = outcomes_of(campaign.pk, tally_of(campaign.pk))

    assert list(found.items()) == [(Outcome.NO_ANSWER, 2), (Outcome.MESSAGE_DELIVERED, 1)]


def test_only_what_took_long_to_count_is_kept(monkeypatch):
    now, times = [0.0], []
    monkeypatch.setattr(tallies.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(tallies, "QUICK_S", 0.05)

    def count(takes_s: float) -> int:
        now[0] += takes_s
        times.append(takes_s)
        return len(times)

    kept = Kept[int]()
    assert [kept.get("quick", lambda: count(0.01)) for _ in range(3)] == [1, 2, 3]
    assert [kept.get("slow", lambda: count(0.2)) for _ in range(3)] == [4, 4, 4]
    now[0] += 5
    assert kept.get("slow", lambda: count(30)) == 5
    now[0] += tallies.LONGEST_S + 0.1
    assert kept.get("slow", lambda: count(30)) == 6


def test_a_campaigns_calls_are_counted_and_no_others(db):
    first, second = a_campaign(), a_campaign()
    calls_of(first)
    a_call(campaign_id=second.pk)

    assert tally_of(first.pk).total == 4
    assert tally_of(second.pk).by_status == {"scheduled": 1}
    assert Call.objects.count() == 5
