"""Procrastinate: one job a call in PostgreSQL, with a time."""

import os

from procrastinate import App, PsycopgConnector

from benchmarks.peers.writes import start

app = App(connector=PsycopgConnector(conninfo=os.environ["BENCHMARK_JOBS"]))


@app.task(name="dial")
def dial(call: str) -> None:
    start(call)
