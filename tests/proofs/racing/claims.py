"""Claims against one another, and against what the carrier tells."""

from datetime import timedelta

from calls.actions.dialing import record_sighting, take_overdue
from calls.models import Gateway, Pacing
from temphone.telephony.messages import Outcome
from tests.builders import NOON
from tests.proofs.racing.judge import ORDERED, judge_all_rang_once, most_in_a_second
from tests.proofs.racing.orders import cancel
from tests.proofs.racing.rounds import BATCH, GROUP, LEASE_OVER, end_legs
from tests.proofs.stage.arena import CARRIER, Arena
from tests.proofs.stage.crew import Hold
from tests.proofs.stage.phone import most_up, rings


def claimers(arena: Arena) -> int:
    """Workers that want the same calls, each past its gates before either writes, unless a lock holds it."""
    calls = arena.calls(BATCH)
    hold = Hold(times=4)
    limit = arena.chance.choice([3, BATCH])
    arena.race(*[hold.leaving(arena.claimer(limit=limit, pause=hold.meet))] * 2)
    arena.saw(hold)
    judge_all_rang_once(arena, calls)
    return len(calls)


def one_number(arena: Arena) -> int:
    """Several calls to one number: they ring one after the other."""
    calls = arena.calls(BATCH // 3, per_number=3)
    hold = Hold(times=4)
    claimer = arena.claimer(limit=arena.chance.randint(2, 9), pause=hold.meet)
    arena.race(*[hold.leaving(claimer)] * 2)
    arena.saw(hold)
    for _ in range(2):
        end_legs(arena, rings(arena.heard()), Outcome.ANSWERED_HUMAN)
        arena.race(*[arena.claimer(limit=arena.chance.randint(2, 9))] * 2)
    judge_all_rang_once(arena, calls)
    return len(calls)


def lines(arena: Arena) -> int:
    """Workers that want more lines, and more dials a second, than there are."""
    arena.calls(BATCH)
    up, pace = arena.chance.randint(1, 4), arena.chance.randint(1, 4)
    Gateway.objects.update(lines=up)
    Pacing.objects.create(carrier=CARRIER, calls_per_second=pace)
    hold = Hold(times=4)
    moments = [NOON + timedelta(milliseconds=step * 350) for step in range(6)]

    def work() -> None:
        for moment in moments:
            arena.claim(limit=BATCH, moment=moment, pause=hold.meet)

    def end_some() -> None:
        for _ in moments:
            end_legs(arena, rings(arena.heard()), Outcome.ANSWERED_HUMAN)

    arena.race(hold.leaving(work), hold.leaving(work), end_some)
    arena.saw(hold)
    heard = arena.heard()
    if most_up(heard) > up:
        arena.flag(f"{most_up(heard)} legs were up on {up} lines")
    if (most := most_in_a_second([ring.moment for ring in rings(heard)])) > pace:
        arena.flag(f"{most} dials in a second, of {pace} allowed")
    arena.count("rings", len(rings(heard)))
    return 2 * len(moments)


def sightings(arena: Arena) -> int:
    """The carrier's events, against the question for what is not heard of, cancels, and the next claim."""
    calls = arena.calls(BATCH)
    lost = {call.pk for call in arena.chance.sample(calls, BATCH // 2)}
    arena.carrier.loses |= lost
    arena.drain()
    # Told of in any order: in that of the dials, each would be over before the carrier is asked for it.
    at_first = arena.chance.sample(heard := rings(arena.heard()), len(heard))
    canceled = calls[::2]

    def tell() -> None:
        for start in range(0, len(at_first), 2):
            end_legs(arena, at_first[start : start + 2], Outcome.ANSWERED_HUMAN)

    def ask() -> None:
        while attempts := take_overdue(now=LEASE_OVER, limit=4):
            for attempt in attempts:
                found = arena.carrier.find(attempt.pk)
                arena.count(f"found {found}")
                record_sighting(attempt.pk, found, now=LEASE_OVER)

    def dial_again() -> None:
        for _ in range(BATCH // GROUP):
            arena.claim(limit=GROUP, moment=LEASE_OVER)

    answers = arena.race(tell, ask, dial_again, arena.orders(canceled, cancel))[3]
    arena.drain(moment=LEASE_OVER)
    arena.judge_orders(canceled, answers, ORDERED)
    rang, free = arena.rings(), {call.pk for call in calls} - {call.pk for call in canceled}
    for call in calls:
        if len(rang[call.pk]) > 1 or (call.pk in free and not rang[call.pk]):
            arena.flag(
                f"{call.pk} rang {len(rang[call.pk])} times; its first dial was lost: {call.pk in lost}"
            )
    return len(calls)
