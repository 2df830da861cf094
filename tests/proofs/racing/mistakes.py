"""The mistakes: of whoever gives an order, and of whoever claims."""

import itertools
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from unittest import mock

from django.db import connection, connections, transaction
from django.db.models import UniqueConstraint

from calls.actions import changing, destinations, dialing, finishing, scheduling, suppression
from calls.actions.changes import Changes
from calls.actions.changing import cancel_call
from calls.models import Attempt, Call
from contacts.actions import people
from temphone import rows
from temphone.accounts.actors import SYSTEM
from temphone.telephony.messages import Sighting
from tests.builders import NOON
from tests.proofs.racing import doors
from tests.proofs.stage.crew import here
from tests.proofs.stage.slate import wipe


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
def forgetting_to_lock(*tables: str):
    """In this thread the rows of these tables are read and not locked."""
    here.unlocked = tables
    try:
        yield
    finally:
        here.unlocked = ()


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


@contextmanager
def without_uniqueness():
    """A call and a number may have several live attempts, if who writes them takes no care."""
    unique = [
        one
        for one in Attempt._meta.constraints
        if isinstance(one, UniqueConstraint) and one.condition is not None
    ]
    with connection.schema_editor() as editor:
        for one in unique:
            editor.remove_constraint(Attempt, one)
    try:
        yield
    finally:
        wipe()
        with connection.schema_editor() as editor:
            for one in unique:
                editor.add_constraint(Attempt, one)


@contextmanager
def claims_on_trust():
    """Claims write what they decided, whatever has become of the call since, as an attempt of any number."""

    def write(self: Changes) -> None:
        columns = sorted(self._columns)
        values = [(pk, *(getattr(read.call, name) for name in columns)) for pk, read in self._calls.items()]
        rows.update(Call, matching=["id"], setting=columns, rows=values)

    tries = itertools.count(1)
    numbered = mock.patch.object(
        dialing, "_attempts_made", lambda calls: {one.pk: next(tries) for one in calls}
    )
    with without_uniqueness(), numbered, mock.patch.object(Changes, "_write_calls", write):
        yield


@contextmanager
def opt_outs_that_let_ring():
    """What rings already, or is about to, rings on."""
    with mock.patch.object(suppression, "_hang_up_ringing"):
        yield


@contextmanager
def narrowed_at_once():
    """Whoever says where calls may go does not wait for the claim that is under way."""
    with mock.patch.object(destinations, "hold_claims"):
        yield


@contextmanager
def revoked_at_once():
    """Whoever revokes a consent does not wait for the claim that is under way."""
    with mock.patch.object(people, "_hold_claims_of"):
        yield


@contextmanager
def opt_outs_left_to_the_gate():
    """An opt-out cancels nothing: the gate will see it."""
    with mock.patch.object(suppression, "_cancel_scheduled", return_value=0):
        yield


@contextmanager
def retries_after_the_cancel():
    """What nobody answered is tried again, although it was to be hung up."""

    def outcome(call, ending):
        call.hang_up_requested_at = None
        return ending.outcome

    with mock.patch.object(finishing, "_for_staff", outcome):
        yield


@contextmanager
def redials_on_a_guess():
    """What is not known to be over never rang."""
    apply = dialing._apply_sighting

    def guess(changes, attempt, sighting):
        apply(changes, attempt, sighting if sighting == Sighting.ENDED else Sighting.NEVER)

    with mock.patch.object(dialing, "_apply_sighting", guess):
        yield


@contextmanager
def posts_without_transaction():
    """Who schedules a call has not locked whom it is for."""
    schedule = doors.post

    def post(contact, key=None):
        with without_transaction():
            return schedule(contact, key)

    with mock.patch.object(doors, "post", post):
        yield


@contextmanager
def keys_kept_afterwards():
    """The key of a request is kept when the call is there, and nobody minds if there is one by then."""
    make = scheduling._schedule

    def schedule(actor, mode, request, now, idempotency=None):
        made = make(actor, mode, request, now)
        if idempotency:
            kept = scheduling.answer_to_keep(actor, idempotency, target=made.call.pk, data=made.data, now=now)
            type(kept).objects.bulk_create([kept], ignore_conflicts=True)
        return made

    with mock.patch.object(scheduling, "_schedule", schedule):
        yield


# SQLite has no locks on rows: there, what is missing is the one transaction, or comes before it.
SQLITE = connection.vendor == "sqlite"
NO_LINES_LOCK = counting_before_locking if SQLITE else partial(forgetting_to_lock, "calls_pacing")
