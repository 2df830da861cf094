"""A launch: one call to each of its people, whatever dies on the way."""

from datetime import time, timedelta
from functools import partial

import pytest
from django.db import OperationalError, connection

from calls.actions.destinations import set_destinations
from calls.models import Call
from campaigns import tasks
from campaigns.actions import cancel_campaign, launching, pause_campaign, resume_campaign
from campaigns.actions.drafts import save_draft
from campaigns.actions.launching import launch_campaign, schedule_some
from campaigns.actions.preflight import preflight
from campaigns.models import Audience, Campaign
from contacts.models import Consent, Contact, ContactTag, Suppression, tags_in_use
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import Mode
from temphone.doorbell import ringing
from temphone.lib.clock import iso, zone
from temphone.lib.errors import Conflict, Forbidden, Invalid, Refused
from temphone.management.commands import clock
from tests.api.test_envelope import Away
from tests.builders import NOON, a_contact, a_gateway, a_number, a_trunk
from tests.threads import at_once

pytestmark = pytest.mark.django_db
NOW = NOON - timedelta(hours=1)  # 7 in Los Angeles
VIP = {"kind": "tag", "text": "vip"}


def people(count: int, **columns) -> list[Contact]:
    earlier = NOW - timedelta(days=1)
    return [a_contact(**{"tags": ["vip"], "created_at": earlier, **columns}) for _ in range(count)]


def a_draft(mode: Mode = Mode.TEST, **values) -> Campaign:
    defaults = {"name": "Renewals", "message": "Hi {{first_name}}.", "audience": VIP, "calls_per_minute": 60}
    return save_draft(actor=SYSTEM, campaign_id=None, mode=mode, values={**defaults, **values}, now=NOW)


def launch(campaign: Campaign) -> Campaign:
    return launch_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOW)


def called(campaign: Campaign) -> list[str]:
    return sorted(campaign.calls.values_list("contact_id", flat=True))


def ids_of(contacts: list[Contact]) -> list[str]:
    return sorted(contact.pk for contact in contacts)


def test_an_audience_is_a_tag_a_search_or_those_who_were_picked():
    ada = a_contact(first_name="Ada", tags=["vip", "größe", "x'y"])
    bob = a_contact(first_name="Bob", tags=["vip2"])
    a_contact(first_name="Gone", tags=["vip"], erased_at=NOW)

    def found(**fields):
        return {contact.pk for contact in Audience(**fields).people}

    assert found(text="vip") == found(text="größe") == found(text="x'y") == {ada.pk}
    assert found(text="vi") == found(text="") == found(kind="search") == set()
    assert found(kind="search", text="bob") == {bob.pk}
    assert found(kind="picked", ids=[bob.pk, ada.pk, "ctc_none"]) == {ada.pk, bob.pk}
    assert found(kind="everybody") == {ada.pk, bob.pk}
    assert tags_in_use() == ["größe", "vip", "vip2", "x'y"]


def test_a_launch_makes_one_call_to_each_as_the_campaign_says():
    contacts = people(3)
    a_contact()
    campaign = launch(a_draft(opens=time(9), closes=time(17), calls_per_minute=2, max_attempts=1))
    assert (campaign.status, campaign.launch_size, campaign.is_launching) == ("running", 3, True)
    assert not schedule_some(campaign_id=campaign.pk, now=NOW)

    campaign.refresh_from_db()
    assert (campaign.is_launching, campaign.launch_made) == (False, 3)
    assert called(campaign) == ids_of(contacts)
    assert set(Call.objects.values_list("initial_message", "mode", "max_attempts")) == {
        ("Hi {{first_name}}.", "test", 1)
    }
    assert [iso(due) for due in Call.objects.order_by("due_at").values_list("due_at", flat=True)] == [
        "2026-03-15T16:00:00Z",
        "2026-03-15T16:00:00Z",
        "2026-03-15T16:01:00Z",
    ]


def test_batch_by_batch_each_takes_its_place_at_the_pace():
    contacts = people(7)
    campaign = launch(a_draft(calls_per_minute=1))
    batches = 0
    while schedule_some(campaign_id=campaign.pk, now=NOW, limit=2):
        batches += 1
    assert batches == 3
    assert called(campaign) == ids_of(contacts)
    due = list(Call.objects.order_by("contact_id").values_list("due_at", flat=True))
    assert due == [NOON + timedelta(minutes=place) for place in range(7)]


@pytest.mark.django_db(transaction=True)
def test_wherever_the_worker_dies_it_is_gone_on_with():
    contacts, campaign = people(8), a_draft()
    launch(campaign)
    for after in range(200):
        try:
            with connection.execute_wrapper(Away(OperationalError, after)):
                while schedule_some(campaign_id=campaign.pk, now=NOW, limit=3):
                    pass
            break
        except OperationalError:
            campaign.refresh_from_db()
            assert campaign.launch_made == campaign.calls.count()
    assert after > 10
    campaign.refresh_from_db()
    assert (campaign.is_launching, campaign.launch_made) == (False, 8)
    assert called(campaign) == ids_of(contacts)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_call_nobody_twice():
    for _ in range(3):
        ContactTag.objects.all().delete()
        contacts, campaign = people(10), a_draft()
        launch(campaign)

        def work(campaign=campaign):
            while schedule_some(campaign_id=campaign.pk, now=NOW, limit=2):
                pass

        at_once(*[partial(work)] * 3)
        campaign.refresh_from_db()
        assert called(campaign) == ids_of(contacts)
        assert campaign.launch_made == 10


def test_the_clock_rings_until_all_is_scheduled_and_a_task_too_many_does_nothing(monkeypatch):
    rung: list[str] = []
    monkeypatch.setattr(ringing, "async_task", lambda task, _rung_at: rung.append(task))
    (bell,) = [one for one in clock.bells() if one.task == "campaigns.tasks.launch"]
    people(3)
    campaign = launch(a_draft())
    assert bell.ring_if_due(NOW + timedelta(seconds=1))

    tasks.launch()
    tasks.launch()

    assert campaign.calls.count() == 3
    assert not bell.ring_if_due(NOW + timedelta(seconds=10))
    assert rung == ["campaigns.tasks.launch"]


def test_who_comes_after_the_launch_is_not_called():
    contacts = people(3)
    campaign = launch(a_draft())
    schedule_some(campaign_id=campaign.pk, now=NOW, limit=2)
    a_contact(tags=["vip"], created_at=NOW + timedelta(seconds=1))
    schedule_some(campaign_id=campaign.pk, now=NOW, limit=2)

    assert called(campaign) == ids_of(contacts)


def test_a_pause_lets_it_be_scheduled_and_a_cancel_ends_it():
    people(4)
    campaign = launch(a_draft())
    assert schedule_some(campaign_id=campaign.pk, now=NOW, limit=2)
    pause_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOW)
    assert schedule_some(campaign_id=campaign.pk, now=NOW, limit=1)
    cancel_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOW)
    assert not schedule_some(campaign_id=campaign.pk, now=NOW, limit=1)

    campaign.refresh_from_db()
    assert (campaign.calls.count(), campaign.is_launching, campaign.launch_problem) == (3, False, "")


def test_what_is_in_the_way_is_told_and_the_rest_launched_later():
    number = a_number(trunk=a_trunk())
    people(3)
    campaign = launch(a_draft(Mode.LIVE))
    assert schedule_some(campaign_id=campaign.pk, now=NOW, limit=2)
    number.delete()
    assert not schedule_some(campaign_id=campaign.pk, now=NOW, limit=2)
    campaign.refresh_from_db()
    assert "Live calls need a trunk" in campaign.launch_problem
    assert not launching.waiting(NOW)

    with pytest.raises(Refused):
        launch(campaign)
    a_number()
    launch(campaign)
    schedule_some(campaign_id=campaign.pk, now=NOW, limit=2)
    assert campaign.calls.count() == 3


def test_a_launch_that_was_long_interrupted_makes_no_calls_that_are_late_already():
    people(2)
    campaign = launch(a_draft(calls_per_minute=1))
    late = NOON + timedelta(hours=5)
    schedule_some(campaign_id=campaign.pk, now=late)
    minutes = [late + timedelta(minutes=1), late + timedelta(minutes=2)]
    assert list(Call.objects.order_by("due_at").values_list("due_at", flat=True)) == minutes


def test_a_launch_that_was_long_interrupted_keeps_its_pace_over_the_batches_to_come():
    people(7)
    campaign = launch(a_draft(calls_per_minute=1))
    schedule_some(campaign_id=campaign.pk, now=NOW, limit=1)
    late = NOON + timedelta(hours=5)
    while schedule_some(campaign_id=campaign.pk, now=late, limit=2):
        late += timedelta(seconds=1)
    minutes = [NOON + timedelta(hours=5, minutes=place) for place in range(1, 7)]
    assert list(Call.objects.order_by("due_at").values_list("due_at", flat=True))[1:] == minutes


def test_a_launch_that_goes_on_at_night_calls_in_the_morning():
    """Live calls that come due at night are not put off: they end, and nobody could launch them again."""
    people(1)
    campaign = launch(a_draft(calls_per_minute=1))
    schedule_some(campaign_id=campaign.pk, now=NOON + timedelta(hours=14, minutes=30))  # 22:30
    due = Call.objects.get().due_at.astimezone(zone("America/Los_Angeles"))
    assert (due.day, due.hour, due.minute) == (16, 8, 0)


def test_a_launch_that_waits_on_a_problem_is_over_when_its_campaign_is_canceled():
    people(1)
    campaign = launch(a_draft())
    Campaign.objects.filter(pk=campaign.pk).update(launch_problem="There are no lines.")
    cancel_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOW)
    campaign.refresh_from_db()
    assert not campaign.is_launching
    assert campaign.launch_problem == ""


def test_what_goes_wrong_with_one_campaign_keeps_no_other_waiting(monkeypatch):
    people(2)
    broken, sound = launch(a_draft()), launch(a_draft())

    def schedule_but_one(*, campaign_id, now):
        if campaign_id == broken.pk:
            raise ValueError("no such zone")
        return schedule_some(campaign_id=campaign_id, now=now)

    monkeypatch.setattr(tasks, "schedule_some", schedule_but_one)
    tasks.launch()
    assert (broken.calls.count(), sound.calls.count()) == (0, 2)


def test_it_is_launched_once_by_a_manager_with_somebody_to_call():
    operator = Actor(kind="user", id="1", label="Oda", role=Role.OPERATOR)
    campaign = a_draft()
    with pytest.raises(Refused, match="somebody to call"):
        launch(campaign)
    people(1)
    with pytest.raises(Forbidden):
        launch_campaign(actor=operator, campaign_id=campaign.pk, now=NOW)
    launch(campaign)
    with pytest.raises(Conflict, match="was launched already"):
        launch(campaign)
    with pytest.raises(Conflict, match="was launched already"):
        save_draft(
            actor=SYSTEM, campaign_id=campaign.pk, mode=Mode.TEST, values={"message": "Other"}, now=NOW
        )


def test_what_was_written_on_its_page_is_launched_and_not_just_resumed():
    campaign = a_draft()
    with pytest.raises(Conflict) as told:
        resume_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOW)
    assert told.value.code == "campaign_draft"
    cancel_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOW)


def test_it_may_not_take_over_a_year():
    people(2)
    campaign = a_draft(opens=time(9), closes=time(9, 1), calls_per_minute=1)
    Campaign.objects.update(starts_on=(NOW + timedelta(days=366)).date())
    with pytest.raises(Refused, match="over a year"):
        launch(campaign)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"message": "{% if %}"}, "'message' must not use tags"),
        ({"message": "{{ (1..5) | join }}"}, "'message' must not use ranges"),
        ({"opens": time(9)}, "'closes' must be given together"),
        ({"opens": time(12), "closes": time(9)}, "'closes' must be a minute after it opens"),
        ({"opens": time(7), "closes": time(9)}, "within the calling hours, 08:00 to 21:00"),
        ({"audience": {"kind": "picked", "ids": ["x"] * 201}}, "'audience' must be 200 people at most"),
    ],
)
def test_a_draft_that_makes_no_sense_is_not_kept(values, problem):
    with pytest.raises(Invalid, match=problem):
        a_draft(**values)
    assert not Campaign.objects.exists()


def consent(contact: Contact) -> None:
    Consent.objects.create(
        contact=contact,
        phone=contact.phone,
        purpose="informational",
        kind="express",
        source="form",
        captured_at=NOW - timedelta(days=1),
    )


def test_a_preflight_tells_who_would_not_be_called_and_why():
    a_gateway(now=NOW, lines=7)
    fine, nameless, stopped, _unwilling, odd = people(5)
    for contact in (fine, nameless, stopped, odd):
        consent(contact)
    Contact.objects.filter(pk=nameless.pk).update(first_name="")
    Contact.objects.filter(pk=odd.pk).update(phone="5550100")
    Suppression.objects.create(number=stopped.phone)

    found = preflight(a_draft(), now=NOW)
    assert (found.size, found.checked, found.callable, found.lines) == (5, 5, 2, 7)
    assert found.found == {"suppressed": 1, "missing": 1, "bad_number": 1}
    assert found.warned == {"no_consent": 1}
    assert "uses 'first_name'" in found.example
    assert (iso(found.first_at), iso(found.last_at)) == ("2026-03-15T15:00:00Z", "2026-03-15T15:00:00Z")
    assert (found.first_zone, found.last_zone) == ("America/Los_Angeles", "America/Los_Angeles")

    live = preflight(a_draft(Mode.LIVE), now=NOW)
    assert live.found["no_consent"] == 1
    assert (live.callable, live.lines) == (1, 0)
    set_destinations(actor=SYSTEM, countries=["ES"], kinds=[], now=NOW)
    assert preflight(a_draft(), now=NOW).warned == {"no_consent": 1, "elsewhere": 5}
    assert preflight(a_draft(Mode.LIVE), now=NOW).found["elsewhere"] == 5
    assert not Call.objects.exists()


def test_a_preflight_tells_when_the_last_is_called_and_stops_looking_at_some_point(monkeypatch):
    monkeypatch.setattr("campaigns.actions.preflight.MOST_CHECKED", 3)
    people(4)
    people(1, timezone="Asia/Tokyo")
    found = preflight(a_draft(calls_per_minute=1), now=NOW)
    assert (found.size, found.checked, found.is_whole) == (5, 3, False)
    assert iso(found.first_at) <= "2026-03-15T23:00:00Z"


def test_a_preflight_costs_the_same_however_many(django_assert_max_num_queries):
    people(20)
    campaign = a_draft()
    with django_assert_max_num_queries(9):
        preflight(campaign, now=NOW)
