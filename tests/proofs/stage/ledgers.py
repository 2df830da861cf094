"""What a gateway's ledger says, read from outside."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

Rows = dict[str, list[tuple[object, ...]]]


def unfinished(ledger: Path) -> int:
    """How much its gateway still has to do: open attempts, and events that nobody has acknowledged."""
    with closing(_reading(ledger)) as db:
        (events,) = db.execute("SELECT count(*) FROM events WHERE acknowledged = 0").fetchone()
        (attempts,) = db.execute("SELECT count(*) FROM attempts WHERE state = 'open'").fetchone()
    return events + attempts


def rows(ledger: Path, attempt_ids: Iterable[str]) -> Rows:
    """What it says of these attempts."""
    ids = json.dumps(list(attempt_ids))
    with closing(_reading(ledger)) as db:
        return {
            "attempts": db.execute(
                "SELECT attempt_id, state, cause, retry, hang_up, changed_at FROM attempts"
                " WHERE attempt_id IN (SELECT value FROM json_each(?))",
                (ids,),
            ).fetchall(),
            "events": db.execute(
                "SELECT id, body, acknowledged, send_after FROM events"
                " WHERE attempt_id IN (SELECT value FROM json_each(?))",
                (ids,),
            ).fetchall(),
        }


def forget(ledger: Path) -> None:
    """It keeps its name, and loses what it took: as one that was restored from before."""
    with closing(sqlite3.connect(ledger, timeout=20)) as db, db:
        db.execute("DELETE FROM attempts")
        db.execute("DELETE FROM events")


def _reading(ledger: Path) -> sqlite3.Connection:
    """To be read only."""
    return sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=20)
