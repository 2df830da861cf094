"""Each call rings once and ends, whatever is killed meanwhile. The oracle is the tests' own ear."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction

from calls.actions.scheduling import CallRequest, schedule_call
from calls.models import Attempt, Call
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.lib.clock import now as utc_now
from tests.builders import a_contact
from tests.proofs.stage.installation import PROGRAMS, Installation
from tests.proofs.stage.quiet import A_MOMENT_S, Quiet

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.timeout(300)]
CALLS = 300


@pytest.fixture
def installation(tmp_path, request):
    whole = Installation(tmp_path, speed=getattr(request, "param", 20))
    whole.start()
    yield whole
    whole.stop()


def schedule_for_one_instant(count, *, seconds=10):
    now = utc_now()
    when = (now + timedelta(seconds=seconds)).isoformat()
    with transaction.atomic():
        contacts = [a_contact(phone=f"+1650555{1000 + index}") for index in range(count)]
        for contact in contacts:
            request = CallRequest(
                contact_id=contact.pk,
                scheduled_at=when,
                initial_message="Hi {{first_name}}, your car is ready.",
            )
            schedule_call(actor=SYSTEM, mode=Mode.TEST, request=request, now=now)
    return [contact.phone for contact in contacts]


def is_open():
    return Call.objects.filter(status__in=["scheduled", "in_progress"]).exists()


def wait_until_over(installation, within_s):
    quiet = Quiet(installation=installation, is_open=is_open, quiet_s=A_MOMENT_S)
    assert quiet.comes(within_s), installation.logs()


def assert_each_rang_once_and_completed(installation, numbers):
    assert installation.rings() == Counter(numbers)
    outcomes = Counter(Call.objects.values_list("status", "outcome"))
    assert {status for status, _ in outcomes} == {"completed"}, outcomes
    assert not Attempt.objects.live().exists()
    assert not Attempt.objects.filter(outcome="unknown").exists()


def test_300_calls_due_in_the_same_second_each_ring_once_and_complete(installation):
    installation.wait_until_ready()
    numbers = schedule_for_one_instant(CALLS)
    wait_until_over(installation, 120)
    assert_each_rang_once_and_completed(installation, numbers)


# As slow as people, so that the calls are under way for as long as the killing lasts.
@pytest.mark.parametrize("installation", [1], indirect=True)
def test_killing_everything_in_the_middle_neither_repeats_nor_loses_a_call(installation):
    installation.wait_until_ready()
    numbers = schedule_for_one_instant(CALLS)
    chance = random.Random(20260315)
    installation.wait_until(lambda: sum(installation.rings().values()) > 0, 30)
    for program in ("worker", "gateway", "clock", "web", "worker", "gateway"):
        installation.strike(program)
        before = utc_now()
        pause = timedelta(seconds=chance.uniform(0.1, 0.8))
        installation.wait_until(lambda before=before, pause=pause: utc_now() > before + pause, 5)
        installation.start(program)
        installation.wait_until(lambda before=before: utc_now() > before + timedelta(seconds=1.5), 5)
    for program in PROGRAMS:
        installation.strike(program)
    assert is_open(), "Everything was over before it was killed: nothing was shown."
    installation.start()
    wait_until_over(installation, 180)
    assert_each_rang_once_and_completed(installation, numbers)
