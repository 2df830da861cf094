"""The events of all attempts, and which of them Django has yet to hear."""

import sqlite3

from temphone.telephony.messages import CarrierEvent, decode, encode


class EventTable:
    """Part of the ledger; its methods belong inside a transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, event: CarrierEvent) -> None:
        """Note an event."""
        self._db.execute(
            "INSERT INTO events (attempt_id, sequence, body) VALUES (?, ?, ?)",
            (event.attempt_id, event.sequence, encode(event)),
        )

    def waiting(self, now: float, limit: int) -> list[CarrierEvent]:
        """The next events to send at ``now`` (Unix seconds), at most ``limit``, per attempt in order."""
        rows = self._db.execute(
            "SELECT id, body FROM events WHERE acknowledged = 0 AND send_after <= ?"
            " ORDER BY send_after, id LIMIT ?",
            (now, limit),
        )
        return [decode(body, CarrierEvent) for _, body in sorted(rows)]

    def waiting_count(self) -> int:
        """How many events Django has yet to acknowledge."""
        return int(self._db.execute("SELECT count(*) FROM events WHERE acknowledged = 0").fetchone()[0])

    def acknowledge(self, attempt_id: str, through: int) -> None:
        """Django has everything of this attempt up to this sequence."""
        self._db.execute(
            "UPDATE events SET acknowledged = 1 WHERE attempt_id = ? AND sequence <= ? AND acknowledged = 0",
            (attempt_id, through),
        )

    def send_again(self, attempt_id: str, after: int, *, at: float) -> None:
        """Django lacks what follows this sequence: send it again, but not before ``at`` (Unix seconds)."""
        self._db.execute(
            "UPDATE events SET acknowledged = 0, send_after = MAX(send_after, ?)"
            " WHERE attempt_id = ? AND sequence > ?",
            (at, attempt_id, after),
        )

    def is_acknowledged(self, attempt_id: str, sequence: int) -> bool:
        """Whether Django has this event."""
        row = self._db.execute(
            "SELECT acknowledged FROM events WHERE attempt_id = ? AND sequence = ?", (attempt_id, sequence)
        ).fetchone()
        return row is not None and bool(row[0])
