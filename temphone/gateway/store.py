"""The ledger's file: SQLite, synchronous to the disk, held by one process."""

import fcntl
import secrets
import sqlite3
import string
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS identity (name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS attempts (
    attempt_id TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('open', 'ended', 'refused')),
    request BLOB,
    cause TEXT NOT NULL DEFAULT '',
    retry INTEGER NOT NULL DEFAULT 0,
    hang_up INTEGER NOT NULL DEFAULT 0,
    changed_at REAL NOT NULL,
    trunk TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS open_attempts ON attempts (state) WHERE state = 'open';
CREATE INDEX IF NOT EXISTS remembered ON attempts (changed_at) WHERE state = 'ended' AND request IS NOT NULL;
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    attempt_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    body BLOB NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    send_after REAL NOT NULL DEFAULT 0,
    UNIQUE (attempt_id, sequence)
);
CREATE INDEX IF NOT EXISTS outbox ON events (send_after, id) WHERE acknowledged = 0;
"""


class InUse(Exception):
    """Another gateway has this ledger."""


class Store:
    """One ledger file, its lock and its identity."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it and its identity where they are missing.

        Raises:
            InUse: another gateway has it.
            OSError, sqlite3.Error: it cannot be opened.
        """
        path = path.resolve()  # one file has one lock, whatever name it is opened by
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = path.with_name(path.name + ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise InUse(str(path)) from error
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(SCHEMA)
        self._complete()
        with self.transaction():
            self.identity = self._identity()

    def close(self) -> None:
        """Close the file and let go of it."""
        self.db.close()
        self._lock.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside becomes durable together, or not at all."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            self.db.rollback()
            raise

    def _complete(self) -> None:
        """Add what a ledger of an earlier version lacks."""
        columns = {name for _, name, *_ in self.db.execute("PRAGMA table_info(attempts)")}
        if "trunk" not in columns:
            self.db.execute("ALTER TABLE attempts ADD COLUMN trunk TEXT NOT NULL DEFAULT ''")

    def _identity(self) -> str:
        row = self.db.execute("SELECT name FROM identity").fetchone()
        if row is None:
            alphabet = string.digits + string.ascii_lowercase
            row = ("gw_" + "".join(secrets.choice(alphabet) for _ in range(12)),)
            self.db.execute("INSERT INTO identity VALUES (?)", row)
        return str(row[0])
