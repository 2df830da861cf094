"""What the phone heard, when requests collide. Real processes, the API over HTTP, the phone's own log."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from calls.models import Attempt, Call
from temphone.accounts.actions import create_key
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.lib.clock import now as utc_now
from tests.builders import a_contact
from tests.proofs.stage.installation import Installation

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.timeout(300)]
PAIRS = 10


@pytest.fixture
def installation(tmp_path):
    whole = Installation(tmp_path, speed=20)
    whole.start()
    whole.wait_until_ready()
    yield whole
    whole.stop()


@pytest.fixture
def key(db):
    _, whole = create_key(
        actor=SYSTEM, name="test", mode=Mode.TEST, requests_per_minute=10_000, now=utc_now()
    )
    return whole


def body(contact, when):
    return {
        "contact_id": contact.pk,
        "scheduled_at": when.isoformat(),
        "initial_message": "Hi {{first_name}}.",
    }


def at_once(verb, items):
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(verb, items))


def all_over():
    return not Call.objects.filter(status__in=["scheduled", "in_progress"]).exists()


def ring_times(installation, number):
    return [ring.at for ring in installation.heard() if ring.to == number]


def test_two_calls_to_one_number_ring_one_after_the_other(installation, key):
    contacts = [a_contact() for _ in range(PAIRS)]
    when = utc_now() + timedelta(seconds=4)
    answers = at_once(
        lambda contact: installation.api("POST", "/calls/scheduled", key, body(contact, when)), contacts * 2
    )
    assert {status for status, _ in answers} == {201}
    installation.wait_until(all_over, 90)
    for contact in contacts:
        first, second = Attempt.objects.filter(to=contact.phone).order_by("created_at")
        rang_first, rang_second = ring_times(installation, contact.phone)
        assert rang_first < first.ended_at < rang_second < second.ended_at


def test_a_request_sent_again_and_again_with_its_key_rings_once(installation, key):
    contacts = [a_contact() for _ in range(PAIRS)]
    when = utc_now() + timedelta(seconds=4)

    def post(contact):
        headers = {"Idempotency-Key": contact.pk}
        return installation.api("POST", "/calls/scheduled", key, body(contact, when), headers=headers)

    answers = at_once(post, contacts * 3)
    assert {status for status, _ in answers} == {201}
    assert len({answer["data"]["call_id"] for _, answer in answers}) == PAIRS
    installation.wait_until(all_over, 90)
    assert installation.rings() == {contact.phone: 1 for contact in contacts}


def test_a_cancel_that_answered_200_never_rings(installation, key):
    contacts = [a_contact() for _ in range(3 * PAIRS)]
    when = utc_now() + timedelta(seconds=4)
    calls = {
        contact.phone: installation.api("POST", "/calls/scheduled", key, body(contact, when))[1]["data"][
            "call_id"
        ]
        for contact in contacts
    }
    # At the very instant at which they are claimed.
    installation.wait_until(lambda: utc_now() >= when, 30)
    answers = at_once(
        lambda number: (number, *installation.api("POST", f"/calls/{calls[number]}/cancel", key)), calls
    )
    installation.wait_until(all_over, 90)
    rings = installation.rings()
    for number, status, answer in answers:
        # On a machine that is busy with other things a call may be over before it is canceled.
        assert status in {200, 202} or (status, answer["code"]) == (409, "call_completed"), answer
        assert rings[number] <= (0 if status == 200 else 1), (number, status)
        if status != 409:
            assert answer["data"]["status"] == ("canceled" if status == 200 else "in_progress")
