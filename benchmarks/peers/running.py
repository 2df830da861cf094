"""The peers as ways to start calls: their two processes, and how the calls are handed over to them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from benchmarks.databases import Template
from benchmarks.dispatch import Due, Way
from benchmarks.frame.command import ROOT
from benchmarks.frame.programs import Process, in_django, wait_until
from benchmarks.frame.servers import Redis

BIN = Path(sys.executable).parent
PER_CALL_S = 0.0015  # what handing over a call may take


@dataclass(frozen=True, slots=True)
class Library:
    """How a library's worker is started with two processes."""

    name: str
    command: Sequence[str]
    ready: str  # what its log says when it is
    processes: int = 1  # how often the command is started
    in_postgres: bool = False  # whether its jobs are rows there
    settings: Mapping[str, str] = field(default_factory=dict)  # of its worker, in the environment


def _program(name: str, *arguments: str) -> list[str]:
    return [str(BIN / name), *arguments]


# No line a task in their logs: that would be counted against them.
CELERY = "-A benchmarks.peers.celery_app worker -P prefork -c 2 -l WARNING"
CELERY += " --without-gossip --without-mingle --without-heartbeat"
DRAMATIQ = "benchmarks.peers.dramatiq_app --processes 2 --threads 4"
HUEY = "benchmarks.peers.huey_app.app -k process -w 2 -n -q"
PROCRASTINATE = "--app=benchmarks.peers.procrastinate_app.app --log-level=warning worker"
PROCRASTINATE += " --concurrency=10 --fetch-job-polling-interval=0.05"
LIBRARIES = (
    Library("celery", _program("celery", *CELERY.split()), ready="worker is ready"),
    Library(
        "dramatiq",
        _program("dramatiq", *DRAMATIQ.split()),
        ready="Worker process is ready",
        # By default 1,000 delayed messages a thread are fetched, and an idle worker looks once a second.
        settings={"dramatiq_delay_queue_prefetch": "10000", "dramatiq_worker_timeout": "50"},
    ),
    Library("huey", _program("huey_consumer", *HUEY.split()), ready="worker is ready"),
    Library(
        "procrastinate",
        _program("procrastinate", *PROCRASTINATE.split()),
        ready="Launching a worker",
        processes=2,
        in_postgres=True,
    ),
)


@dataclass(frozen=True)
class Peer(Way):
    """A task queue with delays, one task a call; it does the state writes or only notes the start."""

    library: Library
    redis: Redis
    writes: bool = True

    def lead_s(self, calls: int) -> float:
        return 3 + calls * PER_CALL_S

    @contextmanager
    def running(self, database: Template) -> Iterator[Sequence[Process]]:
        subprocess.run(["redis-cli", "-p", str(self.redis.port), "flushall"], check=True, capture_output=True)
        env, log = self._environment(database), database.path / f"{self.library.name}.log"
        log.unlink(missing_ok=True)
        if self.library.in_postgres:
            self._enqueue(database, [])  # its tables must be there first
        with ExitStack() as stack:
            processes = [
                stack.enter_context(Process(self.library.command, log=log, environment=env))
                for _ in range(self.library.processes)
            ]
            wait_until(lambda: self._ready(log), within_s=60, what=f"{self.library.name} is ready")
            yield [*processes, self.redis.process]

    def _ready(self, log: Path) -> bool:
        return log.read_text().count(self.library.ready) >= self.library.processes

    def hand_over(self, database: Template, due: Sequence[Due]) -> None:
        self._enqueue(database, due)
        if self.library.in_postgres:
            database.tables.settle()  # no plan may take its jobs' table for an empty one

    def _enqueue(self, database: Template, due: Sequence[Due]) -> None:
        subprocess.run(
            [sys.executable, "-m", "benchmarks.peers.enqueue", self.library.name],
            env={**os.environ, **self._environment(database)}, text=True, check=True, cwd=ROOT,
            input="".join(f"{one.call} {one.at}\n" for one in due),
        )  # fmt: skip

    def _environment(self, database: Template) -> Mapping[str, str]:
        return {
            **(own(database) if self.writes else {"BENCHMARK_DSN": ""}),
            "BENCHMARK_JOBS": database.url,
            "BENCHMARK_REDIS": self.redis.url(),
            "BENCHMARK_DIALS": str(database.path / "dials"),
            "PYTHONPATH": str(ROOT),
            **self.library.settings,
        }


@dataclass(frozen=True)
class Raw(Way):
    """Two processes that claim in plain SQL: the limit."""

    writes: bool = True

    @contextmanager
    def running(self, database: Template) -> Iterator[Sequence[Process]]:
        env = {**own(database), "BENCHMARK_DIALS": str(database.path / "dials")}
        command = [sys.executable, "-m", "benchmarks.peers.raw", "writes" if self.writes else "claims"]
        log = database.path / "raw.log"
        with (
            Process(command, log=log, environment=env) as one,
            Process(command, log=log, environment=env) as other,
        ):
            wait_until(lambda: _claiming(database) >= 2, within_s=20, what="raw is ready")
            yield [one, other]


def own(database: Template) -> dict[str, str]:
    """Where the calls are, and the statements that write what a start writes there."""
    return {"BENCHMARK_DSN": database.url, "BENCHMARK_STATEMENTS": _statements(database)}


@cache
def _statements(database: Template) -> str:
    """They follow from the models, which are the same in every copy."""
    return json.dumps(in_django("benchmarks.peers.statements", url=database.url, data=database.path))


def _claiming(database: Template) -> int:
    claims = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND query LIKE '%%SKIP LOCKED%%'"
    return len(database.tables.read(f"{claims} AND pid <> pg_backend_pid()", database.name))
