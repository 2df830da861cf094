import json
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction

from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.errors import Conflict, Forbidden, NotFound
from temphone.webhooks import actions
from temphone.webhooks.actions import LEASE, PER_RECEIVER, WAITS, claim_due, record_tries, resend
from temphone.webhooks.models import Delivery, DeliveryState, Drain
from temphone.webhooks.sender import Answer
from tests.builders import NOON, a_delivery

pytestmark = pytest.mark.django_db

OK = Answer(status_code=200, text="thanks", duration_ms=12)
FAILED = Answer(status_code=500, text="no", duration_ms=3)
GONE = Answer(status_code=410)
ADMIN = Actor(kind="user", id="1", label="Ada", role=Role.ADMIN)


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch):
    monkeypatch.setattr(actions, "JITTER", 0)


def claimed(*, at=NOON) -> list[Delivery]:
    return claim_due(now=at, limit=100)


def tried(delivery: Delivery, answer: Answer, *, at=NOON) -> Delivery:
    """Claim the message and record a try of it."""
    (held,) = [one for one in claimed(at=at) if one == delivery]
    record_tries([(held, answer)], now=at)
    delivery.refresh_from_db()
    return delivery


# Made with the change


def test_the_body_is_frozen_when_the_message_is_made():
    data = {"call_id": "call_1j2kd9", "metadata": {"name": "Zoë"}}
    delivery = a_delivery(data=data, event="call.started", sequence=3)
    data["call_id"] = "another"
    assert delivery.body == (
        '{"type":"call.started","timestamp":"2026-03-15T15:00:00Z","data":{"call_id":"call_1j2kd9",'
        '"metadata":{"name":"Zoë"},"outcome":null,"sequence":3}}'
    )


def test_the_data_tells_the_outcome_when_there_is_one():
    delivery = a_delivery(data={"call_id": "call_1j2kd9", "outcome": "busy"}, sequence=3)
    assert json.loads(delivery.body)["data"] == {"call_id": "call_1j2kd9", "outcome": "busy", "sequence": 3}


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_undone_sends_nothing():
    with transaction.atomic():
        a_delivery()
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()


def test_an_address_that_is_none_makes_a_message_all_the_same():
    assert a_delivery(url="http://[nonsense").receiver == ""


def test_the_receiver_is_the_host_and_port():
    assert a_delivery(url="https://Hooks.Example.com/calls?a=b").receiver == "hooks.example.com:443"


# Claimed


def test_a_message_is_due_at_once_and_in_one_hand_only():
    delivery = a_delivery()
    assert claimed() == [delivery]
    assert claimed() == []


def test_a_claim_that_is_never_recorded_runs_out():
    delivery = a_delivery()
    claimed()
    assert claimed(at=NOON + LEASE - timedelta(seconds=1)) == []
    assert claimed(at=NOON + LEASE) == [delivery]


def test_it_takes_no_more_than_asked_the_longest_due_first():
    late, early = a_delivery(subject="call_b"), a_delivery(subject="call_a", at=NOON - timedelta(seconds=1))
    assert claim_due(now=NOON, limit=1) == [early]
    assert claim_due(now=NOON, limit=1) == [late]


def test_messages_of_a_call_go_in_order():
    first, second, third = (a_delivery(sequence=number) for number in (1, 2, 3))
    assert claimed() == [first]
    assert claimed() == []
    record_tries([(Delivery.objects.get(pk=first.pk), OK)], now=NOON)
    assert claimed() == [second]
    record_tries([(Delivery.objects.get(pk=second.pk), FAILED)], now=NOON)
    assert claimed(at=NOON + timedelta(seconds=4)) == []
    assert claimed(at=NOON + timedelta(seconds=5)) == [second]
    assert third.sequence == 3


def test_other_calls_and_other_addresses_do_not_wait():
    a_delivery()
    others = [a_delivery(subject="call_other"), a_delivery(sequence=2, url="https://other.example.com/")]
    assert set(others) < set(claimed())


def test_one_receiver_leaves_room_for_others():
    for number in range(PER_RECEIVER + 5):
        a_delivery(subject=f"call_{number}", at=NOON - timedelta(hours=1))
    other = a_delivery(url="https://other.example.com/")
    first = claimed()
    assert len(first) == PER_RECEIVER + 1
    assert other in first
    busy = {"hooks.example.com:443": PER_RECEIVER}
    assert claim_due(now=NOON, limit=100, busy=busy) == []
    assert len(claim_due(now=NOON, limit=100, busy={"hooks.example.com:443": PER_RECEIVER - 2})) == 2


def test_what_waits_behind_one_that_failed_is_looked_at_when_that_is_due():
    first, second = a_delivery(), a_delivery(sequence=2)
    other, elsewhere = a_delivery(subject="call_b"), a_delivery(url="https://other.example.com/")
    first = tried(first, Answer(status_code=503, retry_after="90"))
    third = a_delivery(sequence=3, at=NOON + timedelta(seconds=1))
    second.refresh_from_db()

    assert first.next_try_at == second.next_try_at == third.next_try_at == NOON + timedelta(seconds=90)
    for one in (other, elsewhere):
        one.refresh_from_db()
        assert one.next_try_at == NOON
    for one in (first, second, third):
        assert tried(one, OK, at=first.next_try_at).state == DeliveryState.DELIVERED


def test_what_waits_behind_one_that_is_sent_again_by_hand_follows_at_once():
    first, second = a_delivery(), a_delivery(sequence=2)
    tried(first, Answer(status_code=503, retry_after="90"))
    resend(actor=SYSTEM, delivery_id=first.pk, now=NOON + timedelta(seconds=1))
    for one in (first, second):
        assert tried(one, OK, at=NOON + timedelta(seconds=1)).state == DeliveryState.DELIVERED


def test_who_lost_the_lease_holds_up_nothing():
    _first, second = a_delivery(), a_delivery(sequence=2)
    (slept,) = claimed()
    claimed(at=NOON + LEASE)
    record_tries([(slept, FAILED)], now=NOON + LEASE)
    second.refresh_from_db()
    assert second.next_try_at == NOON


def test_a_claim_asks_three_times_whatever_it_takes(django_assert_num_queries):
    for number in range(20):
        a_delivery(subject=f"call_{number}")
    with django_assert_num_queries(5):  # with the savepoint's two
        claimed()


@pytest.mark.django_db(transaction=True)
def test_two_claims_at_once_share_the_messages():
    for number in range(40):
        a_delivery(subject=f"call_{number}", url=f"https://hooks{number % 4}.example.com/")
    taken = both(lambda: claim_due(now=NOON, limit=40))
    assert sorted(delivery.pk for hand in taken for delivery in hand) == sorted(
        Delivery.objects.values_list("pk", flat=True)
    )


@pytest.mark.django_db(transaction=True)
def test_of_two_drains_that_begin_at_once_one_does():
    assert sorted(both(lambda: Drain.begin(NOON))) == [False, True]


def both(act):
    """What two threads get that do the same at the same time."""
    barrier, results = threading.Barrier(2), []

    def run():
        try:
            barrier.wait(10)
            results.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_drain_that_shows_no_sign_is_replaced():
    assert Drain.begin(NOON)
    assert not Drain.begin(NOON + timedelta(seconds=9))
    Drain.go_on(NOON + timedelta(seconds=9))
    assert not Drain.begin(NOON + timedelta(seconds=18))
    assert Drain.begin(NOON + timedelta(seconds=19))


def test_a_drain_that_ends_makes_room():
    Drain.begin(NOON)
    Drain.end(NOON)
    assert Drain.begin(NOON)


# Tried


def test_what_was_answered_is_kept():
    delivery = tried(a_delivery(), OK)
    assert delivery.state == DeliveryState.DELIVERED
    (one,) = delivery.log.all()
    assert (one.at, one.status_code, one.answer, one.error, one.duration_ms) == (NOON, 200, "thanks", "", 12)


def test_what_no_database_takes_is_left_out_of_the_log():
    delivery = tried(a_delivery(), Answer(text="a\0b", error="x\0\udc80" + "y" * 300))
    one = delivery.log.get()
    assert (one.answer, one.error) == ("a\ufffdb", "x\ufffd?" + "y" * 197)


def test_it_is_tried_ten_times_by_the_table_and_then_given_up():
    delivery, at, waits = a_delivery(), NOON, []
    for _ in range(10):
        assert delivery.state == DeliveryState.PENDING
        tried(delivery, FAILED, at=at)
        waits.append(delivery.next_try_at - at)
        at = delivery.next_try_at
    assert delivery.state == DeliveryState.EXHAUSTED
    assert waits[:-1] == list(WAITS[1:])
    seconds = [int(wait.total_seconds()) for wait in waits[:-1]]
    assert seconds == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert delivery.log.count() == 10
    assert claimed(at=at + timedelta(days=9)) == []


def test_jitter_adds_up_to_a_tenth(monkeypatch):
    monkeypatch.setattr(actions, "JITTER", 0.1)
    waits = {tried(a_delivery(subject=f"call_{number}"), FAILED).next_try_at - NOON for number in range(20)}
    assert len(waits) > 10
    assert timedelta(seconds=5) <= min(waits) <= max(waits) <= timedelta(seconds=5.5)


def test_after_the_last_try_the_next_message_goes():
    first, second = a_delivery(), a_delivery(sequence=2)
    Delivery.objects.filter(pk=first.pk).update(tries=9)
    assert tried(first, FAILED).state == DeliveryState.EXHAUSTED
    assert claimed() == [second]


@pytest.mark.parametrize(
    ("asked", "waits"),
    [("3", timedelta(seconds=5)), ("90", timedelta(seconds=90)), ("9999999", timedelta(hours=24))],
)
def test_it_waits_as_long_as_asked_within_a_day(asked, waits):
    delivery = tried(a_delivery(), Answer(status_code=503, retry_after=asked))
    assert delivery.next_try_at == NOON + waits


def test_410_ends_this_message_and_all_later_ones_of_the_call_and_address():
    first, second = a_delivery(), a_delivery(sequence=2)
    other = a_delivery(subject="call_other")
    assert tried(first, GONE).state == DeliveryState.DISABLED
    second.refresh_from_db()
    assert second.state == DeliveryState.DISABLED
    assert a_delivery(sequence=3).state == DeliveryState.DISABLED
    assert a_delivery(sequence=1, url="https://other.example.com/").state == DeliveryState.PENDING
    assert Delivery.objects.get(pk=other.pk).state == DeliveryState.PENDING


def test_410_at_the_last_try_says_the_same():
    delivery = a_delivery()
    Delivery.objects.update(tries=9)
    assert tried(delivery, GONE).state == DeliveryState.DISABLED


def test_what_was_taken_meanwhile_stays_delivered_when_an_earlier_one_is_not_wanted():
    earlier, later = a_delivery(), a_delivery(sequence=2)
    tried(earlier, OK)
    (held,) = claimed()
    resend(actor=SYSTEM, delivery_id=earlier.pk, now=NOON)
    tried(earlier, GONE)
    record_tries([(held, OK)], now=NOON)
    later.refresh_from_db()
    assert later.state == DeliveryState.DELIVERED


def test_who_lost_the_lease_decides_nothing():
    a_delivery()
    (slept,) = claimed()
    (holder,) = claimed(at=NOON + LEASE)
    record_tries([(slept, GONE)], now=NOON + LEASE)
    assert Delivery.objects.get().state == DeliveryState.PENDING
    assert claimed(at=NOON + LEASE) == []
    record_tries([(holder, OK)], now=NOON + LEASE)
    assert Delivery.objects.get().state == DeliveryState.DELIVERED
    assert Delivery.objects.get().log.count() == 2


# Sent again


@pytest.mark.parametrize("ending", [OK, GONE])
def test_a_message_is_sent_again_with_its_own_id_and_body(ending):
    delivery = tried(a_delivery(), ending)
    later = NOON + timedelta(seconds=1)
    again = resend(actor=ADMIN, delivery_id=delivery.pk, now=later)
    assert claimed(at=later) == [delivery]
    assert (again.state, again.tries) == (DeliveryState.PENDING, 0)
    assert (again.event_id, again.body) == (delivery.event_id, delivery.body)
    entry = AuditEntry.objects.get(action="webhook.resend")
    assert (entry.target, entry.actor_label) == (delivery.event_id, "Ada")


def test_one_that_waits_for_its_next_try_is_sent_now():
    delivery = tried(a_delivery(), FAILED)
    resend(actor=SYSTEM, delivery_id=delivery.pk, now=NOON + timedelta(seconds=1))
    assert claimed(at=NOON + timedelta(seconds=1)) == [delivery]


def test_once_taken_after_all_later_messages_are_wanted_again():
    delivery = tried(a_delivery(), GONE)
    resend(actor=SYSTEM, delivery_id=delivery.pk, now=NOON)
    tried(delivery, OK)
    assert a_delivery(sequence=2).state == DeliveryState.PENDING


def test_one_that_is_being_sent_is_not_sent_again():
    delivery = a_delivery()
    claimed()
    with pytest.raises(Conflict):
        resend(actor=ADMIN, delivery_id=delivery.pk, now=NOON + timedelta(seconds=1))
    resend(actor=ADMIN, delivery_id=delivery.pk, now=NOON + LEASE)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.MANAGER])
def test_who_is_no_admin_sends_nothing_again(role):
    delivery = tried(a_delivery(), OK)
    with pytest.raises(Forbidden):
        resend(actor=replace(ADMIN, role=role), delivery_id=delivery.pk, now=NOON)
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


def test_what_there_is_not_is_not_found():
    with pytest.raises(NotFound):
        resend(actor=ADMIN, delivery_id=404, now=NOON)
