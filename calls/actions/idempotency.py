"""Answer a repeated request as the first time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError

from temphone.accounts.actors import Actor
from temphone.accounts.models import IdempotencyRecord
from temphone.lib.errors import Refused

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """A key that its owner gives to one request, and the SHA-256 of that request: its address and body."""

    key: str
    fingerprint: str


def _owner(actor: Actor) -> str:
    return f"{actor.kind}:{actor.id}"


def once(before: Callable[[], T | None], make: Callable[[], T]) -> T:
    """What was made before with the same key, else what is made now.

    ``make`` keeps its answer in its own transaction, so of two at once one fails and finds the other's.
    """
    try:
        return before() or make()
    except IntegrityError:
        # Somebody with the same key was first, and has committed by now.
        first = before()
        if first is None:
            raise
        return first


def answer_to_keep(
    actor: Actor, idempotency: Idempotency, *, target: str, data: Mapping[str, object], now: datetime
) -> IdempotencyRecord:
    """The answer, not saved; it is, in the transaction that makes the target: both are there, or neither.

    Saving it raises IntegrityError where somebody with the same key was first.
    """
    return IdempotencyRecord(
        owner=_owner(actor),
        key=idempotency.key,
        fingerprint=idempotency.fingerprint,
        target=target,
        answer=json.dumps(data),
        created_at=now,
    )


def replay(actor: Actor, idempotency: Idempotency, *, now: datetime) -> IdempotencyRecord | None:
    """The first answer to this key, while it is kept.

    Raises:
        Refused: the key came with another body.
    """
    record = IdempotencyRecord.objects.filter(owner=_owner(actor), key=idempotency.key).first()
    if record and record.created_at <= now - IdempotencyRecord.KEPT:
        # This one alone: somebody else may have let it go as well, and used the key anew by now.
        record.delete()
        return None
    if record and record.fingerprint != idempotency.fingerprint:
        raise Refused(
            "This Idempotency-Key was already used with a different request body.",
            code="idempotency_mismatch",
        )
    return record
