"""The gateway's memory: which attempts it took or refused, for ever.

The methods belong inside ``transaction``, in the writer's thread; they raise ``sqlite3.Error`` when the
disk fails.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from temphone.gateway.event_table import EventTable
from temphone.gateway.store import Store
from temphone.telephony.messages import (
    CarrierEvent,
    Dialed,
    DialRequest,
    EventType,
    Refused,
    Sighting,
    decode,
    encode,
)

WITHDRAWN = "withdrawn"
SIGHTINGS = {"open": Sighting.LIVE, "ended": Sighting.ENDED, "refused": Sighting.NEVER}

Objection = Callable[[DialRequest, int], Refused | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAttempt:
    """An attempt that was accepted and has not ended, as a restart finds it."""

    request: DialRequest
    last: CarrierEvent
    hang_up: bool


class Ledger:
    """One ledger: its attempts, and their events in ``events``."""

    def __init__(self, path: Path) -> None:
        """Open the ledger; raises as ``Store`` does."""
        self._store = Store(path)
        self._db = self._store.db
        self.identity = self._store.identity
        self.events = EventTable(self._db)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside becomes durable together, or not at all."""
        return self._store.transaction()

    def admit(
        self, requests: Sequence[DialRequest], objection: Objection
    ) -> tuple[Dialed, list[DialRequest]]:
        """Take or refuse each attempt, once and for ever; also returns those that are to ring now.

        ``objection`` says why not, given the request and how many attempts are open. What is known
        already is answered as it was.
        """
        open_count = self._open_count()
        fresh: list[DialRequest] = []
        for request in requests:
            if self._is_known(request.attempt_id):
                continue
            refused = objection(request, open_count + len(fresh))
            if refused is None:
                self._accept(request)
                fresh.append(request)
            else:
                self._refuse(refused)
        return self._answer(requests), fresh

    def withdraw(self, attempt_id: str) -> None:
        """Note that it is to be hung up; one that is not known is refused from now on."""
        self._refuse(Refused(attempt_id=attempt_id, cause=WITHDRAWN, retry=True))
        self._db.execute("UPDATE attempts SET hang_up = 1 WHERE attempt_id = ?", (attempt_id,))

    def sight(self, attempt_id: str) -> Sighting:
        """What became of it; one that is not known is refused from now on."""
        self._refuse(Refused(attempt_id=attempt_id, cause=WITHDRAWN, retry=True))
        (state,) = self._db.execute(
            "SELECT state FROM attempts WHERE attempt_id = ?", (attempt_id,)
        ).fetchone()
        return SIGHTINGS[state]

    def append(self, event: CarrierEvent) -> None:
        """Note an event; the last one ends the attempt."""
        self.events.add(event)
        if event.type is EventType.ENDED:
            self._db.execute(
                "UPDATE attempts SET state = 'ended', changed_at = ? WHERE attempt_id = ?",
                (event.at.timestamp(), event.attempt_id),
            )

    def open_on(self, trunk: str) -> int:
        """How many attempts are open on this trunk."""
        row = self._db.execute("SELECT count(*) FROM attempts WHERE state = 'open' AND trunk = ?", (trunk,))
        return int(row.fetchone()[0])

    def open_attempts(self) -> list[OpenAttempt]:
        """What a former gateway left open, each with its last event."""
        # With MAX, SQLite takes the other columns from the row that has the maximum.
        rows = self._db.execute(
            "SELECT request, hang_up, body, MAX(sequence) FROM attempts JOIN events USING (attempt_id)"
            " WHERE state = 'open' GROUP BY attempt_id"
        )
        return [
            OpenAttempt(
                request=decode(request, DialRequest), last=decode(body, CarrierEvent), hang_up=bool(hang_up)
            )
            for request, hang_up, body, _ in rows
        ]

    def forget(self, before: float, *, limit: int = 200) -> int:
        """Drop what was said in attempts that ended before then (Unix seconds); returns of how many.

        The attempts stay, so that their ids never ring again; so do those that Django has yet to hear of.
        """
        ids = self._db.execute(
            "SELECT attempt_id FROM attempts WHERE state = 'ended' AND request IS NOT NULL AND changed_at < ?"
            " AND NOT EXISTS (SELECT 1 FROM events WHERE events.attempt_id = attempts.attempt_id"
            " AND acknowledged = 0) ORDER BY changed_at LIMIT ?",
            (before, limit),
        ).fetchall()
        self._db.executemany("DELETE FROM events WHERE attempt_id = ?", ids)
        self._db.executemany("UPDATE attempts SET request = NULL WHERE attempt_id = ?", ids)
        return len(ids)

    def _open_count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM attempts WHERE state = 'open'").fetchone()[0])

    def _is_known(self, attempt_id: str) -> bool:
        row = self._db.execute("SELECT 1 FROM attempts WHERE attempt_id = ?", (attempt_id,)).fetchone()
        return row is not None

    def _accept(self, request: DialRequest) -> None:
        now = datetime.now(UTC)
        self._db.execute(
            "INSERT INTO attempts (attempt_id, state, request, changed_at, trunk)"
            " VALUES (?, 'open', ?, ?, ?)",
            (request.attempt_id, encode(request), now.timestamp(), request.trunk),
        )
        self.append(CarrierEvent(attempt_id=request.attempt_id, sequence=1, type=EventType.ACCEPTED, at=now))

    def _refuse(self, refused: Refused) -> None:
        """Refuse it from now on; nothing when it is known already."""
        self._db.execute(
            "INSERT OR IGNORE INTO attempts (attempt_id, state, cause, retry, changed_at)"
            " VALUES (?, 'refused', ?, ?, ?)",
            (refused.attempt_id, refused.cause, refused.retry, datetime.now(UTC).timestamp()),
        )

    def _answer(self, requests: Sequence[DialRequest]) -> Dialed:
        placed, refused = [], []
        for id_ in dict.fromkeys(request.attempt_id for request in requests):
            state, cause, retry = self._db.execute(
                "SELECT state, cause, retry FROM attempts WHERE attempt_id = ?", (id_,)
            ).fetchone()
            if state == "refused":
                refused.append(Refused(attempt_id=id_, cause=cause, retry=bool(retry)))
            else:
                placed.append(id_)
        return Dialed(placed=placed, refused=refused)
