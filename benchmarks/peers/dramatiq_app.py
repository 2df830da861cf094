"""Dramatiq with Redis: one message a call, with a delay."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.peers.writes import start

dramatiq.set_broker(RedisBroker(url=os.environ["BENCHMARK_REDIS"]))


@dramatiq.actor(max_retries=0)
def dial(call: str) -> None:
    start(call)
