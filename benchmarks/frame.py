"""What every benchmark shares: options, servers of its own, figures, the table and the JSON.

A benchmark is a module, run as ``python -m benchmarks.<name> [--quick] [--out FILE]``::

    def main() -> None:
        given = options(__doc__)
        report = Report("ingest", title="Requests taken in", note="How it was measured, and what is unlike.")
        with Postgres() as server:                   # or Postgres(on="disk"); trust on a free loopback port
            url = server.create("temphone")          # postgres://..., a fresh database: for DATABASE_URL
            runs = [measure(url) for _ in range(given.pick(5, quick=1))]
        ours = report.row("TemPhone", runs)          # runs: [{"requests/s": 2500.0, "p99, ms": 9.1}, ...]
        floor = report.row("FastAPI and asyncpg", ...)   # gives the medians: {"requests/s": ...}
        report.goal("at least 0.9 of FastAPI's requests/s", ratio(ours, floor, "requests/s"), least=0.9)
        report.finish(given)                         # prints the table, writes the JSON

    if __name__ == "__main__":
        main()

``say`` prints a progress line, ``folder`` gives a temporary folder on tmpfs or on a real disk, ``Process``
starts a program in a session of its own and ends it with all its children, ``wait_until`` waits for a
condition, ``percentile`` picks one. Nothing here needs Django.
"""

import argparse
import json
import math
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from temphone.management.supervisor import die_with_parent

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "var" / "benchmarks"
TMPFS = Path("/dev/shm")  # Linux; elsewhere a plain temporary folder serves
DISKS = (Path("/var/tmp"), ROOT, Path(tempfile.gettempdir()))
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

Place = Literal["tmpfs", "disk"]
Figures = Mapping[str, float]


# ---------------------------------------------------------------- options and progress


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    quick: bool
    out: Path | None

    def pick(self, full: int, *, quick: int) -> int:
        """A number of rows or repetitions: the one for a real measurement, or for a smoke run."""
        return quick if self.quick else full


def options(doc: str | None) -> Options:
    """Read ``--quick`` and ``--out``; make SIGTERM end us as Ctrl-C does, with all that we started."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="A smoke run: few rows, one repetition.")
    parser.add_argument("--out", type=Path, help="Where the JSON goes (default: var/benchmarks/NAME.json).")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return Options(quick=given.quick, out=given.out)


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


# ---------------------------------------------------------------- figures


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def medians(runs: Sequence[Figures]) -> dict[str, float]:
    """The median of each figure over the runs."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def spreads(runs: Sequence[Figures]) -> dict[str, list[float]]:
    """The least and the greatest of each figure over the runs."""
    return {name: [min(run[name] for run in runs), max(run[name] for run in runs)] for name in runs[0]}


def ratio(one: Figures, other: Figures, figure: str) -> float:
    """How many times the other's figure the one's is."""
    return one[figure] / other[figure] if other[figure] else float("inf")


def shown(value: float) -> str:
    """A figure for people: three digits that count."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


# ---------------------------------------------------------------- the report


@dataclass(slots=True)
class Report:
    """The rows and goals of one benchmark; see the module's text for its use."""

    benchmark: str
    title: str
    note: str  # how it was measured, and what is unlike
    rows: list[dict[str, object]] = field(default_factory=list)
    goals: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        machine()  # before our own load counts

    def row(self, what: str, runs: Sequence[Figures]) -> dict[str, float]:
        """Add a row from its repeated runs, each with the same figures; their medians."""
        middle = medians(runs)
        self.rows.append({"what": what, **middle, "runs": len(runs), "spread": spreads(runs)})
        say(f"  {what}: " + ", ".join(f"{name} {shown(value)}" for name, value in middle.items()))
        return middle

    def goal(
        self,
        goal: str,
        reached: float,
        *,
        least: float | None = None,
        most: float | None = None,
        unit: str = "",
        why: str = "",
    ) -> None:
        """Add a goal and what was reached; met when it lies within the bounds. ``why``: it may not be."""
        met = (least is None or reached >= least) and (most is None or reached <= most)
        text = f"{shown(reached)} {unit}".strip()
        self.goals.append({"goal": goal, "reached": text, "met": met, **({} if met else {"why": why})})

    def finish(self, given: Options) -> Path:
        """Print the table and write the JSON; where it is."""
        self.print()
        out = given.out or RESULTS / f"{self.benchmark}.json"
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(self.data(quick=given.quick), indent=1, ensure_ascii=False) + "\n")
        say(f"Written: {out}")
        return out

    def data(self, *, quick: bool = False) -> dict[str, object]:
        """All of it, as the JSON has it."""
        return {
            "benchmark": self.benchmark,
            "title": self.title,
            "note": self.note,
            "quick": quick,
            "rows": self.rows,
            "goals": self.goals,
            "machine": machine(),
            "versions": versions(),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def print(self) -> None:
        """Print the table and the goals."""
        print(f"\n{self.title}\n")
        print("\n".join(table(self.rows)))
        for goal in self.goals:
            print(f"  {'met    ' if goal['met'] else 'NOT MET'}  {goal['goal']}: {goal['reached']}")
        print(flush=True)


def table(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """The rows as an aligned Markdown table: medians, with their spread where a run was repeated."""
    names = list(
        dict.fromkeys(name for row in rows for name in row if name not in {"what", "runs", "spread"})
    )
    cells = [["what", *names], *([str(row["what"]), *(_cell(row, name) for name in names)] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names) + 1)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    rule = "| " + " | ".join("-" * width for width in widths) + " |"
    return [lines[0], rule, *lines[1:]]


def _cell(row: Mapping[str, object], name: str) -> str:
    if name not in row:
        return ""
    text = shown(float(str(row[name])))
    spread = row.get("spread")
    if row.get("runs", 1) == 1 or not isinstance(spread, dict) or spread[name][0] == spread[name][1]:
        return text
    low, high = spread[name]
    return f"{text} ({shown(low)} to {shown(high)})"


# ---------------------------------------------------------------- machine and versions


@cache
def machine() -> dict[str, object]:
    """The machine, and how busy it was when we began."""
    cpu = Path("/proc/cpuinfo")
    found = [line.split(":", 1)[1].strip() for line in _lines(cpu) if line.startswith("model name")]
    memory = [int(line.split()[1]) for line in _lines(Path("/proc/meminfo")) if line.startswith("MemTotal")]
    return {
        "cpu": found[0] if found else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory[0] / 1024**2, 1) if memory else None,
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 2),
    }


@cache
def versions() -> dict[str, str]:
    """What was measured with what."""
    packages = (
        "Django django-q2 psycopg granian djangorestframework msgspec celery dramatiq huey procrastinate "
        "fastapi uvicorn asyncpg django-ninja redis"
    )
    found = {"Python": platform.python_version()}
    for name in packages.split():
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    for name, command in (("PostgreSQL", [postgres_program("postgres")]), ("Redis", ["redis-server"])):
        if command[0] and shutil.which(command[0]):
            told = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
            found[name] = next((w for w in told.stdout.replace("v=", "").split() if w[0].isdigit()), "")
    return found


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


# ---------------------------------------------------------------- places, ports, waiting


@contextmanager
def folder(*, on: Place = "tmpfs") -> Iterator[Path]:
    """A temporary folder on tmpfs, or on a real disk; removed at the end."""
    with tempfile.TemporaryDirectory(prefix="temphone-bench-", dir=_place(on)) as made:
        path = Path(made)
        path.chmod(0o711)  # PostgreSQL's own user must pass
        yield path


def _place(on: Place) -> Path | None:
    if on == "tmpfs":
        return TMPFS if TMPFS.is_dir() else None
    for path in DISKS:
        if filesystem(path) not in {"tmpfs", "ramfs"} and os.access(path, os.W_OK):
            return path
    return ROOT


def filesystem(path: Path) -> str:
    """The kind of file system that holds the path, such as ``ext4``; empty where the system does not say."""
    mounts = [line.split()[1:3] for line in _lines(Path("/proc/mounts"))]
    holding = [(len(at), kind) for at, kind in mounts if path.resolve().is_relative_to(at)]
    return max(holding, default=(0, ""))[1]


def free_port() -> int:
    """A port on the loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(is_so: Callable[[], bool], *, within_s: float, what: str, every_s: float = 0.05) -> None:
    """Return as soon as it is so.

    Raises:
        TimeoutError: it is not within the time.
    """
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:.0f} s: {what}")
        time.sleep(every_s)


def listens(port: int) -> bool:
    """Whether something on the loopback takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


# ---------------------------------------------------------------- programs


class Process:
    """A program in a session of its own, its output in a file; ended with everything that it started."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        end: signal.Signals = signal.SIGTERM,
        within_s: float = 20,
    ) -> None:
        self.command = command
        self.log = log
        self.environment = {**os.environ, **(environment or {})}
        self.user = user
        self.end = end
        self.within_s = within_s

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command,
                cwd=ROOT if self.user is None else "/",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self.user,
                preexec_fn=partial(die_with_parent, os.getpid()),  # killed outright, we leave nothing behind
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error:
            say(f"--- the end of {self.log.name}\n{self.tail()}")
        self.running.send_signal(self.end)
        try:
            with suppress(subprocess.TimeoutExpired):
                self.running.wait(self.within_s)
        finally:
            self._kill()

    def _kill(self) -> None:
        try:
            os.killpg(self.running.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # it left nothing behind
        finally:
            self.running.wait()

    def tail(self) -> str:
        """The end of what it wrote."""
        return self.log.read_text(errors="replace")[-1500:]

    def check(self) -> None:
        """Return while it runs.

        Raises:
            RuntimeError: it has ended; with the end of what it wrote.
        """
        if self.running.poll() is not None:
            raise RuntimeError(f"{self.command[:4]} ended with {self.running.returncode}:\n{self.tail()}")

    def cpu_s(self) -> float:
        """CPU seconds of it and its descendants so far; those that ended count once they were waited for."""
        return cpu_s(self.running.pid)


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and all its descendants, from /proc; 0 where there is none."""
    parents: dict[int, int] = {}
    used: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in parentheses may hold anything; the numbers follow it. Source: proc_pid_stat(5).
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        one = int(path.parent.name)
        parents[one] = int(fields[1])
        used[one] = sum(int(ticks) for ticks in fields[11:15])
    family = {pid}
    while more := {one for one, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(one, 0) for one in family) / TICKS_PER_S


# ---------------------------------------------------------------- servers


def postgres_program(name: str) -> str:
    """The path of one of PostgreSQL's programs; the newest installed. Empty: there is none."""
    where = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(where[-1]) if where else shutil.which(name) or ""


class Postgres:
    """A PostgreSQL of our own on a free port: fsync on, its data on tmpfs or on a real disk."""

    SETTINGS = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "shared_buffers": "512MB",
        "max_connections": "200",
        "max_wal_size": "4GB",  # no checkpoint in the middle of a burst
        "fsync": "on",
        "synchronous_commit": "on",
    }

    def __init__(self, *, on: Place = "tmpfs") -> None:
        self.on = on

    def __enter__(self) -> Self:
        initdb, postgres = postgres_program("initdb"), postgres_program("postgres")
        if not initdb:
            raise RuntimeError("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
        with ExitStack() as stack:
            self._start(stack.enter_context(folder(on=self.on)), stack, initdb, postgres)
            self._rest = stack.pop_all()
        return self

    def _start(self, path: Path, stack: ExitStack, initdb: str, postgres: str) -> None:
        data, user = path / "data", "postgres" if os.geteuid() == 0 else None  # it refuses to be root
        data.mkdir()
        if user:
            shutil.chown(data, user)
        subprocess.run(
            [initdb, "-D", data, "-U", "temphone", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8"],
            check=True, capture_output=True, user=user, cwd="/",
        )  # fmt: skip
        self.port = free_port()
        settings = [part for item in self.SETTINGS.items() for part in ("-c", "=".join(item))]
        command = [postgres, "-D", str(data), "-p", str(self.port), *settings]
        fast_shutdown = signal.SIGINT
        self.process = stack.enter_context(Process(command, log=path / "log", user=user, end=fast_shutdown))
        wait_until(self._is_ready, within_s=60, what="PostgreSQL is ready")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rest.__exit__(kind, error, trace)

    def _is_ready(self) -> bool:
        self.process.check()
        ask = [postgres_program("pg_isready"), "-q", "-d", self.url("postgres")]
        return subprocess.run(ask, check=False).returncode == 0

    def url(self, name: str) -> str:
        """Where a database is: for ``DATABASE_URL`` and for psycopg."""
        return f"postgres://temphone@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, *, like: str = "template1") -> str:
        """Make a database anew, empty or a copy of another that nobody is connected to; its URL."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}" STRATEGY file_copy')
        return self.url(name)

    def commits(self, name: str) -> int:
        """Transactions that the database has committed, those of this look included."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = %s", [name])
            (count,) = found.fetchone() or (0,)
            return int(count)

    def cpu_s(self) -> float:
        """CPU seconds of the server so far."""
        return self.process.cpu_s()


class Redis:
    """A Redis of our own on a free port, without persistence."""

    def __enter__(self) -> Self:
        if not shutil.which("redis-server"):
            raise RuntimeError("Redis is not installed (Debian: apt-get install redis-server)")
        with ExitStack() as stack:
            path, self.port = stack.enter_context(folder()), free_port()
            command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(path)]
            command += ["--save", "", "--appendonly", "no"]
            self.process = stack.enter_context(Process(command, log=path / "log"))
            wait_until(lambda: listens(self.port), within_s=10, what="Redis listens")
            self._rest = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rest.__exit__(kind, error, trace)

    def url(self, number: int = 0) -> str:
        """Where one of its databases is."""
        return f"redis://127.0.0.1:{self.port}/{number}"

    def cpu_s(self) -> float:
        """CPU seconds of the server so far."""
        return self.process.cpu_s()
