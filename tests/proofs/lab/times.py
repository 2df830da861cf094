"""The times of TemPhone in the laboratory: all shorter alike, in their order and proportions."""

import importlib
from dataclasses import dataclass
from datetime import timedelta

from temphone.telephony.adapters.gateway import TIMEOUT_S, GatewayCarrier

FASTER = 10  # a second of TemPhone's is a tenth here
WEBHOOKS_FASTER = 20  # their lease is the longest of all, and nothing else waits for them
BELL_FASTER = 4  # the clock rings again for what it has rung for: no more often than it must
SPEED = 100.0  # how much faster than people the simulated callees speak

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


def shorten() -> None:
    """Make all times of the loaded TemPhone shorter; call it once in a process."""
    for module_name, name in SPANS:
        module = importlib.import_module(module_name)
        faster = WEBHOOKS_FASTER if module_name.startswith("temphone.webhooks") else FASTER
        setattr(module, name, _shorter(getattr(module, name), faster))
    _shorten_what_has_no_name()


def _shorten_what_has_no_name() -> None:
    from calls.actions import finishing
    from temphone.management.commands import clock
    from temphone.webhooks import actions
    from temphone.webhooks.models import Drain

    clock.AGAIN /= BELL_FASTER
    clock.SOON /= FASTER
    clock.LATER /= FASTER
    finishing.RETRY_WAITS = (RETRY_WAIT,) * len(finishing.RETRY_WAITS)
    actions.WAITS = (actions.WAITS[0], *(DELIVERY_WAIT,) * (len(actions.WAITS) - 1))
    Drain.BELIEVED_FOR /= WEBHOOKS_FASTER
    GatewayCarrier.__init__.__kwdefaults__["timeout_s"] = TIMEOUT_S / FASTER


def _shorter(span: Span, faster: int) -> Span:
    if isinstance(span, tuple):
        return tuple(_shorter(part, faster) for part in span)
    return span / faster


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long the driver waits, in real seconds."""

    stuck_s: float = 20.0  # nothing has moved for so long: what is not over is lost
    quiet_s: float = 0.2  # nothing has moved for so long and nothing is left: all is over
    rest_s: float = 0.4  # after a freeze, so that its locks go round
    missed_s: float = 0.5  # a trap in a phase in which nobody has been is set elsewhere
    patience_s: float = 1.2  # and one where somebody has been, only after this
