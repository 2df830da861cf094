"""An event loop beside the caller: what is under way there goes on while SQL runs here."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread


@contextmanager
def event_loop(*, threads: int | None = None) -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in a thread of its own; ``threads`` is how many names it looks up at once.

    What is still under way at the end is canceled.
    """
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(threads))
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        _cancel_rest(loop)
        loop.close()


def _cancel_rest(loop: asyncio.AbstractEventLoop) -> None:
    """Leave no request half sent when the caller breaks off."""
    rest = asyncio.all_tasks(loop)
    for task in rest:
        task.cancel()
    if rest:
        loop.run_until_complete(asyncio.wait(rest))
