"""A call from the request to its last webhook, through real processes."""

import json
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from contacts.models import Suppression
from temphone.accounts.actions import create_key
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.lib.clock import iso
from temphone.lib.clock import now as utc_now
from tests.builders import a_contact
from tests.proofs.stage.installation import Installation
from tests.webhooks.receiver import Receiver, a_receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.timeout(300)]


@pytest.fixture
def receiver():
    with a_receiver() as one:
        yield one


@pytest.fixture
def installation(tmp_path, receiver):
    whole = Installation(
        tmp_path, speed=20, TEMPHONE_WEBHOOK_ALLOW=receiver.host, TEMPHONE_WEBHOOK_SECRET=SECRET
    )
    whole.start()
    whole.wait_until_ready()
    yield whole
    whole.stop()


SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def key(db):
    _, whole = create_key(actor=SYSTEM, name="test", mode=Mode.TEST, now=utc_now())
    return whole


def schedule(installation, key, receiver: Receiver, *, phone, seconds=2):
    contact = a_contact(phone=phone)
    body = {
        "contact_id": contact.pk,
        "scheduled_at": iso(utc_now() + timedelta(seconds=seconds)),
        "initial_message": "Hi {{first_name}}, this is your AI assistant.",
        "webhook_url": receiver.url(),
    }
    status, answer = installation.api("POST", "/calls/scheduled", key, body)
    assert status == 201, answer
    return answer["data"]["call_id"]


def told(receiver):
    """The webhooks received so far, each verified by the library."""
    bodies = [json.loads(message.body) for message in receiver.received]
    for message in receiver.received:
        Webhook(SECRET).verify(message.body, message.headers)
    return bodies


def test_a_call_rings_converses_and_tells_its_webhook_in_order(installation, key, receiver):
    call_id = schedule(installation, key, receiver, phone="+14155550100")
    installation.wait_until(lambda: len(receiver.received) == 3, 60)
    events = told(receiver)
    assert [event["type"] for event in events] == ["call.started", "call.answered", "call.completed"]
    assert [event["data"]["sequence"] for event in events] == [1, 2, 3]
    assert events[-1]["data"]["outcome"] == "answered_human"
    assert installation.rings() == {"+14155550100": 1}
    status, answer = installation.api("GET", f"/calls/{call_id}", key)
    said = [turn["text"] for turn in answer["data"]["transcript"]]
    assert status == 200
    assert "Hi Jordan, this is your AI assistant." in said


def test_who_says_stop_is_suppressed_and_rings_no_more(installation, key, receiver):
    schedule(installation, key, receiver, phone="+14155550105")
    installation.wait_until(lambda: len(receiver.received) == 3, 60)
    assert told(receiver)[-1]["data"]["outcome"] == "opted_out"
    assert Suppression.objects.get().number == "+14155550105"
    body = {"contact_id": a_contact(phone="+14155550105").pk, "initial_message": "Hi."}
    body["scheduled_at"] = iso(utc_now() + timedelta(seconds=60))
    status, answer = installation.api("POST", "/calls/scheduled", key, body)
    assert (status, answer["code"]) == (422, "blocked_suppressed")


def test_a_call_in_progress_is_hung_up_and_ends(installation, key, receiver):
    call_id = schedule(installation, key, receiver, phone="+14155550115")  # talks on and on
    installation.wait_until(lambda: len(receiver.received) == 2, 60)
    status, answer = installation.api("POST", f"/calls/{call_id}/cancel", key)
    assert (status, answer["data"]["status"]) == (202, "in_progress")
    installation.wait_until(lambda: len(receiver.received) == 3, 30)
    assert told(receiver)[-1]["type"] == "call.completed"
    status, answer = installation.api("POST", f"/calls/{call_id}/cancel", key)
    assert (status, answer["data"]["status"]) == (409, "completed")


def test_a_canceled_call_never_rings(installation, key, receiver):
    call_id = schedule(installation, key, receiver, phone="+14155550100", seconds=3)
    status, answer = installation.api("POST", f"/calls/{call_id}/cancel", key)
    assert (status, answer["data"]["status"]) == (200, "canceled")
    other = schedule(installation, key, receiver, phone="+14155550102", seconds=4)
    installation.wait_until(
        lambda: installation.api("GET", f"/calls/{other}", key)[1]["data"].get("attempts"), 60
    )
    assert "+14155550100" not in installation.rings()
    assert told(receiver)[0]["type"] == "call.canceled"
