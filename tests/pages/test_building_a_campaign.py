"""Writing a campaign, the check before its launch, and the launch; without JavaScript."""

import re
from datetime import timedelta
from html import unescape

import pytest

from calls.models import Call
from campaigns import tasks
from campaigns.actions import update_campaign
from campaigns.models import Campaign
from contacts.models import Contact, Suppression
from temphone.accounts.actors import SYSTEM, Role
from tests.builders import a_campaign, a_contact, a_number, a_trunk
from tests.pages.conftest import EARLIER, htmx, text_of

FILLED = {
    "name": "Renewals",
    "purpose": "informational",
    "message": "Hi {{ first_name }}.",
    "mode": "test",
    "kind": "tag",
    "tag": "vip",
    "opens": "09:00",
    "closes": "17:00",
    "calls_per_minute": "30",
    "max_attempts": "2",
}


@pytest.fixture
def manager(browse):
    return browse(Role.MANAGER)


def people(count: int = 3) -> None:
    for _ in range(count):
        a_contact(tags=["vip"], created_at=EARLIER - timedelta(days=1))


def problems(response) -> list[str]:
    lists = re.findall(r'<ul class="errors"[^>]*>(.*?)</ul>', response.content.decode(), re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", text).strip()) for text in lists]


def test_from_the_form_by_the_check_to_the_calls(manager):
    people()
    assert "New campaign" in text_of(manager, "/campaigns/")
    saved = manager.post("/campaigns/new/", FILLED)
    campaign = Campaign.objects.get()
    assert saved.url == f"/campaigns/{campaign.pk}/launch/"
    assert (campaign.status, campaign.whom.text, campaign.max_attempts) == ("draft", "vip", 2)
    assert not Call.objects.exists()

    check = text_of(manager, saved.url)
    assert "Launch: 3 calls" in check
    assert "of 3 people can be called" in check
    assert "only warned of in test mode" in check

    launched = manager.post(saved.url)
    assert launched.url == f"/campaigns/{campaign.pk}/"
    assert campaign.calls.count() == 3
    page = text_of(manager, launched.url)
    assert "Renewals is launched." in page
    assert "3 calls, 0% done" in page
    assert "being scheduled" not in page


@pytest.fixture
def lines(db):
    """A real line, and two numbers of ours."""
    a_trunk()
    a_number("+14155550190")
    return a_number("+14155550191")


def test_its_calls_show_the_number_and_are_recorded_as_was_chosen(manager, lines):
    people()
    sent = {**FILLED, "mode": "live", "caller_id": "+1 (415) 555-0191"}
    address = manager.post("/campaigns/new/", sent).url
    assert "+1 (415) 555-0191" in text_of(manager, address)
    assert 'name="recording_enabled" id="id_recording_enabled">' in text_of(
        manager, address.replace("launch", "edit")
    )
    manager.post(address)

    call = Call.objects.first()
    assert (call.caller_id, call.caller_number) == ("+1 (415) 555-0191", "+14155550191")
    assert set(Call.objects.values_list("recording_enabled", flat=True)) == {False}


def test_a_new_campaign_records_its_calls_unless_it_is_said_otherwise(manager):
    assert 'name="recording_enabled" id="id_recording_enabled" checked' in text_of(manager, "/campaigns/new/")
    people(1)
    manager.post(manager.post("/campaigns/new/", {**FILLED, "recording_enabled": "on"}).url)
    assert Call.objects.get().recording_enabled


def test_real_calls_show_none_but_our_numbers(manager, lines):
    people()
    other = {**FILLED, "mode": "live", "caller_id": "+14155550199"}
    assert problems(manager.post("/campaigns/new/", other)) == [
        "This must be one of this installation's numbers."
    ]

    address = manager.post("/campaigns/new/", {**other, "caller_id": "+14155550191"}).url
    lines.delete()
    assert "must be one of this installation" in manager.post(address).content.decode()
    assert not Call.objects.exists()


def test_many_people_are_checked_by_a_part_that_follows_the_page(manager, monkeypatch):
    monkeypatch.setattr("campaigns.views.building.FEW", 2)
    people()
    address = manager.post("/campaigns/new/", FILLED).url
    page = text_of(manager, address)
    assert 'hx-get="?check" hx-trigger="load"' in page
    assert 'href="?check"' in page  # for whoever has no JavaScript
    assert "can be called" not in page
    assert "Launch: 3 calls" not in page

    part = htmx(manager, f"{address}?check")
    assert "of 3 people can be called" in part
    assert "Launch: 3 calls" in part
    assert "<h1>" not in part
    assert "Launch: 3 calls" in text_of(manager, f"{address}?check")


def test_launched_twice_nobody_is_called_twice(manager):
    people()
    address = manager.post("/campaigns/new/", FILLED).url
    manager.post(address)
    manager.post(address)
    tasks.launch()

    assert Call.objects.count() == 3
    assert "was launched already" in text_of(manager, address.removesuffix("launch/"))


def test_of_many_the_page_tells_how_far_it_is(manager, monkeypatch):
    monkeypatch.setattr("campaigns.views.building.AT_ONCE", 2)
    people(5)
    address = manager.post("/campaigns/new/", FILLED).url
    page = manager.post(address, follow=True).content.decode()
    assert "The calls are being scheduled: 2 of 5 so far." in page
    assert "5 calls, 0% done" in page
    assert "every 4s" in page

    tasks.launch()
    page = text_of(manager, address.removesuffix("launch/"))
    assert "being scheduled" not in page
    assert Call.objects.count() == 5


def test_the_check_names_who_would_not_be_called(manager):
    people(2)
    Suppression.objects.create(number=Contact.objects.first().phone)
    Contact.objects.update(first_name="")

    page = unescape(text_of(manager, manager.post("/campaigns/new/", FILLED).url))

    assert "On the do-not-call list" in page
    assert "uses 'first_name', which has no value for this contact" in page


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"name": ""}, "Give it a name."),
        ({"message": ""}, "Write what the assistant shall say first."),
        ({"message": "{% if %}"}, "This must not use tags"),
        ({"tag": ""}, "Choose a tag."),
        ({"kind": "search"}, "Write what to search for."),
        ({"kind": "picked"}, "Pick at least one person."),
        ({"closes": "08:30"}, "This must be a minute after it opens, or more."),
        ({"opens": "05:00"}, "This must be a window within the calling hours"),
        ({"opens": ""}, "This must be given together"),
        ({"calls_per_minute": "0"}, "greater than or equal to 1"),
        ({"mode": "live"}, "Select a valid choice"),
        ({"caller_id": "12"}, "Write the number with its country, such as +1 415 555 0199."),
    ],
)
def test_every_problem_stands_beside_its_field_and_nothing_is_kept(manager, typed, problem):
    response = manager.post("/campaigns/new/", {**FILLED, **typed})

    assert response.status_code == 200
    assert any(problem in told for told in problems(response)), problems(response)
    assert not Campaign.objects.exists()


def test_a_draft_is_edited_with_what_it_holds(manager):
    manager.post("/campaigns/new/", FILLED)
    address = f"/campaigns/{Campaign.objects.get().pk}/edit/"
    page = text_of(manager, address)
    for value in ('value="Renewals"', 'value="vip"', 'value="09:00"', "Hi {{ first_name }}."):
        assert value in page

    manager.post(address, {**FILLED, "name": "Spring", "opens": "", "closes": "", "mode": "live"})

    campaign = Campaign.objects.get()
    assert (campaign.name, campaign.window, campaign.mode) == ("Spring", None, "test")


def version_in(page: str) -> str:
    return re.search(r'name="version" value="(\d+)"', page)[1]


def test_of_two_who_edit_a_draft_the_second_is_told_and_overwrites_nothing(manager):
    manager.post("/campaigns/new/", FILLED)
    campaign = Campaign.objects.get()
    address = f"/campaigns/{campaign.pk}/edit/"
    seen = version_in(text_of(manager, address))
    manager.post(address, {**FILLED, "version": seen, "name": "Spring"})

    late = manager.post(address, {**FILLED, "version": seen, "message": "Mine."})

    assert "Somebody else has changed Spring meanwhile." in late.content.decode()
    assert "Mine." in late.content.decode()
    campaign.refresh_from_db()
    assert (campaign.name, campaign.message) == ("Spring", "Hi {{ first_name }}.")
    fresh = version_in(text_of(manager, address))
    assert manager.post(address, {**FILLED, "version": fresh, "message": "Mine."}).status_code == 302


def by_form(manager, campaign: Campaign) -> None:
    manager.post(f"/campaigns/{campaign.pk}/edit/", {**FILLED, "message": "Bye."})


def by_program(_manager, campaign: Campaign) -> None:
    update_campaign(actor=SYSTEM, campaign_id=campaign.pk, changes={"purpose": "marketing"}, now=EARLIER)


@pytest.mark.parametrize("change", [by_form, by_program])
def test_what_changed_under_whoever_launches_it_is_looked_at_again_first(manager, change):
    people()
    address = manager.post("/campaigns/new/", FILLED).url
    seen = version_in(text_of(manager, address))
    change(manager, Campaign.objects.get())

    page = manager.post(address, {"version": seen}).content.decode()

    assert "Somebody else has changed Renewals meanwhile." in page
    assert not Call.objects.exists()
    assert manager.post(address, {"version": version_in(page)}).status_code == 302
    assert Call.objects.count() == 3


def test_people_are_found_and_picked_without_javascript(manager):
    ada, bob = a_contact(first_name="Ada"), a_contact(first_name="Bob")
    typed = {**FILLED, "kind": "picked", "people": [ada.pk]}
    page = manager.post("/campaigns/new/", {**typed, "people_q": "bob", "find": "1"}).content.decode()
    assert f'value="{ada.pk}" id="pick-{ada.pk}" checked' in page
    assert f'value="{bob.pk}"' in page
    assert 'value="Renewals"' in page

    manager.post("/campaigns/new/", {**typed, "people": [ada.pk, bob.pk]})

    assert {one.pk for one in Campaign.objects.get().whom.people} == {ada.pk, bob.pk}


def test_the_preview_counts_them_and_speaks_to_one(manager):
    people(2)
    page = manager.post("/campaigns/new/preview/", FILLED).content.decode()
    assert "<b>2</b>" in page
    assert "Hi Jordan." in page
    assert "America" not in page
    assert "09:00" in page

    wrong = manager.post("/campaigns/new/preview/", {**FILLED, "message": "Hi {{ plan }}."})
    assert "The message uses 'plan'" in unescape(wrong.content.decode())
    empty = manager.post("/campaigns/new/preview/", {"opens": "12:00", "closes": "09:00"})
    assert "Choose whom to call" in empty.content.decode()


def test_what_runs_is_edited_no_more(manager):
    campaign = a_campaign()
    for verb in ("edit", "launch"):
        answer = manager.get(f"/campaigns/{campaign.pk}/{verb}/")
        assert (answer.status_code, answer.url) == (302, f"/campaigns/{campaign.pk}/")
    assert "It was launched already" in text_of(manager, f"/campaigns/{campaign.pk}/")


def test_the_form_costs_the_same_however_many_people(manager, django_assert_max_num_queries):
    people(30)
    with django_assert_max_num_queries(12):
        text_of(manager, "/campaigns/new/")


def test_a_campaign_begins_with_a_few_calls_unless_all_are_chosen(manager):
    people()
    assert '<option value="5" selected>5 calls, then ask</option>' in text_of(manager, "/campaigns/new/")
    assert problems(manager.post("/campaigns/new/", {**FILLED, "first_calls": "3"})) != []
    saved = manager.post("/campaigns/new/", {**FILLED, "first_calls": "1"})
    campaign = Campaign.objects.get()
    assert campaign.first_calls == 1

    check = text_of(manager, saved.url)
    assert "It begins with one call, and asks you before it makes the others." in check
    assert "1 call, then asks" in check
    manager.post(saved.url, {"version": campaign.version})
    assert campaign.calls.count() == 1

    edited = {**FILLED, "first_calls": "0", "name": "All at once"}
    other = Campaign.objects.get(pk=manager.post("/campaigns/new/", edited).url.split("/")[2])
    assert other.first_calls == 0
    assert "It begins with" not in text_of(manager, f"/campaigns/{other.pk}/launch/")
