"""When and where the demo can be seeded."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from calls.models import Call
from calls.states import CallStatus
from tests.builders import NOON, a_call

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("hours", [0, 13])
def test_it_can_be_seeded_at_any_hour(db, hours, monkeypatch):
    moment = NOON + timedelta(hours=hours)
    monkeypatch.setattr("temphone.management.commands.seed_demo.utc_now", lambda: moment)
    call_command("seed_demo", verbosity=0)
    retried = Call.objects.get(contact="ctc_demobusyline0", created_at__gt=moment - timedelta(days=3))
    assert retried.status == CallStatus.SCHEDULED
    assert retried.attempts.exists()
    assert retried.due_at > moment


def test_calls_of_ones_own_are_left_alone(db):
    mine = a_call()
    call_command("seed_demo", verbosity=0)
    assert list(Call.objects.all()) == [mine]
