"""To ring the worker."""

from datetime import datetime

from django_q.tasks import async_task

from temphone.doorbell.models import Doorbell


def ring(task: str, now: datetime) -> bool:
    """Ring for this task, unless its bell rings already; whether it was rung."""
    if not Doorbell.ring(task, now):
        return False
    try:
        async_task(task, now)
    except Exception:
        # The broker is away. Whoever comes next need not wait until this one counts as lost.
        Doorbell.objects.filter(pk=task, rung_at=now).update(rung_at=None)
        raise
    return True
