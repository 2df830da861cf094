"""What the kinds of races are made of: sizes, instants, an order against claims, the end of legs."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from threading import Event

from calls.actions.carrier_events import record_carrier_events
from calls.models import Call
from temphone.telephony.messages import EventType, Outcome
from tests.builders import NOON, events_of
from tests.proofs.stage.arena import LEDGER, Answer, Arena
from tests.proofs.stage.crew import Hold, Verb
from tests.proofs.stage.phone import Heard

CREW = 6
BATCH = 20
GROUP = 4
HEAD_START_S = (-0.004, 0.016)  # of the orders; they have more to read before they write
BEFORE = NOON - timedelta(seconds=1)
LATER = NOON + timedelta(hours=1)
SOON = NOON + timedelta(seconds=10)
RETRY = NOON + timedelta(minutes=31)  # the first retry is due after 30
LEASE_OVER = NOON + timedelta(seconds=9)
Kind = Callable[[Arena], int]


def order_against_claims(
    arena: Arena, calls: Sequence[Call], give: Callable[[Call], object], *, once_for: str = "pk"
) -> dict[str, Answer]:
    """Group by group: let the orders and a claim loose together, one of them a moment ahead.

    ``once_for`` names what an order is for, when one is for several calls. In every other round each
    claim is held behind its gates, and the orders are given then.
    """
    groups = [calls[start : start + GROUP] for start in range(0, len(calls), GROUP)]
    for number, group in enumerate(groups):
        for call in group:
            call.due_at = NOON + timedelta(seconds=number)
    Call.objects.bulk_update(calls, ["due_at"])
    hold = Hold(times=len(groups) if arena.chance.random() < 0.5 else 0)
    answers: dict[str, Answer] = {}
    for group in groups:
        subjects = {getattr(call, once_for): call for call in group}
        ahead = arena.chance.uniform(*HEAD_START_S)
        claim = partial(arena.claim, limit=GROUP, moment=group[0].due_at, pause=hold.wait)
        hold.begin()
        orders = arena.orders(list(subjects.values()), give, hold)
        first, second = _later(ahead, claim), _later(-ahead, orders)
        if hold.is_on:
            first, second = hold.first(claim), hold.then(orders)
        _, given = arena.race(first, second)
        answers |= {call.pk: given[subjects[getattr(call, once_for)].pk] for call in group}
    arena.saw(hold)
    return answers


def _later(seconds: float, verb: Verb) -> Verb:
    """The verb, so much later; at once if that is no time."""

    def wait_and_go() -> object:
        Event().wait(max(0, seconds))
        return verb()

    return wait_and_go


def end_legs(arena: Arena, rang: Sequence[Heard], outcome: Outcome) -> None:
    """Those legs end that are up, then the gateway tells all of it."""
    ended = [one.attempt for one in rang if arena.carrier.end(one.attempt)]
    events = [event for each in ended for event in events_of(each, EventType.ACCEPTED, outcome)]
    if events:
        record_carrier_events(ledger=LEDGER, events=events, now=NOON)
