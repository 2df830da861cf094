"""Folders for what proofs write: in memory where the system has such a place, and never left behind."""

import contextlib
import getpass
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

MEMORY = Path("/dev", "shm")
PREFIX = "temphone-proofs-"


@contextlib.contextmanager
def a_folder() -> Iterator[Path]:
    """An empty folder. What a process that was killed has left behind goes first: memory, and programs."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for left in place.glob(f"{PREFIX}*"):
        if left.owner() == getpass.getuser() and not _is_alive(left):
            end_all_of(left)
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=place))
    folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(folder: Path) -> bool:
    """Whether the process that made the folder is there still; its number is in the name."""
    return Path("/proc", folder.name.split("-")[-2]).exists()


def end_all_of(folder: Path) -> None:
    """Kill every process that has this folder in its environment: what a killed one has left behind."""
    mark = f"{folder}/".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            theirs = mark in (entry / "environ").read_bytes()
        except OSError:
            continue  # it ended, or is not ours
        if theirs and int(entry.name) != os.getpid():
            kill(int(entry.name))


def kill(pid: int) -> None:
    """SIGKILL, if it is there still."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
