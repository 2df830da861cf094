"""Orders against claims: a cancel, a move, an opt-out, a pause, a stop, a revocation, fewer destinations."""

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import partial

from django.conf import settings
from django.test import override_settings

from calls.actions import changing
from calls.actions.changing import cancel_call, update_call
from calls.actions.destinations import set_destinations
from calls.actions.hanging_up import take_hang_ups
from calls.actions.stop import set_stop_switch
from calls.actions.suppression import suppress
from calls.models import Call
from campaigns.actions import pause_campaign
from contacts.actions import revoke_consent
from contacts.models import Consent
from temphone.accounts.actors import SYSTEM
from temphone.telephony.messages import Outcome
from tests.builders import NOON, a_campaign
from tests.proofs.racing.judge import ORDERED, judge_cancels, judge_moves
from tests.proofs.racing.mistakes import CANCELS
from tests.proofs.racing.rounds import (
    BATCH,
    BEFORE,
    CREW,
    GROUP,
    LATER,
    RETRY,
    SOON,
    end_legs,
    order_against_claims,
)
from tests.proofs.stage.arena import Answer, Arena, answer
from tests.proofs.stage.crew import Gate, Verb, here
from tests.proofs.stage.phone import rings

AGAIN = 2  # an order that is for all calls is given so often in a round


def cancel(call: Call) -> Call:
    return cancel_call(actor=SYSTEM, call_id=call.pk, now=NOON)


def move(call: Call) -> None:
    changes = {"scheduled_at": LATER.isoformat()}
    update_call(actor=SYSTEM, call_id=call.pk, changes=changes, now=BEFORE)


def opt_out(call: Call) -> object:
    suppress(actor=SYSTEM, number=call.contact.phone, now=NOON)


def cancels(arena: Arena) -> int:
    """Against a cancel: answered 200, the call is silent; else it rings once."""
    calls = arena.calls(BATCH)
    answers = order_against_claims(arena, calls, cancel)
    arena.drain(moment=SOON)  # what nobody keeps from ringing rings now
    judge_cancels(arena, calls, answers)
    return len(calls)


def moves(arena: Arena) -> int:
    """Against a move: answered 200, the call is silent at the old time; else it rings once."""
    calls = arena.calls(BATCH)
    answers = order_against_claims(arena, calls, move)
    arena.drain(moment=SOON)
    judge_moves(arena, calls, answers)
    return len(calls)


def there_and_back(arena: Arena) -> int:
    """A cancel or a move that was decided before the call was taken and given back: scheduled as before."""
    calls = arena.calls(CREW - 1)
    arena.carrier.declines |= {call.pk for call in calls}
    canceled, moved = calls[::2], calls[1::2]
    read, back = Gate(len(calls)), Gate()

    def decide(give: Callable[[Call], object], call: Call) -> dict[str, Answer]:
        _after_reading(lambda: (read.arrive(), back.wait()))
        return {call.pk: answer(lambda: give(call))}

    away_again = arena.chance.random() < 0.5

    def there_and_back_again() -> None:
        read.wait()
        arena.claim(limit=len(calls))
        if away_again:
            arena.claimer(limit=len(calls))()
        back.arrive()
        arena.claimer(limit=2)()

    verbs = [partial(decide, partial(_give, arena), call) for call in canceled]
    verbs += [partial(decide, move, call) for call in moved]
    with _reading_held():
        answers = _merged(arena.race(there_and_back_again, *verbs)[1:])
    arena.drain()
    judge_cancels(arena, canceled, answers)
    judge_moves(arena, moved, answers)
    return len(calls)


def opt_outs(arena: Arena) -> int:
    """Against an opt-out: nothing is decided to ring after it, and what rings is hung up."""
    calls = arena.calls(BATCH)
    answers = order_against_claims(arena, calls, opt_out)
    arena.judge_orders(calls, answers, ORDERED)
    told = {attempt.pk for attempt in take_hang_ups(now=NOON)}
    for ring in rings(arena.heard()):
        if ring.attempt not in told:
            arena.flag(f"{ring.call} rings on after the opt-out")
    return len(calls)


def prefix_opt_outs(arena: Arena) -> int:
    """Against an opt-out of all numbers with a beginning, one at a time."""
    calls = arena.calls(BATCH // 2)

    def forbid(call: Call) -> None:
        suppress(actor=SYSTEM, number=call.contact.phone, is_prefix=True, now=NOON)

    answers = order_against_claims(arena, calls, forbid)
    arena.judge_orders(calls, answers, ORDERED)
    return len(calls)


def pauses(arena: Arena) -> int:
    """Against pauses of campaigns: nothing is decided to ring after the answer."""
    calls = [call for _ in range(BATCH // 4) for call in arena.calls(2, campaign=a_campaign())]

    def pause(call: Call) -> None:
        pause_campaign(actor=SYSTEM, campaign_id=call.campaign_id, now=NOON)

    answers = order_against_claims(arena, calls, pause, once_for="campaign_id")
    arena.judge_orders(calls, answers, ORDERED)
    return len(calls) // 2


def stops(arena: Arena) -> int:
    """Against the stop switch: nothing is decided to ring after the answer."""
    calls = arena.calls(4)

    def stop(_call: Call) -> None:
        set_stop_switch(actor=SYSTEM, on=True, now=NOON)

    answers = order_against_claims(arena, calls, stop, once_for="mode")
    arena.judge_orders(calls, answers, ORDERED)
    return 1


def narrowings(arena: Arena) -> int:
    """Against a change of where calls may go: nothing is decided to ring elsewhere after the answer."""
    with arena.live():
        for _ in range(AGAIN):
            set_destinations(actor=SYSTEM, countries=[], kinds=[], now=NOON)
            calls = arena.calls(GROUP)

            def narrow(_call: Call) -> None:
                set_destinations(actor=SYSTEM, countries=["ES"], kinds=[], now=NOON)

            answers = order_against_claims(arena, calls, narrow, once_for="mode")
            arena.drain()  # what has not rung by then must not
            arena.judge_orders(calls, answers, ORDERED)
    return AGAIN


def revocations(arena: Arena) -> int:
    """Against the revocation of the consent that the call needs."""
    calls = arena.calls(BATCH)
    consents = Consent.objects.bulk_create(
        Consent(
            contact=call.contact,
            phone=call.contact.phone,
            purpose="informational",
            kind="express",
            source="form",
            captured_at=BEFORE,
        )
        for call in calls
    )
    of_call = {call.pk: consent.pk for call, consent in zip(calls, consents, strict=True)}

    def revoke(call: Call) -> None:
        revoke_consent(actor=SYSTEM, consent_id=of_call[call.pk], how="letter", now=NOON)

    policies = {**settings.POLICIES, "test": {**settings.POLICIES["test"], "consent": "require"}}
    with override_settings(POLICIES=policies):
        answers = order_against_claims(arena, calls, revoke)
    arena.judge_orders(calls, answers, ORDERED)
    return len(calls)


def hang_ups(arena: Arena) -> int:
    """A cancel of what rings, against its end that would be tried again, and the worker that would."""
    calls = arena.calls(BATCH)
    arena.drain()
    # They end in any order: in that of the orders, each would be over before somebody cancels it.
    rang = arena.chance.sample(heard := rings(arena.heard()), len(heard))

    def end_all() -> None:
        for start in range(0, len(rang), GROUP):
            end_legs(arena, rang[start : start + GROUP], Outcome.NO_ANSWER)

    def retry() -> None:
        for _ in range(BATCH // GROUP):
            arena.claim(limit=GROUP, moment=RETRY)

    _, _, answers = arena.race(end_all, retry, arena.orders(calls, cancel))
    arena.drain(moment=RETRY)
    arena.judge_orders(calls, answers, ORDERED)
    return len(calls)


def _give(arena: Arena, call: Call) -> object:
    """The cancel, or what a broken variant has in its place."""
    return (CANCELS.get(arena.mistake.name) or cancel)(call)


def _merged(answers: Sequence[dict[str, Answer]]) -> dict[str, Answer]:
    return {call: given for each in answers for call, given in each.items()}


@contextmanager
def _reading_held():
    """Let whoever decides on a call wait once it has read it, as ``_after_reading`` says."""
    read = changing.get_call

    def get_call(**named):
        call = read(**named)
        pause, here.after_reading = here.after_reading, None
        if pause:
            pause()
        return call

    changing.get_call = get_call
    try:
        yield
    finally:
        changing.get_call = read


def _after_reading(pause: Verb) -> None:
    here.after_reading = pause
