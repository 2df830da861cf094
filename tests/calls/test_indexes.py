"""What is asked many times a second is answered from an index, on SQLite as it comes."""

import re

import pytest
from django.db import connection
from django.db.models import Count

from calls.actions.bulk import fresh
from calls.actions.queues import campaigns_with_due_calls
from calls.models import Attempt, Call, Decision, Recording
from calls.models.call import needing_attention
from campaigns.models import Campaign
from contacts.models import Contact, ContactWord, Suppression
from temphone.accounts.models import Mode
from temphone.keyset import following
from temphone.webhooks.models import Delivery
from tests.builders import NOON, a_campaign

QUESTIONS = {
    "calls that wait": lambda: Call.objects.waiting(NOON),
    "due calls of a campaign": lambda: Call.objects.claimable(NOON).filter(campaign="camp_1"),
    "campaigns with due calls": lambda: campaigns_with_due_calls(Mode.LIVE, NOON),
    "due calls of a number": lambda: Call.objects.claimable(NOON).filter(
        campaign="camp_1", caller_number__in=["+14155550100"]
    ),
    "suppressions that cancel": lambda: Suppression.objects.canceling(NOON).order_by("canceling_since"),
    "attempts by a trunk": lambda: Attempt.objects.filter(trunk="trk_1"),
    "overdue attempts": lambda: Attempt.objects.overdue(NOON),
    "legs to hang up": lambda: Attempt.objects.to_hang_up(NOON),
    "lines in use": lambda: (
        Attempt.objects.live().values_list("carrier", "gateway", "trunk").annotate(Count("pk")).order_by()
    ),
    "numbers in use": lambda: Attempt.objects.live().filter(to__in=["+14155550100"]),
    "campaigns that are launched": Campaign.objects.launching,
    "due deliveries": lambda: Delivery.objects.due(NOON),
    "what failed since": lambda: Delivery.objects.made_since(NOON).filter(state="exhausted").order_by("id"),
    "decisions over somebody's calls": lambda: (
        Decision.objects.about(Contact(pk="ctc_1")).order_by("-id").values_list("id")[:26]
    ),
    "recordings to clear": lambda: Recording.objects.to_clear(NOON),
    "recordings that are old": lambda: Recording.objects.ready().filter(created_at__lte=NOON),
    "recordings that are given up": lambda: Recording.objects.given_up(NOON),
    "recordings of a call": lambda: Recording.objects.ready().filter(attempt__call="call_1"),
    "suppressions": lambda: Suppression.objects.in_force(NOON).covering(["+14155550100"]),
}


@pytest.mark.django_db
@pytest.mark.parametrize("question", QUESTIONS)
def test_no_table_is_read_whole(question):
    if connection.vendor == "sqlite":
        assert "SCAN" not in QUESTIONS[question]().explain()
        return
    # An empty table is read whole by any planner: so forbid it, and see that another way exists.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "Seq Scan" not in QUESTIONS[question]().explain()


@pytest.mark.django_db
def test_a_launch_looks_at_each_persons_calls_and_not_at_the_campaigns():
    """Of a campaign's calls there are many, and SQLite would read them all for each contact."""
    plan = fresh(a_campaign(), Contact.objects.all()).explain()
    assert "campaign_id=" not in plan
    assert connection.vendor != "sqlite" or "(contact_id=?)" in plan


@pytest.mark.django_db
def test_due_single_calls_are_found_past_all_of_campaigns():
    single = Call.objects.claimable(NOON).filter(mode="live", campaign=None)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "call_single_due" in single.explain()


@pytest.mark.django_db
def test_due_calls_of_a_number_are_found_past_all_of_others():
    of_number = Call.objects.claimable(NOON).filter(campaign="camp_1", caller_number__in=["+14155550100"])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "call_of_number_due" in of_number.explain()


@pytest.mark.django_db
@pytest.mark.postgresql
def test_a_campaign_is_asked_for_its_due_calls_and_not_joined():
    """Joined, all that is due would be gone through where a launch has just made many calls."""
    plan = campaigns_with_due_calls(Mode.LIVE, NOON).explain()
    assert "SubPlan" in plan
    assert "Join" not in plan


@pytest.mark.django_db
@pytest.mark.postgresql
def test_a_due_calls_number_is_looked_up_and_not_joined():
    """Joined, each call would be compared with each live attempt when many have just begun."""
    assert "Anti Join" not in (plan := Call.objects.claimable(NOON).explain())
    assert "SubPlan" in plan


# Of each list, the first page and one after a cursor; written as the pages and the API ask.
NEWEST = ("-scheduled_at", "-id")
LISTS = {
    "all calls": lambda: Call.objects.having({}).order_by(*NEWEST),
    "upcoming calls": lambda: Call.objects.having({"status": "scheduled"}).order_by("due_at", "id"),
    "calls of a status": lambda: Call.objects.having({"status": "completed"}).order_by(*NEWEST),
    "calls of a mode": lambda: Call.objects.having({"mode": "live"}).order_by(*NEWEST),
    "calls of a mode and status": lambda: Call.objects.having({"mode": "live", "status": "failed"}).order_by(
        *NEWEST
    ),
    "calls of an outcome": lambda: Call.objects.having({"outcome": "busy"}).order_by(*NEWEST),
    "calls of a contact": lambda: Call.objects.having({"contact_id": "ctc_1"}).order_by(*NEWEST),
    "calls of a campaign": lambda: Call.objects.having({"campaign_id": "camp_1"}).order_by(*NEWEST),
    "calls of a campaign and status": lambda: Call.objects.having(
        {"campaign_id": "camp_1", "status": "failed"}
    ).order_by(*NEWEST),
    "calls of an agent": lambda: Call.objects.having({"agent_id": "agt_1"}).order_by(*NEWEST),
    "calls of an agent and status": lambda: Call.objects.having(
        {"agent_id": "agt_1", "status": "failed"}
    ).order_by(*NEWEST),
    "upcoming calls of a campaign": lambda: Call.objects.having(
        {"campaign_id": "camp_1", "status": "scheduled"}
    ).order_by("due_at", "id"),
    "contacts by name": lambda: Contact.objects.order_by("last_name", "first_name", "id"),
    "contacts, the newest": lambda: Contact.objects.order_by("-created_at", "-id"),
    "suppressions": lambda: Suppression.objects.order_by("-created_at", "-id"),
    "campaigns in a state": lambda: Campaign.objects.filter(status="paused").newest(),
    "campaigns": lambda: Campaign.objects.order_by("-created_at", "-id"),
    "words": lambda: ContactWord.objects.beginning("jord").order_by("word", "contact_id"),
}
LISTS |= {
    f"needing attention, {number}": lambda part=part: Call.objects.having(part).order_by(*NEWEST)
    for number, part in enumerate(needing_attention(NOON))
}
LISTS |= {
    f"{name}, of a mode": lambda part=part: Call.objects.having(part, {"mode": "live"}).order_by(*NEWEST)
    for name, part in zip(("failed", "asked back", "late"), needing_attention(NOON), strict=True)
}
VALUES = {"scheduled_at": NOON, "due_at": NOON, "created_at": NOON}


def plan_of(rows) -> str:
    if connection.vendor == "sqlite":
        return rows.explain()
    # An empty table is read whole by any planner; so forbid that, and sorting, and see another way.
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    return rows.explain()


@pytest.mark.django_db
@pytest.mark.parametrize("deep", [False, True], ids=["first page", "deep"])
@pytest.mark.parametrize("name", LISTS)
def test_an_index_gives_a_list_in_its_order(name, deep):
    rows = LISTS[name]()
    if deep:
        order = rows.query.order_by
        rows = rows.filter(following(order, [VALUES.get(key.lstrip("-"), "1") for key in order]))

    plan = plan_of(rows[:51])

    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
    assert "Seq Scan" not in plan
    assert "INDEX" in plan.upper()
    if deep and connection.vendor == "sqlite" and name != "words":
        # It begins at the cursor; with an OR it would begin at the list's beginning.
        assert re.search(r"\)[<>]\(|_at<\?", plan), plan


@pytest.mark.django_db
@pytest.mark.parametrize("condition", [{}, {"status": "failed"}, {"outcome": "busy"}, {"campaign": "camp_1"}])
def test_calls_of_people_who_were_found_are_looked_up_by_them(condition):
    found = Call.objects.filter(contact__in=["ctc_1", "ctc_2"]).having(condition, are_few=True)
    for rows in (found.order_by(*NEWEST)[:26], found.order_by("due_at", "id")[:26], found.newest()[:1001]):
        assert connection.vendor != "sqlite" or "call_contact_newest (contact_id=?" in rows.explain()


@pytest.mark.django_db
def test_what_nobody_has_seen_is_found_by_its_outcome():
    failed, callbacks, _late = needing_attention(NOON)
    for conditions in ([callbacks], [failed, {"outcome": "busy"}]):
        plan = plan_of(Call.objects.having(*conditions).newest()[:26])
        assert connection.vendor != "sqlite" or "call_outcome_mode_unseen" in plan


@pytest.mark.django_db
def test_what_nobody_has_seen_of_a_mode_is_found_past_all_that_somebody_has():
    failed, callbacks, late = needing_attention(NOON)
    for part, index in (
        (failed, "call_status_unseen"),
        (callbacks, "call_outcome_mode_unseen"),
        (late, "call_mode_status_newest"),
    ):
        plan = plan_of(Call.objects.having(part, {"mode": "test"}).newest()[:6])
        assert connection.vendor != "sqlite" or index in plan


@pytest.mark.django_db
def test_what_contradicts_itself_is_answered_without_a_look(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert not Call.objects.having({"status": "scheduled"}, {"status": "failed"})
        assert not Call.objects.having({"status": "scheduled", "outcome": "busy"})
