"""When a campaign's calls are due: on each contact's clock, within the window, at the pace."""

from collections import Counter
from datetime import UTC, date, datetime, time

import pytest

from campaigns.actions.planning import Plan
from temphone.lib.clock import iso, zone

SINCE = datetime(2026, 3, 10, 14, 30, 20, tzinfo=UTC)


def a_plan(**fields) -> Plan:
    defaults = {"since": SINCE, "starts_on": None, "opens": time(9), "closes": time(17), "per_minute": None}
    return Plan(**{**defaults, **fields})


@pytest.mark.parametrize(
    ("zone_name", "due"),
    [
        ("Europe/Madrid", "2026-03-10T14:31:00Z"),  # 15:30 there: from the next minute on
        ("America/Los_Angeles", "2026-03-10T16:00:00Z"),  # 7:30: when it opens
        ("Asia/Tokyo", "2026-03-11T00:00:00Z"),  # 23:30: tomorrow
        ("Europe/Helsinki", "2026-03-10T14:31:00Z"),
    ],
)
def test_the_first_call_is_as_soon_as_it_is_open_there(zone_name, due):
    assert iso(a_plan().due(0, zone_name)) == due


def test_the_minute_before_it_closes_is_no_minute_to_begin_in():
    since = datetime(2026, 3, 10, 15, 59, 30, tzinfo=UTC)  # 16:59:30 in Madrid
    assert iso(a_plan(since=since).due(0, "Europe/Madrid")) == "2026-03-11T08:00:00Z"


def test_a_first_day_is_each_contacts_own():
    plan = a_plan(starts_on=date(2026, 3, 29))
    # Both across a change of clocks.
    assert iso(plan.due(0, "Europe/Madrid")) == "2026-03-29T07:00:00Z"
    assert iso(plan.due(0, "America/Los_Angeles")) == "2026-03-29T16:00:00Z"
    assert plan.due(0, "Europe/Madrid") < plan.due(0, "America/Los_Angeles")


def test_each_minute_has_as_many_as_the_pace_says_and_none_is_outside_the_window():
    plan = a_plan(opens=time(9), closes=time(10), per_minute=2, starts_on=date(2026, 3, 12))
    due = [plan.due(place, "Europe/Madrid") for place in range(300)]

    assert set(Counter(due).values()) == {2}
    assert due == sorted(due)
    local = [moment.astimezone(zone("Europe/Madrid")) for moment in due]
    assert {moment.hour for moment in local} == {9}
    assert Counter(moment.day for moment in local) == {12: 120, 13: 120, 14: 60}


def test_what_does_not_fit_into_the_rest_of_today_goes_on_tomorrow():
    plan = a_plan(closes=time(16), per_minute=1)  # 15:31 in Madrid: 29 minutes are left
    assert iso(plan.due(28, "Europe/Madrid")) == "2026-03-10T14:59:00Z"
    assert iso(plan.due(29, "Europe/Madrid")) == "2026-03-11T08:00:00Z"


def test_without_a_pace_all_are_due_at_once():
    assert len({a_plan().due(place, "Asia/Tokyo") for place in (0, 10, 10_000)}) == 1
