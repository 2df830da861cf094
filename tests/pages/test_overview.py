import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.actions.carrier_events import record_carrier_events
from calls.actions.counting import count_days, days_before, figures, lateness, percentile
from calls.models import Attempt, Call, Counted, DayCount
from campaigns.models import Campaign
from temphone.accounts.actors import Role
from temphone.accounts.models import ApiKey, Mode, User
from temphone.telephony.messages import CarrierEvent, EndedBy, Ending, EventType, Outcome
from tests.builders import NOON, a_call, a_campaign, a_contact
from tests.pages.conftest import a_finished_call, an_attempt, htmx, text_of

MINUS = "\N{MINUS SIGN}"
KEEPING = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "overview"}}


def dialled(at, outcome="message_delivered", *, late_s=0.4, talk_s=60, carrier="simulated", **fields) -> Call:
    """A call that was dialled then, as far ago or ahead as that may be."""
    call = a_call(**fields)
    moment = at + timedelta(seconds=late_s)
    columns = {"outcome": outcome, "duration_s": talk_s, "created_at": moment, "accepted_at": moment}
    an_attempt(call, state="ended", carrier=carrier, **columns)
    Call.objects.filter(pk=call.pk).update(
        mode="test" if carrier == "simulated" else "live",
        status="completed" if outcome == "message_delivered" else "failed",
        outcome=outcome,
        scheduled_at=at,
        due_at=at,
    )
    return call


def plain(markup: str) -> str:
    """The text alone, its spaces single."""
    body = re.sub(r"<(script|title)\b.*?</\1>", " ", markup, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_before_the_first_call_three_steps_lead_to_it(browse):
    page = text_of(browse(Role.MANAGER), "/overview/")
    assert "+1 415 555 0100" in page
    assert 'href="/contacts/new/?then=call"' in page

    contact = a_contact(first_name="Ada")
    page = text_of(browse(Role.OPERATOR), "/overview/")
    assert f'href="/calls/new/?contact={contact.pk}"' in page
    assert "Ada Lee is among your contacts." in page
    assert "/calls/new/" not in text_of(browse(Role.VIEWER), "/overview/")


def test_the_figures_are_those_of_the_period_against_the_one_before(browse):
    for outcome in ("message_delivered", "message_delivered", "no_answer", "wrong_person"):
        dialled(NOON - timedelta(days=1), outcome)
    dialled(NOON - timedelta(days=8))
    dialled(NOON - timedelta(days=100))
    page = plain(text_of(browse(), "/overview/"))

    assert "Calls made 4 +300% on the 7 days before" in page
    assert f"Answered 75% {MINUS}25 points on the 7 days before" in page
    assert "Talk time 4 min +300% on the 7 days before" in page
    assert "People reached 2 +100% on the 7 days before" in page
    assert "Calls made 5 none in the 30 days before" in plain(text_of(browse(), "/overview/?days=30"))
    assert "Calls made 5 +400% on the 90 days before" in plain(text_of(browse(), "/overview/?days=90"))


def test_live_calls_and_test_calls_are_told_of_apart(browse):
    live, test = a_campaign(name="Real people"), a_campaign(name="A trial")
    Campaign.objects.filter(pk=live.pk).update(mode="live")
    yesterday = NOON - timedelta(days=1)
    for carrier in ("sip", "twilio"):
        dialled(yesterday, contact=a_contact(first_name="Real"), carrier=carrier)
    for number in range(3):
        one = dialled(yesterday, "no_answer", contact=a_contact(first_name=f"Trial{number}"))
        Call.objects.filter(pk=one.pk).update(campaign_id=test.pk)
    failed = dialled(yesterday, "busy", contact=a_contact(first_name="Realfailed"), carrier="sip")
    Call.objects.filter(pk=failed.pk).update(campaign_id=live.pk)
    for name, mode, campaign in (
        ("Realnext", "live", None),
        ("Realcampaign", "live", live.pk),
        ("Trialnext", "test", None),
        ("Trialcampaign", "test", test.pk),
    ):
        call = a_call(a_contact(first_name=name))
        Call.objects.filter(pk=call.pk).update(mode=mode, campaign_id=campaign)
    client = browse()

    shown = {mode: text_of(client, f"/overview/?mode={mode}") for mode in ("live", "test")}
    texts = {mode: plain(page) for mode, page in shown.items()}

    assert "Calls made 3" in texts["live"]
    assert "Calls made 3" in texts["test"]
    assert "Answered 67%" in texts["live"]
    assert "Answered 0%" in texts["test"]
    assert "Talk time 3 min" in texts["live"]
    assert "Real people 1 call ended" in texts["live"]
    assert "A trial 3 calls ended" in texts["test"]
    for name in ("Realfailed", "Realnext", "Realcampaign", "Real people"):
        assert name in texts["live"]
        assert name not in texts["test"]
    for name in ("Trial1", "Trialnext", "Trialcampaign", "A trial"):
        assert name in texts["test"]
        assert name not in texts["live"]
    assert 'href="/calls/?view=attention&amp;mode=live"' in shown["live"]
    assert "Trialnext" not in htmx(client, "/overview/?mode=live")


def test_live_calls_are_shown_first_once_there_are_any_or_a_key_for_them(browse):
    client = browse()
    a_call()
    chosen = '<a href="?days=7&amp;mode={}" aria-current="page">'
    assert chosen.format("test") in text_of(client, "/overview/")

    key = ApiKey.objects.create(public_id="51_live", hash="0", name="Till", mode="live")
    assert chosen.format("live") in text_of(client, "/overview/")
    assert chosen.format("test") in text_of(client, "/overview/?mode=test")
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=NOON)
    assert chosen.format("test") in text_of(client, "/overview/?mode=any")

    Call.objects.update(mode="live")
    assert chosen.format("live") in text_of(client, "/overview/")


@pytest.mark.parametrize("days", ["", "8", "-1", "many", "9" * 50])
def test_an_odd_period_is_a_week(browse, days):
    a_call()
    assert 'href="?days=7&amp;mode=test" aria-current="page"' in text_of(browse(), f"/overview/?days={days}")


@pytest.mark.parametrize(
    ("zone_name", "day"),
    [("UTC", 13), ("Asia/Kathmandu", 14), ("America/Los_Angeles", 13), ("Asia/Kolkata", 13)],
)
def test_a_day_is_one_of_the_readers_zone_to_the_quarter_of_an_hour(db, zone_name, day):
    # 18:20 UTC is 00:05 in Kathmandu, 23:50 in Kolkata.
    at = NOON.replace(day=13, hour=18, minute=20)
    dialled(at)
    days = [(NOON + timedelta(days=ahead)).date() for ahead in range(-4, 1)]

    found = figures(days, mode=Mode.TEST, zone_name=zone_name, now=NOON)

    assert [when.day for when, one in found.items() if one.made] == [day]


def test_a_day_on_which_the_clocks_change_has_all_its_hours(db):
    # In Los Angeles the eighth of March 2026 has 23 hours: from 08:00 UTC to 07:00 UTC.
    for hour in (-1, 0, 22, 23):
        dialled(NOON.replace(day=8, hour=8) + timedelta(hours=hour))
    days = [NOON.date().replace(day=day) for day in (7, 8, 9)]

    found = figures(days, mode=Mode.TEST, zone_name="America/Los_Angeles", now=NOON)

    assert [one.made for one in found.values()] == [1, 2, 1]


def test_lateness_is_that_of_the_last_dial_of_each_call(browse):
    for late_s in (0.2,) * 98 + (30, 30):
        dialled(NOON - timedelta(days=1), late_s=late_s)
    # Tried again: it is due anew, and its first dial was not early.
    again = dialled(NOON - timedelta(days=1))
    Call.objects.filter(pk=again.pk).update(due_at=NOON)
    day = (NOON - timedelta(days=1)).date()

    late = lateness([day], mode=Mode.TEST, zone_name="UTC", now=NOON)[day]

    assert late.total() == 100
    # To the class that it falls in, whose end is a third above at most.
    assert 0.2 <= percentile(late, 0.5) <= 0.25
    assert 30 <= percentile(late, 0.99) <= 40
    assert percentile({}, 0.5) is None
    assert "How punctual calls are" in text_of(browse(), "/overview/")


def test_hours_at_which_people_answer_are_those_of_their_clocks(browse):
    for _ in range(5):
        dialled(NOON - timedelta(days=1), contact=a_contact(timezone="America/Los_Angeles"))
    dialled(NOON - timedelta(days=1), "no_answer", contact=a_contact(timezone="America/Los_Angeles"))
    page = text_of(browse(), "/overview/")

    # Saturday 15:00 UTC is 08:00 there.
    assert "<title>Sat 8:00: 83% of 6</title>" in page
    assert "Best: Sat 8:00." in page


def test_whom_each_campaign_reached(browse):
    campaign = a_campaign(name="Spring check-up")
    for outcome in ("message_delivered", "no_answer"):
        dialled(NOON - timedelta(days=1), outcome, campaign_id=campaign.pk)
    markup = text_of(browse(), "/overview/")
    page = plain(markup)

    assert "Spring check-up 2 calls ended 50% reached" in page
    # The table that says what its chart shows.
    assert "Campaign Reached Voicemail No answer or busy Failed Together" in page
    assert "Spring check-up 1 0 1 0 2" in page
    assert f'href="/campaigns/{campaign.pk}/"><b>Spring check-up</b></a>' in text_of(browse(), "/overview/")


def test_what_needs_somebody_stands_on_the_contacts_clock_too(browse):
    a_finished_call("rejected")
    a_finished_call("callback_requested", contact=a_contact(timezone="Asia/Tokyo"))
    page = plain(text_of(browse(), "/overview/"))

    assert "08:00 in Los Angeles" in page.split("Needs attention")[-1].split("Callbacks asked for")[0]
    assert "00:00 (+1 d) in Tokyo , outside calling hours" in page.split("Callbacks asked for")[1]


def test_what_needs_attention_can_be_called_again(browse):
    failed = a_finished_call("rejected")
    callback = a_finished_call("callback_requested")
    late = a_call(a_contact(first_name="Late"))
    Call.objects.filter(pk=late.pk).update(
        due_at=NOON - timedelta(hours=2), scheduled_at=NOON - timedelta(hours=2)
    )
    page = text_of(browse(), "/overview/")

    for call in (failed, callback):
        assert f"/calls/new/?contact={call.contact_id}&amp;again={call.pk}" in page
    assert page.index("Late Lee") < page.index(f"again={failed.pk}")
    assert "due 1 h ago" in plain(page)
    assert "/calls/new/" not in text_of(browse(Role.VIEWER), "/overview/")


def test_what_somebody_has_seen_no_longer_stands_there(browse):
    seen = dialled(NOON - timedelta(days=2), "busy", contact=a_contact(first_name="Seen"))
    dialled(NOON - timedelta(days=2), "unknown", contact=a_contact(first_name="Nobodyknows"))
    Call.objects.filter(pk=seen.pk).update(seen_at=NOON)
    page = text_of(browse(), "/overview/")

    assert "Nobodyknows" in page
    assert "Seen Lee" not in page


def test_a_campaign_whose_launch_waits_for_somebody_stands_first(browse):
    client = browse(Role.VIEWER)
    a_finished_call("rejected", contact=a_contact(first_name="Refused"))
    launching = {"mode": "test", "launch_asked_at": NOON, "launch_size": 1_200, "first_calls": 5}
    for name, columns in (
        ("To look at", {"launch_made": 5}),
        ("None ended", {"launch_made": 5}),
        ("In trouble", {"launch_made": 1_100, "launch_let_on_at": NOON, "launch_problem": "No number."}),
        ("At work", {"launch_made": 4}),
        ("Let on", {"launch_made": 5, "launch_let_on_at": NOON}),
        ("Through", {"launch_made": 5, "launch_ended_at": NOON}),
        ("Of live calls", {"launch_made": 5, "mode": "live"}),
    ):
        Campaign.objects.filter(pk=a_campaign(name=name).pk).update(**launching | columns)

    look = Campaign.objects.get(name="To look at")
    for outcome in ("no_answer", "message_delivered"):
        one = a_finished_call(outcome, contact=a_contact(first_name="Early"))
        Call.objects.filter(pk=one.pk).update(campaign=look, seen_at=NOON)
    for page in (text_of(client, "/overview/?mode=test"), htmx(client, "/overview/?mode=test")):
        waiting = re.search(r'<section id="needing".*?</section>', page, re.DOTALL)[0]
        told = plain(waiting)
        assert "To look at Its first 5 calls wait for somebody to look at them." in told
        assert "In trouble Scheduling stopped after 1,100 of 1,200 calls." in told
        assert told.index("In trouble") < told.index("To look at") < told.index("Refused Lee")
        for other in ("None ended", "At work", "Let on", "Through", "Of live calls"):
            assert other not in told
        assert f'href="/campaigns/{look.pk}/" aria-label="Look at To look at"' in waiting


def test_the_next_calls_are_in_the_order_they_are_due(browse):
    later = a_call(a_contact(first_name="Later"))
    a_call(a_contact(first_name="Sooner"))
    Call.objects.filter(pk=later.pk).update(due_at=NOON + timedelta(hours=3))
    page = text_of(browse(), "/overview/")

    assert page.index("Sooner Lee") < page.index("Later Lee")


def test_its_lists_stay_fresh_while_it_is_open(browse):
    client = browse()
    call = a_call(a_contact(first_name="Sooner"))
    # With the mode that is shown, lest the first live call turn the lists alone to the other.
    path = "/overview/?days=30&amp;mode=test"
    assert f'hx-get="{path}" hx-trigger="every 30s' in text_of(client, "/overview/?days=30")

    Call.objects.filter(pk=call.pk).update(status="failed", outcome="unknown")
    a_finished_call("callback_requested", contact=a_contact(first_name="Again"))
    with CaptureQueriesContext(connection) as asked:
        lists = htmx(client, "/overview/?days=30")

    assert "Nothing is scheduled." in lists
    for name, person in (("needing", "Sooner Lee"), ("asked-back", "Again Lee")):
        assert re.search(
            rf'<section id="{name}"[^>]* hx-swap-oob="true">.*?{person}.*?</section>', lists, re.DOTALL
        )
    assert "Calls per day" not in lists
    assert len(asked) <= 12


def test_the_page_takes_the_same_few_queries_however_much_there_is(browse, django_assert_max_num_queries):
    client = browse()
    a_finished_call()
    with CaptureQueriesContext(connection) as few:
        text_of(client, "/overview/?days=90")
    campaign = a_campaign()
    for outcome in ("rejected", "callback_requested", "no_answer", "unknown"):
        dialled(NOON - timedelta(days=3), outcome, campaign_id=campaign.pk, contact=a_contact())
        a_finished_call(outcome)
        a_call()

    with CaptureQueriesContext(connection) as many:
        text_of(client, "/overview/?days=90")

    assert len(many) <= len(few) + 3  # the campaigns' calls and names, the next calls
    assert len(many) < 30


def test_what_was_counted_is_kept_for_a_minute_and_says_when(browse, at, settings):
    settings.CACHES = KEEPING
    cache.clear()
    client = browse(timezone="UTC")
    dialled(NOON - timedelta(hours=2))
    assert "counted at 14:00:00" in plain(text_of(client, "/overview/"))

    dialled(NOON - timedelta(hours=2))
    at(NOON - timedelta(seconds=3590))
    page = plain(text_of(client, "/overview/"))
    assert "Calls made 1" in page
    assert "counted at 14:00:00" in page

    cache.clear()
    assert "Calls made 2" in plain(text_of(client, "/overview/"))


def test_a_day_that_is_over_is_counted_once_by_the_worker(browse, django_assert_num_queries):
    client = browse(timezone="Asia/Kathmandu")
    dialled(NOON - timedelta(days=1), talk_s=90)
    dialled(NOON - timedelta(days=1), "no_answer", carrier="sip")
    dialled(NOON)
    shown = [plain(text_of(client, f"/overview/?mode={mode}")) for mode in ("test", "live")]
    assert "How punctual calls are" in shown[0]
    while count_days(now=NOON):
        pass

    assert [plain(text_of(client, f"/overview/?mode={mode}")) for mode in ("test", "live")] == shown
    today = days_before(NOON.date(), 180)
    with django_assert_num_queries(3):  # the days that are kept, and two for today
        assert figures(today, mode=Mode.TEST, zone_name="Asia/Kathmandu", now=NOON)[today[-2]].talk_s == 90
    Attempt.objects.update(created_at=NOON - timedelta(days=300))
    assert "Calls made 1" in plain(text_of(client, "/overview/"))
    kept = set(DayCount.objects.values_list("mode", "zone", "what"))
    assert kept == {(mode, "Asia/Kathmandu", what) for mode in Mode for what in Counted}
    assert DayCount.objects.count() == 4 * 180


def test_a_day_is_not_counted_while_a_call_of_it_may_be_up(db, browse):
    browse(timezone="UTC")
    midnight = NOON.replace(hour=0)
    count_days(now=midnight + timedelta(hours=3) - timedelta(seconds=1))
    assert max(DayCount.objects.values_list("day", flat=True)) == (NOON - timedelta(days=2)).date()

    while count_days(now=midnight + timedelta(hours=3)):
        pass
    assert max(DayCount.objects.values_list("day", flat=True)) == (NOON - timedelta(days=1)).date()
    assert not count_days(now=NOON)


def test_whom_nobody_lets_in_any_more_no_day_is_counted_for(db, browse):
    browse(timezone="Asia/Tokyo")
    User.objects.update(is_active=False)
    assert not count_days(now=NOON)


def test_a_day_is_counted_again_when_an_end_of_it_is_told_late(browse):
    browse(timezone="UTC")
    call = dialled(NOON - timedelta(days=3))
    attempt = call.attempts.get()
    Attempt.objects.filter(pk=attempt.pk).update(state="unknown", outcome="unknown")
    Call.objects.update(status="failed", outcome="unknown")
    while count_days(now=NOON):
        pass
    day = (NOON - timedelta(days=3)).date()
    told = CarrierEvent(
        attempt_id=attempt.pk,
        sequence=1,
        type=EventType.ENDED,
        at=NOON - timedelta(days=3),
        ending=Ending(outcome=Outcome.ANSWERED_HUMAN, ended_by=EndedBy.CALLEE),
    )

    record_carrier_events(ledger=attempt.gateway_id, events=[told], now=NOON)

    assert not DayCount.objects.filter(day=day).exists()
    assert count_days(now=NOON)
    assert DayCount.objects.get(what="dialled", mode="test", day=day).counts == {"answered_human": 1}


def test_names_are_escaped(browse):
    a_call(a_contact(first_name="<b>Bold", last_name=""))
    assert "<b>Bold" not in text_of(browse(), "/overview/")
