"""SQLite's transactions: in the order in which the threads of a process asked for them."""

import threading
import time

import pytest
from django.db import OperationalError

from temphone.lib import environment
from temphone.sqlite import base
from temphone.sqlite.turns import Turns


@pytest.fixture
def a_connection(tmp_path, django_db_blocker):
    """Makes connections of their own to one file, each usable in any thread."""
    made = []
    settings = environment.database(f"sqlite:///{tmp_path / 'turns.sqlite3'}")
    defaults = {"AUTOCOMMIT": True, "CONN_HEALTH_CHECKS": False, "TIME_ZONE": None, "HOST": "", "PORT": ""}

    def make(**options):
        own = {**defaults, **settings, "OPTIONS": {**settings["OPTIONS"], **options}}
        connection = base.DatabaseWrapper(own, alias="turns")
        connection.inc_thread_sharing()
        made.append(connection)
        return connection

    with django_db_blocker.unblock():
        yield make
        for connection in made:
            connection.close()


def begin(connection):
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def end(connection):
    connection.commit()
    connection.set_autocommit(True)


def waiting(connection, order, name):
    """A thread that waits for its turn, and notes that it came."""

    def work():
        begin(connection)
        order.append(name)
        end(connection)

    before = len(base.turns._waiting)
    thread = threading.Thread(target=work)
    thread.start()
    while len(base.turns._waiting) == before:
        time.sleep(0.001)
    return thread


def test_threads_write_in_the_order_in_which_they_asked(a_connection):
    first, order = a_connection(), []
    begin(first)
    threads = [waiting(a_connection(), order, number) for number in range(8)]
    # Whoever comes next time stands behind them, however quick.
    end(first)
    begin(first)
    order.append("first again")
    end(first)
    for thread in threads:
        thread.join(10)
    assert order == [*range(8), "first again"]


def test_who_waits_too_long_is_told_that_it_is_locked(a_connection):
    first = a_connection()
    begin(first)
    with pytest.raises(OperationalError, match="database is locked"):
        begin(a_connection(timeout=0.05))
    end(first)
    begin(a_connection(timeout=0.05))


@pytest.mark.parametrize("way", ["rollback", "close", "a commit that fails"])
def test_the_turn_passes_on_however_the_transaction_ends(a_connection, way, monkeypatch):
    first = a_connection()
    begin(first)
    if way == "a commit that fails":

        def fail(connection):
            raise OperationalError("disk I/O error")

        with monkeypatch.context() as patch:
            patch.setattr(base.base.DatabaseWrapper, "_commit", fail)
            with pytest.raises(OperationalError):
                first.commit()
    first.close() if way == "close" else first.rollback()
    other = a_connection(timeout=0.05)
    begin(other)
    end(other)


def test_the_turn_passes_on_when_another_process_keeps_the_lock(a_connection):
    """Another process has no part in our turns; there SQLite's own wait decides."""
    first = a_connection()
    begin(first)
    first._pass_on()  # as seen from elsewhere
    for _ in range(2):
        with pytest.raises(OperationalError, match="database is locked"):
            begin(a_connection(timeout=0.05))
    assert not base.turns._taken


def test_nobody_is_called_twice_and_none_is_lost():
    turns, held, most, done = Turns(), [], [], []

    def work():
        for _ in range(300):
            if turns.take(0.0005):
                held.append(1)
                most.append(len(held))
                held.pop()
                turns.pass_on()
        done.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 8
    assert max(most) == 1
    assert turns.take(0)
