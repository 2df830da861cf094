"""The times of TemPhone in the laboratory: all shorter alike, in their order and proportions.

How much shorter depends on the machine. Where others work too, what is done within a tenth of a second
elsewhere takes a whole one: a gateway whose heartbeat comes too late is not asked to dial, and what is
dialled too late may not ring. Nothing would be wrong with that, and nothing would be tried. So a fixed piece
of work is measured first, and all times are as much longer as it took longer.
"""

import importlib
import os
import time
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Self

from temphone.telephony.adapters.gateway import TIMEOUT_S, GatewayCarrier

FASTER = 10  # a second of TemPhone's is a tenth here
WEBHOOKS_FASTER = 20  # their lease is the longest of all, and nothing else waits for them
BELL_FASTER = 4  # the clock rings again for what it has rung for: no more often than it must
SPEED = 100.0  # how much faster than people the simulated callees speak
# The piece of work: about 0.1 s of one core's time, done by as many processes at once as work on a call.
WORK = 700_000
WORKERS = 3
SOON_ENOUGH_S = 0.3  # two idle cores take half of it; up to that, times need not be longer
SLOWEST = 8.0  # all times are then little shorter than they are

# Whatever says how long something waits for something else; module, name.
SPANS = (
    ("calls.actions.dialing", "NOT_AFTER"),
    ("calls.actions.dialing", "LEASE"),
    ("calls.actions.dialing", "LONG_SILENCE"),
    ("calls.actions.dialing", "ASK_AGAIN"),
    ("calls.actions.hanging_up", "ASK_AGAIN"),
    ("calls.actions.hanging_up", "IN_HAND"),
    ("calls.actions.carrier_events", "SLACK"),
    ("calls.models.carriers", "HEARD_WITHIN"),
    ("calls.tasks", "DRAIN_S"),
    ("temphone.doorbell.models", "UNHEARD"),
    ("temphone.gateway.call", "OPT_OUT_WAIT_S"),
    ("temphone.gateway.callback", "TIMEOUT_S"),
    ("temphone.gateway.heartbeat", "EVERY_S"),
    ("temphone.gateway.outbox", "BACKOFF_S"),
    ("temphone.gateway.outbox", "RESEND_S"),
    ("temphone.gateway.outbox", "PARKED_S"),
    ("temphone.gateway.outbox", "ASIDE_S"),
    ("temphone.gateway.writer", "RETRY_S"),
    ("temphone.webhooks.actions", "LEASE"),
    ("temphone.webhooks.sender", "TIMEOUT_S"),
    ("temphone.webhooks.tasks", "CLAIMS_FOR"),
    ("temphone.webhooks.tasks", "LOOK_AGAIN_S"),
)
# Half an hour and more: a tenth would still be too long.
RETRY_WAIT = timedelta(seconds=0.5)
DELIVERY_WAIT = timedelta(seconds=0.3)
FREEZE_S = (0.9, 1.6)  # past the dial's lease of 0.8 s, mostly past its last instant too
LOCK_WAIT_S = 60  # SQLite's write lock may be in frozen hands, and then in the next ones

Span = float | timedelta | tuple["Span", ...]


def slowness() -> float:
    """How much longer all must take here and now. It forks, so nothing may be open yet."""
    began = time.monotonic()
    for child in [_at_work() for _ in range(WORKERS)]:
        os.waitpid(child, 0)
    return min(max(1.0, (time.monotonic() - began) / SOON_ENOUGH_S), SLOWEST)


def _at_work() -> int:
    """A process that does the piece of work and ends."""
    child = os.fork()
    if not child:
        counts: dict[str, int] = {}
        for number in range(WORK):
            word = str(number % 1000)
            counts[word] = counts.get(word, 0) + len(word)
        os._exit(0)
    return child


def shorten(slower: float) -> None:
    """Make all times of the loaded TemPhone shorter; call it once in a process."""
    for module_name, name in SPANS:
        module = importlib.import_module(module_name)
        faster = WEBHOOKS_FASTER if module_name.startswith("temphone.webhooks") else FASTER
        setattr(module, name, _shorter(getattr(module, name), faster / slower))
    _shorten_what_has_no_name(slower)


def _shorten_what_has_no_name(slower: float) -> None:
    from calls.actions import finishing
    from temphone.management.commands import clock
    from temphone.webhooks import actions
    from temphone.webhooks.models import Drain

    clock.AGAIN /= max(1.0, BELL_FASTER / slower)
    clock.SOON *= slower / FASTER
    clock.LATER *= slower / FASTER
    finishing.RETRY_WAITS = (RETRY_WAIT * slower,) * len(finishing.RETRY_WAITS)
    actions.WAITS = (actions.WAITS[0], *(DELIVERY_WAIT * slower,) * (len(actions.WAITS) - 1))
    Drain.BELIEVED_FOR *= slower / WEBHOOKS_FASTER
    GatewayCarrier.__init__.__kwdefaults__["timeout_s"] = TIMEOUT_S * slower / FASTER


def _shorter(span: Span, faster: float) -> Span:
    if isinstance(span, tuple):
        return tuple(_shorter(part, faster) for part in span)
    return span / faster


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long the driver waits, in real seconds where the machine is quick enough."""

    stuck_s: float = 20.0  # nothing has moved for so long: what is not over is lost
    lost_s: float = 8.0  # the same, where a mistake is known to lose: more than the longest silence, no more
    quiet_s: float = 0.2  # nothing has moved for so long and nothing is left: all is over
    rest_s: float = 0.4  # after a freeze, so that its locks go round
    missed_s: float = 0.5  # a trap in a phase in which nobody has been is set elsewhere
    patience_s: float = 1.2  # and one where somebody has been, only after this

    def times(self, slower: float) -> Self:
        """As long as that on a slower machine."""
        return replace(self, **{each.name: getattr(self, each.name) * slower for each in fields(self)})
