"""One bell a task rings, and one is answered."""

import logging
from datetime import timedelta

import pytest
from django.db import OperationalError

from temphone.doorbell import ringing
from temphone.doorbell.models import UNHEARD, Doorbell
from temphone.doorbell.tasks import TaskFailed, task
from tests.builders import NOON

pytestmark = pytest.mark.django_db
MOMENT = timedelta(milliseconds=50)


@pytest.fixture
def queue(monkeypatch):
    """Where bells wait: the task, and when it was rung for."""
    bells = []
    monkeypatch.setattr(ringing, "async_task", lambda *bell: bells.append(bell))
    return bells


@pytest.fixture
def done():
    return []


@pytest.fixture
def work(done):
    """A task of the worker, with the name by which it is rung for."""

    @task
    def work():
        done.append("work")

    work.name = f"{work.__module__}.{work.__qualname__}"
    return work


def test_while_it_rings_it_is_not_rung_again(queue):
    assert ringing.ring("dial", NOON)
    assert not ringing.ring("dial", NOON + MOMENT)
    assert ringing.ring("other", NOON + MOMENT)
    assert queue == [("dial", NOON), ("other", NOON + MOMENT)]


def test_unheard_for_two_seconds_it_is_rung_again(queue):
    ringing.ring("dial", NOON)
    assert not ringing.ring("dial", NOON + UNHEARD - MOMENT)
    assert ringing.ring("dial", NOON + UNHEARD)


def test_where_the_wall_clock_was_set_back_it_is_rung_again(queue):
    ringing.ring("dial", NOON)
    assert ringing.ring("dial", NOON - MOMENT)


def test_who_answers_does_the_work_and_what_comes_due_from_then_on_rings_anew(queue, work, done):
    ringing.ring(work.name, NOON)
    work(NOON)
    assert done == ["work"]
    assert ringing.ring(work.name, NOON + MOMENT)


def test_of_bells_that_were_rung_again_only_the_last_is_answered(queue, work, done):
    """Otherwise each that is answered makes room for another, and they never become fewer."""
    for time in range(4):
        ringing.ring(work.name, NOON + time * UNHEARD)
    for _name, rung_at in queue:
        work(rung_at)
    assert len(queue) == 4
    assert done == ["work"]


def test_a_bell_that_the_queue_gives_out_twice_is_answered_once(queue, work, done):
    ringing.ring(work.name, NOON)
    work(NOON)
    work(NOON)
    assert done == ["work"]


def test_called_by_hand_it_is_done(work, done):
    work()
    assert done == ["work"]


def test_where_the_database_is_away_the_task_fails_and_the_bell_goes_on_ringing(
    queue, work, done, monkeypatch, caplog
):
    def away(*_args):
        raise OperationalError("away")

    ringing.ring(work.name, NOON)
    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr(Doorbell, "answer", away)
        with pytest.raises(TaskFailed, match="OperationalError"):
            work(NOON)
    assert done == []
    assert not ringing.ring(work.name, NOON + MOMENT)
    assert ringing.ring(work.name, NOON + UNHEARD)
