"""Calling hours, in the contact's zone, over clock changes."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from calls.gates import may_ring_until
from calls.hours import is_open, next_opening, open_until
from tests.builders import a_call, a_campaign

ZONES = [
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Moscow",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Antarctica/Troll",
]


def test_opening_is_included_and_closing_is_not():
    day = datetime(2026, 3, 15, tzinfo=ZoneInfo("America/Los_Angeles"))
    assert is_open(day.replace(hour=8))
    assert not is_open(day.replace(hour=7, minute=59, second=59))
    assert is_open(day.replace(hour=20, minute=59, second=59))
    assert not is_open(day.replace(hour=21))


@pytest.mark.parametrize("zone_name", ZONES)
def test_the_next_opening_is_what_looking_at_each_minute_finds(zone_name):
    here = ZoneInfo(zone_name)
    for start in (datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 10, 30, tzinfo=UTC)):
        opened = None
        # Backwards, so that each minute knows the next opening by looking alone.
        for minutes in range(3 * 24 * 60, -1, -1):
            moment = start + timedelta(minutes=minutes)
            if time(8) <= moment.astimezone(here).time() < time(21):
                opened = moment
            if opened is not None:
                assert next_opening(moment, zone_name) == opened, (zone_name, moment)


def in_los_angeles(*wall):
    return datetime(*wall, tzinfo=ZoneInfo("America/Los_Angeles")).astimezone(UTC)


@pytest.mark.django_db
def test_no_phone_rings_on_past_the_closing_of_its_campaign():
    """Of test calls too, of which the calling hours only warn."""
    call = a_call(campaign_id=a_campaign(opens=time(9), closes=time(17)).pk)
    moment = in_los_angeles(2026, 3, 16, 16, 59, 55)
    until = may_ring_until(call, moment, moment + timedelta(seconds=10))
    assert until == in_los_angeles(2026, 3, 16, 16, 59, 59, 999_999)


@pytest.mark.parametrize(
    ("hours", "moment", "last"),
    [
        ((time(8), time(21)), (2026, 3, 15, 8, 0, 0), (2026, 3, 15, 8, 0, 10)),
        ((time(8), time(21)), (2026, 3, 15, 20, 59, 49), (2026, 3, 15, 20, 59, 59)),
        ((time(8), time(21)), (2026, 3, 15, 20, 59, 50), (2026, 3, 15, 20, 59, 59, 999_999)),
        ((time(8), time(21)), (2026, 3, 15, 20, 59, 59), (2026, 3, 15, 20, 59, 59, 999_999)),
        ((time(8), time(23, 59)), (2026, 3, 15, 23, 58, 55), (2026, 3, 15, 23, 58, 59, 999_999)),
        ((time(8), time(23, 59, 58)), (2026, 3, 15, 23, 59, 55), (2026, 3, 15, 23, 59, 57, 999_999)),
        # At two clocks jump to three, when it is closed.
        ((time(1), time(2, 30)), (2026, 3, 8, 1, 59, 55), (2026, 3, 8, 1, 59, 55)),
    ],
)
def test_it_is_open_until_closing_or_the_last_instant_asked_for(settings, hours, moment, last):
    settings.CALLING_HOURS = hours
    moment = in_los_angeles(*moment)
    until = open_until(moment, moment + timedelta(seconds=10), "America/Los_Angeles")
    assert until == in_los_angeles(*last)
    assert is_open(until.astimezone(ZoneInfo("America/Los_Angeles")))
