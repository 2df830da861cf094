"""What the worker's tasks share."""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import wraps

from temphone.doorbell.models import Doorbell

logger = logging.getLogger(__name__)


class TaskFailed(Exception):
    """A task failed; the log has the place."""


def task(work: Callable[[], None]) -> Callable[..., None]:
    """A task that is done when its bell is answered; called without one, it is done.

    An error is logged here: django-q2 would keep and log all that it says.
    """
    name = f"{work.__module__}.{work.__qualname__}"

    @wraps(work)
    def run(rung_at: datetime | None = None) -> None:
        try:
            if rung_at is None or Doorbell.answer(name, rung_at):
                work()
        except Exception as error:
            logger.exception("The task %s failed.", work.__name__)
            raise TaskFailed(type(error).__name__) from None

    return run
