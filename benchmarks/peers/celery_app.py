"""Celery with Redis: one task a call, with an eta."""

import os

from celery import Celery
from celery.signals import worker_ready

from benchmarks.peers.writes import start

app = Celery("peers", broker=os.environ["BENCHMARK_REDIS"])
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True


@app.task
def dial(call: str) -> None:
    start(call)


@worker_ready.connect
def ready(**_given: object) -> None:
    print("worker is ready", flush=True)
