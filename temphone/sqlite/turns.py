"""A lock that is handed over in the order in which it was asked for."""

import threading
from collections import deque


class Turns:
    """As ``threading.Lock``, but first come, first served: nobody waits while others pass by."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Nobody has it, nobody waits."""
        self._state = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self, timeout_s: float) -> bool:
        """Wait for one's turn; whether it came in time."""
        with self._state:
            if not self._taken:
                self._taken = True
                return True
            called = threading.Lock()
            called.acquire()
            self._waiting.append(called)
        if called.acquire(timeout=timeout_s):
            return True
        with self._state:
            if called in self._waiting:
                self._waiting.remove(called)
                return False
        return True  # called in the very last moment

    def pass_on(self) -> None:
        """End one's turn; the next who waits has it."""
        with self._state:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
