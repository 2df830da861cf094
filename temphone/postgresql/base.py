"""The backend; Django finds it here by this name."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's, but for one question."""

    def is_usable(self) -> bool:
        """Whether the connection works. Django asks before each request's first statement.

        A server that goes away says so, so a socket on which nothing came unasked has one. Only otherwise
        is it worth the round trip that Django makes each time, a fifth of a short request's.
        """
        return self._nothing_came() or super().is_usable()

    def _nothing_came(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)
