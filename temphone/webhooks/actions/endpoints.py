"""Every change to the endpoints, as a verb; and sending again what one has missed."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry, IdempotencyRecord
from temphone.lib import ids
from temphone.lib.errors import Conflict, Invalid, NotFound
from temphone.webhooks import guard
from temphone.webhooks.actions import Notice, enqueue, turn_off
from temphone.webhooks.models import FAILED, Delivery, DeliveryState, Endpoint, Event

OVERLAP = timedelta(hours=24)  # so long the secret before signs as well
MOST_AGAIN = 10_000  # messages that one request sends again
TEST = "webhook.test"


def get_endpoint(*, actor: Actor, endpoint_id: str) -> Endpoint:
    """The endpoint.

    Raises:
        Forbidden, NotFound
    """
    actor.require(Role.ADMIN)
    endpoint = Endpoint.objects.present().filter(pk=endpoint_id).first()
    if endpoint is None:
        raise NotFound(f"Endpoint not found: {endpoint_id}.", code="endpoint_not_found")
    return endpoint


@transaction.atomic
def create_endpoint(
    *, actor: Actor, name: str, url: str, events: Collection[str], now: datetime, token: str = ""
) -> tuple[Endpoint, str]:
    """Add an endpoint, switched on; with its secret, which nobody is shown again.

    Raises:
        Forbidden
        Invalid: the address cannot be public, or no event is chosen.
        Conflict: a form with this one-time token was sent before.
    """
    actor.require(Role.ADMIN)
    actor.require_live()
    endpoint = Endpoint(name=name, url=_url(url), events=_events(events), created_at=now, updated_at=now)
    _only_once(actor, token, endpoint, now)
    secret = endpoint.new_secret()
    endpoint.save(force_insert=True)
    AuditEntry.record(actor, "endpoint.create", endpoint.pk, events=endpoint.events)
    return endpoint, secret


@transaction.atomic
def change_endpoint(
    *,
    actor: Actor,
    endpoint_id: str,
    name: str | None = None,
    url: str | None = None,
    events: Collection[str] | None = None,
    now: datetime,
) -> Endpoint:
    """Change what is given: what it is called, where it is, what it is told.

    What waits goes to the new address.

    Raises:
        Forbidden, NotFound, Invalid
    """
    endpoint = _locked(actor, endpoint_id)
    before = endpoint.url
    if name is not None:
        endpoint.name = name
    if url is not None:
        endpoint.url = _url(url)  # each claim sends what waits to where the endpoint is then
    if events is not None:
        endpoint.events = _events(events)
    endpoint.updated_at = now
    endpoint.save(update_fields=["name", "url", "events", "updated_at"])
    AuditEntry.record(
        actor, "endpoint.change", endpoint.pk, events=endpoint.events, moved=endpoint.url != before
    )
    return endpoint


@transaction.atomic
def switch_endpoint(*, actor: Actor, endpoint_id: str, on: bool, now: datetime) -> Endpoint:
    """Tell the endpoint what happens, or no more. Switched off, what waits is not sent.

    Raises:
        Forbidden, NotFound
    """
    endpoint = _locked(actor, endpoint_id)
    if not on:
        turn_off(actor, endpoint.pk, now=now)
    elif not endpoint.enabled:
        Endpoint.objects.filter(pk=endpoint.pk).update(enabled=True, off_because="", updated_at=now)
        AuditEntry.record(actor, "endpoint.on", endpoint.pk)
    endpoint.refresh_from_db()
    return endpoint


@transaction.atomic
def rotate_secret(
    *, actor: Actor, endpoint_id: str, keep_old: bool, now: datetime, token: str = ""
) -> tuple[Endpoint, str]:
    """Sign with a new secret; with the one before as well for OVERLAP, if it is kept.

    Raises:
        Forbidden, NotFound
        Conflict: one before is kept still, so the one before that would be lost, which a receiver may be
            the only one to know; or a form with this one-time token was sent before.
    """
    endpoint = _locked(actor, endpoint_id)
    _only_once(actor, token, endpoint, now)
    if keep_old and endpoint.signs_twice(now):
        raise Conflict(
            f"Two secrets sign for {endpoint} already. End that first, or let the new one sign alone.",
            code="secrets_overlap",
        )
    secret = endpoint.new_secret(keep_until=now + OVERLAP if keep_old else None)
    endpoint.updated_at = now
    endpoint.save(update_fields=["sealed", "sealed_before", "before_until", "updated_at"])
    AuditEntry.record(actor, "endpoint.rotate", endpoint.pk, keep_old=keep_old)
    return endpoint, secret


@transaction.atomic
def end_overlap(*, actor: Actor, endpoint_id: str, now: datetime) -> Endpoint:
    """Sign with the newest secret alone, before its time.

    Raises:
        Forbidden, NotFound
    """
    endpoint = _locked(actor, endpoint_id)
    if endpoint.before_until is not None:
        endpoint.sealed_before, endpoint.before_until, endpoint.updated_at = "", None, now
        endpoint.save(update_fields=["sealed_before", "before_until", "updated_at"])
        AuditEntry.record(actor, "endpoint.end_overlap", endpoint.pk)
    return endpoint


@transaction.atomic
def delete_endpoint(*, actor: Actor, endpoint_id: str, now: datetime) -> Endpoint:
    """Forget the endpoint and its secret; the log of what it was sent stays.

    Raises:
        Forbidden, NotFound
    """
    endpoint = _locked(actor, endpoint_id)
    turn_off(actor, endpoint.pk, now=now)
    Endpoint.objects.filter(pk=endpoint.pk).update(
        deleted_at=now, sealed="", sealed_before="", before_until=None, updated_at=now
    )
    AuditEntry.record(actor, "endpoint.delete", endpoint.pk)
    return endpoint


@transaction.atomic
def send_test(*, actor: Actor, endpoint_id: str, now: datetime) -> Delivery:
    """Send the endpoint a message that tells of nothing, signed as every other.

    Raises:
        Forbidden, NotFound
        Conflict: it is off.
    """
    endpoint = _locked(actor, endpoint_id)
    if not endpoint.enabled:
        raise Conflict(f"The endpoint {endpoint} is off. Switch it on first.", code="endpoint_off")
    subject = ids.new_id("test")
    enqueue(
        [
            Notice(
                subject=subject,
                url=endpoint.url,
                event=TEST,
                data={"test_id": subject, "endpoint_id": endpoint.pk},
                at=now,
                endpoint_id=endpoint.pk,
            )
        ]
    )
    AuditEntry.record(actor, "endpoint.test", endpoint.pk)
    return Delivery.objects.stream(subject, endpoint.url, endpoint.pk).get()


@transaction.atomic
def resend_failed(*, actor: Actor, endpoint_id: str | None, since: datetime, now: datetime) -> int:
    """Send again what was given up or not wanted since then, the oldest first; how many, MOST_AGAIN at most.

    To one endpoint, or to every address; not to endpoints that are off.

    Raises:
        Forbidden
        NotFound: there is no such endpoint.
        Conflict: it is off.
    """
    actor.require(Role.ADMIN)
    actor.require_live()
    failed = Delivery.objects.made_since(since)
    if endpoint_id:
        endpoint = get_endpoint(actor=actor, endpoint_id=endpoint_id)
        if not endpoint.enabled:
            raise Conflict(f"The endpoint {endpoint} is off. Switch it on first.", code="endpoint_off")
        failed = failed.filter(endpoint=endpoint)
    else:
        failed = failed.filter(Q(endpoint=None) | Q(endpoint__enabled=True))
    keys: list[int] = []
    for state in FAILED:  # an index has each in this order
        chosen = failed.filter(state=state).select_for_update(skip_locked=True, of=("self",)).order_by("id")
        keys += chosen.values_list("pk", flat=True)[:MOST_AGAIN]
    again = Delivery.objects.filter(pk__in=sorted(keys)[:MOST_AGAIN])
    count = again.update(state=DeliveryState.PENDING, tries=0, next_try_at=now, lease_until=None)
    target = endpoint_id or "all endpoints"
    AuditEntry.record(actor, "webhook.resend_failed", target, since=since.isoformat(), messages=count)
    return count


def _locked(actor: Actor, endpoint_id: str) -> Endpoint:
    """To be changed: it is told of live calls."""
    actor.require(Role.ADMIN)
    actor.require_live()
    Endpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
    return get_endpoint(actor=actor, endpoint_id=endpoint_id)


def _only_once(actor: Actor, token: str, endpoint: Endpoint, now: datetime) -> None:
    """Keep that the form with this token was sent: sent twice, it does what it does once."""
    if not token:
        return
    _record, is_first = IdempotencyRecord.objects.get_or_create(
        owner=f"{actor.kind}:{actor.id}",
        key=f"form:{token}",
        defaults={"target": endpoint.pk, "created_at": now},
    )
    if not is_first:
        raise Conflict("This form was sent before.", code="sent_before")


def _url(url: str) -> str:
    try:
        guard.check_url(url)
    except ValueError as error:
        raise Invalid.field("url", "must be a public HTTP(S) URL.") from error
    return url


def _events(events: Collection[str]) -> list[str]:
    chosen = [event.value for event in Event if event in set(events)]
    if not chosen or len(chosen) < len(set(events)):
        raise Invalid.field("events", "must name at least one event, and only those that there are.")
    return chosen
