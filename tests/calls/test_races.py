"""Orders wait for the claim that is under way. Real commits, real threads, on either database.

Whoever's answer was given holds: that is shown by the races in ``tests/proofs/racing``.
"""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction

from calls.actions.carrier_events import record_carrier_events
from calls.actions.destinations import set_destinations
from calls.actions.dialing import claim_due
from calls.actions.stop import set_stop_switch
from calls.actions.suppression import suppress
from calls.models import Attempt, Call, Pacing
from campaigns.actions import pause_campaign, update_campaign
from contacts.actions import add_consent, erase_contact, revoke_consent, save_contact
from contacts.models import ConsentKind, PhoneNumber, Purpose, Suppression
from temphone.accounts.actors import SYSTEM
from temphone.lib.clock import now as utc_now
from temphone.lib.errors import NotFound
from temphone.telephony.messages import EventType
from tests.builders import NOON, a_call, a_campaign, a_contact, a_gateway, events_of
from tests.proofs.stage.crew import LOOK_S, NEVER_S, is_waited_for

pytestmark = pytest.mark.django_db(transaction=True)


def claim():
    return claim_due(mode="test", now=NOON)[0]


def wait_until_waited_for(other):
    """Return once the other thread waits for what this one's transaction holds; it must not end before."""
    deadline = time.monotonic() + NEVER_S
    while not is_waited_for():
        assert other.is_alive(), "It did not wait."
        assert time.monotonic() < deadline, "It neither waits nor ends."
        time.sleep(LOOK_S)


def test_an_opt_out_hangs_up_what_rings_even_while_its_events_arrive():
    a_gateway()
    call = a_call()
    claim()
    given = threading.Thread(
        target=lambda: (suppress(actor=SYSTEM, number=call.contact.phone, now=NOON), connection.close())
    )
    with transaction.atomic():
        # As a batch of events holds it.
        Call.objects.select_for_update().get(pk=call.pk)
        Attempt.objects.update(state="ringing")
        given.start()
        wait_until_waited_for(given)
    given.join(10)
    call.refresh_from_db()
    assert call.hang_up_requested_at == NOON


def test_a_claim_that_waited_counts_for_the_pace_of_the_second_in_which_it_dials():
    a_gateway(now=utc_now())
    a_call()
    Call.objects.update(due_at=utc_now() - timedelta(seconds=1))
    Pacing.objects.create(carrier="simulated")
    claiming = threading.Thread(target=lambda: (claim_due(mode="test"), connection.close()))
    with transaction.atomic():
        Pacing.lock("simulated")
        claiming.start()
        wait_until_waited_for(claiming)
        released = utc_now()
    claiming.join(10)
    assert Attempt.objects.get().created_at >= released


def test_a_change_of_a_contact_does_not_undo_its_erasure():
    contact = a_contact()

    def change() -> None:
        try:
            save_contact(actor=SYSTEM, contact_id=contact.pk, values={"company": "Acme"}, now=NOON)
        except NotFound:
            refused.append(contact.pk)
        finally:
            connection.close()

    refused: list[str] = []
    changing = threading.Thread(target=change)
    with transaction.atomic():
        erase_contact(actor=SYSTEM, contact_id=contact.pk, now=NOON)
        changing.start()
        wait_until_waited_for(changing)
    changing.join(10)
    contact.refresh_from_db()
    assert (contact.company, contact.phone, contact.erased_at) == ("", "", NOON)
    assert refused == [contact.pk]


def test_opt_outs_of_one_batch_take_their_numbers_in_the_order_in_which_a_claim_does():
    """Else each would wait for a number that the other has."""
    gateway = a_gateway()
    for _ in range(2):
        a_call()
    first, second = sorted(claim(), key=lambda request: request.to)
    told = [
        event
        for request in (second, first)
        for event in events_of(
            request.attempt_id,
            EventType.ACCEPTED,
            EventType.RINGING,
            EventType.ANSWERED,
            EventType.OPTED_OUT,
        )
    ]
    batch = threading.Thread(
        target=lambda: (
            record_carrier_events(ledger=gateway.pk, events=told, now=NOON),
            connection.close(),
        )
    )
    with transaction.atomic():
        PhoneNumber.lock([first.to])
        batch.start()
        wait_until_waited_for(batch)
        PhoneNumber.lock([second.to])
    batch.join(10)
    assert Suppression.objects.count() == 2


ORDERS = ["stop", "destinations", "pause", "purpose", "suppress", "suppress a prefix", "revoke", "deny"]


@pytest.mark.parametrize("verb", ORDERS)
def test_an_order_waits_for_the_claim_that_is_under_way(verb):
    """Else it would be answered while a dial that it forbids is about to be made."""
    a_gateway()
    campaign = a_campaign()
    call = a_call(campaign_id=campaign.pk)
    consent = {
        "contact_id": call.contact_id,
        "purpose": Purpose.INFORMATIONAL,
        "source": "letter",
        "now": NOON,
    }
    given = add_consent(actor=SYSTEM, kind=ConsentKind.EXPRESS, **consent)
    # As in an installation whose contact was written a moment ago: the claim makes the number's row.
    PhoneNumber.objects.all().delete()
    orders = {
        "stop": lambda: set_stop_switch(actor=SYSTEM, on=True, now=NOON),
        "destinations": lambda: set_destinations(actor=SYSTEM, countries=["ES"], kinds=[], now=NOON),
        "pause": lambda: pause_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOON),
        "purpose": lambda: update_campaign(
            actor=SYSTEM, campaign_id=campaign.pk, changes={"purpose": "marketing"}, now=NOON
        ),
        "suppress": lambda: suppress(actor=SYSTEM, number=call.contact.phone, now=NOON),
        "suppress a prefix": lambda: suppress(
            actor=SYSTEM, number=call.contact.phone[:6], is_prefix=True, now=NOON
        ),
        "revoke": lambda: revoke_consent(actor=SYSTEM, consent_id=given.pk, how="letter", now=NOON),
        "deny": lambda: add_consent(actor=SYSTEM, kind=ConsentKind.NONE, **consent),
    }
    order = threading.Thread(target=lambda: (orders[verb](), connection.close()))
    with transaction.atomic():
        assert len(claim()) == 1
        order.start()
        wait_until_waited_for(order)
    order.join(10)
    assert not order.is_alive()
