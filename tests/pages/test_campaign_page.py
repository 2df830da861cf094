"""The page of one campaign; and pausing, resuming and canceling it there."""

import re
from collections import Counter
from dataclasses import replace
from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.actions.dialing import claim_due
from calls.models import Attempt, Call, Gateway
from campaigns import tasks
from campaigns.actions import ending
from campaigns.actions.launching import launch_campaign, schedule_some
from campaigns.actions.preflight import preflight
from campaigns.actions.tallies import Tally
from campaigns.models import Campaign
from campaigns.states import CampaignStatus
from campaigns.views import building, standing
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import AuditEntry, Mode
from temphone.lib.clock import iso
from temphone.telephony.messages import Outcome
from tests.builders import NOON, a_call, a_campaign, a_contact
from tests.pages.conftest import EARLIER, a_finished_call, a_live_call, htmx, text_of


@pytest.fixture
def campaign(db):
    return a_campaign(name="Renewals")


def address(campaign, verb: str = "") -> str:
    return f"/campaigns/{campaign.pk}/{f'{verb}/' if verb else ''}"


def dialled(now=NOON) -> list[str]:
    """Whom the next tick would ring."""
    Gateway.objects.update(last_seen_at=now)
    requests, _ = claim_due(mode=Mode.TEST, now=now)
    return [request.to for request in requests]


def test_its_numbers_are_those_of_its_calls(browse, campaign):
    a_call(campaign_id=campaign.pk)
    a_live_call(campaign_id=campaign.pk)
    for outcome in ("message_delivered", "callback_requested", "no_answer", "voicemail_hungup", "expired"):
        a_finished_call(outcome, campaign_id=campaign.pk)
    a_finished_call()

    response = browse(Role.VIEWER).get(address(campaign))
    parts = {part.series.look: part.count for part in response.context["parts"]}
    results = response.context["results"]

    assert parts == {"reached": 2, "voicemail": 1, "unanswered": 1, "failed": 1, "progress": 1, "waiting": 1}
    assert (results["answered"], results["dialed"], results["rate"]) == (2, 4, 50)
    assert "7 calls, 71% done" in response.content.decode()


@pytest.mark.parametrize(
    ("view", "states"),
    [
        ("", {"scheduled"}),
        ("live", {"in_progress"}),
        ("completed", {"completed"}),
        ("failed", {"failed"}),
        ("all", {"scheduled", "in_progress", "completed", "failed"}),
    ],
)
def test_its_calls_are_listed_and_no_others(browse, campaign, view, states):
    a_call(campaign_id=campaign.pk)
    a_live_call(campaign_id=campaign.pk)
    a_finished_call(campaign_id=campaign.pk)
    a_finished_call("busy", campaign_id=campaign.pk)
    a_call()

    rows = browse().get(address(campaign), {"view": view} if view else {}).context["rows"]

    assert {row.call.status for row in rows} == states
    assert {row.call.campaign_id for row in rows} == {campaign.pk}


@pytest.mark.parametrize("view", ["upcoming", "live", "completed", "failed", "all"])
def test_the_order_of_its_calls_is_turned_and_their_neighbours_follow(browse, campaign, view):
    made = {
        "upcoming": lambda **when: a_call(campaign_id=campaign.pk, **when),
        "live": lambda **when: a_live_call(campaign_id=campaign.pk, **when)[0],
        "completed": lambda **when: a_finished_call(campaign_id=campaign.pk, **when),
        "failed": lambda **when: a_finished_call("busy", campaign_id=campaign.pk, **when),
    }.get(view, lambda **when: a_call(campaign_id=campaign.pk, **when))
    calls = [made(scheduled_at=iso(NOON + timedelta(hours=hours))) for hours in range(3)]
    a_call(scheduled_at=iso(NOON + timedelta(minutes=90)))
    client = browse()

    plain = client.get(address(campaign), {"view": view})
    turned = client.get(address(campaign), {"view": view, "sort": "turned"})

    order = [row.call.pk for row in plain.context["rows"]]
    expected = [call.pk for call in calls]
    assert order == (expected if view == "upcoming" else expected[::-1])
    assert [row.call.pk for row in turned.context["rows"]] == order[::-1]
    assert "sort=turned" in plain.content.decode()
    middle = client.get(f"/calls/{order[1]}/{turned.context['query_here']}").context
    assert (middle["back"], middle["forth"]) == (order[2], order[0])


def test_calls_canceled_on_its_page_lead_back_to_it(browse, campaign):
    call = a_call(campaign_id=campaign.pk)
    client = browse()
    here = f"{address(campaign)}?view=upcoming"
    assert f'name="next" value="{here}"' in text_of(client, here)

    asked = client.post("/calls/cancel/", {"call": call.pk, "next": here}).content.decode()
    assert f'href="{here}" data-close' in asked
    assert f'name="next" value="{here}"' in asked
    done = client.post("/calls/cancel/", {"call": call.pk, "next": here, "confirmed": "1"})

    assert done["Location"] == here


def test_nobody_is_led_elsewhere_after_canceling(browse):
    sent = {"call": a_call().pk, "next": "https://elsewhere.example/", "confirmed": "1"}

    assert browse().post("/calls/cancel/", sent)["Location"] == "/calls/?view=upcoming"


def test_where_it_is_night_they_wait_for_their_morning(browse, at):
    campaign = a_campaign(opens=time(9), closes=time(12))
    for zone in ("America/Los_Angeles", "Asia/Tokyo", "Asia/Tokyo", "Europe/Madrid"):
        # Asked for by the clock of who asks: when they wait until goes by the contact's alone.
        asked = {"scheduled_at": iso(NOON + timedelta(days=1)), "timezone": "Europe/Madrid"}
        a_call(a_contact(timezone=zone), campaign_id=campaign.pk, **asked)
    client = browse()
    at(NOON + timedelta(hours=2))  # 10 in Los Angeles, 2 at night in Tokyo, 18 in Madrid

    places = client.get(address(campaign)).context["waiting"]["places"]

    assert [(place.zone, place.count, iso(place.opens_at)) for place in places] == [
        ("Asia/Tokyo", 2, "2026-03-16T00:00:00Z"),
        ("Europe/Madrid", 1, "2026-03-16T08:00:00Z"),
    ]


@pytest.mark.parametrize(
    ("status", "poll"), [("running", "every 4s"), ("paused", "every 15s"), ("completed", "")]
)
def test_it_looks_again_until_it_is_over(browse, campaign, status, poll):
    a_finished_call(campaign_id=campaign.pk)
    if status != "completed":
        a_call(campaign_id=campaign.pk)
    Campaign.objects.update(status=status)

    page = htmx(browse(), address(campaign))

    assert ("hx-trigger" in page) == bool(poll)
    assert poll in page
    assert "<html" not in page


@pytest.mark.parametrize("view", ["upcoming", "all"])
def test_it_costs_the_same_however_many_calls(browse, campaign, view):
    client = browse()
    a_finished_call(campaign_id=campaign.pk)
    a_call(campaign_id=campaign.pk)
    client.get(f"{address(campaign)}?view={view}")
    with CaptureQueriesContext(connection) as few:
        client.get(f"{address(campaign)}?view={view}")
    for _ in range(6):
        a_call(campaign_id=campaign.pk)
        a_finished_call("busy", campaign_id=campaign.pk)
    with CaptureQueriesContext(connection) as many:
        client.get(f"{address(campaign)}?view={view}")

    assert len(many) == len(few)


def test_a_pause_on_the_page_holds_the_next_tick_and_resuming_lets_it_go_on(browse, campaign):
    call = a_call(campaign_id=campaign.pk)
    client = browse(Role.MANAGER)

    client.post(address(campaign, "pause"))
    assert dialled() == []
    assert "Nothing new is dialled." in text_of(client, address(campaign))

    client.post(address(campaign, "resume"))
    assert dialled() == [call.contact.phone]


def test_a_pause_leaves_calls_in_progress_alone(browse, campaign):
    _, attempt = a_live_call(campaign_id=campaign.pk)

    browse(Role.MANAGER).post(address(campaign, "pause"))

    attempt.refresh_from_db()
    assert attempt.is_live
    assert Call.objects.get().hang_up_requested_at is None


def test_resuming_tells_what_has_become_too_late(browse, campaign, at):
    a_call(campaign_id=campaign.pk)
    Campaign.objects.update(status="paused")
    client = browse(Role.MANAGER)
    assert "two hours late" not in text_of(client, address(campaign, "resume"))

    at(NOON + timedelta(hours=2, minutes=1))
    assert "1 of them is more than two hours late" in text_of(client, address(campaign, "resume"))


def test_canceling_asks_and_then_cancels_what_is_scheduled(browse, campaign):
    a_call(campaign_id=campaign.pk)
    a_live_call(campaign_id=campaign.pk)
    other = a_call()
    client = browse(Role.MANAGER)
    assert "1 call that is scheduled is canceled." in text_of(client, address(campaign, "cancel"))
    assert Campaign.objects.get().status == "running"

    client.post(address(campaign, "cancel"))

    found = sorted(Call.objects.filter(campaign=campaign).values_list("status", "outcome"), key=str)
    assert found == [("canceled", "canceled_by_user"), ("in_progress", None)]
    assert dialled() == [other.contact.phone]


def test_of_many_the_worker_cancels_the_rest(browse, campaign, monkeypatch):
    monkeypatch.setattr(ending.cancel_rest, "__kwdefaults__", {"limit": 2})
    for _ in range(5):
        a_call(campaign_id=campaign.pk)

    browse(Role.MANAGER).post(address(campaign, "cancel"))
    assert Call.objects.filter(status="canceled").count() == 2
    assert ending.with_rest(NOON).get() == campaign

    tasks.end()
    tasks.end()
    assert Call.objects.filter(status="canceled").count() == 5
    assert not ending.with_rest(NOON)


def test_only_a_canceled_campaigns_calls_are_canceled(campaign):
    a_call(campaign_id=campaign.pk)
    for status in set(CampaignStatus) - {CampaignStatus.CANCELED}:
        Campaign.objects.update(status=status)
        assert ending.cancel_rest(campaign_id=campaign.pk, now=NOON) == 0
    assert Call.objects.get().status == "scheduled"


def test_a_launched_campaign_is_completed_when_its_last_call_is_over(campaign):
    call, _ = a_live_call(campaign_id=campaign.pk)
    programs = a_campaign(name="Of a program")
    Campaign.objects.filter(pk=campaign.pk).update(launch_asked_at=EARLIER, launch_ended_at=EARLIER)
    tasks.end()
    assert Campaign.objects.get(pk=campaign.pk).status == "running"

    Attempt.objects.update(state="ended", outcome="busy")
    Call.objects.filter(pk=call.pk).update(status="failed", outcome="busy")
    tasks.end()
    tasks.end()

    assert Campaign.objects.get(pk=campaign.pk).status == "completed"
    assert Campaign.objects.get(pk=programs.pk).status == "running"
    assert AuditEntry.objects.filter(action="campaign.complete").count() == 1


def test_what_is_too_late_is_told(browse, campaign):
    Campaign.objects.update(status="completed")
    client = browse(Role.MANAGER)

    client.post(address(campaign, "pause"))

    assert f"Campaign {campaign.pk} is completed." in text_of(client, address(campaign))


def test_buttons_are_shown_to_who_may_press_them(browse, campaign):
    assert "Pause" in text_of(browse(Role.MANAGER), address(campaign))
    for role in (Role.VIEWER, Role.OPERATOR):
        assert "do-pause" not in text_of(browse(role), address(campaign))


def test_outside_its_window_a_call_is_put_off_to_the_next_opening():
    campaign = a_campaign(opens=time(9), closes=time(17))
    call = a_call(campaign_id=campaign.pk)  # 8 in Los Angeles

    assert iso(call.due_at) == "2026-03-15T16:00:00Z"
    assert iso(call.scheduled_at) == "2026-03-15T15:00:00Z"
    Call.objects.update(due_at=NOON)
    assert dialled() == []
    call.refresh_from_db()
    assert (call.status, iso(call.due_at)) == ("scheduled", "2026-03-15T16:00:00Z")
    assert call.decisions.last().rule == "campaign"
    assert dialled(call.due_at) == [call.contact.phone]


def shown_numbers(page: str) -> list[str]:
    """The numbers among what is read, without what stands in attributes and ids."""
    main = re.sub(r"<[^>]+>", " ", page.split("<main", 1)[1])
    return re.findall(r"(?<![\w+,.])\d[\d,]{3,}(?!\w)", main)


@pytest.mark.parametrize("verb", ["", "pause", "resume", "cancel"])
def test_large_numbers_are_grouped(browse, campaign, monkeypatch, verb):
    tally = Tally(by_status={"scheduled": 200_000, "completed": 12_345})
    monkeypatch.setattr(standing, "tally_of", lambda _id: tally)
    monkeypatch.setattr(standing, "outcomes_of", lambda *_: {Outcome.MESSAGE_DELIVERED: 12_345})

    page = text_of(browse(Role.MANAGER), address(campaign, verb))

    assert all("," in number for number in shown_numbers(page)), shown_numbers(page)
    for number in {"": ["212,345 calls", "12,345 of 12,345"], "pause": []}.get(verb, ["200,000 calls"]):
        assert number in page


def test_large_numbers_are_grouped_before_the_launch(browse, monkeypatch):
    draft = a_campaign(status="draft", message="Hi.", audience={"kind": "everybody"})
    a_contact()
    found = preflight(draft, now=EARLIER)
    large = {"size": 200_000, "checked": 10_000, "callable": 9_000, "lines": 1_200}
    ways = {"found": Counter(suppressed=4_321), "warned": Counter(no_consent=5_432)}
    monkeypatch.setattr(building, "preflight", lambda *_, **__: replace(found, **large, **ways))

    page = text_of(browse(Role.MANAGER), address(draft, "launch"))

    assert all("," in number for number in shown_numbers(page)), shown_numbers(page)
    for number in ("200,000 calls", "10,000 of all 200,000", "9,000", "4,321", "5,432", "1,200"):
        assert number in page


def test_a_draft_shows_no_results(browse, campaign):
    Campaign.objects.filter(pk=campaign.pk).update(status="draft")
    assert 'id="results-title"' not in text_of(browse(), address(campaign))

    Campaign.objects.filter(pk=campaign.pk).update(status="running")
    assert 'id="results-title"' in text_of(browse(), address(campaign))


@pytest.fixture
def looked_at(db) -> Campaign:
    """A campaign of five people that was launched, and made its first two calls."""
    contacts = [a_contact(tags=["vip"], created_at=EARLIER) for _ in range(5)]
    audience = {"kind": "tag", "text": "vip"}
    campaign = a_campaign(name="Renewals", status="draft", message="Hi.", audience=audience, first_calls=2)
    launch_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=EARLIER)
    schedule_some(campaign_id=campaign.pk, now=EARLIER)
    first = sorted(contact.pk for contact in contacts)[:2]
    assert sorted(campaign.calls.values_list("contact_id", flat=True)) == first
    return campaign


def test_after_its_first_calls_a_campaign_asks_and_goes_on_when_it_is_let(browse, looked_at):
    first = looked_at.calls.first()
    Call.objects.filter(pk=first.pk).update(status="completed", outcome="message_delivered")
    client = browse(Role.MANAGER)
    for page in (text_of(client, address(looked_at)), htmx(client, address(looked_at))):
        notice = re.search(r'id="first-calls".*?</div></div>', page, re.DOTALL)[0]
        assert "Look at the first 2 calls." in notice
        assert "1 of 2 have ended." in notice
        assert "The other 3 wait until you let them go on." in notice
        assert address(looked_at, "let-on") in notice
    assert "waits for you to look" in text_of(client, "/campaigns/")

    asked = text_of(client, address(looked_at, "let-on"))
    assert "3 more people are called, as planned." in asked
    assert "1 of the first 2 calls have ended." in asked
    told = text_of(client, client.post(address(looked_at, "let-on")).url)
    assert "Renewals goes on with the other calls." in told
    assert looked_at.calls.count() == 5
    assert 'id="first-calls"' not in told
    assert "does not wait" in text_of(client, client.post(address(looked_at, "let-on")).url)


def test_whoever_may_not_let_it_go_on_is_told_and_not_asked(browse, looked_at):
    client = browse(Role.OPERATOR)
    page = text_of(client, address(looked_at))
    assert "Look at the first 2 calls." in page
    assert "let-on" not in page
    assert client.post(address(looked_at, "let-on")).status_code == 403
    assert looked_at.calls.count() == 2
