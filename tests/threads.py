"""Verbs that start together, each in a thread with a connection of its own."""

import threading
from collections.abc import Callable

from django.db import connection

from temphone.lib.errors import Conflict


def at_once(*verbs: Callable[[], object]) -> list[object]:
    """Run these in threads that start together; what each returned, or the conflict that it raised."""
    results: list[object] = [None] * len(verbs)
    barrier = threading.Barrier(len(verbs))

    def run(index: int, verb: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[index] = verb()
        except Conflict as conflict:
            results[index] = conflict
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(verbs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
