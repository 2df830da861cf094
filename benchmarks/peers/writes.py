"""The state writes of a start, and the note that it happened.

The environment says what to do: ``BENCHMARK_DSN``, the database, empty for no writes;
``BENCHMARK_STATEMENTS``, those of ``benchmarks.peers.statements`` as JSON; ``BENCHMARK_DIALS``, the file that
gets a line ``call instant`` a start.
"""

import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache

import psycopg

DSN = os.environ.get("BENCHMARK_DSN", "")
STATEMENTS: Mapping[str, str] = json.loads(os.environ.get("BENCHMARK_STATEMENTS", "{}"))
MESSAGE = "Hi Jordan, this is the TemPhone AI assistant following up on your renewal."
# What the gates say, as a decision keeps it, as long as ours; and who speaks.
LIKE_OURS = """
    SELECT (SELECT checks::text FROM calls_decision WHERE stage = 'creation' LIMIT 1), (
        SELECT v.id FROM campaigns_agentversion v JOIN campaigns_agent a ON a.id = v.agent_id
        WHERE a.is_default AND v.number = a.version
    )
"""

_own = threading.local()  # a connection a thread, made on first use: after every fork


def connection() -> psycopg.Connection:
    """This thread's connection; every statement is a transaction."""
    if not hasattr(_own, "connection"):
        _own.connection = psycopg.connect(DSN, autocommit=True, prepare_threshold=1)
    return _own.connection


@cache
def values() -> Mapping[str, object]:
    """What each row says; read once."""
    checks, agent = connection().execute(LIKE_OURS).fetchone()
    return {"message": MESSAGE, "checks": checks, "agent": agent}


@cache
def _log(_process: int) -> int:
    return os.open(os.environ["BENCHMARK_DIALS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def note(calls: Sequence[str]) -> None:
    """Write that these started now."""
    at = time.time()
    os.write(_log(os.getpid()), "".join(f"{call} {at:.6f}\n" for call in calls).encode())


def start(call: str) -> None:
    """What a peer's task does for its call."""
    if DSN and not connection().execute(STATEMENTS["one"], {**values(), "call": call}).fetchone():
        return  # somebody was first
    note([call])
