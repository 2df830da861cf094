"""The call's page: why, notes, the outcome by hand, the neighbours in the list."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.actions.dialing import claim_due
from calls.actions.stop import set_stop_switch
from calls.models import Call, Decision, Mark, Note
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import Mode
from temphone.lib.clock import iso
from tests.builders import NOON, a_call, a_contact
from tests.pages.conftest import a_finished_call, a_live_call, an_attempt, htmx, text_of


def says(client, call: Call) -> str:
    return client.get(f"/calls/{call.pk}/").context["why"].text


def test_it_says_why_a_call_is_not_made_yet(browse, at):
    call = a_call()
    client = browse()

    assert says(client, call) == "It is not time yet: it rings at 2026-03-15T15:00:00Z."
    assert "<b>16:00</b>" in text_of(client, f"/calls/{call.pk}/").split("why-says")[1]
    at(NOON)
    assert says(client, call).startswith("It is due, no rule forbids it")
    set_stop_switch(actor=SYSTEM, on=True, reason="A storm", now=NOON)
    assert says(client, call).startswith("Not called now. Stop switch:")


def test_it_says_why_a_call_never_rang(browse, at):
    call = a_call()
    client = browse()
    at(NOON + timedelta(hours=1))
    claim_due(mode=Mode.TEST, now=NOON + timedelta(hours=1))

    assert says(client, call) == "It never rang. Lateness: 60 minutes late; the limit is 15."
    page = text_of(client, f"/calls/{call.pk}/")
    assert "Why it was not called" in page
    assert "seconds late: 3600" in page


def test_it_says_that_every_rule_allowed_a_call_that_was_made(browse, settings):
    settings.POLICIES = {**settings.POLICIES, "test": {"consent": "off", "hours": "warn"}}
    client = browse()
    call = a_finished_call()

    assert says(client, call) == ("It was dialled once. Every rule allowed it. It ended: message delivered.")
    assert "Why it was called" in text_of(client, f"/calls/{call.pk}/")


def test_it_names_the_rules_that_warned_of_a_call_that_was_made(browse):
    assert says(browse(), a_finished_call()) == (
        "It was dialled once. No rule forbade it; one warned: Consent. It ended: message delivered."
    )
    assert says(browse(), a_live_call(scheduled_at="2026-03-16T10:00:00Z")[0]) == (
        "It is being called. No rule forbade it; 2 warned: Consent, Calling hours."
    )


def a_call_that_was_busy(call: Call) -> Call:
    """It is to be tried again."""
    an_attempt(call, state="ended", outcome="busy")
    return call


def test_it_says_which_rule_kept_a_call_from_another_try(browse, at):
    call = a_call_that_was_busy(a_call())
    client = browse()
    assert "Why it waits" in text_of(client, f"/calls/{call.pk}/")
    at(NOON + timedelta(hours=1))
    claim_due(mode=Mode.TEST, now=NOON + timedelta(hours=1))

    assert says(client, call) == (
        "It was dialled once, then no more. Lateness: 60 minutes late; the limit is 15."
    )
    page = text_of(client, f"/calls/{call.pk}/")
    assert "It could not be dialled in time. It was dialled once before." in page
    assert "never rang" not in page


def test_what_no_carrier_took_never_rang_and_what_nobody_knows_of_may_have(browse):
    refused, unknown = a_finished_call("carrier_error"), a_finished_call("unknown")
    refused.attempts.update(accepted_at=None, answered_at=None)
    unknown.attempts.update(accepted_at=None, answered_at=None)
    client = browse()

    assert says(client, refused) == "It never rang: carrier error."
    assert "Why it was not called" in text_of(client, f"/calls/{refused.pk}/")
    assert says(client, unknown).startswith("It was dialled once.")


def test_a_contacts_page_says_why_they_were_called_or_not_lately(browse, at):
    call = a_call()
    client = browse()
    at(NOON + timedelta(hours=1))
    claim_due(mode=Mode.TEST, now=NOON + timedelta(hours=1))

    page = text_of(client, f"/contacts/{call.contact_id}/")

    assert "60 minutes late; the limit is 15." in page
    assert f'href="/calls/{call.pk}/#why-title"' in page
    # What each rule saw as well, and on both clocks.
    assert "seconds late: 3600" in page
    assert "in Los Angeles" in page.split('id="lately-title"')[1]
    assert f'href="/contacts/{call.contact_id}/decisions/"' in page


def decide(call: Call, times: int) -> None:
    """So many more runs of the gates over it."""
    (made,) = call.decisions.all()[:1]
    columns = {"stage": made.stage, "verdict": made.verdict, "rule": made.rule, "checks": made.checks}
    Decision.objects.bulk_create(Decision(call=call, at=NOON, **columns) for _ in range(times))


def test_all_decisions_over_somebodys_calls_are_paged_the_newest_first(browse):
    first = a_call()
    second = a_call(first.contact)
    decide(a_call(), 3)
    for call in (first, second, first):
        decide(call, 20)
    expected = list(Decision.objects.filter(call__in=[first, second]).order_by("-id"))
    client, url, seen = browse(), f"/contacts/{first.contact_id}/decisions/", []

    while url:
        context = client.get(url).context
        seen += [told.decision for told in context["decisions"]]
        following = context["listing"].next
        url = following and f"/contacts/{first.contact_id}/decisions/?after={following}"

    assert seen == expected
    assert len(seen) == 62


def test_the_number_of_queries_does_not_grow_with_the_decisions(browse):
    call, client, counts = a_call(), browse(), []
    for _ in range(2):
        decide(call, 8)
        decide(a_call(call.contact), 2)
        with CaptureQueriesContext(connection) as queries:
            text_of(client, f"/contacts/{call.contact_id}/decisions/")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 12


def test_of_whom_no_call_was_decided_the_page_says_what_to_do(browse):
    page = text_of(browse(), f"/contacts/{a_contact().pk}/decisions/")

    assert "No rule was asked yet." in page
    assert "/calls/new/?contact=" in page


def test_a_note_is_added_on_the_page_and_stays(browse):
    call = a_call()
    client = browse()

    client.post(f"/calls/{call.pk}/notes/", {"text": "Ask for <b>Eva</b>."})

    page = text_of(client, f"/calls/{call.pk}/")
    assert "Ask for &lt;b&gt;Eva&lt;/b&gt;." in page
    assert "operator-0" in page.split('id="notes"')[1]


def test_an_empty_note_says_so(browse):
    call = a_call()

    page = browse().post(f"/calls/{call.pk}/notes/", {"text": " "}, follow=True).content.decode()

    assert "Note: This field is required." in page
    assert not Note.objects.exists()


def test_an_outcome_is_marked_by_hand_and_shown_beside_the_carriers(browse, at):
    call = a_finished_call("unknown")
    client = browse()
    at(NOON + timedelta(minutes=2))

    assert "The phone network says: Unknown." in text_of(client, f"/calls/{call.pk}/mark/")
    client.post(f"/calls/{call.pk}/mark/", {"outcome": "answered_human"})

    page = text_of(client, f"/calls/{call.pk}/")
    assert "By hand: Spoke with a person, operator-0," in page
    assert "<b>Unknown</b>" in page
    assert "by hand" in text_of(client, "/calls/?view=all")


def test_no_outcome_is_no_mark(browse):
    call = a_finished_call("unknown")

    page = browse().post(f"/calls/{call.pk}/mark/", {"x": "y"}).content.decode()

    assert "This field is required." in page
    assert not Mark.objects.exists()


def test_a_live_call_is_marked_while_one_listens(browse, at):
    call, _ = a_live_call()
    client = browse()
    at(NOON + timedelta(minutes=2))
    assert "do-mark" in text_of(client, f"/calls/{call.pk}/")
    assert "How does the call to" in htmx(client, f"/calls/{call.pk}/mark/")

    page = client.post(f"/calls/{call.pk}/mark/", {"outcome": "callback_requested"}, follow=True)

    assert "By hand: Callback requested, operator-0," in page.content.decode()


def test_a_call_that_waits_is_not_marked_and_says_why(browse):
    call = a_call()
    client = browse()
    assert "do-mark" not in text_of(client, f"/calls/{call.pk}/")

    asked = htmx(client, f"/calls/{call.pk}/mark/")

    assert "The call waits for its time." in asked
    assert "Mark it</button>" not in asked


def test_a_call_that_ends_while_one_looks_stops_looking(browse):
    call, attempt = a_live_call()
    client = browse()
    assert "do-again" not in htmx(client, f"/calls/{call.pk}/")

    attempt.state, attempt.outcome = "ended", "answered_human"
    attempt.save()
    Call.objects.filter(pk=call.pk).update(status="completed", outcome="answered_human")

    fragment = htmx(client, f"/calls/{call.pk}/")
    assert "do-again" in fragment
    assert "hx-trigger" not in fragment.split('id="live"')[1].split(">")[0]


@pytest.mark.parametrize(("view", "step"), [("upcoming", 1), ("all", -1)])
def test_the_neighbours_are_those_of_the_list_one_came_from(browse, view, step):
    calls = [
        a_call(a_contact(first_name=f"N{number}"), scheduled_at=iso(NOON + timedelta(minutes=number // 2)))
        for number in range(4)
    ]
    calls = sorted(calls, key=lambda call: (call.due_at, call.pk))[::step]
    a_finished_call(scheduled_at=iso(NOON + timedelta(days=2)))
    client = browse()

    query = f"?view={view}&status=scheduled"
    for number, call in enumerate(calls):
        context = client.get(f"/calls/{call.pk}/{query}").context
        assert context["back"] == (calls[number - 1].pk if number else None)
        assert context["forth"] == (calls[number + 1].pk if number < 3 else None)
    row = text_of(client, f"/calls/{query}")
    assert f'href="/calls/{calls[0].pk}/?view={view}&amp;status=scheduled"' in row


def test_neighbours_are_found_among_what_needs_attention(browse, at):
    failed = a_finished_call("no_answer")
    asked = a_finished_call("callback_requested", scheduled_at=iso(NOON + timedelta(minutes=1)))
    client = browse()
    at(NOON + timedelta(minutes=2))

    context = client.get(f"/calls/{asked.pk}/?view=attention").context

    assert (context["back"], context["forth"]) == (None, failed.pk)


def test_without_a_list_there_are_no_neighbours(browse):
    assert "The next call" not in text_of(browse(), f"/calls/{a_call().pk}/")


def test_viewers_read_notes_and_write_none(browse):
    call = a_call()
    client = browse(Role.VIEWER)

    assert "Nobody wrote anything." in text_of(client, f"/calls/{call.pk}/")
    assert client.post(f"/calls/{call.pk}/notes/", {"text": "x"}).status_code == 403
    assert client.post(f"/calls/{call.pk}/mark/", {"outcome": "busy"}).status_code == 403
