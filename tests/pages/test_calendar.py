import re
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.models import Call, slots
from calls.states import CallStatus
from calls.views import calendar
from temphone.accounts.actors import Role
from temphone.accounts.models import AuditEntry
from temphone.lib.clock import zone
from tests.builders import NOON, a_call, a_contact
from tests.pages.conftest import a_finished_call, a_live_call, htmx, text_of

JSON = {"Accept": "application/json"}


def cells(markup: str) -> dict[tuple[str, int], str]:
    """The table's cells by day and hour."""
    found = re.findall(
        r'<td class="slot[^"]*" data-date="([^"]+)" data-hour="(\d\d)"[^>]*>(.*?)</td>', markup, re.DOTALL
    )
    return {(day, int(hour)): body for day, hour, body in found}


def where(markup: str, call: Call) -> list[tuple[str, int]]:
    return [place for place, body in cells(markup).items() if f'id="slot-{call.pk}"' in body]


def test_a_call_stands_at_its_hour_on_the_chosen_clock(browse):
    # Sunday 15:00 UTC: 16:00 in Madrid, 08:00 in Los Angeles.
    call, client = a_call(), browse()

    for clock, hour in (("mine", 16), ("contact", 8), ("utc", 15)):
        page = text_of(client, f"/calendar/?clock={clock}")
        assert where(page, call) == [("2026-03-15", hour)]
        assert f"<b>{hour:02}:00</b>" in cells(page)["2026-03-15", hour]


@pytest.mark.parametrize(
    ("zone_name", "day"), [("Pacific/Kiritimati", "2026-03-16"), ("Etc/GMT+12", "2026-03-15")]
)
def test_a_contact_far_away_stands_on_their_own_day(browse, zone_name, day):
    call = a_call(a_contact(timezone=zone_name), scheduled_at="2026-03-15T23:30:00Z")
    page = text_of(browse(), f"/calendar/?view=day&clock=contact&date={day}")

    assert [place[0] for place in where(page, call)] == [day]


def test_a_week_begins_on_monday_and_holds_its_own_calls_alone(browse):
    call = a_call()
    page = text_of(browse(), "/calendar/")

    assert min(day for day, _hour in cells(page)) == "2026-03-09"
    assert len({day for day, _hour in cells(page)}) == 7
    assert where(page, call)
    assert not where(text_of(browse(), "/calendar/?date=2026-03-16"), call)


def test_a_day_on_which_the_clocks_change_shows_all_its_calls(browse):
    # In Madrid 02:00 to 03:00 is skipped on the 29th of March, and comes twice on the 25th of October.
    client = browse()
    for text, hour in (("2026-03-29T01:30:00Z", 3), ("2026-10-25T00:30:00Z", 2), ("2026-10-25T01:30:00Z", 2)):
        call = a_call(scheduled_at=text)
        page = text_of(client, f"/calendar/?view=day&date={text[:10]}")
        assert where(page, call) == [(text[:10], hour)]


def test_a_call_to_be_tried_again_stands_at_the_time_it_will_ring(browse):
    call = a_call()
    Call.objects.filter(pk=call.pk).update(due_at=NOON + timedelta(hours=3))

    assert where(text_of(browse(), "/calendar/"), call) == [("2026-03-15", 19)]


def test_each_status_is_told_in_words_and_what_is_canceled_is_left_out(browse):
    done, failed, (live, _attempt) = a_finished_call(), a_finished_call("rejected"), a_live_call()
    canceled = a_call()
    Call.objects.filter(pk=canceled.pk).update(status="canceled", outcome="canceled_by_user")
    page = text_of(browse(), "/calendar/?view=day")

    for call, word in (
        (done, "Completed: Message delivered"),
        (failed, "Failed: Declined"),
        (live, "In progress"),
    ):
        assert re.search(
            rf'id="slot-{call.pk}".*?<span class="visually-hidden">{word}</span>', page, re.DOTALL
        )
    assert not where(page, canceled)


def test_a_card_tells_the_contacts_time_without_a_pointer_over_it(browse):
    far, near = a_call(), a_call(a_contact(timezone="Europe/Berlin"))
    client = browse()

    page = text_of(client, "/calendar/?view=day")
    assert '<span class="slotcard-there">08:00 in Los Angeles</span>' in page
    assert page.count("slotcard-there") == 1, near
    assert where(page, far)
    assert "slotcard-there" not in text_of(client, "/calendar/?view=day&clock=contact")


def test_a_moon_tells_of_hours_at_which_one_does_not_call(browse):
    a_call(a_contact(first_name="Asleep", timezone="Asia/Tokyo"))
    a_call(a_contact(first_name="Awake"))
    cell = cells(text_of(browse(), "/calendar/"))["2026-03-15", 16]

    asleep, awake = sorted(cell.split("<a ")[1:3], key=lambda card: "Awake" in card)
    assert "outside calling hours" in asleep
    assert "outside calling hours" not in awake


def test_a_crowded_hour_shows_its_first_calls_and_how_many_more(browse):
    later = [a_call(scheduled_at="2026-03-15T15:30:00Z") for _ in range(3)]
    first = a_call()
    cell = cells(text_of(browse(), "/calendar/"))["2026-03-15", 16]

    assert cell.count('id="slot-') == 3
    assert f'id="slot-{first.pk}"' in cell
    assert re.sub(r"<[^>]+>", "", cell).count("1 more") == 1
    assert "view=day&amp;date=2026-03-15" in cell or "view=day&date=2026-03-15" in cell
    assert all(where(text_of(browse(), "/calendar/?view=day"), call) for call in later)


def test_what_a_day_has_no_room_for_is_in_the_list_of_calls_to_come(browse, monkeypatch):
    monkeypatch.setitem(calendar.SHOWN, "day", 1)
    for _ in range(2):
        a_call()
    client = browse(timezone="UTC")

    cell = cells(text_of(client, "/calendar/?view=day&date=2026-03-15"))["2026-03-15", 15]
    link = re.search(r'class="slot-more" href="([^"]+)"', cell)[1].replace("&amp;", "&")

    assert link == "/calls/?view=upcoming&since=2026-03-15&until=2026-03-15"
    assert len(client.get(link).context["rows"]) == 2


def test_no_more_of_an_hour_is_read_than_is_counted(db):
    for _ in range(5):
        a_call()
    hour = (NOON, NOON + timedelta(hours=1))

    assert len(slots.first_of_each([hour], most=4)) == 4


def test_more_of_an_hour_are_counted_than_are_read_but_not_without_end(browse, monkeypatch):
    monkeypatch.setitem(calendar.COUNTED, "week", 5)
    for _ in range(7):
        a_call(scheduled_at="2026-03-15T15:30:00Z")
    a_finished_call("rejected")
    client = browse()

    cell = re.sub(r"<[^>]+>", "", cells(text_of(client, "/calendar/?clock=utc"))["2026-03-15", 15])

    # Five of those to come, as far as it counts, and the one that failed; of these three are shown.
    assert "3+ more" in cell
    hour = (NOON, NOON + timedelta(hours=1))
    full = [(CallStatus.SCHEDULED, hour), (CallStatus.FAILED, hour)]
    assert slots.counted(full, most=5) == [5, 1]
    assert slots.counted([], most=5) == []


@pytest.mark.parametrize(
    ("zone_name", "day"), [("Australia/Lord_Howe", "2026-04-05"), ("Asia/Kathmandu", "2026-03-15")]
)
def test_each_span_lies_in_one_hour_of_the_clock(zone_name, day):
    # On Lord Howe the clocks go back by half an hour on that day.
    days = [date.fromisoformat(day)]
    hours = calendar.Shown(view="day", clock="mine", days=days, my_zone=zone_name).hours()

    assert all(end == start for (_start, end), (start, _end) in pairwise(hours))
    for start, end in hours:
        last = end - timedelta(microseconds=1)
        assert len({moment.astimezone(zone(zone_name)).hour for moment in (start, last)}) == 1


def test_the_calendar_takes_the_same_few_queries_however_full_it_is(browse):
    client = browse()
    a_call()
    with CaptureQueriesContext(connection) as few:
        text_of(client, "/calendar/?clock=contact")
    for hour in range(10):
        a_call(scheduled_at=f"2026-03-15T{hour + 14}:10:00Z")
        a_finished_call("rejected")

    with CaptureQueriesContext(connection) as many:
        text_of(client, "/calendar/?clock=contact")

    assert len(many) == len(few)


@pytest.mark.django_db
def test_an_index_gives_each_hours_calls():
    with CaptureQueriesContext(connection) as asked:
        slots.first_of_each([(NOON, NOON + timedelta(hours=1))], most=4)

    assert len(asked) == 4
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            if connection.vendor == "sqlite":
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                plan = str(cursor.fetchall())
                assert "USING INDEX call_" in plan or "USING COVERING INDEX call_" in plan
                assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    "query",
    [
        "date=",
        "date=tomorrow",
        "date=0001-01-01",
        "date=9999-12-31",
        "view=year",
        "clock=moon",
        "date=2026-02-30",
    ],
)
def test_an_odd_address_shows_this_week(browse, query):
    assert ("2026-03-15", 12) in cells(text_of(browse(), f"/calendar/?{query}"))


def test_there_is_every_hour_at_which_somebody_somewhere_may_be_called(browse, settings):
    client = browse()
    for query, hours in (
        ("clock=mine", range(24)),
        ("clock=utc", range(24)),
        ("clock=contact", range(8, 21)),
        ("clock=contact&view=day", range(8, 21)),
    ):
        page = text_of(client, f"/calendar/?{query}")
        assert {hour for _day, hour in cells(page)} == set(hours)
        assert 'data-first="hour-8"' in page

    settings.CALLING_HOURS = time(9, 30), time(20, 30)
    page = text_of(client, "/calendar/?clock=contact")
    assert {hour for _day, hour in cells(page)} == set(range(9, 21))
    assert 'data-first="hour-9"' in page


def first_hour(client, query: str) -> str:
    return re.search(r'data-first="hour-(\d+)"', text_of(client, f"/calendar/?{query}"))[1]


def test_the_days_are_looked_at_from_the_morning_on(browse):
    client = browse()
    assert first_hour(client, "clock=utc&date=2026-03-16") == "8"

    # All that there is comes before it: it must not look as if there were nothing.
    a_call(scheduled_at="2026-03-17T05:30:00Z")
    assert first_hour(client, "clock=utc&date=2026-03-16") == "5"

    a_call(scheduled_at="2026-03-18T10:30:00Z")
    assert first_hour(client, "clock=utc&date=2026-03-16") == "8"


@pytest.mark.parametrize(("hour", "first"), [(3, "3"), (14, "8"), (16, "8"), (17, "9"), (23, "15")])
def test_what_is_now_is_in_sight(browse, at, hour, first):
    client = browse()
    at(NOON.replace(hour=hour))

    assert first_hour(client, "clock=utc") == first


def test_a_narrow_window_is_shown_a_day_unless_it_asks_for_a_week(browse):
    client = browse(Role.VIEWER)

    assert 'data-day="?clock=utc&amp;view=day"' in text_of(client, "/calendar/?clock=utc")
    assert "data-day" not in text_of(client, "/calendar/?view=week")


def test_the_present_is_marked_but_not_on_the_contacts_clocks(browse):
    client = browse()

    assert 'y1="0%"' in cells(text_of(client, "/calendar/"))["2026-03-15", 15]
    assert "nowline" not in text_of(client, "/calendar/?clock=contact")
    assert "nowline" not in text_of(client, "/calendar/?date=2026-04-01")


def test_an_hour_to_come_leads_to_the_form_filled_in(browse):
    client = browse()
    page = cells(text_of(client, "/calendar/?clock=utc"))
    assert "/calls/new/" not in page["2026-03-15", 13]
    href = re.search(r'href="(/calls/new/[^"]+)"', page["2026-03-15", 18])[1].replace("&amp;", "&")

    form = client.get(href).context["form"]

    assert form["date"].value().isoformat() == "2026-03-15"
    assert (form["time"].value().hour, form["whose"].value()) == (18, "utc")
    assert "/calls/new/" not in text_of(browse(Role.VIEWER), "/calendar/")


@pytest.mark.parametrize(
    "query", ["date=x&time=10:00", "date=2026-03-15", "time=10:00", "date=2026-03-15&time=10:00Z"]
)
def test_the_form_takes_no_odd_moment(browse, query):
    assert browse().get(f"/calls/new/?{query}&whose=moon").context["form"]["whose"].value() == "mine"


def moved_to(client, call: Call, moment: datetime, whose: str = "utc"):
    return client.post(
        f"/calls/{call.pk}/move/",
        {"date": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M:%S}", "whose": whose},
        headers=JSON,
    )


def test_a_drop_moves_the_call_and_undoing_moves_it_back(browse):
    call, client = a_call(), browse()

    answer = moved_to(client, call, NOON + timedelta(hours=2))
    call.refresh_from_db()
    assert (answer.status_code, answer.json()) == (
        200,
        {"moved": True, "text": "Moved to Sunday 15 March, 17:00, UTC."},
    )
    assert (call.scheduled_at, call.due_at) == (NOON + timedelta(hours=2),) * 2

    assert moved_to(client, call, NOON).json()["moved"]
    call.refresh_from_db()
    assert call.scheduled_at == NOON
    assert AuditEntry.objects.filter(action="call.rescheduled").count() == 2
    assert "The call is moved." not in text_of(client, "/calendar/")


@pytest.mark.parametrize(
    ("whose", "asked", "told"),
    [
        ("mine", NOON + timedelta(hours=3), "Moved to Sunday 15 March, 18:00, Madrid."),
        ("contact", NOON + timedelta(hours=3), "Moved to Sunday 15 March, 18:00, Los Angeles."),
        # At three in the morning there, where the rules let it ring at eight.
        ("mine", NOON + timedelta(hours=20), "Put off by the rules to Monday 16 March, 16:00, Madrid."),
    ],
)
def test_what_is_told_of_a_move_is_when_it_will_ring(browse, settings, whose, asked, told):
    settings.POLICIES = settings.POLICIES | {"test": {"consent": "off", "hours": "defer"}}
    assert moved_to(browse(), a_call(), asked, whose).json() == {"moved": True, "text": told}


def test_a_drop_into_the_past_is_refused_in_plain_words(browse):
    call = a_call()

    answer = moved_to(browse(), call, NOON - timedelta(hours=3))

    assert (answer.status_code, answer.json()) == (
        422,
        {"moved": False, "text": "Choose a time that is still to come."},
    )
    call.refresh_from_db()
    assert call.scheduled_at == NOON


def test_a_call_that_is_up_meanwhile_is_not_moved_and_says_so(browse):
    call, _attempt = a_live_call()

    answer = moved_to(browse(), call, NOON + timedelta(hours=2)).json()

    assert answer == {"moved": False, "text": f"Call {call.pk} is in progress."}


def test_only_operators_get_what_moves_calls(browse):
    call = a_call()
    viewer = browse(Role.VIEWER)

    page = text_of(viewer, "/calendar/")
    assert "data-move" not in page
    assert "calendar.js" not in page
    assert "data-move" in text_of(browse(Role.OPERATOR), "/calendar/")
    assert moved_to(viewer, call, NOON + timedelta(hours=2)).status_code == 403


def test_a_call_that_is_over_cannot_be_dragged(browse):
    a_finished_call()
    assert "data-move" not in text_of(browse(), "/calendar/")


def test_htmx_gets_the_table_alone(browse):
    fragment = htmx(browse(), "/calendar/")

    assert fragment.lstrip().startswith('<div id="calendar"')
    assert "<html" not in fragment
