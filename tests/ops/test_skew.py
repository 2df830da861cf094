"""A machine whose clock is wrong neither dials nor gives anything up."""

from datetime import timedelta

import pytest

from calls import tasks
from calls.models import Attempt, Call
from temphone import skew
from temphone.health import report
from temphone.lib.clock import now as utc_now
from tests.builders import a_call, a_gateway

pytestmark = pytest.mark.django_db


@pytest.fixture
def ahead(monkeypatch):
    """Put this machine's clock ahead of the database's."""

    def put(span: timedelta) -> None:
        monkeypatch.setattr(skew, "utc_now", lambda: utc_now() + span)

    return put


def test_the_clock_agrees_where_it_is_the_same():
    assert abs(skew.skew()) < timedelta(seconds=0.5)
    assert not skew.is_off()


@pytest.mark.postgresql  # SQLite has this machine's clock
@pytest.mark.parametrize("span", [timedelta(seconds=3), timedelta(seconds=-3), timedelta(days=1)])
def test_a_clock_that_differs_is_seen(ahead, span):
    ahead(span)
    assert skew.is_off()
    assert abs(skew.skew() - span) < timedelta(seconds=0.5)
    assert report(utc_now())["time"] == "differs from the database's by more than 2 s"


@pytest.mark.postgresql  # SQLite has this machine's clock
def test_a_small_difference_may_be(ahead):
    ahead(timedelta(seconds=1))
    assert not skew.is_off()


def test_nothing_is_dialled_or_asked_for_meanwhile(monkeypatch, caplog):
    a_gateway(now=utc_now())
    a_call()
    Call.objects.update(due_at=utc_now() - timedelta(seconds=1))
    monkeypatch.setattr(skew, "is_off", lambda: True)
    tasks.dial_due()
    tasks.reconcile()
    assert Call.objects.get().status == "scheduled"
    assert not Attempt.objects.exists()
    assert "set it" in caplog.text
