"""`manage.py dev` as a process of its own, in a folder of its own."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from tests.proofs.stage.installation import free_port

READY = "TemPhone is ready"


class Dev:
    """One running installation; ``text`` is what it has printed so far."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder.with_suffix(".log")
        self.environment = {
            **os.environ,
            "TEMPHONE_DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "temphone.settings",
            "DATABASE_URL": "",
            "PORT": str(self.port),
            **environment,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "dev"],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.log.read_text()

    def wait_for(self, words: str, *, times: int = 1, within_s: float = 120) -> None:
        """Return when it has printed the words so many times."""
        deadline = time.monotonic() + within_s
        while self.text.count(words) < times:
            assert time.monotonic() < deadline, f"{words!r} was not printed:\n{self.text}"
            assert self.process.poll() is None, f"It ended:\n{self.text}"
            time.sleep(0.05)

    def get(self, path: str) -> int:
        """The status of the answer to GET."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.status

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send the signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def processes(self) -> dict[int, str]:
        """Every process of this installation, whoever its parent is, by the folder in its environment."""
        mark = f"TEMPHONE_DATA_DIR={self.folder}".encode()
        return {
            int(entry.name): command(entry)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and mark in environment_of(entry)
        }

    def all_gone(self, within_s: float = 20) -> bool:
        """Whether no process of it is left."""
        deadline = time.monotonic() + within_s
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        return not self.processes()


def command(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def environment_of(entry: Path) -> list[bytes]:
    try:
        return (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


@contextmanager
def a_dev(folder: Path, **environment: str):
    """A running installation, ended whatever happens."""
    dev = Dev(folder, **environment)
    try:
        yield dev
    finally:
        if dev.process.poll() is None:
            dev.stop(signal.SIGTERM)
        for pid in dev.processes():
            os.kill(pid, signal.SIGKILL)
