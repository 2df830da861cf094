"""Two at once: whoever's answer was given holds. Real commits, real threads, on either database."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from calls.actions.changing import cancel_call, update_call
from calls.actions.dialing import claim_due
from calls.actions.idempotency import Idempotency
from calls.actions.scheduling import schedule_call
from calls.actions.stop import set_stop_switch
from calls.actions.suppression import suppress
from calls.models import Attempt, Call, StopSwitch
from campaigns.actions import pause_campaign
from contacts.actions import erase_contact
from contacts.models import Suppression
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.lib.errors import Conflict, NotFound
from tests.builders import NOON, a_call, a_campaign, a_contact, a_gateway, a_request

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 20
BEFORE = NOON - timedelta(seconds=1)


def at_once(*verbs: Callable[[], object]) -> list[object]:
    """Run these in threads that start together; what each returned, or raised."""
    results: list[object] = [None] * len(verbs)
    barrier = threading.Barrier(len(verbs))

    def run(index: int, verb: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[index] = verb()
        except Conflict as conflict:
            results[index] = conflict
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(verbs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def claim():
    return claim_due(carrier="simulated", now=NOON)[0]


def each_round():
    """Rounds on a clean slate of attempts, with one gateway."""
    a_gateway()
    for number in range(ROUNDS):
        yield number
        Attempt.objects.live().update(state="ended", outcome="no_answer")


def test_a_cancel_that_was_accepted_never_rings():
    wins = {"cancel": 0, "claim": 0}
    for _ in each_round():
        call = a_call()
        requests, answer = at_once(
            claim, lambda call=call: cancel_call(actor=SYSTEM, call_id=call.pk, now=NOON)
        )
        call.refresh_from_db()
        if answer.status == "canceled":
            wins["cancel"] += 1
            assert requests == []
            assert call.status == "canceled"
        else:
            wins["claim"] += 1
            assert len(requests) == 1
            assert call.hang_up_requested_at == NOON
    assert sum(wins.values()) == ROUNDS


def test_a_move_that_was_accepted_never_rings_at_the_old_time():
    changes = {"scheduled_at": (NOON + timedelta(hours=1)).isoformat()}
    for _ in each_round():
        call = a_call()
        requests, answer = at_once(
            claim, lambda call=call: update_call(actor=SYSTEM, call_id=call.pk, changes=changes, now=BEFORE)
        )
        assert (len(requests) == 1) == isinstance(answer, Conflict)
        call.refresh_from_db()
        assert call.due_at == (NOON if requests else NOON + timedelta(hours=1))


def test_two_claimers_never_take_the_same_call_or_number():
    for _ in each_round():
        contact = a_contact()
        for _ in range(3):
            a_call(contact)
        a_call()
        taken = [request for claimed in at_once(claim, claim, claim) for request in claimed]
        assert len({request.attempt_id for request in taken}) == len(taken) == 2
        assert len({request.to for request in taken}) == 2
        Call.objects.filter(status="scheduled").update(due_at=NOON + timedelta(days=9))


def test_after_an_opt_out_was_written_nothing_rings():
    for _ in each_round():
        contact = a_contact()
        call = a_call(contact)
        requests, suppression = at_once(
            claim, lambda contact=contact: suppress(actor=SYSTEM, number=contact.phone, now=NOON)
        )
        assert isinstance(suppression, Suppression)
        call.refresh_from_db()
        if requests:
            # The claim was first; what it dials is hung up.
            assert call.hang_up_requested_at == NOON
        else:
            assert call.status in {"canceled", "failed"}
        assert claim() == []


def test_after_a_pause_or_a_stop_was_answered_nothing_more_is_claimed():
    for number in each_round():
        campaign = a_campaign()
        a_call(campaign_id=campaign.pk)
        if number % 2:
            at_once(claim, lambda: set_stop_switch(actor=SYSTEM, on=True, now=NOON))
        else:
            at_once(claim, lambda pk=campaign.pk: pause_campaign(actor=SYSTEM, campaign_id=pk, now=NOON))
        assert claim() == []
        StopSwitch.objects.all().delete()
        Call.objects.filter(status="scheduled").update(due_at=NOON + timedelta(days=9))


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
        given.join(0.5)
        assert given.is_alive()
    given.join(10)
    call.refresh_from_db()
    assert call.hang_up_requested_at == NOON


def test_a_contact_is_not_erased_while_a_call_is_being_scheduled():
    for _ in range(ROUNDS):
        contact = a_contact()
        scheduled, erased = at_once(
            lambda contact=contact: a_call_or_none(contact),
            lambda contact=contact: erase_contact(actor=SYSTEM, contact_id=contact.pk, now=NOON),
        )
        contact.refresh_from_db()
        assert (scheduled is None) == (contact.erased_at is not None), erased


def a_call_or_none(contact):
    try:
        return a_call(contact, initial_message="Hi.")
    except NotFound:
        return None


@pytest.mark.parametrize("verb", ["stop", "pause", "suppress"])
def test_an_order_waits_for_the_claim_that_is_under_way(verb):
    """Else it would be answered while a dial that it forbids is about to be made."""
    a_gateway()
    campaign = a_campaign()
    call = a_call(campaign_id=campaign.pk)
    orders = {
        "stop": lambda: set_stop_switch(actor=SYSTEM, on=True, now=NOON),
        "pause": lambda: pause_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOON),
        "suppress": lambda: suppress(actor=SYSTEM, number=call.contact.phone, now=NOON),
    }
    given = threading.Thread(target=lambda: (orders[verb](), connection.close()))
    with transaction.atomic():
        assert len(claim()) == 1
        given.start()
        given.join(0.5)
        assert given.is_alive()
    given.join(10)
    assert not given.is_alive()


def test_a_request_repeated_at_once_with_its_key_makes_one_call():
    now = NOON - timedelta(hours=1)
    for number in range(ROUNDS):
        contact = a_contact()
        key = Idempotency(key=f"k{number}", fingerprint="a" * 64)

        def post(contact=contact, key=key):
            request = a_request(contact)
            return schedule_call(actor=SYSTEM, mode=Mode.TEST, request=request, now=now, idempotency=key)

        answers = at_once(post, post, post)
        assert len({answer.data["call_id"] for answer in answers}) == 1
        assert sorted(answer.replayed for answer in answers) == [False, True, True]
        assert Call.objects.filter(contact=contact).count() == 1


def test_the_harness_sees_a_read_then_write_cancel_ring_afterwards():
    """The naive way, kept to show that these races would be seen."""

    def naive_cancel(call):
        call = Call.objects.get(pk=call.pk)
        if call.status == "scheduled":
            reading.wait()
            claimed.wait()
            with transaction.atomic():
                Call.objects.filter(pk=call.pk).update(status="canceled", outcome="canceled_by_user")
            return "accepted"
        return "refused"

    def claim_between():
        reading.wait()
        requests = claim()
        claimed.wait()
        return requests

    a_gateway()
    call = a_call()
    reading, claimed = threading.Barrier(2), threading.Barrier(2)
    requests, answer = at_once(claim_between, lambda: naive_cancel(call))
    assert answer == "accepted"
    assert len(requests) == 1  # it rings, although the cancel was accepted
