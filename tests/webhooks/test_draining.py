import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from datetime import datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from standardwebhooks.webhooks import Webhook

from temphone.doorbell.tasks import TaskFailed
from temphone.lib import clock
from temphone.webhooks.actions import LEASE
from temphone.webhooks.models import Delivery, DeliveryState, Drain
from temphone.webhooks.sender import Answer
from temphone.webhooks.tasks import AT_ONCE, CLAIMS_FOR, deliver_due, drain
from tests.builders import NOON, a_delivery
from tests.webhooks.receiver import Receiver, Reply, a_receiver

pytestmark = pytest.mark.django_db

OK = Answer(status_code=200)


def done(answer: Answer) -> Future[Answer]:
    future: Future[Answer] = Future()
    future.set_result(answer)
    return future


class Network:
    """Answers each message at once, but keeps back those to ``slow`` until ``release``."""

    def __init__(self, *, slow: str = "") -> None:
        self.slow = slow
        self.sent: list[str] = []
        self.under_way: list[Future[Answer]] = []
        self.most = 0

    def __call__(self, delivery: Delivery) -> Future[Answer]:
        self.sent.append(delivery.subject)
        if delivery.receiver != self.slow:
            return done(OK)
        self.under_way.append(Future())
        self.most = max(self.most, len(self.under_way))
        return self.under_way[-1]

    def release(self) -> None:
        for future in self.under_way:
            future.set_result(OK)
        self.under_way.clear()


def drained(network) -> None:
    drain(network, now=lambda: NOON)


def test_it_sends_until_nothing_is_due():
    for number in range(120):
        a_delivery(subject=f"call_{number // 3}", sequence=number % 3 + 1)
    network = Network()
    drained(network)
    assert len(network.sent) == 120
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.DELIVERED}


def test_what_becomes_due_while_a_slow_receiver_keeps_its_answer_is_sent_meanwhile():
    a_delivery(subject="call_slow", url="https://slow.example.com/")
    a_delivery(subject="call_first")
    network = Network(slow="slow.example.com:443")

    def transmit(delivery):
        if delivery.subject == "call_first":
            a_delivery(subject="call_second")
        if delivery.subject == "call_second":
            network.release()
        return network(delivery)

    drained(transmit)
    assert network.sent == ["call_slow", "call_first", "call_second"]
    assert not Delivery.objects.exclude(state=DeliveryState.DELIVERED).exists()


def test_a_slow_receiver_with_many_messages_leaves_room_for_others():
    for number in range(AT_ONCE * 2):
        a_delivery(subject=f"call_{number}", url="https://slow.example.com/", at=NOON - timedelta(hours=1))
    a_delivery(subject="call_fast")
    network = Network(slow="slow.example.com:443")
    sent_beside = []

    def transmit(delivery):
        if delivery.subject == "call_fast":
            sent_beside.append(len(network.under_way))
            network.slow = ""
        future = network(delivery)
        if not network.slow:
            network.release()
        return future

    drained(transmit)
    assert sent_beside[0] < AT_ONCE
    assert network.most < AT_ONCE
    assert len(network.sent) == AT_ONCE * 2 + 1


def test_it_keeps_at_most_a_hundred_under_way():
    for number in range(AT_ONCE + 20):
        a_delivery(subject=f"call_{number}", url=f"https://hooks{number}.example.com/")
    under_way: list[Future[Answer]] = []
    counts = []

    def transmit(delivery):
        under_way.append(Future())
        counts.append(sum(not future.done() for future in under_way))
        if len(under_way) in {AT_ONCE, AT_ONCE + 20}:
            for future in under_way:
                if not future.done():
                    future.set_result(OK)
        return under_way[-1]

    drained(transmit)
    assert max(counts) == AT_ONCE
    assert len(counts) == AT_ONCE + 20


def test_after_its_time_it_claims_no_more_but_records_what_is_under_way():
    a_delivery(subject="call_slow", url="https://slow.example.com/")
    network = Network(slow="slow.example.com:443")
    times = iter([NOON, NOON, NOON])

    def now() -> datetime:
        if moment := next(times, None):
            return moment
        if not Delivery.objects.filter(subject="call_late").exists():
            a_delivery(subject="call_late")
            network.release()
        return NOON + CLAIMS_FOR

    drain(network, now=now)
    assert network.sent == ["call_slow"]
    assert Delivery.objects.get(subject="call_slow").state == DeliveryState.DELIVERED
    assert Delivery.objects.get(subject="call_late").state == DeliveryState.PENDING


def test_a_fault_of_our_own_stops_no_other_message():
    a_delivery(subject="call_bad")
    a_delivery(subject="call_good")

    def transmit(delivery):
        future: Future[Answer] = Future()
        if delivery.subject == "call_bad":
            future.set_exception(RuntimeError("a bug"))
            return future
        return done(OK)

    drained(transmit)
    bad = Delivery.objects.get(subject="call_bad")
    assert (bad.state, bad.tries, bad.log.get().error) == (DeliveryState.PENDING, 1, "RuntimeError: a bug")
    assert Delivery.objects.get(subject="call_good").state == DeliveryState.DELIVERED


def test_it_asks_no_more_for_more_messages(django_assert_num_queries):
    for number in range(20):
        a_delivery(subject=f"call_{number}")
    with django_assert_num_queries(21):  # two turns: claim all, record all
        drained(Network())


def test_messages_arrive_signed_and_in_order(allowed, settings):
    for number, event in enumerate(("call.started", "call.answered", "call.completed"), start=1):
        a_delivery(event=event, sequence=number, url=allowed.url(), at=clock.now())
    deliver_due()
    payloads = [Webhook(settings.WEBHOOK_SECRET).verify(got.body, got.headers) for got in allowed.received]
    assert [payload["type"] for payload in payloads] == ["call.started", "call.answered", "call.completed"]
    assert [payload["data"]["sequence"] for payload in payloads] == [1, 2, 3]
    assert len({got.headers["webhook-id"] for got in allowed.received}) == 3


def test_a_message_that_failed_holds_those_after_it(allowed):
    allowed.replies.append(Reply(500))
    for number in (1, 2):
        a_delivery(sequence=number, url=allowed.url(), at=clock.now())
    deliver_due()
    assert len(allowed.received) == 1
    Delivery.objects.update(next_try_at=clock.now())
    deliver_due()
    assert [got.body[-3:-2] for got in allowed.received] == [b"1", b"1", b"2"]


def test_both_secrets_sign_while_one_replaces_the_other(allowed, settings):
    settings.WEBHOOK_SECRET_OLD = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"
    a_delivery(url=allowed.url(), at=clock.now())
    deliver_due()
    (got,) = allowed.received
    for secret in (settings.WEBHOOK_SECRET, settings.WEBHOOK_SECRET_OLD):
        Webhook(secret).verify(got.body, got.headers)


def test_a_real_slow_receiver_holds_up_no_other(allowed, settings):
    gate = threading.Event()
    with a_receiver() as slow:
        settings.WEBHOOK_ALLOW = [allowed.host, slow.host]
        slow.replies.append(Reply(gate=gate))
        allowed.verify_request = lambda *_: gate.set() or True
        a_delivery(subject="call_slow", url=slow.url(), at=clock.now() - timedelta(seconds=9))
        a_delivery(subject="call_fast", url=allowed.url(), at=clock.now())
        deliver_due()
    assert not Delivery.objects.exclude(state=DeliveryState.DELIVERED).exists()


def test_it_ends_at_once_when_another_is_at_work(allowed):
    a_delivery(url=allowed.url(), at=clock.now())
    Drain.begin(clock.now())
    deliver_due()
    assert allowed.connections == 0
    Drain.end(clock.now())
    deliver_due()
    assert allowed.connections == 1


def test_it_makes_room_when_it_breaks_off(allowed, monkeypatch):
    a_delivery(url=allowed.url(), at=clock.now())
    allowed.replies.append(Reply(gate=threading.Event()))

    def broken(*_args, **_kwargs):
        raise RuntimeError("the database is away")

    monkeypatch.setattr("temphone.webhooks.tasks.wait", broken)
    with pytest.raises(TaskFailed, match="RuntimeError"):
        deliver_due()
    assert Drain.begin(clock.now())


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_is_sent_again_when_the_lease_has_run_out(allowed: Receiver):
    gate = threading.Event()
    allowed.replies.append(Reply(gate=gate))
    a_delivery(url=allowed.url(), at=clock.now())
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-c", "from temphone.webhooks.tasks import *; deliver_due()"],
        cwd=django_settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": this_database(), "TEMPHONE_WEBHOOK_ALLOW": allowed.host},
    )
    assert allowed.seen.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    gate.set()
    later = clock.now() + LEASE
    assert not Delivery.objects.due(clock.now()).exists()
    Delivery.objects.update(lease_until=clock.now())
    Drain.end(clock.now())
    assert Delivery.objects.due(later).exists()
    deliver_due()
    first, second = allowed.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


def this_database() -> str:
    """The URL of the test database, for another process."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}:{found['PASSWORD']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"
