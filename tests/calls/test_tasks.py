"""What the worker does when its doorbell rings."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection

from calls import tasks
from calls.actions import dialing, hanging_up
from calls.models import Attempt, Call, Gateway
from temphone import wiring
from temphone.accounts.models import Mode
from temphone.lib.clock import now as utc_now
from temphone.telephony.messages import Placed, Refused
from tests.api.test_envelope import Away
from tests.builders import a_call, a_gateway

pytestmark = pytest.mark.django_db


class FakeCarrier:
    """Answers for a batch once ``enough`` batches have come in."""

    def __init__(self, *, enough=1, answer=None):
        self.batches = []
        self.enough = enough
        self.came = asyncio.Event()
        self.answer = answer or (lambda request: Placed(attempt_id=request.attempt_id))

    async def dial(self, requests):
        self.batches.append(requests)
        if len(self.batches) >= self.enough:
            self.came.set()
        async with asyncio.timeout(10):
            await self.came.wait()
        return [self.answer(request) for request in requests]


@pytest.fixture
def carrier(monkeypatch):
    one = FakeCarrier()
    monkeypatch.setattr(wiring, "carrier", lambda: one)
    return one


def due_calls(count):
    a_gateway(now=utc_now())
    calls = [a_call() for _ in range(count)]
    Call.objects.update(due_at=utc_now() - timedelta(seconds=1))
    return calls


def test_it_dials_until_nothing_is_due(carrier, monkeypatch):
    monkeypatch.setattr(dialing.claim_due, "__kwdefaults__", {"now": None, "limit": 2})
    calls = due_calls(5)
    tasks.dial_due()
    assert [len(batch) for batch in carrier.batches] == [2, 2, 1]
    assert {request.to for batch in carrier.batches for request in batch} == {
        call.contact.phone for call in calls
    }
    assert not Call.objects.filter(status="scheduled").exists()


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_cannot_read_or_write_leaves_nothing_to_dial():
    (call,) = due_calls(1)
    requests = []
    for after in range(200):
        Gateway.objects.update(last_seen_at=utc_now())  # however long it takes
        with suppress(OperationalError), connection.execute_wrapper(Away(OperationalError, after)):
            requests, _ = dialing.claim_due(mode=Mode.TEST)
            break
        assert not Attempt.objects.exists()
        assert Call.objects.get().status == "scheduled"
    assert 5 < after < 199
    assert [request.to for request in requests] == [call.contact.phone]
    assert Attempt.objects.count() == 1


def test_where_calls_come_due_without_end_others_have_the_worker_soon(carrier, monkeypatch):
    monkeypatch.setattr(dialing.claim_due, "__kwdefaults__", {"now": None, "limit": 1})
    ticks = count(step=0.4)
    monkeypatch.setattr(tasks, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    due_calls(5)
    tasks.dial_due()
    assert len(carrier.batches) == 2
    assert Call.objects.filter(status="scheduled").count() == 3


def test_the_next_batch_is_claimed_while_the_carrier_has_yet_to_answer(carrier, monkeypatch):
    """Else a carrier that takes 100 ms would let one worker start a thousand calls a second at most."""
    monkeypatch.setattr(dialing.claim_due, "__kwdefaults__", {"now": None, "limit": 1})
    carrier.enough = 3
    due_calls(3)
    tasks.dial_due()
    assert len(carrier.batches) == 3


def test_no_more_batches_are_under_way_than_allowed(carrier, monkeypatch):
    monkeypatch.setattr(dialing.claim_due, "__kwdefaults__", {"now": None, "limit": 1})
    monkeypatch.setattr(tasks, "BATCHES_AT_ONCE", 2)
    carrier.enough = 3
    due_calls(3)

    async def stuck(requests):
        carrier.batches.append(requests)
        await asyncio.sleep(0.2)
        assert len(carrier.batches) <= 2 + carrier.answered
        carrier.answered += 1
        return [carrier.answer(request) for request in requests]

    carrier.answered = 0
    carrier.dial = stuck
    tasks.dial_due()
    assert carrier.answered == 3


def test_what_the_carrier_answered_is_recorded(carrier):
    carrier.answer = lambda request: Refused(attempt_id=request.attempt_id, cause="no such leg", retry=False)
    due_calls(2)
    tasks.dial_due()
    assert set(Attempt.objects.values_list("hangup_cause", flat=True)) == {"no such leg"}
    assert set(Call.objects.values_list("status", flat=True)) == {"failed"}


def test_calls_of_live_mode_have_the_lines_first(monkeypatch):
    claimed = []
    monkeypatch.setattr(tasks, "has_work", lambda _mode, _now: True)
    monkeypatch.setattr(tasks, "_dial_batch", lambda mode, *_: claimed.append(mode))
    tasks.dial_due()
    assert claimed == ["live", "test"]


class Hangs:
    """Hangs up whatever it is told to."""

    def __init__(self):
        self.told = []

    async def hang_up(self, leg):
        self.told.append(leg.attempt_id)


def live_calls(count):
    due_calls(count)
    requests, _ = dialing.claim_due(mode="test")
    Call.objects.update(hang_up_requested_at=utc_now())
    Attempt.objects.update(lease_until=utc_now() + timedelta(hours=1))
    return {request.attempt_id for request in requests}


def test_all_are_hung_up_however_many_there_are(monkeypatch):
    ids = live_calls(5)
    carrier = Hangs()
    monkeypatch.setattr(wiring, "carrier", lambda: carrier)
    monkeypatch.setattr(hanging_up.take_hang_ups, "__kwdefaults__", {"limit": 2})
    tasks.hang_up_due()
    assert set(carrier.told) == ids


def test_a_silent_gateway_is_not_asked_and_keeps_nobody_waiting(monkeypatch):
    live_calls(1)
    Gateway.objects.update(last_seen_at=utc_now() - timedelta(hours=1))
    carrier = Hangs()
    monkeypatch.setattr(wiring, "carrier", lambda: carrier)
    tasks.hang_up_due()
    assert not carrier.told
    assert Attempt.objects.get().hang_up_again_at < utc_now() + timedelta(seconds=5)
