"""The driver's side: starts the nursery, sets traps, and hears who was struck."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from django.conf import settings

from calls.models import Gateway
from temphone.telephony.signing import new_secret
from tests.proofs.lab.places import FILE_LINES, NAMES, NUMBERS, files
from tests.proofs.lab.plan import Plan
from tests.proofs.lab.trap import ALWAYS, AT, LEFT, LINES, PHASE, RUNS, SIGNAL, cells_of, seen_lines
from tests.proofs.stage.installation import ROOT, database_url, free_port

READY_WITHIN_S = 180  # of a crowded machine
ALL_DAY = "00:00-23:59:59.999999"


@dataclass(slots=True)
class Member:
    """One process, and its trap."""

    name: str
    role: str
    cells: memoryview
    pid: int = 0
    alive: bool = False
    frozen: bool = False
    set_at: float = 0.0  # when its trap was set, by the monotonic clock
    thawed_at: float = 0.0
    counted: bytes = b""  # its counters then

    @property
    def is_trapped(self) -> bool:
        """Whether its trap is set and nobody has stepped into it."""
        return bool(self.cells[PHASE])

    def set_trap(self, phase: str, *, at: int, left: int, number: signal.Signals) -> None:
        """Strike at the line ``at``, or else at the ``left``-th line of this phase."""
        self.cells[PHASE] = 0  # while the rest is changed
        self.cells[AT], self.cells[LEFT], self.cells[SIGNAL] = at, left, number
        self.cells[PHASE] = NUMBERS[phase]
        self.counted = self.cells[LINES:RUNS].tobytes()
        self.set_at = time.monotonic()

    @property
    def is_approached(self) -> bool:
        """Whether the phase in which its trap lies has been entered since."""
        return self.has_been_in(NAMES[self.cells[PHASE]])

    def has_been_in(self, phase: str) -> bool:
        """Whether it has executed a line in this phase since its trap was set."""
        number = NUMBERS[phase]
        return self.cells[LINES + number] != memoryview(self.counted).cast("q")[number]

    def take_trap_away(self) -> None:
        """Strike no more."""
        self.cells[PHASE] = 0


class Laboratory:
    """The members and their nursery, until the ``with`` block ends."""

    def __init__(
        self,
        folder: Path,
        members: Mapping[str, str],
        *,
        receiver: str,
        seed: int = 0,
        mistake: str = "",
        slower: float = 1.0,
    ) -> None:
        """``members`` names each one's role; ``receiver`` is the host and port of the webhooks.

        ``slower``: so much longer than elsewhere all takes here at least.
        """
        self.folder = folder.absolute()
        self.plan = Plan(
            folder=str(self.folder),
            port=free_port(),
            secret=new_secret(),
            seed=seed,
            mistake=mistake,
            slower=slower,
        )
        self.webhook_secret = new_secret()
        self.members = {
            name: Member(name, role, cells_of(self.folder, name)) for name, role in members.items()
        }
        self._seen = seen_lines(self.folder)
        self._read = b""
        self._strikes: dict[object, deque[dict[str, object]]] = defaultdict(deque)
        self._strikes_read = 0
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "temphone.settings",
            "DATABASE_URL": database_url(),
            "TEMPHONE_DATA_DIR": str(self.folder),
            "SECRET_KEY": settings.SECRET_KEY,
            "TEMPHONE_GATEWAY_SECRET": self.plan.secret,
            "TEMPHONE_WEBHOOK_SECRET": self.webhook_secret,
            "TEMPHONE_WEBHOOK_ALLOW": receiver,
            "TEMPHONE_CALLING_HOURS": ALL_DAY,
        }

    def __enter__(self) -> Self:
        plan = self.folder / "plan.json"
        self.plan.write(plan)
        with (self.folder / "nursery.log").open("ab") as log:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "tests.proofs.lab.nursery", str(plan)],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
            for name in self.members:
                self.start(name)
            self._wait_until_heard()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the nursery and everything it forked."""
        self._nursery.stdin.close()
        os.killpg(self._nursery.pid, signal.SIGKILL)
        self._nursery.wait()
        self._nursery.stdout.close()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            for report in self._reports(0.5):
                if report["event"] == "ready":
                    self.plan = replace(self.plan, slower=report["slower"])
                    return
            if self._nursery.poll() is not None:
                break
        raise AssertionError(f"The nursery does not start.\n{self.log_ends()}")

    def _wait_until_heard(self) -> None:
        """The gateway has told Django of itself: its ledger is there, and calls can go."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            for what, member in self.look(0.05):
                raise AssertionError(f"{member.name} {what}.\n{self.log_ends()}")
            if Gateway.objects.exists():
                return
        raise AssertionError(f"The gateway is not heard of.\n{self.log_ends()}")

    # --- members

    def start(self, name: str) -> None:
        """Have a member forked."""
        order = json.dumps({"name": name, "role": self.members[name].role})
        self._nursery.stdin.write(order.encode() + b"\n")
        self._nursery.stdin.flush()
        self.members[name].alive = True

    def look(self, timeout_s: float) -> Iterator[tuple[str, Member]]:
        """Who has died or frozen: "died" or "frozen", and the member. Waits so long for the first."""
        for report in self._reports(timeout_s):
            member = self.members[report["name"]]
            match report["event"]:
                case "started":
                    member.pid = report["pid"]
                    continue
                case "died":
                    member.alive = member.frozen = False
                case "frozen":
                    member.frozen = True
                case "thawed":
                    member.frozen, member.thawed_at = False, time.monotonic()
                    continue
            yield report["event"], member

    def _reports(self, timeout_s: float) -> list[dict[str, object]]:
        output = self._nursery.stdout.fileno()
        if not select.select([output], [], [], timeout_s)[0]:
            return []
        read = os.read(output, 65536)
        if not read:
            raise AssertionError(f"The nursery died.\n{self.log_ends()}")
        *whole, self._read = (self._read + read).split(b"\n")
        return [json.loads(line) for line in whole]

    # --- what its traps have counted

    def count_always(self, *, on: bool) -> None:
        """Count what every member executes, not only who has a trap set."""
        for member in self.members.values():
            member.cells[ALWAYS] = on

    def lines_in(self, phase: str) -> list[int]:
        """The numbers of the lines that were executed in this phase, by whomever."""
        number = NUMBERS[phase]
        seen = bytes(self._seen)
        found, at = [], seen.find(number)
        while at >= 0:
            found.append(at)
            at = seen.find(number, at + 1)
        return found

    def count(self, phase: str) -> tuple[int, int]:
        """How many lines were executed in this phase, and how many runs of it began."""
        number = NUMBERS[phase]
        cells = [member.cells for member in self.members.values()]
        return sum(cell[LINES + number] for cell in cells), sum(cell[RUNS + number] for cell in cells)

    @property
    def slower(self) -> float:
        """How much longer all takes here than where there is nothing else to do."""
        return self.plan.slower

    @property
    def is_frozen(self) -> bool:
        """Whether anybody is frozen now."""
        return any(member.frozen for member in self.members.values())

    def strike_at(self, member: Member) -> dict[str, object] | None:
        """The strike that has just hit this member, once."""
        for strike in self.strikes(self._strikes_read):
            self._strikes_read += 1
            self._strikes[strike["pid"]].append(strike)
        waiting = self._strikes[member.pid]
        return waiting.popleft() if waiting else None

    def strikes(self, since: int = 0) -> list[dict[str, object]]:
        """Every strike so far, in order."""
        return _json_lines(self.folder / "strikes.jsonl")[since:]

    def troubles(self) -> list[str]:
        """What must never happen and did: server errors, tasks that broke."""
        path = self.folder / "trouble.log"
        return path.read_text().splitlines() if path.exists() else []

    def rings(self) -> list[dict[str, str]]:
        """What the laboratory's ear heard: number, instant, attempt."""
        return _json_lines(self.plan.heard)

    def log_ends(self, size: int = 3000) -> dict[str, str]:
        """The ends of all logs."""
        return {path.name: path.read_text(errors="replace")[-size:] for path in self.folder.glob("*.log")}


def _json_lines(path: Path) -> list[dict[str, object]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().splitlines()]


assert len(NAMES) < 256, "A line's phase is kept in one byte."
assert FILE_LINES * len(files()) < 2**31
