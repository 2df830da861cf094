"""Messages to the outside: made with the change that they tell of, tried until taken, sent again."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from random import SystemRandom

from django.db import transaction
from django.db.models import F, QuerySet

from temphone import rows
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.clock import iso
from temphone.lib.errors import Conflict, NotFound
from temphone.webhooks import guard
from temphone.webhooks.models import SUBSCRIBERS, Delivery, DeliveryState, DeliveryTry, Endpoint
from temphone.webhooks.sender import Answer

LEASE = timedelta(seconds=60)  # a try takes 15 s at most
PER_RECEIVER = 25  # tries at once, so that one slow receiver leaves room for the others
UNWANTED = 1000  # messages to endpoints that are off, put aside by one claim

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
    """Something that an address is to be told: the ``sequence``-th of its subject.

    For an endpoint without one, the messages of the subject to it are counted: the caller holds the
    subject's row.
    """

    subject: str
    url: str
    event: str
    sequence: int = 0
    data: Mapping[str, object]
    at: datetime
    endpoint_id: str | None = None

    @property
    def stream(self) -> tuple[str, str]:
        """What goes in order with it: the subject, and the endpoint or the URL."""
        return self.subject, self.endpoint_id or self.url


def subscribed(event: str) -> Sequence[Endpoint]:
    """The endpoints that are to be told of the event."""
    return SUBSCRIBERS.to(event)


def enqueue(notices: Sequence[Notice]) -> None:
    """Make the messages, their bodies frozen; call it in the transaction of the change they tell of."""
    if not notices:
        return
    ends = _ends({notice.subject for notice in notices})
    made = []
    for notice in notices:
        end = ends.get(notice.stream, _End())
        sequence = notice.sequence or end.sequence + 1
        # A URL wants no more of a call whose last it did not want. An endpoint is on, or is not asked.
        unwanted = end.state == DeliveryState.DISABLED and notice.endpoint_id is None
        ends[notice.stream] = replace(end, sequence=sequence)
        made.append(_delivery(notice, sequence, unwanted=unwanted, waits_until=end.waits_until))
    rows.insert(Delivery, made)


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """The last message of a stream, and until when those wait that are in it."""

    sequence: int = 0
    state: str = ""
    waits_until: datetime | None = None


def _ends(subjects: set[str]) -> dict[tuple[str, str], _End]:
    """The end of each stream."""
    sent = Delivery.objects.filter(subject__in=subjects).order_by("subject", "sequence")
    columns = sent.values_list("subject", "endpoint", "url", "sequence", "state", "next_try_at")
    ends: dict[tuple[str, str], _End] = {}
    for subject, endpoint, url, number, state, next_try_at in columns:
        stream = subject, endpoint or url
        until = ends.get(stream, _End()).waits_until
        if state == DeliveryState.PENDING:
            until = max(until or next_try_at, next_try_at)
        ends[stream] = _End(sequence=number, state=state, waits_until=until)
    return ends


def _delivery(
    notice: Notice, sequence: int, *, unwanted: bool, waits_until: datetime | None
) -> dict[str, object]:
    told = {**notice.data, "outcome": notice.data.get("outcome"), "sequence": sequence}
    body = {"type": notice.event, "timestamp": iso(notice.at), "data": told}
    return {
        "type": notice.event,
        "subject": notice.subject,
        "sequence": sequence,
        "endpoint_id": notice.endpoint_id,
        "url": notice.url,
        "receiver": receiver_of(notice.url),
        "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        "state": DeliveryState.DISABLED if unwanted else DeliveryState.PENDING,
        # Behind one that waits it cannot go before that: no claim need look at it.
        "next_try_at": max(waits_until or notice.at, notice.at),
        "created_at": notice.at,
    }


def claim_due(*, now: datetime, limit: int, busy: Mapping[str, int] | None = None) -> list[Delivery]:
    """Take up to ``limit`` due messages in hand; ``busy`` counts those in hand per receiver.

    What is not recorded by the lease's end is due again: so nothing is lost when the process dies.
    """
    in_hand = Counter(busy or {})
    full = [receiver for receiver, count in in_hand.items() if count >= PER_RECEIVER]
    with transaction.atomic():
        _put_aside()
        due = Delivery.objects.due(now).exclude(receiver__in=full).exclude(endpoint__enabled=False)
        due = due.select_related("endpoint").select_for_update(skip_locked=True, of=("self",))
        found = list(due[:limit])
        _follow(found)
        claimed = []
        for delivery in found:
            in_hand[delivery.receiver] += 1
            if in_hand[delivery.receiver] <= PER_RECEIVER:
                claimed.append(delivery)
        lease_until = now + LEASE
        Delivery.objects.filter(pk__in=[delivery.pk for delivery in claimed]).update(lease_until=lease_until)
    for delivery in claimed:
        delivery.lease_until = lease_until
    return claimed


def _put_aside() -> None:
    """Let what waits for endpoints that are off wait no more, so many at a time."""
    unwanted = Delivery.objects.unwanted().order_by().select_for_update(skip_locked=True, of=("self",))
    if keys := list(unwanted.values_list("pk", flat=True)[:UNWANTED]):
        Delivery.objects.filter(pk__in=keys).update(state=DeliveryState.DISABLED)


def _follow(deliveries: Sequence[Delivery]) -> None:
    """Address messages to where their endpoints are now: they may have moved since these were made."""
    moved: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        if delivery.endpoint and delivery.url != delivery.endpoint.url:
            moved[delivery.endpoint.url].append(delivery)
    for url, those in moved.items():
        for delivery in those:
            delivery.url, delivery.receiver = url, receiver_of(url)
        keys = [delivery.pk for delivery in those]
        Delivery.objects.filter(pk__in=keys).update(url=url, receiver=receiver_of(url))


def record_tries(tries: Sequence[tuple[Delivery, Answer]], *, now: datetime) -> None:
    """Keep what tries of claimed messages came to, and what follows from it."""
    with transaction.atomic():
        # First, and in one order: whoever changes an endpoint locks it before anything else, too.
        _hold_endpoints(delivery for delivery, _answer in tries)
        DeliveryTry.objects.bulk_create(_logged(delivery, answer, now) for delivery, answer in tries)
        taken = [delivery for delivery, answer in tries if answer.is_success]
        _held(taken).update(state=DeliveryState.DELIVERED, tries=F("tries") + 1, lease_until=None)
        for delivery, answer in tries:
            if not answer.is_success:
                _record_failure(delivery, answer, now)
        _note_health(tries, now)


def _hold_endpoints(deliveries: Iterable[Delivery]) -> None:
    keys = {delivery.endpoint_id for delivery in deliveries if delivery.endpoint_id}
    if keys:
        # What is made meanwhile names an endpoint, too, and need not wait: hence no key.
        held = Endpoint.objects.filter(pk__in=keys).select_for_update(no_key=True).order_by("pk")
        list(held.values_list("pk"))


def _note_health(tries: Sequence[tuple[Delivery, Answer]], now: datetime) -> None:
    """Keep when each endpoint last took a message, and when it last did not."""
    columns: dict[str, dict[str, object]] = {}
    for delivery, answer in tries:
        if delivery.endpoint_id is None:
            continue
        noted = columns.setdefault(delivery.endpoint_id, {"last_failure": ""} if answer.is_success else {})
        if answer.is_success:
            noted["last_success_at"] = now
        else:
            noted |= {"last_failure_at": now, "last_failure": _in_short(answer)}
    for endpoint_id, noted in columns.items():
        # By the base manager: whom to tell of what has not changed by it.
        Endpoint._base_manager.filter(pk=endpoint_id).update(**noted)


def _in_short(answer: Answer) -> str:
    text = answer.error or f"answered {answer.status_code}"
    return _storable(text)[:200]


def resend(*, actor: Actor, delivery_id: int, now: datetime) -> Delivery:
    """Send a message again now, with its own id and body, however it ended.

    Raises:
        Forbidden, NotFound
        Conflict: it is being sent at this moment, or its endpoint is off.
    """
    actor.require(Role.ADMIN)
    with transaction.atomic():
        found = Delivery.objects.select_related("endpoint").select_for_update(of=("self",))
        delivery = found.filter(pk=delivery_id).first()
        if delivery is None:
            raise NotFound(f"Delivery not found: {delivery_id}.")
        if delivery.lease_until and delivery.lease_until > now:
            raise Conflict("This message is being sent at this moment.", code="delivery_in_hand")
        if delivery.endpoint and not delivery.endpoint.enabled:
            raise Conflict(
                f"The endpoint {delivery.endpoint} is off. Switch it on, then send the message again.",
                code="endpoint_off",
            )
        if delivery.state == DeliveryState.PENDING:
            _let_go(delivery, now)
        delivery.state, delivery.tries = DeliveryState.PENDING, 0
        delivery.next_try_at, delivery.lease_until = now, None
        delivery.save(update_fields=["state", "tries", "next_try_at", "lease_until"])
        AuditEntry.record(actor, "webhook.resend", delivery.event_id, call=delivery.subject)
    return delivery


def _let_go(delivery: Delivery, now: datetime) -> None:
    """Let those that wait because this one does wait no longer."""
    waiting = _behind(delivery).filter(next_try_at=delivery.next_try_at)
    # One that a drain holds is not waited for: it may be waiting for ours.
    held = waiting.select_for_update(skip_locked=True, of=("self",))
    keys = list(held.values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=keys).update(next_try_at=now)


def _behind(delivery: Delivery) -> QuerySet[Delivery]:
    """What waits behind the message in its stream."""
    stream = Delivery.objects.stream(delivery.subject, delivery.url, delivery.endpoint_id)
    return stream.filter(sequence__gt=delivery.sequence, state=DeliveryState.PENDING)


@lru_cache(maxsize=1000)
def receiver_of(url: str) -> str:
    """Host and port of the URL; empty where it has none."""
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
    next_try_at = _next_try(tries, answer, now)
    held = _held([delivery]).update(state=state, tries=tries, next_try_at=next_try_at, lease_until=None)
    if not held:
        return
    if state == DeliveryState.PENDING:
        # They go after it, so no claim need look at them before.
        _behind(delivery).filter(next_try_at__lt=next_try_at).update(next_try_at=next_try_at)
    elif answer.is_gone and delivery.endpoint_id:
        turn_off(SYSTEM, delivery.endpoint_id, because="It answered 410 Gone: it wants no more.", now=now)
    elif answer.is_gone:
        _behind(delivery).update(state=DeliveryState.DISABLED)


def turn_off(actor: Actor, endpoint_id: str, *, because: str = "", now: datetime) -> None:
    """Tell the endpoint nothing more; what waits, the next claim puts aside."""
    found = Endpoint.objects.filter(pk=endpoint_id, enabled=True)
    if found.update(enabled=False, off_because=because, updated_at=now):
        AuditEntry.record(actor, "endpoint.off", endpoint_id)


def _next_try(tries: int, answer: Answer, now: datetime) -> datetime:
    wait = WAITS[min(tries, len(WAITS) - 1)]
    asked = min(answer.retry_after_from(now), LONGEST_WAIT)
    return now + max(wait * (1 + _random.uniform(0, JITTER)), asked)
