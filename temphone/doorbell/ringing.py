"""To ring the worker."""

from datetime import datetime

from django_q.tasks import async_task

from temphone.doorbell.models import Doorbell


def ring(task: str, now: datetime) -> bool:
    """Ring for this task, unless its bell rings already; whether it was rung."""
    if not Doorbell.ring(task, now):
        return False
    async_task(task, now)
    return True
