"""Changing and exporting many calls at once."""

import csv
import io
import re
from datetime import timedelta

import pytest

from calls.actions import many
from calls.models import Call, Run
from calls.views import many as pages_of_many
from campaigns.models import Agent, Campaign
from temphone.accounts.actors import Role
from temphone.accounts.models import AuditEntry, User
from temphone.lib.clock import iso
from tests.builders import NOON, a_call, a_campaign, a_contact, a_run
from tests.pages.conftest import EARLIER, a_finished_call, a_live_call, text_of


def ids(*calls: Call) -> dict[str, list[str]]:
    return {"call": [call.pk for call in calls]}


def sent(client, verb: str, data: dict[str, object], **more: object) -> str:
    answer = client.post(f"/calls/{verb}/", {**data, "confirmed": "1", **more}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_chosen_calls_are_moved_by_a_span(browse):
    first, second, done = a_call(), a_call(), a_finished_call()

    page = sent(
        browse(), "move", ids(first, second, done), way="later", amount="2", unit="hours", whose="contact"
    )

    assert "2 calls moved." in page
    assert "1 left as it was: over already." in page
    assert {call.due_at for call in Call.objects.filter(status="scheduled")} == {NOON + timedelta(hours=2)}


def test_chosen_calls_are_moved_to_one_time_on_each_contacts_clock(browse):
    here, there = a_call(), a_call(a_contact(timezone="America/New_York"))

    sent(browse(), "move", ids(here, there), way="at", date="2026-03-16", time="10:00", whose="contact")

    assert Call.objects.get(pk=here.pk).due_at == NOON + timedelta(hours=26)
    assert Call.objects.get(pk=there.pk).due_at == NOON + timedelta(hours=23)


def test_a_time_that_is_past_is_counted_and_moves_nothing(browse):
    call = a_call()

    page = sent(browse(), "move", ids(call), way="earlier", amount="3", unit="hours", whose="contact")

    assert "1 left as it was: the time is past, or more than a year ahead." in page
    assert Call.objects.get().due_at == NOON


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"way": "at"}, "Say when, or choose another way above."),
        ({"way": "later", "amount": ""}, "Say by how much."),
        ({"way": "later", "amount": "9999999", "unit": "days"}, "A year is the most."),
        ({}, "This field is required."),
    ],
)
def test_a_time_that_is_not_said_is_asked_for_again(browse, data, words):
    call = a_call()

    page = sent(browse(), "move", {**ids(call), "whose": "contact", **data})

    assert words in page
    assert Call.objects.get().version == call.version


def test_calling_again_makes_a_new_call_for_each_that_ended(browse, at):
    old = a_finished_call("no_answer", metadata={"order": "8841"}, max_duration_s=60)
    client = browse()
    at(NOON)

    page = sent(client, "again", ids(old), way="now", over_min="0", whose="contact")

    assert "1 call scheduled again." in page
    new = Call.objects.get(status="scheduled")
    assert (new.contact, new.initial_message) == (old.contact, old.initial_message)
    assert new.metadata == {"order": "8841"}
    assert (new.max_duration_s, new.mode) == (60, "test")
    assert NOON < new.due_at <= NOON + timedelta(seconds=5)
    assert new.decisions.get().stage == "creation"
    old.refresh_from_db()
    assert (old.status, old.outcome, old.seen_at) == ("failed", "no_answer", NOON)
    assert client.get("/calls/?view=attention").context["rows"] == []


def test_pressed_twice_it_calls_again_once(browse, at):
    """Twice by one, or by two who look at the same list: nobody is rung twice."""
    old = a_finished_call("no_answer")
    client = browse()
    at(NOON)

    sent(client, "again", ids(old), way="now", over_min="0", whose="contact")
    page = sent(client, "again", ids(old), way="now", over_min="0", whose="contact")

    assert "1 left as it was: called again already." in page
    assert Call.objects.filter(status="scheduled").count() == 1


def test_called_again_with_the_form_nobody_else_calls_them_again(browse, at):
    old = a_finished_call("callback_requested")
    client = browse()
    at(NOON)
    form = client.get(f"/calls/new/?contact={old.contact_id}&again={old.pk}").context["form"]
    values = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    client.post("/calls/new/", {**values, "date": "2026-03-16", "time": "09:00"})

    assert Call.objects.filter(status="scheduled").count() == 1
    old.refresh_from_db()
    assert old.seen_at == NOON
    page = sent(client, "again", ids(old), way="now", over_min="0", whose="contact")
    assert "called again already" in page


def test_of_a_campaign_that_is_over_its_agent_still_speaks(browse, at):
    agent = Agent.objects.get()
    campaign = a_campaign(agent=agent)
    old = a_finished_call("no_answer", campaign_id=campaign.pk)
    Campaign.objects.filter(pk=campaign.pk).update(status="completed")
    client = browse()
    at(NOON)

    sent(client, "again", ids(old), way="now", over_min="0", whose="contact")

    new = Call.objects.get(status="scheduled")
    assert (new.campaign, new.agent) == (None, agent)


def test_what_sold_something_is_not_called_again_as_information(browse, at):
    """A call alone informs, and would need less consent than its campaign, which is over."""
    campaign = a_campaign(purpose="marketing")
    old = a_finished_call("no_answer", campaign_id=campaign.pk)
    Campaign.objects.filter(pk=campaign.pk).update(status="completed")
    client = browse()
    at(NOON)

    page = sent(client, "again", ids(old), way="now", over_min="0", whose="contact")

    assert "1 left as it was: its campaign is over." in page
    assert not Call.objects.filter(status="scheduled").exists()


def test_one_call_that_cannot_be_changed_stops_no_run(monkeypatch, db):
    calls = [a_call(), a_call()]
    run = a_run(*calls)
    cancel = many.cancel_call

    def cancel_but_one(*, call_id, **kwargs):
        if call_id == calls[0].pk:
            raise ValueError("a fault of ours")
        return cancel(call_id=call_id, **kwargs)

    monkeypatch.setattr(many, "cancel_call", cancel_but_one)
    many.continue_runs()

    run.refresh_from_db()
    assert (run.done, run.changed) == (2, 1)
    assert run.refused == {"an error, which the log has": 1}


def test_many_called_now_are_spread_out(browse, at):
    old = [a_finished_call("expired") for _ in range(4)]
    client = browse()
    at(NOON)

    sent(client, "again", ids(*old), way="now", over_min="60", whose="contact")

    minutes = [(call.due_at - NOON).total_seconds() // 60 for call in Call.objects.filter(status="scheduled")]
    assert sorted(minutes) == [0, 15, 30, 45]


def test_tomorrow_is_at_the_hour_of_each_on_the_contacts_clock(browse, at):
    old = a_finished_call("expired", scheduled_at=iso(NOON + timedelta(hours=2)))
    client = browse()
    at(NOON + timedelta(hours=5))

    sent(client, "again", ids(old), way="tomorrow", whose="contact")

    assert Call.objects.get(status="scheduled").due_at == NOON + timedelta(hours=26)


def test_all_that_match_are_asked_about_with_their_number(browse):
    for number in range(3):
        a_call(a_contact(first_name=f"Ada{number}"))
    a_call(a_contact(first_name="Bob"))
    a_finished_call(contact=a_contact(first_name="Ada"))
    client = browse()

    asked = text_of(client, "/calls/cancel/?view=all&q=ada&everything=1")
    assert "Cancel 3 calls?" in asked
    page = sent(client, "cancel", {"view": "all", "q": "ada", "everything": "1", "counted": "3"})

    assert "3 calls canceled." in page
    assert Call.objects.get(status="scheduled").contact.first_name == "Bob"


def test_a_large_number_is_grouped_where_it_is_asked_about(browse, monkeypatch):
    call = a_call()
    monkeypatch.setattr(pages_of_many.Choice, "ids", [call.pk] * 1234)
    client = browse()

    for verb, words in {"cancel": "Cancel 1,234 calls?", "move": "Move 1,234 calls"}.items():
        page = text_of(client, f"/calls/{verb}/?view=all&everything=1")
        assert words in page
        assert re.search(r"and 1,\d{3} more", page)


def test_more_than_was_confirmed_are_asked_about_again(browse):
    a_call()
    a_call()

    page = sent(browse(), "cancel", {"view": "upcoming", "everything": "1", "counted": "1"})

    assert "There are more now than when you were asked." in page
    assert Call.objects.filter(status="scheduled").count() == 2


def test_very_many_are_changed_in_the_background_with_progress(browse, monkeypatch):
    monkeypatch.setattr(pages_of_many, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(many, "CHUNK", 2)
    for _ in range(5):
        a_call()
    client = browse()

    page = sent(client, "cancel", {"view": "upcoming", "everything": "1", "counted": "5"})

    assert "0 of 5" in page
    run = Run.objects.get()
    many.continue_run(now=EARLIER)
    assert "2 of 5" in text_of(client, f"/calls/runs/{run.pk}/")
    many.continue_runs()
    page = text_of(client, f"/calls/runs/{run.pk}/")
    assert "5 of 5" in page
    assert "hx-trigger" not in page.split('id="run"')[1].split("</section>")[0]
    assert Call.objects.filter(status="canceled").count() == 5
    assert not many.continue_run(now=EARLIER)


def test_a_run_of_somebody_who_may_no_longer_changes_nothing(browse, monkeypatch):
    monkeypatch.setattr(pages_of_many, "MOST_AT_ONCE", 1)
    a_call()
    a_call()
    sent(browse(), "cancel", {"view": "upcoming", "everything": "1", "counted": "2"})
    User.objects.update(is_active=False)

    many.continue_runs()

    assert Run.objects.get().refused == {"not allowed to whoever began it": 2}
    assert Call.objects.filter(status="scheduled").count() == 2


def test_a_worker_that_dies_in_between_shifts_no_call_twice(browse, monkeypatch):
    monkeypatch.setattr(pages_of_many, "MOST_AT_ONCE", 1)
    a_call()
    a_call()
    moved = {"view": "upcoming", "everything": "1", "counted": "2", "whose": "contact"}
    sent(browse(), "move", moved, way="later", amount="1", unit="hours")
    real = many.move_call

    def dies(**_: object) -> Call:
        raise SystemExit

    def dies_at_the_second(**values: object) -> Call:
        monkeypatch.setattr(many, "move_call", dies)
        return real(**values)

    monkeypatch.setattr(many, "move_call", dies_at_the_second)
    with pytest.raises(SystemExit):
        many.continue_run(now=EARLIER)
    monkeypatch.setattr(many, "move_call", real)

    many.continue_runs()

    assert {call.due_at for call in Call.objects.all()} == {NOON + timedelta(hours=1)}


def lines(answer) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_all_that_match_are_exported_as_csv(browse):
    a_finished_call(contact=a_contact(first_name="Ada", last_name="Lee", phone="+14155558812"))
    a_call(a_contact(first_name="Bob"))

    answer = browse().get("/calls/export/?view=completed")

    head, *rows = lines(answer)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    found = dict(zip(head, rows[0], strict=True))
    assert len(rows) == 1
    assert found["contact"] == "Ada Lee"
    assert found["phone"] == "+14155558812"
    assert found["scheduled_at"] == "2026-03-15T15:00:00Z"
    assert found["contact_time"] == "2026-03-15 08:00"
    entry = AuditEntry.objects.get(action="calls.export")
    assert entry.details == {"filters": ["view"]}


def test_the_chosen_alone_are_exported(browse):
    chosen, _other = a_call(), a_call()

    rows = lines(browse().post("/calls/export/", ids(chosen)))

    assert [row[0] for row in rows[1:]] == [chosen.pk]


def test_an_export_is_read_in_steps_without_gap_or_repetition(browse, monkeypatch):
    monkeypatch.setattr("calls.views.exporting.AT_A_TIME", 2)
    made = {a_call().pk for _ in range(5)}

    rows = lines(browse().get("/calls/export/?view=upcoming"))

    assert len(rows) == 6
    assert {row[0] for row in rows[1:]} == made


def test_a_name_that_is_a_formula_is_exported_as_text(browse):
    a_call(a_contact(first_name='=HYPERLINK("http://x")', last_name=""))

    assert "'=HYPERLINK" in lines(browse().get("/calls/export/"))[1][2]


def test_viewers_neither_export_nor_change(browse):
    client = browse(Role.VIEWER)

    assert client.get("/calls/export/").status_code == 403
    assert client.post("/calls/again/", {"confirmed": "1"}).status_code == 403
    assert "All that match" not in text_of(client, "/calls/")


def test_a_live_call_is_neither_moved_nor_called_again(browse):
    call, _ = a_live_call()

    for verb in ("move", "again"):
        page = sent(browse(), verb, ids(call), way="tomorrow", whose="contact")
        assert "1 left as it was: in progress." in page
