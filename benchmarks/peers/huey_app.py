"""Huey with Redis: one task a call, with an eta."""

import os

from huey import RedisHuey

from benchmarks.peers.writes import start

app = RedisHuey("peers", url=os.environ["BENCHMARK_REDIS"], results=False)


@app.task()
def dial(call: str) -> None:
    start(call)


@app.on_startup()
def ready() -> None:
    print("worker is ready", flush=True)
