"""A plausible mistake: what an action made is answered before it is committed."""

import time
from contextlib import closing
from functools import wraps
from queue import SimpleQueue
from threading import Thread

from django.db import connection, transaction

from temphone.lib.errors import DomainError


def attempt(action, arguments):
    """The result, or what it raised."""
    try:
        return action(**arguments), None
    except DomainError as error:
        return None, error


def hasty(action, *, haste_s: float):
    """The action, its result so much too early."""

    @wraps(action)
    def early(**arguments):
        results = SimpleQueue()

        def work():
            with closing(connection), transaction.atomic():
                results.put(attempt(action, arguments))
                time.sleep(haste_s)

        Thread(target=work, daemon=True).start()
        result, error = results.get()
        if error:
            raise error
        return result

    return early
