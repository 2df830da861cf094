import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from calls.actions.changes import gathering
from calls.actions.finishing import finish_call
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib import clock
from temphone.lib.errors import Conflict, Forbidden, Invalid, NotFound
from temphone.telephony.messages import Outcome
from temphone.webhooks import actions
from temphone.webhooks.actions import claim_due, record_tries, resend
from temphone.webhooks.actions.endpoints import (
    OVERLAP,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    end_overlap,
    get_endpoint,
    resend_failed,
    rotate_secret,
    send_test,
    switch_endpoint,
)
from temphone.webhooks.models import Delivery, DeliveryState, Endpoint
from temphone.webhooks.sender import Answer
from temphone.webhooks.tasks import deliver_due
from tests.builders import NOON, a_call, a_delivery, an_endpoint

pytestmark = pytest.mark.django_db
MANAGER = Actor(kind="user", id="1", label="Mona", role=Role.MANAGER)
FAILED = Answer(status_code=500, duration_ms=3)
GONE = Answer(status_code=410)
HOUR = timedelta(hours=1)


def told() -> list[tuple[str, str, int, str]]:
    """What is told, to whom, in which order, and where it is."""
    rows = Delivery.objects.order_by("id").values_list("endpoint__name", "type", "sequence", "state")
    return list(rows)


def tried(delivery: Delivery, answer: Answer, *, at=NOON) -> Delivery:
    (held,) = [one for one in claim_due(now=at, limit=100) if one == delivery]
    record_tries([(held, answer)], now=at)
    delivery.refresh_from_db()
    return delivery


def canceled(**fields):
    call = a_call(**fields)
    with gathering(NOON) as changes:
        finish_call(changes, call, Outcome.CANCELED_BY_USER)
    return call


# Told


def test_an_endpoint_is_told_of_every_call_and_counts_for_itself():
    an_endpoint()
    call = canceled(webhook_url="https://hooks.example.com/own")

    assert told() == [
        ("CRM", "call.scheduled", 1, "pending"),
        (None, "call.canceled", 1, "pending"),
        ("CRM", "call.canceled", 2, "pending"),
    ]
    last = Delivery.objects.order_by("id").last()
    body = json.loads(last.body)
    assert (body["type"], body["data"]["call_id"], body["data"]["sequence"]) == ("call.canceled", call.pk, 2)
    assert (last.url, last.receiver) == ("https://crm.example.com/hooks", "crm.example.com:443")


def test_it_is_told_what_it_subscribed_to_alone():
    an_endpoint(name="ends", events=["call.canceled"])
    an_endpoint(name="off", enabled=False)

    canceled()

    assert told() == [("ends", "call.canceled", 1, "pending")]


def test_messages_to_an_endpoint_go_in_order_and_hold_up_no_other_address():
    url = "https://crm.example.com/hooks"
    endpoint = an_endpoint(url=url)
    first = a_delivery(endpoint_id=endpoint.pk, url=url, sequence=0)
    second = a_delivery(endpoint_id=endpoint.pk, url=url, sequence=0)
    own = a_delivery(url=url, sequence=2)

    assert [first.sequence, second.sequence] == [1, 2]
    assert set(claim_due(now=NOON, limit=9)) == {first, own}


# Signed


def test_it_is_signed_with_its_own_secret_and_for_a_day_with_the_one_before(allowed):
    endpoint, first = create_endpoint(
        actor=SYSTEM, name="CRM", url=allowed.url(), events=["call.failed"], now=clock.now()
    )
    _, second = rotate_secret(actor=SYSTEM, endpoint_id=endpoint.pk, keep_old=True, now=clock.now())
    send_test(actor=SYSTEM, endpoint_id=endpoint.pk, now=clock.now())
    deliver_due()

    (got,) = allowed.received
    for secret in (first, second):
        assert Webhook(secret).verify(got.body, got.headers)["type"] == "webhook.test"
    endpoint.refresh_from_db()
    assert endpoint.signing_secrets(clock.now() + OVERLAP) == [second]
    assert first not in str(Endpoint.objects.filter(pk=endpoint.pk).values())
    assert endpoint.last_success_at is not None


def test_a_second_new_secret_does_not_lose_the_one_that_receivers_know():
    endpoint = an_endpoint()
    (known,) = endpoint.signing_secrets(NOON)
    rotate_secret(actor=SYSTEM, endpoint_id=endpoint.pk, keep_old=True, now=NOON)
    with pytest.raises(Conflict) as raised:
        rotate_secret(actor=SYSTEM, endpoint_id=endpoint.pk, keep_old=True, now=NOON + HOUR)
    assert raised.value.code == "secrets_overlap"
    endpoint.refresh_from_db()
    assert endpoint.signing_secrets(NOON + HOUR)[1:] == [known]

    end_overlap(actor=SYSTEM, endpoint_id=endpoint.pk, now=NOON + HOUR)
    endpoint.refresh_from_db()
    (newest,) = endpoint.signing_secrets(NOON + HOUR)
    _, third = rotate_secret(actor=SYSTEM, endpoint_id=endpoint.pk, keep_old=True, now=NOON + HOUR)
    endpoint.refresh_from_db()
    assert endpoint.signing_secrets(NOON + HOUR) == [third, newest]


def test_after_the_overlap_there_may_be_another():
    endpoint = an_endpoint()
    rotate_secret(actor=SYSTEM, endpoint_id=endpoint.pk, keep_old=True, now=NOON)
    rotate_secret(actor=SYSTEM, endpoint_id=endpoint.pk, keep_old=True, now=NOON + OVERLAP)
    assert AuditEntry.objects.filter(action="endpoint.rotate").count() == 2


def test_a_secret_that_leaked_signs_no_more(allowed):
    endpoint, leaked = create_endpoint(
        actor=SYSTEM, name="CRM", url=allowed.url(), events=["call.failed"], now=clock.now()
    )
    rotate_secret(actor=SYSTEM, endpoint_id=endpoint.pk, keep_old=False, now=clock.now())
    send_test(actor=SYSTEM, endpoint_id=endpoint.pk, now=clock.now())
    deliver_due()

    (got,) = allowed.received
    with pytest.raises(WebhookVerificationError):
        Webhook(leaked).verify(got.body, got.headers)


def test_a_secret_that_cannot_be_read_sends_nothing_and_says_so(allowed, settings):
    endpoint = an_endpoint(url=allowed.url())
    settings.SECRET_KEY = "another"
    a_delivery(endpoint_id=endpoint.pk, url=allowed.url(), sequence=0, at=clock.now())
    deliver_due()

    assert allowed.received == []
    assert "SECRET_KEY has changed" in Delivery.objects.get().log.get().error


def test_after_a_change_of_secret_key_a_new_secret_mends_it(allowed, settings):
    endpoint = an_endpoint(url=allowed.url())
    settings.SECRET_KEY = "another"
    _, secret = rotate_secret(actor=SYSTEM, endpoint_id=endpoint.pk, keep_old=True, now=clock.now())
    send_test(actor=SYSTEM, endpoint_id=endpoint.pk, now=clock.now())
    deliver_due()

    (got,) = allowed.received
    assert Webhook(secret).verify(got.body, got.headers)["type"] == "webhook.test"
    endpoint.refresh_from_db()
    assert (endpoint.is_readable, endpoint.signs_twice(clock.now())) == (True, False)


def test_a_secret_of_before_that_cannot_be_read_stops_nothing(settings):
    endpoint = an_endpoint()
    settings.SECRET_KEY = "another"
    unreadable = endpoint.sealed
    secret = endpoint.new_secret()
    endpoint.sealed_before, endpoint.before_until = unreadable, NOON + HOUR

    assert endpoint.signing_secrets(NOON) == [secret]
    assert not endpoint.signs_twice(NOON)


# Off


def test_410_switches_the_endpoint_off_with_all_that_waits():
    endpoint = an_endpoint()
    first = a_delivery(endpoint_id=endpoint.pk, sequence=0)
    other = a_delivery(endpoint_id=endpoint.pk, sequence=0, subject="call_other")

    tried(first, GONE)
    assert claim_due(now=NOON, limit=9) == []

    endpoint.refresh_from_db()
    other.refresh_from_db()
    assert (endpoint.enabled, endpoint.off_because[:18]) == (False, "It answered 410 Go")
    assert other.state == DeliveryState.DISABLED
    assert AuditEntry.objects.get(action="endpoint.off").actor_label == "TemPhone"


def test_what_was_made_while_it_was_switched_off_is_not_sent():
    endpoint = an_endpoint()
    switch_endpoint(actor=SYSTEM, endpoint_id=endpoint.pk, on=False, now=NOON)
    late = a_delivery(endpoint_id=endpoint.pk, sequence=0)

    assert claim_due(now=NOON, limit=9) == []
    late.refresh_from_db()
    assert late.state == DeliveryState.DISABLED


def test_what_waits_for_one_that_is_off_holds_up_nobody(monkeypatch):
    monkeypatch.setattr(actions, "UNWANTED", 3)
    endpoint = an_endpoint()
    for number in range(5):
        a_delivery(endpoint_id=endpoint.pk, sequence=0, subject=f"call_{number}", at=NOON - HOUR)
    later = a_delivery(endpoint_id=endpoint.pk, sequence=0, subject="call_late", at=NOON + HOUR)
    other = a_delivery(subject="call_other")
    switch_endpoint(actor=SYSTEM, endpoint_id=endpoint.pk, on=False, now=NOON)

    assert claim_due(now=NOON, limit=2) == [other]
    assert Delivery.objects.unwanted().count() == 3
    claim_due(now=NOON, limit=2)
    assert not Delivery.objects.unwanted().exists()
    later.refresh_from_db()
    assert later.state == DeliveryState.DISABLED


def test_it_is_known_how_an_endpoint_is():
    endpoint = an_endpoint()
    delivery = tried(a_delivery(endpoint_id=endpoint.pk, sequence=0), FAILED)
    endpoint.refresh_from_db()
    assert (endpoint.last_failure_at, endpoint.last_failure) == (NOON, "answered 500")

    tried(delivery, Answer(status_code=204), at=NOON + HOUR)
    endpoint.refresh_from_db()
    assert (endpoint.last_success_at, endpoint.last_failure) == (NOON + HOUR, "")


def test_a_deleted_endpoint_leaves_its_log_and_no_secret():
    endpoint = an_endpoint()
    a_delivery(endpoint_id=endpoint.pk, sequence=0)
    delete_endpoint(actor=SYSTEM, endpoint_id=endpoint.pk, now=NOON)

    canceled()
    assert claim_due(now=NOON - HOUR, limit=9) == []
    assert told() == [("CRM", "call.started", 1, "disabled")]
    endpoint.refresh_from_db()
    assert endpoint.signing_secrets(NOON) == []
    with pytest.raises(NotFound):
        get_endpoint(actor=SYSTEM, endpoint_id=endpoint.pk)


# Changed


def test_what_waits_goes_to_the_new_address():
    endpoint = an_endpoint()
    delivery = a_delivery(endpoint_id=endpoint.pk, sequence=0)
    new = "https://new.example.com/"
    change_endpoint(
        actor=SYSTEM, endpoint_id=endpoint.pk, name="CRM", url=new, events=["call.failed"], now=NOON
    )

    late = a_delivery(endpoint_id=endpoint.pk, url=endpoint.url, sequence=0, subject="call_b")
    for claimed in claim_due(now=NOON, limit=9):
        assert (claimed.url, claimed.receiver) == (new, "new.example.com:443")
    for one in (delivery, late):
        one.refresh_from_db()
        assert (one.url, one.receiver) == (new, "new.example.com:443")


def test_what_was_sent_shows_where_it_went():
    endpoint = an_endpoint()
    delivery = a_delivery(endpoint_id=endpoint.pk, url=endpoint.url, sequence=0)
    tried(delivery, Answer(status_code=204))
    change_endpoint(
        actor=SYSTEM,
        endpoint_id=endpoint.pk,
        name="CRM",
        url="https://new.example.com/",
        events=["call.failed"],
        now=NOON,
    )
    assert claim_due(now=NOON, limit=9) == []

    delivery.refresh_from_db()
    assert delivery.url == endpoint.url


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_a_drain_and_an_admin_at_once_lock_an_endpoint_first():
    endpoint = an_endpoint()
    delivery = a_delivery(endpoint_id=endpoint.pk, url=endpoint.url, sequence=0)
    (held,) = claim_due(now=NOON, limit=9)
    drain = threading.Thread(target=lambda: (record_tries([(held, FAILED)], now=NOON), connection.close()))
    with transaction.atomic():
        list(Endpoint.objects.select_for_update(no_key=True).filter(pk=endpoint.pk))
        drain.start()
        drain.join(0.5)
        # While the drain waits for the endpoint it holds no message that we could want.
        Delivery.objects.select_for_update(nowait=True).get(pk=delivery.pk)
    drain.join(10)
    delivery.refresh_from_db()
    assert delivery.tries == 1


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("url", {"url": "http://127.0.0.1/"}),
        ("url", {"url": "https://user:secret@hooks.example.com/"}),
        ("events", {"events": []}),
        ("events", {"events": ["call.failed", "call.invented"]}),
    ],
)
def test_what_can_never_work_is_refused(field, values):
    good = {"name": "CRM", "url": "https://hooks.example.com/", "events": ["call.failed"]}
    with pytest.raises(Invalid) as raised:
        create_endpoint(actor=SYSTEM, now=NOON, **{**good, **values})
    assert list(raised.value.fields) == [field]
    assert not Endpoint.objects.exists()


def test_only_an_admin_changes_endpoints():
    endpoint = an_endpoint()
    for act in (
        lambda: get_endpoint(actor=MANAGER, endpoint_id=endpoint.pk),
        lambda: switch_endpoint(actor=MANAGER, endpoint_id=endpoint.pk, on=False, now=NOON),
        lambda: rotate_secret(actor=MANAGER, endpoint_id=endpoint.pk, keep_old=False, now=NOON),
        lambda: end_overlap(actor=MANAGER, endpoint_id=endpoint.pk, now=NOON),
        lambda: delete_endpoint(actor=MANAGER, endpoint_id=endpoint.pk, now=NOON),
        lambda: send_test(actor=MANAGER, endpoint_id=endpoint.pk, now=NOON),
        lambda: resend_failed(actor=MANAGER, endpoint_id=None, since=NOON, now=NOON),
    ):
        with pytest.raises(Forbidden):
            act()
    assert Endpoint.objects.get().enabled


# Sent again


def test_what_failed_before_is_not_even_looked_at(django_assert_max_num_queries):
    for number in range(40):
        a_delivery(subject=f"call_{number}", at=NOON - timedelta(days=40 - number))
    Delivery.objects.update(state=DeliveryState.EXHAUSTED)

    keys = [0, *Delivery.objects.order_by("pk").values_list("pk", flat=True)]
    for days in (0, 1, 7, 30, 50):
        found = Delivery.objects.made_since(NOON - timedelta(days=days))
        assert found.count() == min(days, 40)
        assert f'"id" > {keys[max(40 - days, 0)]})' in str(found.query)
    with django_assert_max_num_queries(20):
        assert resend_failed(actor=SYSTEM, endpoint_id=None, since=NOON - 72 * HOUR, now=NOON) == 3


def test_what_failed_since_is_sent_again_to_whom_is_on():
    crm, off = an_endpoint(), an_endpoint(name="off", enabled=False)
    old = a_delivery(endpoint_id=crm.pk, sequence=0, at=NOON - 2 * HOUR)
    new = a_delivery(endpoint_id=crm.pk, sequence=0, subject="call_b")
    own = a_delivery(subject="call_c")
    taken = a_delivery(subject="call_d")
    lost = a_delivery(endpoint_id=off.pk, sequence=0, subject="call_e")
    Delivery.objects.update(state=DeliveryState.EXHAUSTED, tries=10)
    Delivery.objects.filter(pk=taken.pk).update(state=DeliveryState.DELIVERED)
    Delivery.objects.filter(pk=new.pk).update(url="https://before.example.com/")

    assert resend_failed(actor=SYSTEM, endpoint_id=crm.pk, since=NOON - HOUR, now=NOON + HOUR) == 1
    assert resend_failed(actor=SYSTEM, endpoint_id=None, since=NOON - HOUR, now=NOON + HOUR) == 1

    assert set(claim_due(now=NOON + HOUR, limit=9)) == {new, own}
    new.refresh_from_db()
    assert (new.url, new.tries) == (crm.url, 0)
    for one in (old, lost):
        one.refresh_from_db()
        assert one.state == DeliveryState.EXHAUSTED


def test_nothing_is_sent_again_to_an_endpoint_that_is_off():
    endpoint = an_endpoint(enabled=False)
    delivery = a_delivery(endpoint_id=endpoint.pk, sequence=0)
    for act in (
        lambda: resend(actor=SYSTEM, delivery_id=delivery.pk, now=NOON),
        lambda: resend_failed(actor=SYSTEM, endpoint_id=endpoint.pk, since=NOON, now=NOON),
        lambda: send_test(actor=SYSTEM, endpoint_id=endpoint.pk, now=NOON),
    ):
        with pytest.raises(Conflict) as raised:
            act()
        assert raised.value.code == "endpoint_off"
