"""Carry the wish to hang up to the carrier."""

from datetime import datetime, timedelta

from django.db import transaction

from calls.models import Attempt

ASK_AGAIN = timedelta(seconds=2)
IN_HAND = timedelta(seconds=10)  # telling takes 5 s at most


@transaction.atomic
def take_hang_ups(*, now: datetime, limit: int = 100) -> list[Attempt]:
    """Live attempts to be hung up, of which the carrier was not told lately; in the caller's hands now."""
    due = Attempt.objects.to_hang_up(now).select_related("gateway")
    attempts = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
    Attempt.objects.filter(pk__in=[row.pk for row in attempts]).update(hang_up_again_at=now + IN_HAND)
    return attempts


def record_hang_up(attempt_id: str, *, told: bool, now: datetime) -> None:
    """The carrier was told, and the end follows by its event; or it could not be: ask again soon.

    One that was told and still is live a while later has lost the order, and is told again.
    """
    again_at = now + (timedelta(seconds=30) if told else ASK_AGAIN)
    Attempt.objects.filter(pk=attempt_id).update(hang_up_again_at=again_at)
