"""PostgreSQL and Redis of our own, for as long as a benchmark runs."""

import os
import shutil
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.frame.programs import Place, Process, folder, free_port, listens, wait_until


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
