"""The clock rings for what is due: at once, again while it is there, and after the wall clock jumped."""

from datetime import timedelta

import pytest

from calls.models import Call
from temphone.doorbell import ringing
from temphone.doorbell.models import UNHEARD, Doorbell
from temphone.management.commands import clock
from tests.builders import NOON, a_call

pytestmark = pytest.mark.django_db
TICK = timedelta(milliseconds=50)


@pytest.fixture
def rung(monkeypatch):
    tasks = []
    monkeypatch.setattr(ringing, "async_task", lambda task, _rung_at: tasks.append(task))
    return tasks


@pytest.fixture
def bell():
    return clock.Bell(task="dial", due=Call.objects.waiting, moment="due_at")


def test_it_does_not_ring_before_something_is_due(rung, bell):
    a_call()
    assert not bell.ring_if_due(NOON - TICK)
    assert bell.ring_if_due(NOON)
    assert rung == ["dial"]


def test_it_rings_each_second_while_the_work_is_there(rung, bell):
    a_call()
    for tick in range(60):  # three seconds
        bell.ring_if_due(NOON + tick * TICK)
        Doorbell.objects.update(rung_at=None)
    assert len(rung) == 3


def test_a_bell_that_nobody_has_heard_yet_is_not_rung_again_by_any_clock(rung, bell):
    """A worker that is busy would find thousands of them, and what cannot wait behind them."""
    other = clock.Bell(task="dial", due=Call.objects.waiting, moment="due_at")
    for second in range(5):
        a_call(scheduled_at=(NOON + second * timedelta(seconds=0.2)).isoformat())
    for tick in range(20):  # one second
        bell.ring_if_due(NOON + tick * TICK)
        other.ring_if_due(NOON + tick * TICK)
    assert rung == ["dial"]


def test_a_bell_that_was_lost_is_rung_again(rung, bell):
    a_call()
    for tick in range(int(UNHEARD / TICK) + 20):
        bell.ring_if_due(NOON + tick * TICK)
    assert rung == ["dial", "dial"]


def test_it_rings_at_once_for_what_has_come_due_since(rung, bell):
    a_call()
    a_call(scheduled_at=(NOON + 2 * TICK).isoformat())
    assert bell.ring_if_due(NOON)
    assert not bell.ring_if_due(NOON + TICK)
    assert bell.ring_if_due(NOON + 2 * TICK)


def test_it_looks_as_seldom_as_it_is_told(rung, django_assert_num_queries):
    bell = clock.Bell(task="deliver", due=Call.objects.waiting, moment="due_at", every=4 * TICK)
    with django_assert_num_queries(3):
        for tick in range(9):
            bell.ring_if_due(NOON + tick * TICK)
    a_call(scheduled_at=(NOON + 9 * TICK).isoformat())
    assert not bell.ring_if_due(NOON + 11 * TICK)
    assert bell.ring_if_due(NOON + 12 * TICK)
    assert rung == ["deliver"]


def test_a_wall_clock_set_back_does_not_silence_it(rung, bell):
    a_call()
    assert bell.ring_if_due(NOON + timedelta(hours=1))
    assert bell.ring_if_due(NOON)


def test_a_chime_rings_at_its_interval(rung):
    chime = clock.Chime(task="beat", every=timedelta(seconds=5))
    for seconds in range(11):
        chime.ring_if_due(NOON + timedelta(seconds=seconds))
        Doorbell.objects.update(rung_at=None)  # heard
    assert len(rung) == 3
    assert chime.ring_if_due(NOON)  # set back
    assert len(rung) == 4


def test_while_the_broker_is_away_the_clock_goes_on_and_rings_when_it_is_back(monkeypatch):
    a_call()
    rung = []

    def away(_task, _rung_at):
        raise ConnectionRefusedError

    dial = clock.Bell(task="dial", due=Call.objects.waiting, moment="due_at")
    bells = [dial, clock.Chime(task="beat", every=timedelta(seconds=5))]
    monkeypatch.setattr(ringing, "async_task", away)
    for bell in bells:
        clock.ring_one(bell, NOON)
    assert Doorbell.objects.filter(rung_at=None).count() == 2  # the one did not keep the other from its turn
    monkeypatch.setattr(ringing, "async_task", lambda task, _rung_at: rung.append(task))
    for second in (1, 5):
        for bell in bells:
            clock.ring_one(bell, NOON + timedelta(seconds=second))
    assert rung == ["dial", "beat"]
