"""Start a peer's two processes, hand it the calls before their instant, and measure."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.frame import ROOT, Process, Redis, say, wait_until
from benchmarks.ours import Starts, Tables, Template, burst_figures, check_rows, cost, make_due, soon

BIN = Path(sys.executable).parent
PER_CALL_S = (0.0015, 0.006, 0.024)  # what handing over a call may take; the next when the machine is slower


@dataclass(frozen=True, slots=True)
class Peer:
    """How a library's worker is started with two processes."""

    name: str
    command: Sequence[str]
    ready: str  # what its log says when it is
    processes: int = 1  # how often the command is started


def _program(name: str, *arguments: str) -> list[str]:
    return [str(BIN / name), *arguments]


# No line a task in their logs: that would be counted against them.
CELERY = "-A benchmarks.peers.celery_app worker -P prefork -c 2 -l WARNING"
CELERY += " --without-gossip --without-mingle --without-heartbeat"
DRAMATIQ = "benchmarks.peers.dramatiq_app --processes 2 --threads 4"
HUEY = "benchmarks.peers.huey_app.app -k process -w 2 -n -q"
PROCRASTINATE = "--app=benchmarks.peers.procrastinate_app.app --log-level=warning worker"
PROCRASTINATE += " --concurrency=10 --fetch-job-polling-interval=0.05"
PEERS = {
    peer.name: peer
    for peer in (
        Peer("celery", _program("celery", *CELERY.split()), ready="worker is ready"),
        Peer("dramatiq", _program("dramatiq", *DRAMATIQ.split()), ready="Worker process is ready"),
        Peer("huey", _program("huey_consumer", *HUEY.split()), ready="worker is ready"),
        Peer(
            "procrastinate",
            _program("procrastinate", *PROCRASTINATE.split()),
            processes=2,
            ready="Launching a worker",
        ),
    )
}


def peer_burst(name: str, template: Template, redis: Redis, calls: int, *, writes: bool) -> dict[str, float]:
    """The burst through a library, with the state writes or without any."""
    for per_call_s in PER_CALL_S:
        try:
            return _burst(PEERS[name], template, redis, calls, writes=writes, per_call_s=per_call_s)
        except Overrun as error:
            say(f"  {name}: {error}; once more, with more time")
    raise Overrun(f"{name} does not take {calls:,} calls in {PER_CALL_S[-1] * calls:.0f} s")


class Overrun(Exception):
    """Handing over ended after the instant at which the calls were due: no measurement."""


def _burst(
    peer: Peer, template: Template, redis: Redis, calls: int, *, writes: bool, per_call_s: float
) -> dict[str, float]:
    database = template.copy("peer")
    tables = Tables(database.url)
    wanted = [row[0] for row in tables.read("SELECT id FROM calls_call WHERE status = 'scheduled'")]
    subprocess.run(["redis-cli", "-p", str(redis.port), "flushall"], check=True, capture_output=True)
    starts = Starts(template.path / "dials")
    env = {
        "BENCHMARK_DSN": database.url if writes else "",
        "BENCHMARK_JOBS": database.url,
        "BENCHMARK_REDIS": redis.url(),
        "BENCHMARK_DIALS": str(starts.path),
        "PYTHONPATH": str(ROOT),
    }
    log = template.path / f"{peer.name}.log"
    log.unlink(missing_ok=True)
    figures: dict[str, float] = {}
    with ExitStack() as stack:
        if peer.name == "procrastinate":
            _hand_over(peer.name, [], 0, env)  # its tables must be there first
        processes = [
            stack.enter_context(Process(peer.command, log=log, environment=env))
            for _ in range(peer.processes)
        ]
        wait_until(lambda: peer.ready in log.read_text(), within_s=60, what=f"{peer.name} is ready")
        began = soon(5 + len(wanted) * per_call_s)
        make_due(tables, datetime.fromtimestamp(began, UTC))
        handed_over = _hand_over(peer.name, wanted, began, env)
        if peer.name == "procrastinate":
            tables.settle()  # its jobs are rows, too: no plan may take them for none
            handed_over = time.time()
        before = template.server.commits(database.name)
        if handed_over < began:
            time.sleep(max(0, began - time.time()))
            with cost([*processes, redis.process], template.server, figures):
                starts.wait_for(calls, processes)
    if not figures:
        raise Overrun(f"handing over ended {handed_over - began:.1f} s after the instant")
    return _figures(starts, tables, began, figures, template, before, writes=writes)


def _figures(
    starts: Starts,
    tables: Tables,
    began: float,
    used: dict[str, float],
    template: Template,
    before: int,
    *,
    writes: bool,
) -> dict[str, float]:
    """All figures, when the programs have ended and the work was seen to be done."""
    noted = starts.read()
    if writes:
        check_rows(tables, len(noted))
    commits = template.server.commits(tables.url.rpartition("/")[2]) - before
    return {**burst_figures(noted, began), **used, "commits": float(commits)}


def _hand_over(name: str, calls: Sequence[str], at: float, env: dict[str, str]) -> float:
    """Hand the calls over; when that ended, since the epoch."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers.enqueue", name, str(at)],
        env={**os.environ, **env}, input="\n".join(calls), text=True, stdout=subprocess.PIPE, check=True,
        cwd=ROOT,
    )  # fmt: skip
    return float(done.stdout.split()[-1])


def raw_burst(template: Template, calls: int, *, writes: bool) -> dict[str, float]:
    """The burst through two processes that claim in plain SQL."""
    database = template.copy("raw")
    tables = Tables(database.url)
    starts = Starts(template.path / "dials")
    env = {"BENCHMARK_DSN": database.url, "BENCHMARK_DIALS": str(starts.path)}
    command = [sys.executable, "-m", "benchmarks.peers.raw", "writes" if writes else "claims"]
    figures: dict[str, float] = {}
    with ExitStack() as stack:
        processes = [
            stack.enter_context(Process(command, log=template.path / "raw.log", environment=env))
            for _ in range(2)
        ]
        connected = "SELECT 1 FROM pg_stat_activity WHERE datname = 'raw' AND query LIKE '%%SKIP LOCKED%%'"
        wait_until(lambda: len(tables.read(connected)) >= 2, within_s=20, what="raw is ready")
        began = soon(2)
        make_due(tables, datetime.fromtimestamp(began, UTC))
        before = template.server.commits(database.name)
        with cost(processes, template.server, figures):
            starts.wait_for(calls, processes)
    return _figures(starts, tables, began, figures, template, before, writes=writes)
