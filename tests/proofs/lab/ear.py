"""The laboratory's own ear at the network: every ring, in a file that nothing of TemPhone reads or knows.

The network's memory (`PhoneLog`) is part of what is tried: it is read back after a kill, and what it says
rang is not rung again. So it cannot be its own judge.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from temphone.gateway.legs.phone_log import PhoneLog, Ring
from tests.proofs.lab.trap import calm


def listen(path: Path) -> None:
    """Append a line, by one system call, for each ring of this process from now on."""
    heard = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    let_ring = PhoneLog.append

    def ring(log: PhoneLog, one: Ring) -> None:
        # Both or neither: a strike in this thread comes before the network's own line, as that is the last
        # that `append` executes, and one in another thread waits. What raises has not rung.
        with calm:
            let_ring(log, one)
            line = {"to": one.to, "at": datetime.now(UTC).isoformat(), "attempt_id": one.attempt_id}
            os.write(heard, json.dumps(line).encode() + b"\n")

    PhoneLog.append = ring
