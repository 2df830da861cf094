"""What one statement reads for one call is what the gates' own queries read."""

from dataclasses import replace
from datetime import timedelta

import pytest

from calls.actions.lookup import facts_of_all, look_up, look_up_all
from calls.gates import Facts, ask
from calls.models import Call, StopSwitch
from contacts.models import Consent, Suppression
from temphone.accounts.actors import SYSTEM
from tests.builders import NOON, a_campaign, a_contact, a_key

pytestmark = pytest.mark.django_db


def consents(contact) -> None:
    """One of each kind: in force, newer, revoked, still to come."""
    of = {"contact": contact, "phone": contact.phone, "purpose": "informational", "kind": "express"}
    Consent.objects.create(**of, captured_at=NOON - timedelta(days=3))
    Consent.objects.create(**of | {"kind": "none"}, captured_at=NOON - timedelta(days=2))
    Consent.objects.create(**of | {"purpose": "marketing", "kind": "written"}, captured_at=NOON)
    Consent.objects.create(**of, captured_at=NOON, revoked_at=NOON)
    Consent.objects.create(**of, captured_at=NOON + timedelta(seconds=1))


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("with_consents", [False, True])
def test_the_facts_are_those_that_the_gates_read(stopped, with_consents):
    contact, campaign = a_contact(attributes={"plan": "gold"}), a_campaign(purpose="marketing")
    consents(a_contact())
    if with_consents:
        consents(contact)
    if stopped:
        StopSwitch.objects.create(pk=1, on=True, changed_by="Olga")
    known, facts = look_up(SYSTEM, contact.pk, campaign.pk, now=NOON)
    call = Call(
        contact=known.contact(contact.pk), campaign=known.campaign(campaign.pk), mode="test", due_at=NOON
    )
    read = Facts.read([call], now=NOON)
    assert [one.pk for one in facts.consents[contact.pk]] == [
        one.pk for one in read.consents.get(contact.pk, [])
    ]
    assert len(facts.consents[contact.pk]) == (3 if with_consents else 0)
    assert ask(call, facts) == ask(call, read)
    assert call.contact.attributes == {"plan": "gold"}


@pytest.mark.parametrize(
    "listed",
    [{"number": "+14155550100"}, {"number": "+1415", "is_prefix": True}, {"number": "+1", "is_prefix": True}],
)
def test_where_the_number_may_be_suppressed_more_is_read(listed):
    contact = a_contact(phone="+14155550100")
    Suppression.objects.create(number="+14155550100", lifted_at=NOON)
    Suppression.objects.create(number="+1415555", is_prefix=False)
    Suppression.objects.create(number="+1555", is_prefix=True)
    assert look_up(SYSTEM, contact.pk, None, now=NOON)[1] is not None
    Suppression.objects.create(**listed)
    assert look_up(SYSTEM, contact.pk, None, now=NOON)[1] is None


def test_where_a_days_calls_are_capped_more_is_read(settings):
    settings.CALLS_PER_NUMBER_PER_DAY = 1
    assert look_up(SYSTEM, a_contact().pk, None, now=NOON)[1] is None


def test_what_is_not_there_is_not_known():
    erased = a_contact(erased_at=NOON)
    assert look_up(SYSTEM, erased.pk, None, now=NOON)[0].contacts == {}
    assert look_up(SYSTEM, a_contact().pk, "camp_nobody", now=NOON)[0].campaigns == {}
    assert look_up_all(SYSTEM, {erased.pk}, {"camp_nobody"}).contacts == {}


def test_the_key_that_asks_is_known():
    key, _ = a_key()
    contact = a_contact()
    assert look_up(key.actor(), contact.pk, None, now=NOON)[0].key_id == key.pk
    assert look_up_all(key.actor(), {contact.pk}, set()).key_id == key.pk
    assert look_up(SYSTEM, contact.pk, None, now=NOON)[0].key_id is None


def test_of_many_each_call_gets_the_suppressions_that_may_be_its_own():
    people = [a_contact() for _ in range(3)]
    own = Suppression.objects.create(number=people[0].phone)
    for_all = Suppression.objects.create(number="+1", is_prefix=True)
    calls = [Call(contact=person, mode="test", due_at=NOON) for person in people]
    found = [facts.suppressions for facts in facts_of_all(calls, now=NOON)]
    assert found == [[own, for_all], [for_all], [for_all]]
    whole = Facts.read(calls, now=NOON)
    for call, facts in zip(calls, facts_of_all(calls, now=NOON), strict=True):
        assert ask(call, facts) == ask(call, replace(whole, now=NOON))
