from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.models import Call
from calls.views import browsing, lists
from campaigns.models import Agent
from campaigns.states import CampaignStatus
from temphone import pages
from temphone.accounts.actors import Role
from temphone.lib.clock import iso
from tests.builders import NOON, a_call, a_campaign, a_contact
from tests.pages.conftest import EARLIER, a_finished_call, a_live_call, htmx, say, text_of


def shown(client, query: str = "") -> set[str]:
    """The first names in the list's rows."""
    response = client.get(f"/calls/{query}")
    return {row.call.contact.first_name for row in response.context["rows"]}


def of(name: str, **columns):
    return a_contact(first_name=name, **columns)


@pytest.fixture
def several(db):
    a_call(of("Soon"))
    a_live_call(contact=of("Live"))
    a_finished_call(contact=of("Done"))
    a_finished_call("no_answer", contact=of("Failed"))
    a_finished_call("callback_requested", contact=of("Callback"))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Soon"}),
        ("?view=live", {"Live"}),
        ("?view=attention", {"Failed", "Callback"}),
        ("?view=completed", {"Done", "Callback"}),
        ("?view=all", {"Soon", "Live", "Done", "Failed", "Callback"}),
        ("?view=nonsense", {"Soon"}),
    ],
)
def test_each_view_holds_its_calls(browse, several, query, names):
    assert shown(browse(), query) == names


def test_a_call_long_due_needs_attention(browse, at):
    a_call(of("Overdue"))
    client = browse()
    assert shown(client, "?view=attention") == set()

    at(NOON + timedelta(minutes=5))

    assert shown(client, "?view=attention") == {"Overdue"}


def test_what_failed_long_ago_needs_no_attention_any_more(browse, at):
    a_finished_call("no_answer", contact=of("Failed"))
    client = browse()
    assert shown(client, "?view=attention") == {"Failed"}

    at(NOON + timedelta(days=15))

    assert shown(client, "?view=attention") == set()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?view=all&status=failed", {"Failed"}),
        ("?view=all&outcome=callback_requested", {"Callback"}),
        ("?view=all&q=don", {"Done"}),
        ("?view=all&mode=live", set()),
        ("?view=all&status=nonsense&since=never", {"Soon", "Live", "Done", "Failed", "Callback"}),
    ],
)
def test_filters_stand_in_the_address(browse, several, query, names):
    assert shown(browse(), query) == names


def test_a_call_is_found_by_its_id_its_number_and_its_company(browse):
    call = a_call(of("Ada", phone="+14155558812", company="Analytical Engines"))
    a_call(of("Bob"))

    for text in (call.pk, "5558812", "engines"):
        assert shown(browse(), f"?q={text}") == {"Ada"}


def test_the_campaign_filter_offers_the_campaigns(browse):
    campaign = a_campaign(name="Recall", status=CampaignStatus.COMPLETED)
    call = a_finished_call(contact=of("In"))
    Call.objects.filter(pk=call.pk).update(campaign=campaign)
    a_finished_call(contact=of("Out"))

    assert shown(browse(), f"?view=all&campaign={campaign.pk}") == {"In"}
    page = text_of(browse(), f"/calls/?view=all&campaign={campaign.pk}")
    assert "Campaign: <b>Recall</b>" in page
    assert f'href="/campaigns/{campaign.pk}/">Open Recall</a>' in page
    assert "Open Recall" not in text_of(browse(), "/calls/?view=all")
    assert "Recall" in text_of(browse(), "/calls/")


def test_the_agent_filter_finds_the_calls_it_speaks_in(browse):
    ada = Agent.objects.create(name="Ada")
    own, by_campaign, other = a_call(of("Own")), a_call(of("By")), a_call(of("Other"))
    Call.objects.filter(pk=own.pk).update(agent=ada)
    renewals = a_campaign(agent=ada)
    Call.objects.filter(pk=by_campaign.pk).update(campaign=renewals)
    Call.objects.filter(pk=other.pk).update(campaign=a_campaign())

    assert shown(browse(), f"?agent={ada.pk}") == {"Own", "By"}
    assert shown(browse(), f"?agent={ada.pk}&campaign={renewals.pk}") == {"By"}
    page = browse().get(f"/calls/?agent={ada.pk}")
    assert page.context["tabs"][0]["count"] == 2


def test_the_order_is_turned_in_the_address(browse):
    for number in range(3):
        a_call(of(f"N{number}"), scheduled_at=iso(NOON + timedelta(minutes=number)))
    client = browse()

    def order(query: str) -> list[str]:
        return [row.call.contact.first_name for row in client.get(f"/calls/{query}").context["rows"]]

    assert order("") == ["N0", "N1", "N2"]
    assert order("?sort=turned") == ["N2", "N1", "N0"]
    assert order("?view=all") == ["N2", "N1", "N0"]
    assert order("?view=all&sort=turned") == ["N0", "N1", "N2"]


def test_days_are_those_of_the_reader(browse):
    # NOON is 15:00 UTC on the 15th: the 16th already in Tokyo.
    a_call(of("Ada"))

    assert shown(browse(timezone="Asia/Tokyo"), "?since=2026-03-16&until=2026-03-16") == {"Ada"}
    assert shown(browse(timezone="Asia/Tokyo"), "?until=2026-03-15") == set()
    assert shown(browse(timezone="Europe/Madrid"), "?since=2026-03-15&until=2026-03-15") == {"Ada"}


def test_the_day_of_a_call_to_come_is_the_one_on_which_it_rings(browse):
    put_off, agent = a_call(of("Ada")), Agent.objects.create(name="Ann")
    a_call(of("Ben"))
    Call.objects.filter(pk=put_off.pk).update(due_at=NOON + timedelta(days=2), agent=agent)
    client = browse()

    assert shown(client, "?since=2026-03-17&until=2026-03-17") == {"Ada"}
    assert shown(client, "?since=2026-03-15&until=2026-03-15") == {"Ben"}
    tabs = client.get("/calls/?since=2026-03-17&until=2026-03-17").context["tabs"]
    assert {tab["name"]: tab["count"] for tab in tabs}["upcoming"] == 1
    # What is over, and whatever has no index by that time, stands where it was set.
    assert shown(client, "?view=all&since=2026-03-15&until=2026-03-15") == {"Ada", "Ben"}
    assert shown(client, f"?agent={agent.pk}&since=2026-03-15&until=2026-03-15") == {"Ada"}


def test_times_are_on_the_readers_clock_with_the_contacts_beneath(browse):
    a_call()

    page = text_of(browse(timezone="Europe/Madrid"), "/calls/")

    assert "<b>16:00</b>" in page
    assert "08:00 in Los Angeles" in page
    assert "there night" not in page


def test_a_moon_marks_times_outside_calling_hours(browse):
    a_call(a_contact(timezone="Asia/Tokyo"))

    page = text_of(browse(timezone="UTC"), "/calls/")

    assert "00:00 (+1 d) in Tokyo" in page
    assert "there night" in page


def test_the_number_of_queries_does_not_grow_with_the_rows(browse):
    client = browse()
    counts = []
    for _ in range(2):
        for _ in range(4):
            a_call(campaign_id=a_campaign().pk)
            a_finished_call()
            say(a_live_call()[1], "Hello?")
        with CaptureQueriesContext(connection) as queries:
            text_of(client, "/calls/?view=all")
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= 24


def test_pages_follow_each_other_without_gap_or_repetition_both_ways(browse, monkeypatch):
    monkeypatch.setattr(pages.read_page, "__kwdefaults__", {"size": 3})
    for number in range(10):
        # Some at the same instant: the id decides.
        a_call(of(f"N{number}"), scheduled_at=iso(NOON + timedelta(minutes=number // 3)))
    client = browse()

    for view, order in (("upcoming", ("due_at", "id")), ("all", ("-scheduled_at", "-id"))):
        expected = list(Call.objects.order_by(*order).values_list("contact__first_name", flat=True))
        forth, url = [], f"/calls/?view={view}"
        while url:
            response = client.get(url)
            forth += [row.call.contact.first_name for row in response.context["rows"]]
            listing = response.context["listing"]
            last, url = listing, listing.next and f"/calls/?view={view}&after={listing.next}"
        assert forth == expected
        back = []
        while last.previous:
            last = client.get(f"/calls/?view={view}&before={last.previous}").context["listing"]
            back = [call.contact.first_name for call in last.rows] + back
        assert back == expected[:-1]


def test_no_page_is_read_with_an_offset(browse, monkeypatch):
    monkeypatch.setattr(pages.read_page, "__kwdefaults__", {"size": 1})
    a_call()
    a_call()
    client = browse()
    following = client.get("/calls/").context["listing"].next

    with CaptureQueriesContext(connection) as queries:
        client.get(f"/calls/?after={following}")

    assert not [query["sql"] for query in queries if "OFFSET" in query["sql"]]


def test_an_unreadable_cursor_gives_the_first_page(browse):
    a_call(of("Ada"))

    for cursor in ("x", "é", "bm9uc2Vuc2U", "WzEsMl0", "W251bGwsIngiXQ", "WyIyMDI2LTAzLTE1IiwieCJd"):
        assert shown(browse(), f"?after={cursor}") == {"Ada"}


def test_counts_go_no_further_than_their_cap(browse, monkeypatch):
    monkeypatch.setattr(pages, "COUNT_CAP", 2)
    for _ in range(5):
        a_call()

    assert browse().get("/calls/").context["tabs"][0]["count"] == 3


def test_a_live_call_has_a_card_with_the_last_words(browse):
    _, attempt = a_live_call(contact=of("Ada"))
    say(attempt, "Hello?")
    say(attempt, "Could we talk on Friday?")

    page = text_of(browse(), "/calls/")

    assert "Could we talk on Friday?" in page
    assert "Hello?" not in page
    assert 'data-since="2026-03-15T15:00:00.000+00:00"' in page


def poll_of(client) -> str:
    return client.get("/calls/").context["poll"]


def test_each_row_of_what_is_live_has_the_last_words_though_not_each_has_a_card(browse, monkeypatch):
    monkeypatch.setattr(lists, "LIVE_CARDS", 1)
    for name in ("Ada", "Bob", "Eve"):
        _call, attempt = a_live_call(contact=a_contact(first_name=name))
        say(attempt, "Before.")
        say(attempt, f"Here is {name}.")
    client = browse()

    rows = htmx(client, "/calls/", view="live").split("<table")[1]
    assert all(f"“Here is {name}.”" in rows for name in ("Ada", "Bob", "Eve"))
    assert "Before." not in rows
    assert "card-more" in htmx(client, "/calls/")
    assert "card-more" not in htmx(client, "/calls/", view="live")


def test_the_number_of_queries_does_not_grow_with_what_is_live(browse):
    client, counts = browse(), []
    for _ in range(2):
        for _ in range(3):
            say(a_live_call(contact=a_contact())[1], "Hello?")
        with CaptureQueriesContext(connection) as queries:
            text_of(client, "/calls/?view=live")
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_the_list_looks_again_often_while_a_call_is_live_or_due_soon(browse, at):
    client = browse()
    a_call()
    at(NOON - timedelta(seconds=30))
    assert poll_of(client) == "every 3s"

    Call.objects.update(due_at=NOON + timedelta(hours=3))
    at(NOON)
    assert poll_of(client) == "load delay:10740s"

    a_live_call()
    assert poll_of(client) == "every 3s"


def test_the_list_does_not_look_again_when_nothing_is_to_come(browse, at):
    client = browse()
    assert not poll_of(client)

    a_call()
    at(EARLIER - timedelta(days=2))
    assert not poll_of(client)


def test_what_is_held_is_looked_at_at_leisure(browse, at):
    client = browse()
    a_call()
    at(NOON + timedelta(hours=1))

    assert poll_of(client) == "every 15s"
    assert "waits" in text_of(client, "/calls/")


def test_the_fragment_holds_the_list_alone(browse):
    a_call(of("Ada"))

    fragment = htmx(browse(), "/calls/")

    assert "Ada" in fragment
    assert "<html" not in fragment
    assert "csrfmiddlewaretoken" not in fragment  # it would make every fragment new


@pytest.mark.parametrize("view", browsing.VIEWS)
def test_an_empty_view_says_what_to_do(browse, view):
    page = text_of(browse(), f"/calls/?view={view}")

    assert 'class="card empty"' in page
    assert "Clear the filters" in text_of(browse(), f"/calls/?view={view}&q=nobody")


def test_many_are_canceled_after_a_question(browse):
    first, second = a_call(), a_call()
    done = a_finished_call()
    client = browse()
    ids = {"call": [first.pk, second.pk, done.pk]}

    asked = client.post("/calls/cancel/", ids).content.decode()
    assert "Cancel 2 calls?" in asked
    assert "1 of those chosen cannot be changed so" in asked
    assert Call.objects.filter(status="scheduled").count() == 2

    page = client.post("/calls/cancel/", {**ids, "confirmed": "1"}, follow=True).content.decode()

    assert "2 calls canceled." in page
    assert "1 left as it was: over already." in page
    assert Call.objects.filter(status="canceled").count() == 2


def test_one_in_progress_is_asked_to_hang_up(browse):
    call, _ = a_live_call()

    page = (
        browse().post("/calls/cancel/", {"call": [call.pk], "confirmed": "1"}, follow=True).content.decode()
    )

    assert "1 in progress: the hang-up is asked for." in page
    call.refresh_from_db()
    assert call.hang_up_requested_at


def test_names_are_escaped(browse):
    a_call(of("<script>alert(1)</script>"))

    page = text_of(browse(Role.ADMIN), "/calls/")

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
