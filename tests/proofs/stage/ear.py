"""The tests' own ear at the simulated network: every ring, in a file that nothing of TemPhone reads or knows.

The network's memory (`PhoneLog`) is part of what is tried: it is read back after a kill, and what it says
rang is not rung again. So it cannot be its own judge.
"""

import json
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from temphone.gateway.legs.base import History
from temphone.gateway.legs.phone_log import PhoneLog, Ring
from temphone.gateway.legs.simulated import SimulatedNetwork
from temphone.telephony.messages import DialRequest

HEARD, SILENCED = "heard.jsonl", "silenced.jsonl"


def listen(path: Path, calm: AbstractContextManager[object] | None = None) -> None:
    """Append a line, by one system call, for each ring of this process from now on.

    ``calm`` is held while the network and the ear write: no strike of this process comes in between.
    """
    heard = _opened(path)
    let_ring = PhoneLog.append

    def ring(log: PhoneLog, one: Ring) -> None:
        # Both or neither: a strike in this thread comes before the network's own line, as that is the last
        # that `append` executes, and one in another thread waits. What raises has not rung.
        with calm or nullcontext():
            let_ring(log, one)
            _write(heard, to=one.to, at=one.at.isoformat(), attempt_id=one.attempt_id)

    PhoneLog.append = ring


def listen_for_what_is_silenced(path: Path) -> None:
    """Note what is dialled although it rang before a restart: the network alone kept it from ringing."""
    silenced = _opened(path)
    dial = SimulatedNetwork.ring

    def ring(network: SimulatedNetwork, request: DialRequest, history: History) -> None:
        if request.attempt_id in network._rung and not history.begun:
            _write(silenced, to=request.to, attempt_id=request.attempt_id)
        dial(network, request, history)

    SimulatedNetwork.ring = ring


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _write(file: int, **line: str) -> None:
    os.write(file, json.dumps(line).encode() + b"\n")
