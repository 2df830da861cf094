"""Suppressing: many calls are canceled in parts, so that nobody waits for them all."""

from datetime import timedelta

import pytest

from calls import tasks
from calls.actions import suppression
from calls.actions.suppression import cancel_more, suppress
from calls.models import Call
from contacts.actions import lift_suppression
from contacts.models import Suppression
from temphone.accounts.actors import SYSTEM
from temphone.management.commands import clock
from tests.builders import NOON, a_call, a_contact

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    monkeypatch.setattr(suppression, "AT_ONCE", 2)


def canceled() -> int:
    return Call.objects.filter(status="canceled").count()


def suppress_all() -> Suppression:
    for number in range(5):
        a_call(a_contact(phone=f"+141555501{number:02}"))
    return suppress(actor=SYSTEM, number="+1415", is_prefix=True, now=NOON)


def test_of_a_prefix_the_first_calls_are_canceled_at_once_and_the_others_by_the_worker():
    suppress_all()
    assert canceled() == 2
    assert [bell.task for bell in clock.bells() if "suppressed" in bell.task] == [
        "calls.tasks.cancel_suppressed"
    ]
    tasks.cancel_suppressed()
    assert canceled() == 5
    assert not Suppression.objects.canceling(NOON).exists()


def test_what_is_lifted_meanwhile_cancels_no_more():
    made = suppress_all()
    lift_suppression(actor=SYSTEM, suppression_id=made.pk, now=NOON)
    while cancel_more(now=NOON + timedelta(seconds=1)):
        pass
    assert canceled() == 2


def test_of_one_number_nothing_is_left_to_do():
    call = a_call()
    suppress(actor=SYSTEM, number=call.contact.phone, now=NOON)
    assert canceled() == 1
    assert not cancel_more(now=NOON)
