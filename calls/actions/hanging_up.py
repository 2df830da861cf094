"""Carry the wish to hang up to the carrier."""

from datetime import datetime, timedelta

from calls.models import Attempt

ASK_AGAIN = timedelta(seconds=2)


def hang_ups_due(now: datetime, limit: int = 100) -> list[Attempt]:
    """Live attempts that are to be hung up, and whose carrier was not told lately."""
    return list(Attempt.objects.to_hang_up(now).select_related("gateway")[:limit])


def record_hang_up(attempt_id: str, *, told: bool, now: datetime) -> None:
    """The carrier was told, and the end follows by its event; or it could not be: ask again soon.

    One that was told and still is live a while later has lost the order, and is told again.
    """
    again_at = now + (timedelta(seconds=30) if told else ASK_AGAIN)
    Attempt.objects.filter(pk=attempt_id).update(hang_up_again_at=again_at)
