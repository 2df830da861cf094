"""What needs attention: what happened, and the next step in one click."""

import re
from datetime import timedelta

import pytest

from calls.actions.dialing import claim_due
from calls.actions.remarks import mark_seen
from calls.models import Call
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import Mode
from tests.builders import NOON, a_call, a_contact
from tests.pages.conftest import a_finished_call, htmx, text_of


def press(client, url: str, button: str) -> str:
    """Send the form that the button belongs to, as a browser without JavaScript does."""
    page = text_of(client, url)
    markup = re.search(rf'<button[^>]*id="{button}"[^>]*>', page)[0]
    form, name, value = (re.search(rf' {part}="([^"]*)"', markup)[1] for part in ("form", "name", "value"))
    action, within = re.search(
        rf'<form id="{form}"[^>]*action="([^"]*)">(.*?)</form>', page, re.DOTALL
    ).groups()
    outside = "".join(re.findall(rf'<input[^>]*form="{form}"[^>]*>', page))
    hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', within + outside))
    return client.post(action, {**hidden, name: value}, follow=True).content.decode()


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("expired", "It could not be dialled in time. It was dialled once before."),
        ("unknown", "The phone network never said how it ended. The phone may have rung."),
        ("no_answer", "No answer after 1 try."),
        ("callback_requested", "They asked to be called back."),
    ],
)
def test_it_says_what_happened_in_plain_words(browse, outcome, words):
    call = a_finished_call(outcome)
    client = browse()

    assert words in text_of(client, "/calls/?view=attention")
    assert words in text_of(client, f"/calls/{call.pk}/")


def test_one_click_calls_again_now(browse, at):
    call = a_finished_call("no_answer")
    client = browse()
    at(NOON)

    page = press(client, "/calls/?view=attention", f"now-{call.pk}")

    assert "1 call scheduled again." in page
    assert Call.objects.get(status="scheduled").due_at <= NOON + timedelta(seconds=5)
    assert "Nothing needs you" in page


def test_one_click_calls_again_tomorrow_from_the_calls_page(browse, at):
    call = a_finished_call("callback_requested")
    client = browse()
    at(NOON)

    press(client, f"/calls/{call.pk}/", f"tomorrow-{call.pk}")

    assert Call.objects.get(status="scheduled").due_at == NOON + timedelta(days=1)


def test_one_click_drops_it_and_keeps_the_filters(browse):
    gone, stays = a_finished_call("no_answer"), a_finished_call("unknown")
    client = browse()

    page = press(client, "/calls/?view=attention&outcome=no_answer", f"seen-{gone.pk}")

    assert "1 call marked as seen." in page
    assert "No call matches" in page
    rows = client.get("/calls/?view=attention").context["rows"]
    assert [row.call.pk for row in rows] == [stays.pk]
    assert "Needs attention." not in text_of(client, f"/calls/{gone.pk}/")


def test_one_that_still_waits_is_moved_to_tomorrow(browse, at):
    call = a_call()
    client = browse()
    at(NOON + timedelta(minutes=5))

    press(client, "/calls/?view=attention", f"tomorrow-{call.pk}")

    assert Call.objects.get().due_at == NOON + timedelta(days=1)


def test_after_an_outage_the_late_ones_stand_together(browse, at):
    for _ in range(3):
        a_call(a_contact())
    a_finished_call("no_answer")
    client = browse()
    late = NOON + timedelta(hours=1)
    at(late)
    claim_due(mode=Mode.TEST, now=late)

    page = text_of(client, "/calls/?view=attention")
    assert "3 calls came too late to ring." in page
    asked = text_of(client, "/calls/again/?view=attention&outcome=expired&everything=1&way=now")
    assert "Call 3 again" in asked
    everything = {"view": "attention", "outcome": "expired", "everything": "1", "counted": "3"}
    answers = {"confirmed": "1", "way": "now", "over_min": "30", "whose": "contact"}
    client.post("/calls/again/", {**everything, **answers})

    waits = sorted(call.due_at - late for call in Call.objects.filter(status="scheduled"))
    assert [wait.total_seconds() // 600 for wait in waits] == [0, 1, 2]
    assert "came too late to ring" not in text_of(client, "/calls/?view=attention")


@pytest.mark.parametrize(
    ("query", "outcomes"),
    [
        ("", {"expired", "no_answer", "callback_requested"}),
        ("&outcome=expired", {"expired"}),
        ("&outcome=callback_requested", {"callback_requested"}),
        ("&status=scheduled", set()),
    ],
)
def test_the_kinds_are_filters(browse, query, outcomes):
    for outcome in ("expired", "no_answer", "callback_requested"):
        a_finished_call(outcome)

    answer = browse().get(f"/calls/?view=attention{query}")

    assert {row.call.outcome for row in answer.context["rows"]} == outcomes
    assert answer.content.decode().count('id="kind-') == 6


def test_what_was_seen_is_gone_from_the_list_and_its_count(browse):
    call = a_finished_call("no_answer")
    mark_seen(actor=SYSTEM, call_id=call.pk, now=NOON)

    tabs = {tab["name"]: tab["count"] for tab in browse().get("/calls/").context["tabs"]}

    assert tabs["attention"] == 0
    assert tabs["all"] == 1


def test_viewers_see_what_happened_and_no_buttons(browse):
    a_finished_call("no_answer")

    page = text_of(browse(Role.VIEWER), "/calls/?view=attention")

    assert "No answer after 1 try." in page
    assert "Call now" not in page


def test_the_fragment_holds_no_token(browse):
    a_finished_call("no_answer")

    assert "csrfmiddlewaretoken" not in htmx(browse(), "/calls/?view=attention")
