"""When everything is over: nothing is open, and the phones have been quiet for long enough to be believed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.proofs.stage.installation import Installation

QUIET_S = 12.0  # what was claimed may ring for 10 s after: who is silent for longer stays so
A_MOMENT_S = 2.0  # of a small run


@dataclass(kw_only=True)
class Quiet:
    """Watches an installation. ``is_open``: whether its tables still have something to come."""

    installation: Installation
    is_open: Callable[[], bool]
    quiet_s: float
    _heard: int = -1
    _since: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        """Whether no call, message or attempt is open any more, and nothing has rung for so long."""
        heard = self.installation.heard_bytes
        if heard != self._heard or self.is_open() or self.installation.unfinished():
            self._heard, self._since = heard, time.monotonic()
            return False
        return time.monotonic() > self._since + self.quiet_s

    def comes(self, within_s: float, meanwhile: Callable[[], object] = lambda: None) -> bool:
        """Wait until it is over, ``meanwhile`` again and again; whether it is, by then."""
        until = time.monotonic() + within_s
        while not (over := self.is_over()) and time.monotonic() < until:
            meanwhile()
            time.sleep(0.2)
        return over
