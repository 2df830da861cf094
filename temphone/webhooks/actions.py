"""Messages to the outside: made with the change that they tell of, tried until taken, sent again."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from random import SystemRandom

from django.db import transaction
from django.db.models import F, QuerySet

from temphone import rows
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.clock import iso
from temphone.lib.errors import Conflict, NotFound
from temphone.webhooks import guard
from temphone.webhooks.models import Delivery, DeliveryState, DeliveryTry
from temphone.webhooks.sender import Answer

LEASE = timedelta(seconds=60)  # a try takes 15 s at most
PER_RECEIVER = 25  # tries at once, so that one slow receiver leaves room for the others

# Before the first try, and after each failed one. Source: Standard Webhooks, "Retry schedule".
WAITS = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.1  # of a wait, added: what failed together does not come back together
LONGEST_WAIT = timedelta(hours=24)

_random = SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that an address is to be told: the ``sequence``-th of its subject."""

    subject: str
    url: str
    event: str
    sequence: int
    data: Mapping[str, object]
    at: datetime


def enqueue(notices: Sequence[Notice]) -> None:
    """Make the messages, their bodies frozen; call it in the transaction of the change they tell of."""
    if not notices:
        return
    unwanted = _unwanted({notice.subject for notice in notices})
    rows.insert(
        Delivery,
        [_delivery(notice, unwanted=(notice.subject, notice.url) in unwanted) for notice in notices],
    )


def _unwanted(subjects: set[str]) -> set[tuple[str, str]]:
    """The streams, as subject and URL, whose receiver wants no more of them: their last was not wanted."""
    sent = Delivery.objects.filter(subject__in=subjects).order_by("subject", "sequence")
    last = {(subject, url): state for subject, url, state in sent.values_list("subject", "url", "state")}
    return {stream for stream, state in last.items() if state == DeliveryState.DISABLED}


def _delivery(notice: Notice, *, unwanted: bool) -> dict[str, object]:
    told = {**notice.data, "outcome": notice.data.get("outcome"), "sequence": notice.sequence}
    body = {"type": notice.event, "timestamp": iso(notice.at), "data": told}
    return {
        "type": notice.event,
        "subject": notice.subject,
        "sequence": notice.sequence,
        "url": notice.url,
        "receiver": _receiver(notice.url),
        "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        "state": DeliveryState.DISABLED if unwanted else DeliveryState.PENDING,
        "next_try_at": notice.at,
        "created_at": notice.at,
    }


def claim_due(*, now: datetime, limit: int, busy: Mapping[str, int] | None = None) -> list[Delivery]:
    """Take up to ``limit`` due messages in hand; ``busy`` counts those in hand per receiver.

    What is not recorded by the lease's end is due again: so nothing is lost when the process dies.
    """
    in_hand = Counter(busy or {})
    full = [receiver for receiver, count in in_hand.items() if count >= PER_RECEIVER]
    with transaction.atomic():
        due = Delivery.objects.due(now).exclude(receiver__in=full)
        claimed = []
        for delivery in due.select_for_update(skip_locked=True)[:limit]:
            in_hand[delivery.receiver] += 1
            if in_hand[delivery.receiver] <= PER_RECEIVER:
                claimed.append(delivery)
        lease_until = now + LEASE
        Delivery.objects.filter(pk__in=[delivery.pk for delivery in claimed]).update(lease_until=lease_until)
    for delivery in claimed:
        delivery.lease_until = lease_until
    return claimed


def record_tries(tries: Sequence[tuple[Delivery, Answer]], *, now: datetime) -> None:
    """Keep what tries of claimed messages came to, and what follows from it."""
    with transaction.atomic():
        DeliveryTry.objects.bulk_create(_logged(delivery, answer, now) for delivery, answer in tries)
        taken = [delivery for delivery, answer in tries if answer.is_success]
        _held(taken).update(state=DeliveryState.DELIVERED, tries=F("tries") + 1, lease_until=None)
        for delivery, answer in tries:
            if not answer.is_success:
                _record_failure(delivery, answer, now)


def resend(*, actor: Actor, delivery_id: int, now: datetime) -> Delivery:
    """Send a message again now, with its own id and body, however it ended.

    Raises:
        Conflict: it is being sent at this moment.
    """
    actor.require(Role.OPERATOR)
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().filter(pk=delivery_id).first()
        if delivery is None:
            raise NotFound(f"Delivery not found: {delivery_id}.")
        if delivery.lease_until and delivery.lease_until > now:
            raise Conflict("This message is being sent at this moment.", code="delivery_in_hand")
        delivery.state, delivery.tries = DeliveryState.PENDING, 0
        delivery.next_try_at, delivery.lease_until = now, None
        delivery.save(update_fields=["state", "tries", "next_try_at", "lease_until"])
        AuditEntry.record(actor, "webhook.resend", delivery.event_id, call=delivery.subject)
    return delivery


@lru_cache(maxsize=1000)
def _receiver(url: str) -> str:
    try:
        return guard.receiver(guard.canonical(url))[:255]
    except ValueError:
        return ""  # the try will say what is wrong with it


def _logged(delivery: Delivery, answer: Answer, now: datetime) -> DeliveryTry:
    return DeliveryTry(
        delivery=delivery,
        at=now,
        status_code=answer.status_code,
        answer=_storable(answer.text),
        error=_storable(answer.error)[:200],
        duration_ms=answer.duration_ms,
    )


def _storable(text: str) -> str:
    """Without what a database refuses: NUL, lone surrogates."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _held(deliveries: Sequence[Delivery]) -> QuerySet[Delivery]:
    """Those of the rows that are in our hands still.

    Only who holds the lease decides: a drain that slept past its own finds another's there.
    """
    return Delivery.objects.filter(
        pk__in=[delivery.pk for delivery in deliveries],
        lease_until__in={delivery.lease_until for delivery in deliveries},
    )


def _record_failure(delivery: Delivery, answer: Answer, now: datetime) -> None:
    tries = delivery.tries + 1
    state = DeliveryState.PENDING if tries < len(WAITS) else DeliveryState.EXHAUSTED
    if answer.is_gone:
        state = DeliveryState.DISABLED
    held = _held([delivery]).update(
        state=state, tries=tries, next_try_at=_next_try(tries, answer, now), lease_until=None
    )
    if held and answer.is_gone:
        later = Delivery.objects.stream(delivery.subject, delivery.url)
        later.filter(state=DeliveryState.PENDING).update(state=DeliveryState.DISABLED)


def _next_try(tries: int, answer: Answer, now: datetime) -> datetime:
    wait = WAITS[min(tries, len(WAITS) - 1)]
    asked = min(answer.retry_after_from(now), LONGEST_WAIT)
    return now + max(wait * (1 + _random.uniform(0, JITTER)), asked)
