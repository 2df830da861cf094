"""Places and ports for programs, and programs that end with all that they started."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from benchmarks.frame.command import ROOT, say
from temphone.management.supervisor import die_with_parent

TMPFS = Path("/dev/shm")  # Linux; elsewhere a plain temporary folder serves
DISKS = (Path("/var/tmp"), ROOT, Path(tempfile.gettempdir()))
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

Place = Literal["tmpfs", "disk"]


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
    mounts = [line.split()[1:3] for line in lines_of(Path("/proc/mounts"))]
    holding = [(len(at), kind) for at, kind in mounts if path.resolve().is_relative_to(at)]
    return max(holding, default=(0, ""))[1]


def lines_of(path: Path) -> list[str]:
    """The lines of a file; none where it is not there."""
    return path.read_text().splitlines() if path.exists() else []


def in_django(child: str, *arguments: str, url: str, data: Path) -> Any:
    """What a program of its own, with this database and folder, prints as JSON.

    ``child`` is a module with a ``main``: Django is set up before what needs it is imported.
    """
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "temphone.settings",
        "DATABASE_URL": url,
        "TEMPHONE_DATA_DIR": str(data),
    }
    code = f"import django; django.setup(); from {child} import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


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
