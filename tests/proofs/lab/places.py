"""Which line belongs to which phase of a call's life, and the numbers by which traps know them."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parents[3]
PACKAGES = ("calls", "campaigns", "contacts", "temphone")
FILE_LINES = 4096  # more than any file has

# Where a phase begins: file, and function (with all inside it) or, without one, the whole file. What is
# called from there belongs to it too, unless it begins a phase of its own.
BEGINNINGS = {
    ("calls/actions/dialing.py", "claim_due"): "claim",
    ("calls/actions/dialing.py", "record_dial_results"): "record",
    ("calls/tasks.py", "reconcile"): "reconcile",
    ("calls/tasks.py", "hang_up_due"): "hang_up",
    ("calls/tasks.py", "_dial_batch"): "dial",
    ("temphone/telephony/adapters/gateway.py", ""): "dial",
    ("temphone/webhooks/tasks.py", ""): "deliver",
    ("temphone/webhooks/sender.py", ""): "send",
    ("calls/api.py", "ScheduledCalls.post"): "door",
    ("calls/api.py", "_created"): "answer",
    ("temphone/api/envelope.py", "Answer.__init__"): "answer",
    ("temphone/api/envelope.py", "EnvelopeRenderer.render"): "answer",
    ("temphone/api/envelope.py", ""): "door",
    ("temphone/api/base.py", ""): "door",
    ("temphone/api/middleware.py", ""): "door",
    ("temphone/accounts/authentication.py", ""): "door",
    ("calls/actions/scheduling.py", "_schedule"): "schedule",
    ("calls/actions/idempotency.py", ""): "key",
    ("calls/callbacks.py", "gateway_events"): "events",
    ("calls/actions/suppression.py", "suppress_in_call"): "suppress",
    ("calls/callbacks.py", "gateway_heartbeat"): "heartbeat",
    ("temphone/gateway/gateway.py", ""): "start",
    ("temphone/gateway/store.py", "Store.__init__"): "start",
    ("temphone/gateway/ledger.py", "Ledger.__init__"): "start",
    ("temphone/gateway/ledger.py", "Ledger.open_attempts"): "start",
    ("temphone/gateway/legs/phone_log.py", "PhoneLog.rung"): "start",
    ("temphone/gateway/ledger.py", ""): "ledger",
    ("temphone/gateway/store.py", ""): "ledger",
    ("temphone/gateway/event_table.py", ""): "ledger",
    ("temphone/gateway/writer.py", ""): "writer",
    ("temphone/gateway/journal.py", "Journal.about_to_dial"): "note",
    ("temphone/gateway/journal.py", ""): "writer",
    ("temphone/gateway/switchboard.py", ""): "switchboard",
    ("temphone/gateway/server.py", ""): "switchboard",
    ("temphone/gateway/call.py", ""): "leg",
    ("temphone/gateway/legs/simulated.py", ""): "leg",
    ("temphone/gateway/outbox.py", ""): "outbox",
    ("temphone/gateway/callback.py", ""): "outbox",
    ("temphone/gateway/heartbeat.py", ""): "pulse",
}
ELSEWHERE = 0
NAMES = ("elsewhere", *dict.fromkeys(BEGINNINGS.values()))
NUMBERS = {name: number for number, name in enumerate(NAMES)}

# What is struck in each role, and how much oftener than the others.
PHASES = {
    "worker": {"claim": 3, "dial": 2, "record": 2, "reconcile": 2, "hang_up": 1, "deliver": 2, "send": 1},
    "web": {"events": 4, "suppress": 1, "heartbeat": 1},
    "api": {"door": 1, "schedule": 4, "key": 3, "answer": 3, "events": 1},
    "gateway": {
        "start": 1,
        "ledger": 3,
        "writer": 2,
        "switchboard": 2,
        "leg": 2,
        "outbox": 2,
        "pulse": 1,
    },
    "on a line": {
        "start": 1,
        "ledger": 3,
        "note": 3,
        "writer": 4,
        "switchboard": 2,
        "leg": 3,
        "outbox": 1,
    },
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where code stands: its file's first number, and the phase that begins there, if one does."""

    base: int
    phase: int | None = None
    counts: bool = False  # each call of it is one run of the phase


@cache
def files() -> tuple[str, ...]:
    """All of our modules, relative to the root; a line's number is its file's place here and its own."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return tuple(sorted(path.relative_to(ROOT).as_posix() for path in found))


@dataclass(slots=True)
class Atlas:
    """The places of code, looked up once."""

    bases: dict[str, int] = field(
        default_factory=lambda: {str(ROOT / name): index * FILE_LINES for index, name in enumerate(files())}
    )

    def place(self, code: CodeType) -> Place | None:
        """Where this code stands; None when it is not ours."""
        base = self.bases.get(code.co_filename)
        if base is None:
            return None
        file = files()[base // FILE_LINES]
        for (path, function), phase in BEGINNINGS.items():
            if path == file and function and _is_inside(code.co_qualname, function):
                return Place(base, NUMBERS[phase], counts=code.co_qualname == function)
        phase = BEGINNINGS.get((file, ""))
        return Place(base, NUMBERS[phase] if phase else None)


def _is_inside(qualname: str, function: str) -> bool:
    return qualname == function or qualname.startswith(f"{function}.")


def spelled(number: int) -> str:
    """A line's number as file and line."""
    return f"{files()[number // FILE_LINES]}:{number % FILE_LINES}"
