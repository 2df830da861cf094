"""What the worker's tasks share."""

import logging
from collections.abc import Callable
from functools import wraps

logger = logging.getLogger(__name__)


class TaskFailed(Exception):
    """A task failed; the log has the place."""


def task(work: Callable[[], None]) -> Callable[[], None]:
    """A task whose error we log ourselves: django-q2 would keep and log all that the error says."""

    @wraps(work)
    def run() -> None:
        try:
            work()
        except Exception as error:
            logger.exception("The task %s failed.", work.__name__)
            raise TaskFailed(type(error).__name__) from None

    return run
