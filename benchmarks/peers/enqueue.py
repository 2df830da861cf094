"""Hand the calls of standard input to a queue: ``python -m benchmarks.peers.enqueue NAME``.

A line is a call and the instant at which it is due, in seconds since the epoch. A process of its own, so that
each library reads its settings from the environment.
"""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

Job = tuple[str, float]  # a call, and when: seconds since the epoch


def celery(jobs: Sequence[Job]) -> None:
    from benchmarks.peers.celery_app import app, dial

    with app.producer_or_acquire() as producer:
        for call, at in jobs:
            dial.apply_async((call,), eta=datetime.fromtimestamp(at, UTC), producer=producer)


def dramatiq(jobs: Sequence[Job]) -> None:
    from benchmarks.peers.dramatiq_app import dial

    for call, at in jobs:
        dial.send_with_options(args=(call,), delay=int((at - time.time()) * 1000))


def huey(jobs: Sequence[Job]) -> None:
    from benchmarks.peers.huey_app import dial

    for call, at in jobs:
        dial.schedule((call,), eta=datetime.fromtimestamp(at, UTC))


def procrastinate(jobs: Sequence[Job]) -> None:
    import os

    from procrastinate import SyncPsycopgConnector

    from benchmarks.peers.procrastinate_app import app

    with (
        app.replace_connector(SyncPsycopgConnector(conninfo=os.environ["BENCHMARK_JOBS"])) as ours,
        ours.open(),
    ):
        if not jobs:
            ours.schema_manager.apply_schema()
        for at, together in groupby(jobs, key=lambda one: one[1]):
            deferred = ours.configure_task("dial", schedule_at=datetime.fromtimestamp(at, UTC))
            calls = [call for call, _ in together]
            for begin in range(0, len(calls), 1000):
                deferred.batch_defer(*({"call": call} for call in calls[begin : begin + 1000]))


if __name__ == "__main__":
    by_name = {"celery": celery, "dramatiq": dramatiq, "huey": huey, "procrastinate": procrastinate}
    by_name[sys.argv[1]]([(call, float(at)) for call, at in map(str.split, sys.stdin)])
