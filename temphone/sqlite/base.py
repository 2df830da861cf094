"""The backend; Django finds it here by this name."""

import os
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from temphone.sqlite.turns import Turns

# SQLite has one writer at a time, and whoever finds it busy sleeps ever longer and looks again: the threads
# of a busy process overtake one another, and a request in a hundred waits ten times as long as the others.
# Within a process they take turns instead; between processes it is as ever.
turns = Turns()
os.register_at_fork(after_in_child=turns.begin_anew)  # whoever had it is not in the child


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's, but a transaction waits for its turn in the process."""

    has_turn = False

    @property
    def _own(self) -> Any:
        """Django's verbs, which its types do not tell of."""
        return super()

    def _start_transaction_under_autocommit(self) -> None:
        if not turns.take(self.settings_dict["OPTIONS"]["timeout"]):
            raise OperationalError("database is locked")  # as SQLite says it
        self.has_turn = True
        try:
            self._own._start_transaction_under_autocommit()
        except BaseException:
            self._pass_on()
            raise

    def _commit(self) -> None:
        self._own._commit()
        self._pass_on()

    def _rollback(self) -> None:
        try:
            self._own._rollback()
        finally:
            self._pass_on()

    def _close(self) -> None:
        try:
            self._own._close()
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        if self.has_turn:
            self.has_turn = False
            turns.pass_on()
