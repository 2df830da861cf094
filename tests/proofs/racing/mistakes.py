"""The mistakes: of whoever gives an order, and of whoever claims."""

from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from django.db import connection, connections, transaction

from calls.actions import changing
from calls.actions.changes import Changes
from calls.actions.changing import cancel_call
from calls.models import Call
from temphone.accounts.actors import SYSTEM
from tests.builders import NOON
from tests.proofs.stage.crew import here


def naive_cancel(call: Call) -> Call:
    """Reads, then writes whatever happened in between."""
    call = changing.get_call(actor=SYSTEM, call_id=call.pk)
    if call.status != "scheduled":
        return cancel_call(actor=SYSTEM, call_id=call.pk, now=NOON)
    call.status, call.outcome = "canceled", "canceled_by_user"
    call.save(update_fields=["status", "outcome"])
    return call


CANCELS = {"read_then_write_cancel": naive_cancel}


careful_write = Changes._write_calls


def careless_write(self: Changes) -> None:
    """A move that writes the row as it is now, whatever it was when it was read."""
    if "due_at" in self._columns and "status" not in self._columns:
        for pk, read in self._calls.items():
            found = Call.objects.get(pk=pk)
            self._calls[pk] = replace(read, status=found.status, version=found.version)
    careful_write(self)


@contextmanager
def without_transaction():
    """In this thread each statement is a transaction of its own, and locks nothing beyond its end."""
    here.without_transaction = True
    connection.features.has_select_for_update = False
    try:
        yield
    finally:
        here.without_transaction = False
        del connection.features.has_select_for_update


@contextmanager
def transactions_left_out():
    """Let ``without_transaction`` do what it says, for as long as a trial lasts."""
    atomic = transaction.Atomic
    enter, leave = atomic.__enter__, atomic.__exit__
    atomic.__enter__ = lambda self: None if here.without_transaction else enter(self)
    atomic.__exit__ = lambda self, *error: None if here.without_transaction else leave(self, *error)
    try:
        yield
    finally:
        atomic.__enter__, atomic.__exit__ = enter, leave


@contextmanager
def forgetting_to_lock(table: str):
    """In this thread the rows of the table are read and not locked."""
    here.unlocked = table
    try:
        yield
    finally:
        here.unlocked = ""


@contextmanager
def counting_before_locking():
    """In this thread attempts are seen as they were before the claim took its lock."""
    before = connections.create_connection("default")
    before.ensure_connection()
    before.connection.execute("BEGIN")
    before.connection.execute("SELECT 1 FROM calls_attempt").fetchall()  # from here on it sees no change
    here.counting = before
    try:
        yield
    finally:
        here.counting = None
        before.close()


# SQLite has no locks on rows: there, what is missing is the one transaction, or comes before it.
SQLITE = connection.vendor == "sqlite"
NO_LINES_LOCK = counting_before_locking if SQLITE else partial(forgetting_to_lock, "calls_pacing")
