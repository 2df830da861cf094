"""What the overview and the campaigns count along an index is what counting one by one gives."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.models import Attempt, Call, tallies
from temphone.accounts.models import Mode
from temphone.telephony.messages import Outcome
from tests.builders import NOON, a_call, a_campaign
from tests.pages.conftest import an_attempt

pytestmark = pytest.mark.django_db
OUTCOMES = [outcome.value for outcome in Outcome]
DAY = timedelta(days=1)
DAYS = [(NOON + DAY * ahead, NOON + DAY * (ahead + 1)) for ahead in range(3)]
LAST_MOMENT = DAY - timedelta(microseconds=1)


def a_dial(at, outcome="no_answer", *, late_s=1.0, carrier="simulated", **fields) -> Call:
    """A call that was dialled then, and is over."""
    call = a_call(**fields)
    moment = at + timedelta(seconds=late_s)
    talk_s = 40 if outcome == "message_delivered" else None
    columns = {"outcome": outcome, "duration_s": talk_s, "created_at": at, "accepted_at": moment}
    an_attempt(call, state="ended", carrier=carrier, **columns)
    Call.objects.filter(pk=call.pk).update(status="failed", outcome=outcome, scheduled_at=at, due_at=at)
    return call


def some_dials() -> None:
    for hours in (0, 1, 23, 24, 47, 71):
        for outcome in ("message_delivered", "no_answer", "busy"):
            a_dial(NOON + timedelta(hours=hours), outcome)
    a_dial(NOON + LAST_MOMENT)
    for outside in (-timedelta(microseconds=1), 3 * DAY):
        a_dial(NOON + outside)


def plan_of(query: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {query}")
            return " ".join(row[-1] for row in cursor.fetchall())
        for way in ("seqscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN {query}")
        return " ".join(row[0] for row in cursor.fetchall())


def test_dials_are_counted_as_one_by_one():
    some_dials()
    counted, talk = Counter(), Counter()
    for number, (since, till) in enumerate(DAYS):
        for one in Attempt.objects.filter(created_at__gte=since, created_at__lt=till):
            counted[number, one.outcome] += 1
            talk[number, one.outcome] += one.duration_s or 0

    found = list(tallies.dialled(Mode.TEST, DAYS, OUTCOMES))

    assert {(day, outcome): count for day, outcome, count, _talk in found if count} == counted
    assert sum(talk.values()) == sum(talk_s for *_rest, talk_s in found) == 6 * 40
    assert counted[0, "no_answer"] == 4


def test_dials_are_counted_in_an_index_alone():
    with CaptureQueriesContext(connection) as asked:
        list(tallies.dialled(Mode.LIVE, DAYS, OUTCOMES))
    plan = plan_of(asked[0]["sql"])

    name = "attempt_carrier_ended"
    assert f"COVERING INDEX {name}" in plan or f"Index Only Scan using {name}" in plan


def test_dials_that_are_up_are_counted_apart():
    call = a_call()
    an_attempt(call, created_at=NOON)

    assert tallies.up(Mode.TEST, NOON, NOON + DAY) == [NOON]
    assert tallies.up(Mode.TEST, NOON - DAY, NOON) == []
    assert tallies.up(Mode.LIVE, NOON, NOON + DAY) == []
    assert not any(count for *_rest, count, _talk in tallies.dialled(Mode.TEST, DAYS, OUTCOMES))


def test_each_mode_has_the_dials_of_its_carriers():
    for carrier, hours in (("simulated", 1), ("sip", 2), ("sip", 3), ("twilio", 4)):
        a_dial(NOON + timedelta(hours=hours), late_s=hours, carrier=carrier)
    span = DAYS[:1]

    for mode, hours in ((Mode.TEST, [1]), (Mode.LIVE, [2, 3, 4])):
        counted = Counter()
        for _span, outcome, count, _talk in tallies.dialled(mode, span, OUTCOMES):
            counted[outcome] += count
        assert +counted == {"no_answer": len(hours)}
        assert sorted(tallies.EDGES[late] for _span, late in tallies.late(mode, span, most=9)) == hours
        found = [at for at, *_rest in tallies.latest_dials(mode, *span[0], most=9)]
        assert sorted(found) == [NOON + timedelta(hours=hour) for hour in hours]
    (latest,) = tallies.latest_dials(Mode.LIVE, *span[0], most=1)
    assert latest[0] == NOON + timedelta(hours=4)


def test_the_next_calls_are_those_of_a_mode_and_of_the_campaigns_that_are_named():
    first, other = a_campaign(), a_campaign()
    calls = [
        a_call(),
        a_call(campaign_id=first.pk),
        a_call(),
        a_call(campaign_id=other.pk),
        a_call(),
        a_call(campaign_id=first.pk),
    ]
    for hours, call in enumerate(calls):
        Call.objects.filter(pk=call.pk).update(due_at=NOON + timedelta(hours=hours))
    Call.objects.filter(pk=calls[2].pk).update(mode="live")

    due = [calls[place].pk for place in (1, 4, 5)]
    assert tallies.next_due(Mode.TEST, [first.pk], NOON, most=9) == due
    assert tallies.next_due(Mode.TEST, [first.pk], NOON, most=2) == due[:2]
    assert tallies.next_due(Mode.LIVE, [], NOON, most=9) == [calls[2].pk]


def test_of_many_dials_no_more_are_drawn_than_asked_for():
    for minute in range(12):
        a_dial(NOON + timedelta(minutes=minute), late_s=0.5)
    a_dial(NOON + DAY, late_s=70)

    assert Counter(day for day, _late in tallies.late(Mode.TEST, DAYS, most=5)) == {0: 5, 1: 1}
    classes = {day: tallies.EDGES[late] for day, late in tallies.late(Mode.TEST, DAYS, most=99)}
    assert classes == {0: 0.5, 1: 80}


def test_the_calls_of_campaigns_are_counted_by_campaign_outcome_and_day():
    first, second, other = a_campaign(), a_campaign(), a_campaign()
    for campaign, outcome, at in (
        (first, "busy", NOON),
        (first, "busy", NOON + LAST_MOMENT),
        (first, "busy", NOON + DAY),
        (first, "no_answer", NOON),
        (second, "busy", NOON),
        (other, "busy", NOON),
    ):
        a_dial(at, outcome, campaign_id=campaign.pk)
    a_call(campaign_id=first.pk)

    found = tallies.ended_in_campaigns([first.pk, second.pk], NOON, NOON + DAY, OUTCOMES)

    assert sorted(found) == sorted(
        [(first.pk, "busy", 2), (first.pk, "no_answer", 1), (second.pk, "busy", 1)]
    )
    assert list(tallies.ended_in_campaigns([], NOON, NOON + DAY, OUTCOMES)) == []
