"""Suppress a number: nothing more is dialled, what is scheduled is canceled, what rings is hung up."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from calls.actions.changes import Changes, gathering
from calls.actions.changing import ask_to_hang_up
from calls.actions.finishing import finish_call
from calls.actions.stop import hold_claims
from calls.models import Attempt, Call
from calls.states import AttemptState, CallStatus
from contacts.actions import suppress_number, suppressible
from contacts.models import PhoneNumber, Suppression, SuppressionReason
from temphone.accounts.actors import SYSTEM, Actor
from temphone.telephony.messages import Outcome

AT_ONCE = 500  # calls that are canceled in one transaction, for which claims and writers on SQLite wait


@transaction.atomic
def suppress(
    *,
    actor: Actor,
    number: str,
    reason: str = SuppressionReason.STAFF,
    source: str = "",
    is_prefix: bool = False,
    expires_at: datetime | None = None,
    now: datetime,
) -> Suppression:
    """Suppress a number, or all that begin with a prefix. After it returns, no ring of them is decided.

    What was committed before and is on its way to the phone network is to be hung up; until that has arrived
    it may ring, but not after its ``not_after``. Of many calls the first are canceled here, the others soon
    after; what is due meanwhile is blocked.

    Raises:
        Forbidden, Invalid
    """
    number = suppressible(number, is_prefix=is_prefix)
    if is_prefix:
        # It may cover numbers of which no row is there to be locked: wait for the claims under way instead.
        hold_claims()
        list(_ringing(Q(to__startswith=number)))
    else:
        hold_numbers([number])
    suppression = suppress_number(
        actor=actor,
        number=number,
        reason=reason,
        source=source,
        is_prefix=is_prefix,
        expires_at=expires_at,
        now=now,
    )
    with gathering(now) as changes:
        if _cancel_scheduled(changes, suppression) == AT_ONCE:
            Suppression.objects.filter(pk=suppression.pk).update(canceling_since=now)
        _hang_up_ringing(changes, suppression)
    return suppression


def cancel_more(*, now: datetime) -> bool:
    """Cancel the next calls of a suppression that covers many. Whether there may be more to do."""
    with gathering(now) as changes:
        left = Suppression.objects.canceling(now).order_by("canceling_since")
        suppression = left.select_for_update(skip_locked=True).first()
        if suppression is None:
            return False
        is_in_force = Suppression.objects.in_force(now).filter(pk=suppression.pk).exists()
        if not is_in_force or _cancel_scheduled(changes, suppression) < AT_ONCE:
            Suppression.objects.filter(pk=suppression.pk).update(canceling_since=None)
    return True


def canceled_by(number: str, *, is_prefix: bool) -> QuerySet[Call]:
    """The scheduled calls that suppressing it would cancel.

    Raises:
        Invalid
    """
    return _scheduled(Suppression(number=suppressible(number, is_prefix=is_prefix), is_prefix=is_prefix))


def suppress_in_call(attempt: Attempt, *, now: datetime) -> None:
    """The callee asked not to be called again; the call itself ends by its own goodbye."""
    suppress(
        actor=SYSTEM,
        number=attempt.to,
        reason=SuppressionReason.OPTED_OUT,
        source=f"call {attempt.call_id}",
        now=now,
    )


def hold_numbers(numbers: Collection[str]) -> None:
    """Lock what suppressing these numbers changes; who suppresses several locks all of them before.

    The calls first, as the carrier's events do, then the numbers in one order, as the claim does. A call that
    came up in between is found by a second look.
    """
    if numbers:
        list(_ringing(Q(to__in=numbers)))
        PhoneNumber.lock(numbers)


def _ringing(there: Q) -> QuerySet[Call]:
    """The calls of which an attempt rings there or is about to, locked."""
    unanswered = Attempt.objects.filter(there, state__in=[AttemptState.DIALING, AttemptState.RINGING])
    calls = Call.objects.filter(pk__in=unanswered.values("call_id"), hang_up_requested_at=None)
    return calls.select_for_update().order_by("pk")


def _covered(field: str, suppression: Suppression) -> Q:
    return Q(**{f"{field}__startswith" if suppression.is_prefix else field: suppression.number})


def _scheduled(suppression: Suppression) -> QuerySet[Call]:
    return Call.objects.filter(_covered("contact__phone", suppression), status=CallStatus.SCHEDULED)


def _cancel_scheduled(changes: Changes, suppression: Suppression) -> int:
    # A row in a claim's hands is passed over: that claim waits for the number's lock, and then sees us.
    locked = _scheduled(suppression).select_for_update(skip_locked=True, of=("self",))
    calls = list(locked.order_by("pk")[:AT_ONCE])
    for call in calls:
        finish_call(changes, call, Outcome.CANCELED_BY_USER, reason="the number must not be called")
    return len(calls)


def _hang_up_ringing(changes: Changes, suppression: Suppression) -> None:
    for call in _ringing(_covered("to", suppression)):
        ask_to_hang_up(changes, call, reason="the number must not be called")
