"""A campaign's calls: one to each of its people, whatever happens on the way."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter

import pytest
from django.db import OperationalError, connection

from calls.actions.bulk import CampaignRequest
from calls.actions.dialing import claim_due
from calls.models import Call, CallEvent
from campaigns.actions import cancel_campaign
from contacts.actions import erase_contact
from contacts.models import Contact
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import AuditEntry, Mode
from temphone.lib.errors import Conflict, Invalid, Refused
from tests.api.test_envelope import Away
from tests.builders import NOON, a_call, a_campaign, a_contact, a_gateway, a_key, a_number, a_trunk
from tests.campaigns.builders import call_all
from tests.threads import at_once

pytestmark = pytest.mark.django_db
NOW = NOON - timedelta(hours=1)
REQUEST = CampaignRequest(initial_message="Hi {{first_name}}.")


def launch(campaign, contacts=None, *, request=REQUEST, when=lambda *_: NOON, **named):
    return call_all(campaign, request, contacts=contacts, when=when, now=NOW, **named)


def people(count: int) -> list[Contact]:
    return [a_contact() for _ in range(count)]


def test_a_call_is_what_the_api_would_have_made():
    contact, campaign = a_contact(), a_campaign()
    fields = {
        "initial_message": "Hi {{first_name}}, it's \"50%\" off; {{ now | date: '%A' }} — ü \\ done.",
        "max_duration_s": 60,
        "caller_id": "+1-415-555-0199",
        "metadata": {"a": ["b", None, 1.5, "%s ü"]},
        "recording_enabled": False,
        "webhook_url": "https://example.com/?a=%20",
    }
    key, _ = a_key()
    alone = a_call(contact, campaign_id=campaign.pk, **fields)
    Call.objects.filter(pk=alone.pk).update(campaign=a_campaign())
    assert launch(campaign, actor=key.actor(), request=CampaignRequest(**fields)) == 1
    made = Call.objects.get(campaign=campaign)
    differs = {
        field.name
        for field in Call._meta.concrete_fields
        if getattr(made, field.attname) != getattr(Call.objects.get(pk=alone.pk), field.attname)
    }
    assert differs == {"id", "campaign", "created_by_key"}
    assert made.created_by_key == key
    own = {"id", "call_id"}
    [event], [other] = (CallEvent.objects.filter(call=call).values() for call in (made, alone))
    assert {n: v for n, v in event.items() if n not in own} == {
        n: v for n, v in other.items() if n not in own
    }


def test_without_metadata_it_is_null_and_not_the_json_null():
    a_contact()
    campaign = a_campaign()
    launch(campaign)
    assert Call.objects.filter(metadata__isnull=True).count() == 1


def test_each_has_an_id_of_its_own_and_it_is_told_in_the_audit_log():
    people(7)
    campaign = a_campaign()
    assert launch(campaign, limit=3) == 7
    found = Call.objects.values_list("pk", "contact_id")
    assert len({pk for pk, _ in found}) == len({contact for _, contact in found}) == 7
    assert all(len(pk) == len("call_") + 12 and pk[5:].isalnum() and pk.islower() for pk, _ in found)
    entries = AuditEntry.objects.filter(action="campaign.schedule", target=campaign.pk).order_by("id")
    assert [entry.details for entry in entries] == [{"calls": 3}, {"calls": 3}, {"calls": 1}]


def test_each_is_due_as_its_place_and_zone_say():
    zones = ["America/Los_Angeles", "Asia/Kolkata", "Europe/Madrid", "Asia/Kolkata"]
    contacts = sorted((a_contact(timezone=zone) for zone in zones), key=attrgetter("pk"))

    def when(place: int, zone_name: str) -> datetime:
        return NOON + timedelta(hours=place, seconds=len(zone_name), microseconds=7)

    launch(a_campaign(), when=when)
    due = {call.contact_id: (call.scheduled_at, call.due_at, call.timezone) for call in Call.objects.all()}
    assert due == {
        contact.pk: (when(place, contact.timezone), when(place, contact.timezone), contact.timezone)
        for place, contact in enumerate(contacts)
    }


@pytest.mark.parametrize("spread", [timedelta(0), timedelta(minutes=1)])
def test_however_they_are_spread_a_batch_is_a_few_statements(spread, django_assert_max_num_queries):
    people(30)
    with django_assert_max_num_queries(15):
        launch(a_campaign(), when=lambda place, _zone_name: NOON + place * spread, limit=100)


def test_the_erased_and_those_who_are_not_asked_for_are_left_out():
    wanted, _ = people(2)
    a_contact(erased_at=NOW)
    assert launch(a_campaign(), Contact.objects.filter(pk__in=[wanted.pk])) == 1
    assert Call.objects.get().contact == wanted
    assert launch(a_campaign()) == 2


def test_a_contact_that_a_join_finds_twice_gets_one_call():
    for contact in people(4):
        a_call(contact)
        a_call(contact)
    campaign = a_campaign()
    assert launch(campaign, Contact.objects.filter(calls__isnull=False), limit=3) == 4
    assert campaign.calls.count() == 4


def test_who_has_a_call_in_the_campaign_gets_no_second():
    contacts, campaign, other = people(5), a_campaign(), a_campaign()
    a_call(contacts[2], campaign_id=campaign.pk)
    a_call(contacts[3], campaign_id=other.pk)
    assert launch(campaign) == 4
    assert launch(campaign) == 0
    a_contact()
    assert launch(campaign) == 1
    assert sorted(call.contact_id for call in campaign.calls.all()) == sorted(
        contact.pk for contact in Contact.objects.all()
    )


@pytest.mark.django_db(transaction=True)
def test_wherever_it_is_stopped_it_can_be_gone_on_with():
    contacts, campaign = people(8), a_campaign()
    made = 0
    for after in range(100):
        try:
            with connection.execute_wrapper(Away(OperationalError, after)):
                made += launch(campaign, limit=3)
            break
        except OperationalError:
            events = CallEvent.objects.values_list("call_id", flat=True)
            assert sorted(events) == sorted(Call.objects.values_list("pk", flat=True))
            assert Call.objects.count() % 3 == 0 or Call.objects.count() == 8
    assert after > 5
    assert sorted(campaign.calls.values_list("contact_id", flat=True)) == sorted(c.pk for c in contacts)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_call_to_each():
    for _ in range(5):
        contacts, campaign = people(10), a_campaign()
        audience = Contact.objects.filter(pk__in=[contact.pk for contact in contacts])
        made = at_once(*[partial(launch, campaign, audience)] * 3)
        assert sum(made) == 10
        assert sorted(campaign.calls.values_list("contact_id", flat=True)) == sorted(c.pk for c in contacts)
        assert CallEvent.objects.filter(call__campaign=campaign).count() == 10


@pytest.mark.django_db(transaction=True)
def test_nobody_is_erased_while_they_get_a_call():
    for _ in range(10):
        contact, campaign = a_contact(), a_campaign()
        only = Contact.objects.filter(pk=contact.pk)
        made, erased = at_once(
            lambda only=only, campaign=campaign: launch(campaign, only),
            lambda contact=contact: erase_contact(actor=SYSTEM, contact_id=contact.pk, now=NOW),
        )
        contact.refresh_from_db()
        assert (made == 1) == isinstance(erased, Conflict) == (contact.erased_at is None)


def test_when_the_campaign_is_canceled_on_the_way_it_stops():
    people(8)
    campaign = a_campaign()

    def cancel_at_the_fourth(place: int, _zone_name: str) -> datetime:
        if place == 0 and Call.objects.exists():
            cancel_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOW)
        return NOON

    with pytest.raises(Refused) as refusal:
        launch(campaign, when=cancel_at_the_fourth, limit=3)
    assert refusal.value.code == "campaign_over"
    assert campaign.calls.count() == 6


def test_a_live_campaign_needs_a_carrier():
    a_contact()
    with pytest.raises(Refused) as refusal:
        launch(a_campaign(mode=Mode.LIVE))
    assert refusal.value.code == "no_live_carrier"
    assert not Call.objects.exists()


def test_a_live_launch_shows_a_number_of_ours_alone():
    a_number(trunk=a_trunk())
    people(2)
    campaign = a_campaign(mode=Mode.LIVE)
    with pytest.raises(Invalid, match="Field 'caller_id' must be one of this installation's numbers"):
        launch(campaign, request=replace(REQUEST, caller_id="+14155550191"))
    assert not Call.objects.exists()
    launch(campaign, request=replace(REQUEST, caller_id="+1 415 555 0190"))
    assert set(Call.objects.values_list("caller_id", "caller_number")) == {
        ("+1 415 555 0190", "+14155550190")
    }


def test_its_calls_are_dialled():
    a_gateway()
    contacts, campaign = people(3), a_campaign()
    launch(campaign)
    requests, _ = claim_due(mode="test", now=NOON)[:2]
    assert sorted(request.to for request in requests) == sorted(contact.phone for contact in contacts)
