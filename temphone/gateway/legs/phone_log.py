"""The memory of the simulated network: one line for every ring, as the fake phone heard it."""

import errno
import os
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import msgspec


class Ring(msgspec.Struct, frozen=True):
    """One line of the log."""

    to: str
    at: datetime
    attempt_id: str


class PhoneLog:
    """An append-only file. Its line comes before anything else, so a killed gateway knows what rang."""

    def __init__(self, path: Path) -> None:
        """Open the log, making it where it is missing.

        Raises:
            OSError: it cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def append(self, ring: Ring) -> None:
        """Write one line, by one system call, so that lines of several gateways never mix.

        Raises:
            OSError: it is not in the log.
        """
        line = msgspec.json.encode(ring) + b"\n"
        if os.write(self._file, line) < len(line):
            raise OSError(errno.ENOSPC, "no room for the whole line")

    def rung(self, attempt_ids: Collection[str]) -> set[str]:
        """Which of these attempts rang already. Reads the whole file: once, at the start."""
        with self._path.open("rb") as lines:
            return {id_ for line in lines if (id_ := _attempt_in(line)) in attempt_ids}


def _attempt_in(line: bytes) -> str:
    # Before the last brace there may be the beginning of a line that the disk had no room for.
    try:
        return msgspec.json.decode(line[line.rfind(b"{") :], type=Ring).attempt_id
    except msgspec.DecodeError:
        return ""
