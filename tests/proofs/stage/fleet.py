"""An installation with several of each program, and what they weigh."""

import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.proofs.stage.installation import ROOT, Installation, free_port


class Fleet(Installation):
    """Its programs are called ``web-1``, ``clock-2`` and so on. Each gateway has a ledger of its own."""

    def __init__(
        self,
        folder: Path,
        sizes: Mapping[str, int],
        *,
        instead: Mapping[str, Sequence[str]] | None = None,
        **how: Any,
    ) -> None:
        """``instead``: what Python runs in place of a kind of program; ``how``: as of one installation."""
        super().__init__(folder, **how)
        self.instead = instead or {}
        self.names = [f"{program}-{number + 1}" for program, size in sizes.items() for number in range(size)]
        webs = [name for name in self.names if name.startswith("web-")]
        self.ports = {**{name: free_port() for name in webs}, "web-1": self.port}

    def command(self, program: str) -> list[str]:
        """How one of them is started."""
        kind, _ = program.split("-")
        if kind in self.instead:
            return [sys.executable, *self.instead[kind]]
        port = str(self.ports.get(program, self.port))
        return [port if word == str(self.port) else word for word in super().command(kind)]

    def environment_of(self, program: str) -> dict[str, str]:
        """What one of them is told: a gateway, its ledger and the web program that takes its events."""
        kind, number = program.split("-")
        if kind != "gateway":
            return self.environment
        web = self.ports.get(f"web-{number}", self.port)
        return {
            **self.environment,
            "TEMPHONE_GATEWAY_LEDGER": str(self.ledger(program)),
            "TEMPHONE_CALLBACK_URL": f"http://127.0.0.1:{web}",
        }

    def ledger(self, gateway: str) -> Path:
        """Where it keeps what it dialled."""
        return self.folder / "gateway" / f"{gateway}.sqlite3"

    def start(self, *programs: str) -> None:
        """Start these; all, without a name."""
        for program in programs or self.names:
            with (self.folder / f"{program}.log").open("ab") as log:
                self.running[program] = subprocess.Popen(
                    self.command(program),
                    cwd=ROOT,
                    env=self.environment_of(program),
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )


class Scales:
    """Weighs each program with its children, again and again."""

    def __init__(self) -> None:
        self.weights: dict[str, list[int]] = defaultdict(list)  # kB, by program, in the order of time
        self._spared: set[str] = set()

    def spare(self, program: str) -> None:
        """Weigh it no more: it was started anew."""
        self._spared.add(program)

    def weigh(self, fleet: Fleet) -> None:
        """Once."""
        weighed = fleet.running.items()
        leaders = {process.pid: name for name, process in weighed if name not in self._spared}
        total: Counter[str] = Counter()
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended
                if name := leaders.get(os.getsid(int(entry.name))):
                    total[name] += _anonymous(entry)
        for name, weight in total.items():
            self.weights[name].append(weight)

    def growth_percent(self, program: str) -> int:
        """From the second third of the time to the last; the first is for warming up."""
        weights = self.weights[program]
        third = len(weights) // 3
        middle, last = sorted(weights[third : 2 * third]), sorted(weights[2 * third :])
        return round(100 * (last[len(last) // 2] / middle[len(middle) // 2] - 1))


def _anonymous(entry: Path) -> int:
    """Its own memory, kB: without mapped files, and of what it shares with its children, its share."""
    lines = (entry / "smaps_rollup").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")), 0)
