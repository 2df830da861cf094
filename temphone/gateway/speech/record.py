"""How an engine has fared of late: one failure is an accident, two in a row are a state."""

import time

STEADY_S = 60.0  # what has lasted this long says nothing about before
NO_ACCIDENT = 2


class Record:
    """The failures in a row of one engine."""

    def __init__(self) -> None:
        self._failures = 0
        self._last = ""
        self._at = 0.0

    def worked(self) -> None:
        """It answered."""
        self._failures = 0

    def failed(self, how: str) -> None:
        """It did not; ``how`` is a verb, such as "hangs"."""
        self._failures += 1
        self._last = how
        self._at = time.monotonic()

    def trouble(self) -> str | None:
        """How it fails, or None; after a minute without a failure it may be tried again."""
        recent = time.monotonic() - self._at < STEADY_S
        return self._last if self._failures >= NO_ACCIDENT and recent else None
