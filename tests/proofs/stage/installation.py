"""A whole TemPhone as processes on the test database, to be killed, frozen and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.proofs.stage import ledgers
from tests.proofs.stage.ear import HEARD, SILENCED

PROGRAMS = ("gateway", "web", "clock", "worker")
ROOT = settings.BASE_DIR
KILLS = "kills.jsonl"
CUT = timedelta(seconds=1)  # a kill that cut a ring in two comes so soon after it


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def database_url() -> str:
    """The URL of the database that the tests use."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{Path(config['NAME']).absolute()}"
    host = config["HOST"]
    where = f"{config['USER']}:{config['PASSWORD']}@{'' if host.startswith('/') else host}:{config['PORT']}"
    return f"postgres://{where}/{config['NAME']}" + (f"?host={host}" if host.startswith("/") else "")


@dataclass(frozen=True, slots=True, order=True)
class Ring:
    """A phone rang."""

    at: datetime
    to: str
    attempt_id: str


class Installation:
    """Web, clock, worker and gateway. ``speed`` is how much faster than people its callees speak."""

    def __init__(
        self,
        folder: Path,
        *,
        speed: int = 20,
        **environment: str,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "TEMPHONE_DATA_DIR": str(folder),
            "TEMPHONE_CALLBACK_URL": self.url,
            "TEMPHONE_SIMULATION_SPEED": str(speed),
            "SECRET_KEY": settings.SECRET_KEY,
            "DJANGO_SETTINGS_MODULE": "temphone.settings",
            **environment,
        }

    @property
    def url(self) -> str:
        """Where its web program listens."""
        return f"http://127.0.0.1:{self.port}"

    def command(self, program: str) -> list[str]:
        """How a program is started."""
        python = sys.executable
        bind = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1", "--blocking-threads", "4"]
        return {
            "web": [python, "-m", "granian", "--interface", "wsgi", *bind, "temphone.wsgi:application"],
            "clock": [python, "manage.py", "clock"],
            "worker": [python, "manage.py", "qcluster"],
            "gateway": [python, "-m", "tests.proofs.stage.listening_gateway"],
        }[program]

    def start(self, *programs: str) -> None:
        """Start these programs; all, without a name."""
        for program in programs or PROGRAMS:
            with (self.folder / f"{program}.log").open("ab") as log:
                self.running[program] = subprocess.Popen(
                    self.command(program),
                    cwd=ROOT,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # so that a kill takes its children along
                )

    def signal(self, program: str, number: signal.Signals) -> None:
        """Send a signal to a program and all its children."""
        try:
            os.killpg(self.running[program].pid, number)
        except ProcessLookupError:
            return

    def kill(self, program: str) -> None:
        """SIGKILL: no goodbye, nothing written any more."""
        self.signal(program, signal.SIGKILL)
        self.running.pop(program).wait()

    def strike(self, program: str) -> None:
        """Kill it, and note that."""
        self.kill(program)
        self.note_kill(program)

    def note_kill(self, name: str) -> None:
        """Somebody of this name has just been killed."""
        with (self.folder / KILLS).open("a") as kills:
            kills.write(json.dumps({"name": name, "at": datetime.now(UTC).isoformat()}) + "\n")

    def stop(self) -> None:
        """End all."""
        for program in list(self.running):
            self.kill(program)

    def wait_until_ready(self, timeout_s: float = 120) -> None:
        """Return when database, queue, clock and gateway are well."""
        self.wait_until(self._is_ready, timeout_s)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def wait_until(self, is_so: Callable[[], bool], timeout_s: float) -> None:
        """Return when it is so.

        Raises:
            AssertionError: it is not by then; with the logs' ends.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if is_so():
                return
            time.sleep(0.2)
        raise AssertionError(f"Not so after {timeout_s} s.\n{self.logs()}")

    def logs(self) -> str:
        """The ends of the programs' logs."""
        ends = (
            f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}"
            for path in self.folder.glob("*.log")
        )
        return "\n".join(ends)

    def api(
        self,
        method: str,
        path: str,
        key: str,
        body: object = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, object]]:
        """The status and the envelope that the API answers."""
        data = None if body is None else json.dumps(body).encode()
        own = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(f"{self.url}/v1{path}", data=data, headers=own, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def rings(self) -> Counter[str]:
        """How often each number rang: the oracle."""
        return Counter(ring.to for ring in self.heard())

    def heard(self) -> list[Ring]:
        """Every ring, by the tests' own ear.

        A kill of the gateway may come between the network's line and the ear's: that ring was one, too.
        """
        rings = set(_rings(self.folder / HEARD))
        cut = [datetime.fromisoformat(kill["at"]) for kill in self.kills() if "gateway" in kill["name"]]
        for ring in set(_rings(self.folder / "gateway" / "phone.log")) - rings:
            if any(ring.at <= at <= ring.at + CUT for at in cut):
                rings.add(ring)
        return sorted(rings)

    def kills(self) -> list[dict[str, str]]:
        """Who was killed when."""
        return _json_lines(self.folder / KILLS)

    def silenced(self) -> int:
        """How many dials after a restart the network's memory alone kept from ringing again."""
        return len(_json_lines(self.folder / SILENCED))

    @property
    def heard_bytes(self) -> int:
        """How much the ear has written."""
        path = self.folder / HEARD
        return path.stat().st_size if path.exists() else 0

    def ledgers(self) -> list[Path]:
        """Where its gateways keep what they dialled."""
        return sorted((self.folder / "gateway").glob("*.sqlite3"))

    def unfinished(self) -> int:
        """How much its gateways still have to do."""
        return sum(ledgers.unfinished(path) for path in self.ledgers())


def _rings(path: Path) -> list[Ring]:
    return [
        Ring(datetime.fromisoformat(line["at"]), line["to"], line["attempt_id"]) for line in _json_lines(path)
    ]


def _json_lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
