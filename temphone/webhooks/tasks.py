"""The drain: what django-q2 runs when messages are due."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from temphone.doorbell.tasks import task
from temphone.lib import clock
from temphone.lib.background import event_loop
from temphone.lib.sealing import Unreadable
from temphone.webhooks.actions import claim_due, record_tries
from temphone.webhooks.models import Delivery, Drain
from temphone.webhooks.sender import Answer, Message, send

AT_ONCE = 100
LOOK_AGAIN_S = 0.5
# Then it claims no more and ends with the last answer, well before the queue would kill it.
CLAIMS_FOR = timedelta(seconds=60)

Send = Callable[[Delivery], Future[Answer]]


@task
def deliver_due() -> None:
    """Send what is due until nothing is; ends at once when another drain is at work."""
    if not Drain.begin(clock.now()):
        return
    try:
        with network() as transmit:
            drain(transmit, now=clock.now)
    finally:
        Drain.end(clock.now())


def drain(transmit: Send, *, now: Callable[[], datetime]) -> None:
    """Claim, send and record, until nothing is due and nothing under way.

    It goes on claiming while slow receivers keep their answers, so that these hold up nobody else.
    """
    began = now()
    under_way: dict[Future[Answer], Delivery] = {}
    while True:
        done = {future: under_way.pop(future) for future in list(under_way) if future.done()}
        room = AT_ONCE - len(under_way) if now() - began < CLAIMS_FOR else 0
        claimed = _turn(done, under_way, room, now())
        # Sent only now: whoever sees a message on its way finds its lease committed.
        under_way |= {transmit(delivery): delivery for delivery in claimed}
        if not under_way:
            return
        wait(under_way, timeout=0 if claimed else LOOK_AGAIN_S, return_when=FIRST_COMPLETED)


def _turn(
    done: dict[Future[Answer], Delivery],
    under_way: dict[Future[Answer], Delivery],
    room: int,
    now: datetime,
) -> list[Delivery]:
    """Record what is done and claim what there is room for, in one transaction."""
    with transaction.atomic():
        Drain.go_on(now)
        record_tries([(delivery, _answer(future)) for future, delivery in done.items()], now=now)
        busy = Counter(delivery.receiver for delivery in under_way.values())
        return claim_due(now=now, limit=room, busy=busy) if room else []


def _answer(future: Future[Answer]) -> Answer:
    """What a try came to. A fault of our own is kept as its answer, so that it stops no other message."""
    fault = future.exception()
    return Answer(error=f"{type(fault).__name__}: {fault}") if fault else future.result()


@contextmanager
def network() -> Iterator[Send]:
    """Sends messages beside the caller, whose SQL so blocks none of them."""
    # Names are looked up in threads; with one for each message no slow name server holds up others.
    with event_loop(threads=AT_ONCE) as loop:

        def transmit(delivery: Delivery) -> Future[Answer]:
            message = Message(id=delivery.event_id, url=delivery.url, body=delivery.body)
            at = clock.now()
            try:
                secrets = _secrets(delivery, at)
            except Unreadable:
                return _unsigned()
            return asyncio.run_coroutine_threadsafe(send(message, secrets=secrets, at=at), loop)

        yield transmit


def _secrets(delivery: Delivery, at: datetime) -> list[str]:
    """What signs the message: its endpoint's secrets, else the installation's."""
    if delivery.endpoint:
        return delivery.endpoint.signing_secrets(at)
    return [secret for secret in (settings.WEBHOOK_SECRET, settings.WEBHOOK_SECRET_OLD) if secret]


def _unsigned() -> Future[Answer]:
    """A try that could not even begin."""
    future: Future[Answer] = Future()
    future.set_result(Answer(error="not sent: SECRET_KEY has changed, so make a new secret for the endpoint"))
    return future
