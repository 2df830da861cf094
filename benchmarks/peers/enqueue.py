"""Hand the calls of standard input to a queue: ``python -m benchmarks.peers.enqueue NAME EPOCH``.

EPOCH is the instant at which they are due. A process of its own, so that each library reads its settings from
the environment. Says ``done`` and the instant when all are handed over.
"""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime


def celery(calls: Sequence[str], at: datetime) -> None:
    from benchmarks.peers.celery_app import app, dial

    with app.producer_or_acquire() as producer:
        for call in calls:
            dial.apply_async((call,), eta=at, producer=producer)


def dramatiq(calls: Sequence[str], at: datetime) -> None:
    from benchmarks.peers.dramatiq_app import dial

    for call in calls:
        dial.send_with_options(args=(call,), delay=int((at.timestamp() - time.time()) * 1000))


def huey(calls: Sequence[str], at: datetime) -> None:
    from benchmarks.peers.huey_app import dial

    for call in calls:
        dial.schedule((call,), eta=at)


def procrastinate(calls: Sequence[str], at: datetime) -> None:
    import os

    from procrastinate import SyncPsycopgConnector

    from benchmarks.peers.procrastinate_app import app

    with (
        app.replace_connector(SyncPsycopgConnector(conninfo=os.environ["BENCHMARK_JOBS"])) as ours,
        ours.open(),
    ):
        if not calls:
            ours.schema_manager.apply_schema()
        deferred = ours.configure_task("dial", schedule_at=at)
        for begin in range(0, len(calls), 1000):
            deferred.batch_defer(*({"call": call} for call in calls[begin : begin + 1000]))


if __name__ == "__main__":
    by_name = {"celery": celery, "dramatiq": dramatiq, "huey": huey, "procrastinate": procrastinate}
    by_name[sys.argv[1]](sys.stdin.read().split(), datetime.fromtimestamp(float(sys.argv[2]), UTC))
    print("done", time.time())
