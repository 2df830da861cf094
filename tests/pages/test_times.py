from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from temphone.lib.clock import zone
from temphone.templatetags import times, ui
from tests.builders import NOON

WINTER = datetime(2026, 11, 23, 9, 34, tzinfo=UTC)


@pytest.fixture
def here(at):
    at(NOON)
    with timezone.override(zone("Europe/Madrid")):
        yield


def test_a_time_in_a_template_is_on_the_clock_that_is_meant(here):
    # Django's date filter turns any moment back to the present zone; ours must not.
    template = Template("{% load times %}{{ m|clock }} {{ m|clock_there:'Asia/Tokyo' }}")

    assert template.render(Context({"m": WINTER})) == "10:34 18:34"
    assert template.render(Context({"m": WINTER.astimezone(zone("Asia/Tokyo"))})) == "10:34 18:34"


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (NOON, "Today"),
        (NOON + timedelta(hours=8), "Tomorrow"),  # 00:00 in Madrid
        (NOON - timedelta(hours=17), "Yesterday"),
        (NOON + timedelta(days=3), "Wed 18 Mar"),
        (NOON + timedelta(days=300), "Sat 9 Jan 2027"),
    ],
)
def test_a_day_is_named_as_people_name_it_in_the_readers_zone(here, moment, day):
    assert times.day(moment) == day


@pytest.mark.parametrize(
    ("zone_name", "text"),
    [
        ("America/Los_Angeles", "08:00 in Los Angeles"),
        ("Africa/Johannesburg", "17:00 in Johannesburg"),
        ("Europe/Berlin", "same time in Berlin"),
        ("Asia/Tokyo", "00:00 (+1 d) in Tokyo"),
        ("Pacific/Honolulu", "05:00 in Honolulu"),
    ],
)
def test_the_contacts_clock_stands_beneath(here, zone_name, text):
    shown = times.there(NOON, zone_name)

    assert text in shown
    assert ("outside calling hours" in shown) == times.is_night(NOON, zone_name)


@pytest.mark.parametrize(
    ("zone_name", "offset"),
    [("UTC", "UTC+0"), ("America/New_York", "UTC\N{MINUS SIGN}4"), ("Asia/Kolkata", "UTC+5:30")],
)
def test_an_offset_is_that_of_the_moment(zone_name, offset):
    assert times.offset(NOON, zone_name) == offset


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        (timedelta(0), "due now"),
        (timedelta(seconds=5), "in 5 s"),
        (timedelta(minutes=33), "in 33 min"),
        (timedelta(hours=2), "in 2 h"),
        (timedelta(hours=2, minutes=5), "in 2 h 05 min"),
        (timedelta(hours=30), "in 1 day"),
        (timedelta(days=3), "in 3 days"),
    ],
)
def test_how_far_ahead(here, ahead, text):
    assert times.from_now(NOON + ahead) == text


def test_an_instant_within_a_text_is_shown_on_the_readers_clock(here):
    shown = times.local_times("<Closed>. Next opening: 2026-03-16T15:00:00Z.")

    assert shown.startswith("&lt;Closed&gt;. Next opening: <time")
    assert "Tomorrow</span> <b>16:00</b></time>." in shown


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "\N{EN DASH}"), (0, "0:00"), (64, "1:04"), (3723, "1:02:03")]
)
def test_a_length_is_written_as_on_a_phone(seconds, text):
    assert ui.talk(seconds) == text


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ada Byron", "AB"), ("ada", "A"), ("Anna Maria von Stein", "AS"), ("+1 415-555-0100", "#"), ("", "#")],
)
def test_the_mark_beside_a_name(name, letters):
    assert ui.initials(name) == letters
    assert 1 <= ui.tint(name) <= ui.TINTS
