"""Schedule many calls by one request: each accepted or refused as if it had come alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.db import transaction

from calls.actions.changes import to_endpoints
from calls.actions.idempotency import Idempotency, answer_to_keep, once, replay
from calls.actions.lookup import Known, facts_of_all, look_up_all
from calls.actions.scheduling import CallRequest, allowed, audit, history, planned
from calls.gates import Ruling
from calls.models import Call, CallEvent, Decision
from calls.representation import call_data
from temphone import rows
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry, Mode
from temphone.lib.errors import DomainError
from temphone.webhooks.actions import enqueue
from temphone.webhooks.models import Event

Item = Call | DomainError


class Verdicts(TypedDict):
    """How many calls were scheduled and how many refused; one verdict each, in their order."""

    scheduled: int
    failed: int
    items: list[dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a batch is answered."""

    data: Verdicts
    replayed: bool = False


def schedule_batch(
    *,
    actor: Actor,
    mode: Mode,
    requests: Sequence[CallRequest | DomainError],
    now: datetime,
    idempotency: Idempotency | None = None,
) -> Batch:
    """Accept what can be accepted of these calls, in one transaction; the others are refused, each by itself.

    A request that its door refused already stands in the list as that refusal.

    Raises:
        Forbidden
        Refused: the key came with another body.
    """
    actor.require(Role.OPERATOR)
    if idempotency is None:
        return _schedule(actor, mode, requests, now)
    return once(
        lambda: batch_before(actor=actor, idempotency=idempotency, now=now),
        lambda: _schedule(actor, mode, requests, now, idempotency),
    )


def batch_before(*, actor: Actor, idempotency: Idempotency, now: datetime) -> Batch | None:
    """What the first batch with this key was answered, while that is kept.

    Raises:
        Refused: the key came with another body.
    """
    record = replay(actor, idempotency, now=now)
    return Batch(data=json.loads(record.answer), replayed=True) if record else None


@transaction.atomic
def _schedule(
    actor: Actor,
    mode: Mode,
    requests: Sequence[CallRequest | DomainError],
    now: datetime,
    idempotency: Idempotency | None = None,
) -> Batch:
    # Nobody erases one of the contacts between our look and our commit: they stay locked.
    asked = [request for request in requests if isinstance(request, CallRequest)]
    known = look_up_all(
        actor,
        {request.contact_id for request in asked},
        {request.campaign_id for request in asked if request.campaign_id is not None},
        mode=mode,
    )
    items = [_planned(actor, mode, request, known, now) for request in requests]
    rulings = _rule(items, now)
    data = _answer(items)
    _write(actor, rulings, now)
    if idempotency:
        target = f"{len(rulings)} calls"
        rows.insert_together(answer_to_keep(actor, idempotency, target=target, data=data, now=now))
    return Batch(data=data)


def _planned(
    actor: Actor, mode: Mode, request: CallRequest | DomainError, known: Known, now: datetime
) -> Item:
    if isinstance(request, DomainError):
        return request
    try:
        return planned(actor, mode, request, known=known, now=now)
    except DomainError as error:
        return error


def _rule(items: list[Item], now: datetime) -> list[tuple[Call, Ruling]]:
    """What the gates let pass; a call that they refuse becomes its refusal in ``items``."""
    calls = {index: item for index, item in enumerate(items) if isinstance(item, Call)}
    passed = []
    for (index, call), facts in zip(calls.items(), facts_of_all(list(calls.values()), now=now), strict=True):
        try:
            passed.append((call, allowed(call, facts)))
        except DomainError as error:
            items[index] = error
    return passed


def _write(actor: Actor, rulings: Sequence[tuple[Call, Ruling]], now: datetime) -> None:
    told = [history(call, ruling, "scheduled", now=now) for call, ruling in rulings]
    rows.insert(Call, [call for call, _ in rulings])
    rows.insert(Decision, [decision for decision, _ in told])
    rows.insert(CallEvent, [event for _, event in told])
    rows.insert(AuditEntry, [audit(actor, call) for call, _ in rulings])
    enqueue([notice for call, _ in rulings for notice in to_endpoints(call, Event.SCHEDULED, now)])


def _answer(items: Sequence[Item]) -> Verdicts:
    failed = sum(isinstance(item, DomainError) for item in items)
    verdicts = [_verdict(index, item) for index, item in enumerate(items)]
    return Verdicts(scheduled=len(items) - failed, failed=failed, items=verdicts)


def _verdict(index: int, item: Item) -> dict[str, object]:
    if isinstance(item, Call):
        return {"index": index, "status": "scheduled", "data": call_data(item)}
    verdict = {"index": index, "status": "error", "code": item.code, "message": item.message}
    return {**verdict, "errors": item.fields} if item.fields else verdict
