"""A private PostgreSQL: a cluster in a folder of its own, that may be killed and started again."""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.proofs.running.folders import kill
from tests.proofs.stage.installation import free_port

DEBIAN = Path("/usr/lib/postgresql")
# Shuts the server down when the pipe from us closes: it does not outlive us, even when we are killed.
WITH_US = 'exec 3<&0; { read -r _ <&3; kill -INT $$; } & exec "$@" 3<&- </dev/null'
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "dynamic_shared_memory_type": "mmap",  # in the folder, so that a killed server leaves none in memory
}


def programs() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, on the path or Debian's newest; None: not installed."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    versions = {float(path.parent.parent.name): path.parent for path in DEBIAN.glob("*/bin/initdb")}
    return versions[max(versions)] if versions else None


def owner() -> str | None:
    """Whom it runs as: PostgreSQL refuses root."""
    return "postgres" if os.geteuid() == 0 else None


class Cluster:
    """A server with one superuser, ``temphone``. ``durable``: what is committed survives kill -9."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self.port = free_port()
        self.server: subprocess.Popen[bytes] | None = None
        self.settings = {**SETTINGS, "port": str(self.port)}
        if not durable:
            self.settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        self._make()

    def url(self, name: str) -> str:
        """How a database of it is reached."""
        return f"postgres://temphone:temphone@127.0.0.1:{self.port}/{name}"

    def start(self, timeout_s: float = 60) -> None:
        """Start it, and return when it takes connections; after a kill it recovers first."""
        until = time.monotonic() + timeout_s
        while not self._is_ready():
            # It ends at once while a child of the killed one still holds the shared memory.
            if self.server is None or self.server.poll() is not None:
                self.server = self._launch()
            assert time.monotonic() < until, (self.folder / "postgres.log").read_text()[-3000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL to the server and each of its children, at one moment."""
        if self.server is None:
            return
        # A child that is born meanwhile misses its parent, and ends by itself.
        for pid in [self.server.pid, *_children(self.server.pid)]:
            kill(pid)
        self.server.communicate()
        self.server = None

    def create(self, name: str) -> None:
        """Make an empty database."""
        self._run(["createdb", *self._where, name], PGPASSWORD="temphone")

    @property
    def _where(self) -> list[str]:
        return ["--host=127.0.0.1", f"--port={self.port}", "--username=temphone"]

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        password = self.folder / "password"
        password.write_text("temphone")
        if owner():
            # Whoever is not root must be able to come by.
            user = pwd.getpwnam("postgres")
            for path in (self.folder, password):
                os.chown(path, user.pw_uid, user.pw_gid)
        made = [f"--pwfile={password}", "--username=temphone", "--auth=scram-sha-256", "--encoding=UTF8"]
        self._run(["initdb", "-D", self._data, "--locale=C.UTF-8", "--no-sync", *made])

    def _launch(self) -> subprocess.Popen[bytes]:
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        with (self.folder / "postgres.log").open("ab") as log:
            return subprocess.Popen(
                ["sh", "-c", WITH_US, "sh", self._program("postgres"), "-D", self._data, *options],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                user=owner(),
                cwd="/",
                env={**os.environ, "TEMPHONE_DATA_DIR": self._data},  # by which `end_all_of` finds it
                start_new_session=True,
            )

    def _is_ready(self) -> bool:
        ask = [self._program("pg_isready"), "--quiet", *self._where]
        return self.server is not None and subprocess.run(ask, check=False).returncode == 0

    def _program(self, name: str) -> str:
        folder = programs()
        assert folder, "PostgreSQL is not installed."
        return str(folder / name)

    def _run(self, command: Sequence[str], **environment: str) -> None:
        program, *arguments = command
        done = subprocess.run(
            [self._program(program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            user=owner(),
            cwd="/",
            env={**os.environ, **environment},
        )
        assert done.returncode == 0, done.stderr


def _children(parent: int) -> list[int]:
    """Its children, each of which leads a session of its own, so that no signal to a group finds it."""
    found = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in found.read_text().split()] if found.exists() else []
