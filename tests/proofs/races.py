"""Two at once, 100,000 times: whoever's answer was given holds. Real commits, real threads.

A race is one order (or one call, where several workers want it) against the workers that claim at the same
time. Many are run in a round, one after the other in the order in which they are claimed. In every other
round the claim is held behind its gates until an order has been answered, or is seen to wait for a lock.
"""

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Event

from django.conf import settings
from django.db import connection, connections, transaction
from django.test import override_settings

from calls.actions import changing
from calls.actions.carrier_events import record_carrier_events
from calls.actions.changes import Changes
from calls.actions.changing import cancel_call, update_call
from calls.actions.dialing import record_sighting, take_overdue
from calls.actions.hanging_up import take_hang_ups
from calls.actions.idempotency import Idempotency
from calls.actions.scheduling import schedule_call
from calls.actions.stop import set_stop_switch
from calls.actions.suppression import suppress
from calls.models import Call, Gateway, Pacing
from campaigns.actions import pause_campaign
from contacts.actions import erase_contact, revoke_consent
from contacts.models import Consent
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.telephony.messages import EventType, Outcome
from tests.builders import NOON, a_campaign, a_request, events_of
from tests.proofs.battery import Broken, Proof, Run, Tally, Trial
from tests.proofs.stage.arena import CARRIER, LEDGER, Answer, Arena, Mistake, answer
from tests.proofs.stage.crew import Crew, Gate, Hold, Verb, here
from tests.proofs.stage.phone import Heard, most_up, rings
from tests.proofs.stage.slate import wipe

CREW = 6
BATCH = 20
GROUP = 4
HEAD_START_S = (-0.004, 0.016)  # of the orders; they have more to read before they write
BEFORE = NOON - timedelta(seconds=1)
LATER = NOON + timedelta(hours=1)
SOON = NOON + timedelta(seconds=10)
RETRY = NOON + timedelta(minutes=31)  # the first retry is due after 30
LEASE_OVER = NOON + timedelta(seconds=9)
ORDERED = ("canceled", "in_progress", "done")  # what an accepted order says
Kind = Callable[[Arena], int]


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
    answers = _order_against_claims(arena, calls, cancel)
    arena.drain(moment=SOON)  # what nobody keeps from ringing rings now
    _judge_cancels(arena, calls, answers)
    return len(calls)


def moves(arena: Arena) -> int:
    """Against a move: answered 200, the call is silent at the old time; else it rings once."""
    calls = arena.calls(BATCH)
    answers = _order_against_claims(arena, calls, move)
    arena.drain(moment=SOON)
    _judge_moves(arena, calls, answers)
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
    _judge_cancels(arena, canceled, answers)
    _judge_moves(arena, moved, answers)
    return len(calls)


def opt_outs(arena: Arena) -> int:
    """Against an opt-out: nothing is decided to ring after it, and what rings is hung up."""
    calls = arena.calls(BATCH)
    answers = _order_against_claims(arena, calls, opt_out)
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

    answers = _order_against_claims(arena, calls, forbid)
    arena.judge_orders(calls, answers, ORDERED)
    return len(calls)


def pauses(arena: Arena) -> int:
    """Against pauses of campaigns: nothing is decided to ring after the answer."""
    calls = [call for _ in range(BATCH // 4) for call in arena.calls(2, campaign=a_campaign())]

    def pause(call: Call) -> None:
        pause_campaign(actor=SYSTEM, campaign_id=call.campaign_id, now=NOON)

    answers = _order_against_claims(arena, calls, pause, once_for="campaign_id")
    arena.judge_orders(calls, answers, ORDERED)
    return len(calls) // 2


def stops(arena: Arena) -> int:
    """Against the stop switch: nothing is decided to ring after the answer."""
    calls = arena.calls(4)

    def stop(_call: Call) -> None:
        set_stop_switch(actor=SYSTEM, on=True, now=NOON)

    answers = _order_against_claims(arena, calls, stop, once_for="mode")
    arena.judge_orders(calls, answers, ORDERED)
    return 1


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
        answers = _order_against_claims(arena, calls, revoke)
    arena.judge_orders(calls, answers, ORDERED)
    return len(calls)


def hang_ups(arena: Arena) -> int:
    """A cancel of what rings, against its end that would be tried again, and the worker that would."""
    calls = arena.calls(BATCH)
    arena.drain()

    def end_all() -> None:
        rang = rings(arena.heard())
        for start in range(0, len(rang), GROUP):
            _end(arena, rang[start : start + GROUP], Outcome.NO_ANSWER)

    def retry() -> None:
        for _ in range(BATCH // GROUP):
            arena.claim(limit=GROUP, moment=RETRY)

    _, _, answers = arena.race(end_all, retry, arena.orders(calls, cancel))
    arena.drain(moment=RETRY)
    arena.judge_orders(calls, answers, ORDERED)
    return len(calls)


def erasures(arena: Arena) -> int:
    """An erasure against a call that is being scheduled: one of them wins."""
    people = [call.contact for call in arena.calls(BATCH // 2, status="canceled", outcome="canceled_by_user")]

    def post() -> list[str]:
        return [answer(lambda one=one: _schedule(one).call).said for one in people]

    def erase() -> list[str]:
        return [
            answer(lambda one=one: erase_contact(actor=SYSTEM, contact_id=one.pk, now=BEFORE)).said
            for one in people
        ]

    posted, erased = arena.race(post, erase)
    arena.drain()
    rang = {ring.number for ring in rings(arena.heard())}
    for one, scheduled, gone in zip(people, posted, erased, strict=True):
        arena.count(f"post {scheduled}, erasure {gone}")
        if (scheduled == "scheduled") == (gone == "done") or (one.phone in rang) == (gone == "done"):
            arena.flag(f"post {scheduled}, erasure {gone}, rang: {one.phone in rang}")
    return len(people)


def repeats(arena: Arena) -> int:
    """A request that is repeated at once with its key makes one call, and one ring."""
    people = [call.contact for call in arena.calls(BATCH // 2, status="canceled", outcome="canceled_by_user")]

    def post() -> list[str]:
        keys = [Idempotency(key=one.pk, fingerprint="a" * 64) for one in people]
        return [str(_schedule(one, key).data["call_id"]) for one, key in zip(people, keys, strict=True)]

    answers = arena.race(post, post, post)
    arena.drain()
    heard = [ring.number for ring in rings(arena.heard())]
    made = Call.objects.filter(contact__in=people).exclude(status="canceled").count()
    if len({tuple(given) for given in answers}) != 1 or made != len(people):
        arena.flag("one key made several calls", answers=answers)
    if sorted(heard) != sorted(one.phone for one in people):
        arena.flag("not every accepted call rang once")
    return len(people)


def claimers(arena: Arena) -> int:
    """Workers that want the same calls, each past its gates before either writes, unless a lock holds it."""
    calls = arena.calls(BATCH)
    hold = Hold(times=4)
    limit = arena.chance.choice([3, BATCH])
    arena.race(*[arena.claimer(limit=limit, pause=hold.meet)] * 2)
    arena.saw(hold)
    _judge_all_rang_once(arena, calls)
    return len(calls)


def one_number(arena: Arena) -> int:
    """Several calls to one number: they ring one after the other."""
    calls = arena.calls(BATCH // 3, per_number=3)
    hold = Hold(times=4)
    arena.race(*[arena.claimer(limit=arena.chance.randint(2, 9), pause=hold.meet)] * 2)
    arena.saw(hold)
    for _ in range(2):
        _end(arena, rings(arena.heard()), Outcome.ANSWERED_HUMAN)
        arena.race(*[arena.claimer(limit=arena.chance.randint(2, 9))] * 2)
    _judge_all_rang_once(arena, calls)
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
            _end(arena, rings(arena.heard()), Outcome.ANSWERED_HUMAN)

    arena.race(work, work, end_some)
    arena.saw(hold)
    heard = arena.heard()
    if most_up(heard) > up:
        arena.flag(f"{most_up(heard)} legs were up on {up} lines")
    if (most := _most_in_a_second([ring.moment for ring in rings(heard)])) > pace:
        arena.flag(f"{most} dials in a second, of {pace} allowed")
    arena.count("rings", len(rings(heard)))
    return 2 * len(moments)


def sightings(arena: Arena) -> int:
    """The carrier's events, against the question for what is not heard of, cancels, and the next claim."""
    calls = arena.calls(BATCH)
    lost = {call.pk for call in arena.chance.sample(calls, BATCH // 2)}
    arena.carrier.loses |= lost
    arena.drain()
    at_first = list(rings(arena.heard()))
    canceled = calls[::2]

    def tell() -> None:
        for start in range(0, len(at_first), 2):
            _end(arena, at_first[start : start + 2], Outcome.ANSWERED_HUMAN)

    def ask() -> None:
        while attempts := take_overdue(now=LEASE_OVER, limit=4):
            for attempt in attempts:
                record_sighting(attempt.pk, arena.carrier.find(attempt.pk), now=LEASE_OVER)

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


KINDS: tuple[Kind, ...] = (
    cancels,
    moves,
    there_and_back,
    opt_outs,
    prefix_opt_outs,
    pauses,
    stops,
    revocations,
    hang_ups,
    erasures,
    repeats,
    claimers,
    one_number,
    lines,
    sightings,
)


def _give(arena: Arena, call: Call) -> object:
    """The cancel, or what a broken variant has in its place."""
    return (CANCELS.get(arena.mistake.name) or cancel)(call)


def _order_against_claims(
    arena: Arena, calls: Sequence[Call], give: Callable[[Call], object], *, once_for: str = "pk"
) -> dict[str, Answer]:
    """Group by group: let the orders and a claim loose together, one of them a moment ahead.

    ``once_for`` names what an order is for, when one is for several calls. In every other round each
    claim is held behind its gates.
    """
    groups = [calls[start : start + GROUP] for start in range(0, len(calls), GROUP)]
    for second, group in enumerate(groups):
        for call in group:
            call.due_at = NOON + timedelta(seconds=second)
    Call.objects.bulk_update(calls, ["due_at"])
    hold = Hold(times=len(groups) if arena.chance.random() < 0.5 else 0)
    answers: dict[str, Answer] = {}
    for group in groups:
        subjects = {getattr(call, once_for): call for call in group}
        ahead = arena.chance.uniform(*HEAD_START_S)
        claim = partial(arena.claim, limit=GROUP, moment=group[0].due_at, pause=hold.wait)
        orders = arena.orders(list(subjects.values()), give, hold)
        _, given = arena.race(_later(ahead, claim), _later(-ahead, orders))
        answers |= {call.pk: given[subjects[getattr(call, once_for)].pk] for call in group}
    arena.saw(hold)
    return answers


def _later(seconds: float, verb: Verb) -> Verb:
    """The verb, so much later; at once if that is no time."""

    def wait_and_go() -> object:
        Event().wait(max(0, seconds))
        return verb()

    return wait_and_go


def _end(arena: Arena, rang: Sequence[Heard], outcome: Outcome) -> None:
    """Those legs end that are up, then the gateway tells all of it."""
    ended = [one.attempt for one in rang if arena.carrier.end(one.attempt)]
    events = [event for each in ended for event in events_of(each, EventType.ACCEPTED, outcome)]
    if events:
        record_carrier_events(ledger=LEDGER, events=events, now=NOON)


def _schedule(contact, key: Idempotency | None = None):
    request = a_request(contact, initial_message="Hi.")
    now = NOON - timedelta(minutes=30)
    return schedule_call(actor=SYSTEM, mode=Mode.TEST, request=request, now=now, idempotency=key)


def _judge_cancels(arena: Arena, calls: Sequence[Call], answers: dict[str, Answer]) -> None:
    arena.judge_orders(calls, answers, ORDERED)
    rang = arena.rings()
    for call in calls:
        said = answers[call.pk].said
        if len(rang[call.pk]) != (0 if said == "canceled" else 1):
            arena.flag(f"{call.pk}: the cancel said {said}, it rang {len(rang[call.pk])} times")


def _judge_moves(arena: Arena, calls: Sequence[Call], answers: dict[str, Answer]) -> None:
    rang = arena.rings()
    for call in calls:
        said = answers[call.pk].said
        arena.count(f"move {said}")
        if len(rang[call.pk]) != (0 if said == "done" else 1):
            arena.flag(f"{call.pk}: the move said {said}, it rang {len(rang[call.pk])} times at the old time")


def _judge_all_rang_once(arena: Arena, calls: Sequence[Call]) -> None:
    rang = arena.rings()
    for call in calls:
        if len(rang[call.pk]) != 1:
            arena.flag(f"{call.pk} rang {len(rang[call.pk])} times")


def _most_in_a_second(moments: Sequence[datetime]) -> int:
    second = timedelta(seconds=1)
    return max((sum(one <= other < one + second for other in moments) for one in moments), default=0)


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


def run(trial: Trial, *, mistake: Mistake | None = None, kinds: Sequence[Kind] = KINDS) -> Tally:
    """Run the kinds in turn, until there were enough races; a broken variant, until it is seen."""
    with Crew(CREW) as crew:
        arena = Arena(trial=trial, crew=crew, mistake=mistake or Mistake())
        tally = arena.tally
        while tally.cases < trial.cases and not (mistake and tally.flagged):
            for kind in kinds:
                arena.begin(kind.__name__)
                count = kind(arena)
                arena.judge_always()
                tally.cases += count
                tally.counts[f"{arena.kind}: races"] += count
        wipe()
    return tally


# The mistakes.


def naive_cancel(call: Call) -> Call:
    """Reads, then writes whatever happened in between."""
    call = changing.get_call(actor=SYSTEM, call_id=call.pk)
    if call.status != "scheduled":
        return cancel_call(actor=SYSTEM, call_id=call.pk, now=NOON)
    call.status, call.outcome = "canceled", "canceled_by_user"
    call.save(update_fields=["status", "outcome"])
    return call


CANCELS = {"read_then_write_cancel": naive_cancel}


careful_write = Changes._write_calls


def careless_write(self: Changes) -> None:
    """A move that writes the row as it is now, whatever it was when it was read."""
    if "due_at" in self._columns and "status" not in self._columns:
        for pk, read in self._calls.items():
            found = Call.objects.get(pk=pk)
            self._calls[pk] = replace(read, status=found.status, version=found.version)
    careful_write(self)


@contextmanager
def without_transaction():
    """In this thread each statement is a transaction of its own, and locks nothing beyond its end."""
    here.without_transaction = True
    connection.features.has_select_for_update = False
    try:
        yield
    finally:
        here.without_transaction = False
        del connection.features.has_select_for_update


@contextmanager
def transactions_left_out():
    """Let ``without_transaction`` do what it says, for as long as a trial lasts."""
    atomic = transaction.Atomic
    enter, leave = atomic.__enter__, atomic.__exit__
    atomic.__enter__ = lambda self: None if here.without_transaction else enter(self)
    atomic.__exit__ = lambda self, *error: None if here.without_transaction else leave(self, *error)
    try:
        yield
    finally:
        atomic.__enter__, atomic.__exit__ = enter, leave


@contextmanager
def forgetting_to_lock(table: str):
    """In this thread the rows of the table are read and not locked."""
    here.unlocked = table
    try:
        yield
    finally:
        here.unlocked = ""


@contextmanager
def counting_before_locking():
    """In this thread attempts are seen as they were before the claim took its lock."""
    before = connections.create_connection("default")
    before.ensure_connection()
    before.connection.execute("BEGIN")
    before.connection.execute("SELECT 1 FROM calls_attempt").fetchall()  # from here on it sees no change
    here.counting = before
    try:
        yield
    finally:
        here.counting = None
        before.close()


# SQLite has no locks on rows: there, what is missing is the one transaction, or comes before it.
SQLITE = connection.vendor == "sqlite"
NO_LINES_LOCK = counting_before_locking if SQLITE else partial(forgetting_to_lock, "calls_pacing")


def read_then_write_cancel(trial: Trial) -> Tally:
    return run(trial, mistake=Mistake(name="read_then_write_cancel"), kinds=[there_and_back])


def update_without_version(trial: Trial) -> Tally:
    Changes._write_calls = careless_write
    try:
        return run(trial, mistake=Mistake(name="update_without_version"), kinds=[there_and_back])
    finally:
        Changes._write_calls = careful_write


def _broken(name: str, claiming: Callable[[], object], *kinds: Kind) -> Run:
    def run_broken(trial: Trial) -> Tally:
        with transactions_left_out():
            return run(trial, mistake=Mistake(name=name, claiming=claiming), kinds=kinds)

    return run_broken


BROKEN = {
    "read_then_write_cancel": Broken(run=read_then_write_cancel, seen_by="the cancel said canceled, it rang"),
    "update_without_version": Broken(run=update_without_version, seen_by="the move said done, it rang"),
    "gate_outside_transaction": Broken(
        run=_broken("gate_outside_transaction", without_transaction, stops, pauses),
        seen_by="was decided to ring after",
    ),
    "lines_counted_without_lock": Broken(
        run=_broken("lines_counted_without_lock", NO_LINES_LOCK, lines),
        seen_by="legs were up on|dials in a second",
    ),
    # On SQLite it costs a transaction, not a lock, and then the comparison of versions still holds.
    "claim_without_number_lock": Broken(
        run=_broken(
            "claim_without_number_lock", partial(forgetting_to_lock, "contacts_phonenumber"), opt_outs
        ),
        seen_by="after the opt-out",
        databases=("postgresql",),
    ),
}
RACES = Proof(
    name="races",
    shows="Whatever happens at the same time, whoever's answer was given holds: by what the phone heard.",
    unit="races",
    small=1_000,
    full=50_000,
    chunk=5_000,
    run=run,
    broken=BROKEN,
    broken_cases=500,
)
