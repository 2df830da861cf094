"""A carrier that goes wrong in every way that we could think of; no number rings twice, every call ends.

The real claim, tasks, adapter and callbacks run against a gateway of real HTTP that makes one mistake. The
product's clock is ours, so that leases and deadlines run out at once. The oracle is the phone's log.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.test import Client

from calls import callbacks, tasks
from calls.actions import dialing
from calls.actions.changing import cancel_call
from calls.models import Call
from contacts.models import Contact, PhoneNumber, Suppression
from temphone import wiring
from temphone.accounts.actors import SYSTEM
from temphone.lib import ids
from temphone.lib.clock import now as utc_now
from temphone.telephony.adapters.gateway import GatewayCarrier
from temphone.telephony.messages import (
    Acknowledged,
    CarrierEvent,
    Dialed,
    Done,
    EndedBy,
    Ending,
    Events,
    EventType,
    Found,
    Heartbeat,
    Outcome,
    Refused,
    Sighting,
    Turn,
    Unsure,
    decode,
    encode,
)
from temphone.telephony.signing import CONTENT_TYPE, sign
from tests.proofs.battery import Broken, Proof, Tally, Trial
from tests.proofs.stage.fake_gateway import FakeGateway, Leg, Trouble
from tests.proofs.stage.slate import wipe

BATCH = 25  # calls under one fault at a time
TIMEOUT_S = 0.3  # the adapter's, of 5 s
FINAL = {"completed", "failed", "canceled"}
ROUNDS = 60
TELLINGS = 5  # of an order to hang up: 35 s apart, far within the time that a call may last
LOST = timedelta(seconds=1200)  # beyond all that a call may last
STORY = (EventType.RINGING, EventType.ANSWERED, EventType.TURN, EventType.OPTED_OUT, EventType.ENDED)
Mend = Callable[["Lab"], None]


class Clock:
    """The clock of everybody here: it may be put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return utc_now() + self.ahead


class Lab:
    """Calls, a clock, a gateway or two, and the worker in this very process."""

    def __init__(self, folder: Path, count: int, clock: Clock) -> None:
        wipe()
        self.clock = clock
        self.now = clock.now
        self.folder = folder
        self.client = Client(raise_request_exception=False, SERVER_NAME="localhost")
        self.broke: list[str] = []  # answers that no gateway should get
        self.gateways: list[FakeGateway] = []
        self.silent: set[str] = set()  # ledgers that send nothing
        self.skew = timedelta(0)
        self.text = "Hello."
        self.add_gateway("gw_1")
        self.calls = self._schedule(count)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.ahead += timedelta(seconds=seconds)

    def add_gateway(self, ledger: str) -> FakeGateway:
        """Start one and hear of it."""
        one = FakeGateway(self.folder, ledger=ledger, secret=settings.GATEWAY_SECRET, now=self.now)
        self.gateways.append(one)
        self.beat(one)
        return one

    @property
    def gateway(self) -> FakeGateway:
        """The first."""
        return self.gateways[0]

    def _schedule(self, count: int) -> list[Call]:
        people = [
            Contact(first_name="Jo", phone=f"+1415{2_000_000 + index}", timezone="Etc/UTC")
            for index in range(count)
        ]
        Contact.objects.bulk_create(people)
        PhoneNumber.objects.bulk_create(PhoneNumber(e164=one.phone) for one in people)
        due = self.now()
        return Call.objects.bulk_create(
            Call(
                id=(id_ := ids.call_id()),
                initial_message=id_,
                contact=one,
                mode="test",
                timezone="Etc/UTC",
                scheduled_at=due,
                due_at=due,
            )
            for one in people
        )

    def post(self, path: str, message: object, *, body: bytes | None = None) -> bytes | None:
        """What Django answers a gateway; None if it does not take it. An error of ours is noted."""
        body = body or encode(message)
        headers = sign(body, secret=settings.GATEWAY_SECRET)
        answer = self.client.post(
            f"/carriers/gateway/{path}", body, content_type=CONTENT_TYPE, headers=headers
        )
        if answer.status_code >= 500:
            self.broke.append(f"{path}: HTTP {answer.status_code}")
        return answer.content if answer.status_code == 200 else None

    def beat(self, gateway: FakeGateway) -> None:
        """A heartbeat."""
        beat = Heartbeat(
            ledger=gateway.ledger,
            url=gateway.url,
            version="1",
            lines=1000,
            live=0,
            outbox=0,
            legs=["simulated"],
            at=self.now() + self.skew,
        )
        if self.post("heartbeat", beat) is None:
            self.broke.append("heartbeat: not taken")

    def tell(
        self, events: Sequence[CarrierEvent], *, ledger: str = "gw_1", body: bytes | None = None
    ) -> bool:
        """Send events, and note what was acknowledged; whether they were taken."""
        answer = self.post("events", Events(ledger=ledger, events=events), body=body)
        for id_, through in decode(answer, Acknowledged).sequences.items() if answer else ():
            leg = next((one.legs[id_] for one in self.gateways if id_ in one.legs), None)
            if leg:
                leg.acknowledged = max(leg.acknowledged, min(through, len(leg.events)))
        return answer is not None

    def waiting(self, gateway: FakeGateway) -> list[CarrierEvent]:
        """What it has yet to tell."""
        return [event for leg in gateway.legs.values() for event in leg.events[leg.acknowledged :]]

    def send(self) -> None:
        """Every gateway's outbox, once."""
        for gateway in self.gateways:
            if gateway.ledger not in self.silent and (events := self.waiting(gateway)):
                self._send(events, gateway.ledger)

    def _send(self, events: Sequence[CarrierEvent], ledger: str) -> None:
        """What is not taken is sent by halves, as our outbox does."""
        if not self.tell(events, ledger=ledger) and len(events) > 1:
            self._send(events[: len(events) // 2], ledger)
            self._send(events[len(events) // 2 :], ledger)

    def work(self) -> None:
        """What the clock would ring the worker for."""
        for gateway in self.gateways:
            if gateway.ledger not in self.silent:
                self.beat(gateway)
        tasks.dial_due()
        tasks.hang_up_due()
        tasks.reconcile()

    def talk(self, *, until: EventType = EventType.ENDED) -> None:
        """Let every leg that is up go on, up to this; every other callee asks not to be called again."""
        for gateway in self.gateways:
            for leg in gateway.legs.values():
                _talk(leg, self.now(), self.text, until)

    def come_to_an_end(self) -> None:
        """Work and talk until every call is over, or it takes too long."""
        for _ in range(ROUNDS):
            self.work()
            self.talk()
            self.send()
            if not Call.objects.exclude(status__in=FINAL).exists():
                return
            self.wait(11)

    def rings(self) -> Counter[str]:
        """How often the phone rang, by call."""
        log = self.gateway.phone_log
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return Counter(json.loads(line)["call"] for line in lines)

    def close(self) -> None:
        """Leave nothing behind."""
        for gateway in self.gateways:
            gateway.stop()


def _talk(leg: Leg, now: datetime, text: str, until: EventType) -> None:
    if not leg.is_up:
        return
    opts_out = opted_out(leg)
    for type_ in STORY[len([event for event in leg.events if event.type in STORY]) :]:
        if type_ != EventType.OPTED_OUT or opts_out:
            leg.events.append(_event(leg, type_, now, text, opts_out))
        if type_ == until:
            return


def opted_out(leg: Leg) -> bool:
    """Whether this callee asks not to be called again."""
    return int(leg.request.to[-1]) % 2 == 1


def _event(leg: Leg, type_: EventType, now: datetime, text: str, opts_out: bool) -> CarrierEvent:
    outcome = Outcome.OPTED_OUT if opts_out else Outcome.MESSAGE_DELIVERED
    ended = type_ == EventType.ENDED
    return CarrierEvent(
        attempt_id=leg.request.attempt_id,
        sequence=len(leg.events) + 1,
        type=type_,
        at=now,
        turn=Turn(speaker="callee", text=text, offset_ms=1) if type_ == EventType.TURN else None,
        evidence={"said": text} if type_ == EventType.OPTED_OUT else {},
        ending=Ending(outcome=outcome, ended_by=EndedBy.CALLEE, hangup_cause=text, duration_s=3)
        if ended
        else None,
    )


# Faults of requests.


def on(path: str, how: object, *, acts: bool, times: int = 1) -> Mend:
    """The fault is in the answer to a request of this kind."""

    def fault(lab: Lab) -> None:
        lab.gateway.troubles.append(Trouble(path=path, how=how, acts=acts, times=times))

    return fault


def another_attempt(_: Dialed) -> Dialed:
    return Dialed(placed=["att_of_nobody"])


def missing_some(answer: Dialed) -> Dialed:
    return Dialed(placed=answer.placed[1:])


def both(answer: Dialed) -> Dialed:
    refused = [Refused(attempt_id=id_, cause="confused", retry=True) for id_ in answer.placed]
    return Dialed(placed=answer.placed, refused=refused)


def refusing(cause: str, *, retry: bool) -> Mend:
    def fault(lab: Lab) -> None:
        left = [len(lab.calls)]

        def objection(request):
            left[0] -= 1
            return Refused(attempt_id=request.attempt_id, cause=cause, retry=retry) if left[0] >= 0 else None

        lab.gateway.objection = objection

    return fault


def nobody_listens(lab: Lab) -> None:
    lab.gateway.stop()
    lab.work()
    lab.gateway.start_again()


# Faults of events.


def dialled(lab: Lab) -> list[CarrierEvent]:
    """All ring and talk to the end; what is to be told of it."""
    lab.work()
    lab.talk()
    return lab.waiting(lab.gateway)


def every_event_twice(lab: Lab) -> None:
    events = dialled(lab)
    lab.tell([event for event in events for _ in range(2)])


def in_any_order(lab: Lab) -> None:
    lab.tell(dialled(lab)[::-1])


def a_gap(lab: Lab) -> None:
    events = dialled(lab)
    lab.tell([event for event in events if event.sequence != 3])


def late_events(lab: Lab) -> None:
    """After the end the leg is said to have rung, and to have been answered."""
    lab.tell(dialled(lab))
    for leg in lab.gateway.legs.values():
        last = len(leg.events)
        again = [
            _event(leg, type_, lab.now(), "", False) for type_ in (EventType.RINGING, EventType.ANSWERED)
        ]
        lab.tell([_numbered(event, last + 1 + index) for index, event in enumerate(again)])


def _numbered(event: CarrierEvent, sequence: int, **changes: object) -> CarrierEvent:
    named = {name: getattr(event, name) for name in CarrierEvent.__slots__}
    return CarrierEvent(**{**named, "sequence": sequence, **changes})


def unknown_attempts(lab: Lab) -> None:
    events = dialled(lab)
    lab.tell([_numbered(event, event.sequence, attempt_id="att_of_nobody") for event in events] + events)


def wrong_ledger(lab: Lab) -> None:
    """They change nothing, although they are acknowledged."""
    lab.tell(dialled(lab), ledger="gw_2")
    if Call.objects.filter(status__in=FINAL).exists():
        lab.broke.append("a stranger ended a call")
    unheard_of(lab)


def unheard_of(lab: Lab) -> None:
    """What was acknowledged was not what the gateway told."""
    for leg in lab.gateway.legs.values():
        leg.acknowledged = 0


def at_another_time(years: int) -> Mend:
    def fault(lab: Lab) -> None:
        for event in dialled(lab):
            lab.tell(
                [_numbered(event, event.sequence, at=event.at.replace(year=event.at.year + years, day=1))]
            )

    return fault


def ended_twice(lab: Lab) -> None:
    events = dialled(lab)
    lab.tell(events)
    busy = Ending(outcome=Outcome.BUSY, ended_by=EndedBy.CARRIER)
    lab.tell([_numbered(one, one.sequence + 1, ending=busy) for one in events if one.type == EventType.ENDED])


def ended_before_answered(lab: Lab) -> None:
    lab.work()
    for leg in lab.gateway.legs.values():
        leg.events.append(_event(leg, EventType.ENDED, lab.now(), "", opted_out(leg)))
        leg.events.append(_event(leg, EventType.ANSWERED, lab.now(), "", opted_out(leg)))
        if opted_out(leg):
            leg.events.append(_event(leg, EventType.OPTED_OUT, lab.now(), "", True))
        leg.events.append(_event(leg, EventType.ENDED, lab.now(), "", opted_out(leg)))


def opted_out_while_it_rings(lab: Lab) -> None:
    lab.work()
    for leg in lab.gateway.legs.values():
        for type_ in (EventType.RINGING, EventType.OPTED_OUT, EventType.ANSWERED, EventType.ENDED):
            if type_ != EventType.OPTED_OUT or opted_out(leg):
                leg.events.append(_event(leg, type_, lab.now(), "", opted_out(leg)))


def old_events_for_ever(lab: Lab) -> None:
    events = dialled(lab)
    for count in range(len(events)):
        lab.tell(events[:count])


def unheard(lab: Lab) -> None:
    """The answer to the events is lost, again and again."""
    lab.tell(dialled(lab))
    unheard_of(lab)


def malformed(lab: Lab) -> None:
    events = dialled(lab)
    whole = encode(Events(ledger="gw_1", events=events))
    for body in (
        whole[: len(whole) // 2],
        whole.replace(b'"sequence":1', b'"sequence":"one"', 1),
        whole.replace(b'"sequence":1', b'"sequence":-7', 1),
        whole.replace(b'"ringing"', b'"singing"', 1),
        whole.replace(b"+00:00", b"", 1).replace(b'Z"', b'"', 1),
        whole.replace(b'"offset_ms":1', b'"offset_ms":-1', 1),
        whole.replace(b'"duration_s":3', b'"duration_s":99999999999', 1),
        b"[]",
    ):
        lab.tell([], body=body)


def texts(text: str) -> Mend:
    def fault(lab: Lab) -> None:
        lab.text = text

    return fault


def half_a_character(lab: Lab) -> None:
    """A lone surrogate, which no text may hold; then the same event without."""
    lab.text = "HALF"
    events = dialled(lab)
    lab.tell([], body=encode(Events(ledger="gw_1", events=events)).replace(b"HALF", b"\\ud800"))


# Faults of questions and orders.


def unsure_then(mend: Mend) -> Mend:
    """Nobody heard whether the dial arrived, and the question for it goes wrong."""

    def fault(lab: Lab) -> None:
        on("/dial", "reset", acts=True)(lab)
        mend(lab)

    return fault


def said_to_be_live(_: Found) -> Found:
    return Found(sighting=Sighting.LIVE)


def said_to_be_live_though_it_ended(lab: Lab) -> None:
    """Its last events come an hour later."""
    dialled(lab)
    lab.gateway.troubles.append(
        Trouble(path="/find", how=said_to_be_live, acts=True, times=len(lab.calls) * 5)
    )
    lab.silent.add("gw_1")
    for _ in range(3):
        lab.wait(LOST.total_seconds())
        lab.work()
    lab.silent.clear()


def hang_up(how: object, *, acts: bool) -> Mend:
    def fault(lab: Lab) -> None:
        lab.work()
        lab.talk(until=EventType.ANSWERED)
        lab.send()
        for call in lab.calls:
            cancel_call(actor=SYSTEM, call_id=call.pk, now=lab.now())
        lab.gateway.troubles.append(Trouble(path="/hang-up", how=how, acts=acts, times=len(lab.calls)))
        lab.work()
        for _ in range(TELLINGS):
            # On a busy machine an order may time out before it meets its trouble, which waits for the next.
            lab.wait(35)
            lab.work()
            if set(lab.gateway.hang_ups) == set(lab.gateway.legs):
                return
        lab.broke.append("the order to hang up never arrived")

    return fault


# Faults of gateways.


def another_ledger(lab: Lab) -> None:
    """It comes back without its memory; what it carried then is never told."""
    lab.work()
    old = lab.gateway
    old.stop()
    lab.silent.add(old.ledger)
    lab.add_gateway("gw_2")
    lab.wait(LOST.total_seconds())


def lost_for_good(lab: Lab) -> None:
    on("/dial", "reset", acts=True)(lab)
    lab.work()
    lab.gateway.stop()
    lab.silent.add("gw_1")
    lab.wait(LOST.total_seconds())


def silent_and_back(lab: Lab) -> None:
    lab.work()
    lab.silent.add("gw_1")
    for _ in range(4):
        lab.wait(40)
        lab.work()
    lab.silent.clear()


def stopped_and_back(lab: Lab) -> None:
    on("/dial", "reset", acts=True)(lab)
    lab.work()
    lab.gateway.stop()
    lab.wait(40)
    lab.work()
    lab.gateway.start_again()


def one_of_two_dies(lab: Lab) -> None:
    lab.add_gateway("gw_2")
    lab.gateway.stop()
    lab.work()
    lab.silent.add("gw_1")


def skewed(seconds: int) -> Mend:
    def fault(lab: Lab) -> None:
        lab.skew = timedelta(seconds=seconds)
        lab.work()
        if lab.rings():
            lab.broke.append("it was given calls although its clock is off")
        lab.skew = timedelta(0)

    return fault


FAULTS: dict[str, Mend] = {
    "a time-out before the ring": on("/dial", "time out", acts=False),
    "a time-out after the ring": on("/dial", "time out", acts=True),
    "a reset before the ring": on("/dial", "reset", acts=False),
    "a reset after the ring": on("/dial", "reset", acts=True),
    "nobody listens": nobody_listens,
    "500 before the ring": on("/dial", 500, acts=False),
    "500 after the ring": on("/dial", 500, acts=True),
    "503 before the ring": on("/dial", 503, acts=False),
    "502 after the ring": on("/dial", 502, acts=True),
    "a redirect after the ring": on("/dial", 302, acts=True),
    "401": on("/dial", 401, acts=False),
    "400": on("/dial", 400, acts=False),
    "404": on("/dial", 404, acts=False),
    "409": on("/dial", 409, acts=False),
    "half an answer": on("/dial", "half", acts=True),
    "an answer drop by drop": on("/dial", "drip", acts=True),
    "an answer that is no JSON": on("/dial", "no JSON", acts=True),
    "an empty answer": on("/dial", "nothing", acts=True),
    "the answer to another question": on("/dial", lambda _: Done(), acts=True),
    "an answer for another attempt": on("/dial", another_attempt, acts=True),
    "an answer without some attempts": on("/dial", missing_some, acts=True),
    "refused, try again": refusing("busy here", retry=True),
    "refused for good": refusing("no such number", retry=False),
    "no free line": refusing("no free line", retry=True),
    "every event twice": every_event_twice,
    "events in the wrong order": in_any_order,
    "a gap, then the missing one": a_gap,
    "events after the end": late_events,
    "events of unknown attempts": unknown_attempts,
    "events from another ledger": wrong_ledger,
    "an event in the far future": at_another_time(200),
    "an event in the far past": at_another_time(-200),
    "ended twice": ended_twice,
    "ended before it was answered": ended_before_answered,
    "opted out while it rings": opted_out_while_it_rings,
    "old events for ever": old_events_for_ever,
    "the acknowledgement is lost": unheard,
    "malformed events": malformed,
    "a NUL in what is said": texts("before\0after"),
    "a megabyte of speech": texts("ü" * 500_000),
    "half a character": half_a_character,
    "said to be live though it ended": said_to_be_live_though_it_ended,
    "the question times out": unsure_then(on("/find", "time out", acts=True)),
    "the question gets a 500": unsure_then(on("/find", 500, acts=True, times=3)),
    "the question is answered by no sense": unsure_then(on("/find", "no JSON", acts=True, times=3)),
    "the hang-up is lost": hang_up("reset", acts=False),
    "the hang-up is answered and not done": hang_up(200, acts=False),
    "back with another ledger": another_ledger,
    "lost for good": lost_for_good,
    "silent for longer than the lease": silent_and_back,
    "down for longer than the lease": stopped_and_back,
    "one of two gateways dies": one_of_two_dies,
    "a clock that is fast": skewed(60),
    "a clock that is slow": skewed(-60),
}
# Where the call cannot end well, how it may end instead.
ENDINGS = {
    "refused for good": {"failed: carrier_error"},
    "back with another ledger": {"failed: unknown"},
    "lost for good": {"failed: unknown"},
    "said to be live though it ended": {"completed: message_delivered", "completed: opted_out"},
}
WELL = {"completed: message_delivered", "completed: opted_out"}
SILENT = {"refused for good"}


@contextmanager
def product(now: Callable[[], datetime], dial: Callable[[GatewayCarrier], object]) -> Iterator[None]:
    """The product with our clock, and a carrier that does not wait as long as it would."""

    def carrier() -> GatewayCarrier:
        one = GatewayCarrier(secret=settings.GATEWAY_SECRET, timeout_s=TIMEOUT_S)
        dial(one)
        return one

    logger = logging.getLogger("django")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # what it would say is noted in the lab
    with ExitStack() as patches:
        for module in (tasks, callbacks, dialing):
            patches.enter_context(mock.patch.object(module, "utc_now", now))
        patches.enter_context(mock.patch.object(wiring, "carrier", carrier))
        yield
    logger.setLevel(level)


def run(
    trial: Trial,
    *,
    dial: Callable[[GatewayCarrier], object] = lambda _: None,
    faults: Sequence[str] = tuple(FAULTS),
    stop: bool = False,
) -> Tally:
    """Try each fault on its share of the calls."""
    tally = Tally()
    each = ceil(trial.cases / len(FAULTS))
    for name in faults:
        for start in range(0, each, BATCH):
            folder = trial.folder / f"{len(list(trial.folder.iterdir()))}"
            folder.mkdir()
            _try(name, min(BATCH, each - start), folder, trial, tally, dial)
            if stop and tally.flagged:
                return tally
    wipe()
    return tally


def _try(name: str, count: int, folder: Path, trial: Trial, tally: Tally, dial) -> None:
    clock = Clock()
    with product(clock.now, dial):
        lab = Lab(folder, count, clock)
        try:
            FAULTS[name](lab)
            lab.come_to_an_end()
        finally:
            lab.close()
    tally.cases += count
    for problem in _problems(name, lab):
        tally.flag(f"{name}: {problem}", folder=trial.folder, rings=lab.rings(), calls=_calls())
    tally.counts["rings"] += sum(lab.rings().values())
    tally.counts.update(f"{call['status']}: {call['outcome']}" for call in _calls())


def _calls() -> list[dict[str, object]]:
    return list(Call.objects.values("id", "status", "outcome"))


def _problems(name: str, lab: Lab) -> list[str]:
    rings = lab.rings()
    twice = [call for call, count in rings.items() if count > 1]
    found = [f"{call} rang twice" for call in twice]
    found += lab.broke
    for call in _calls():
        ending = f"{call['status']}: {call['outcome']}"
        if ending not in ENDINGS.get(name, WELL):
            found.append(f"{call['id']} ended {ending}")
        if not rings[call["id"]] and name not in SILENT:
            found.append(f"{call['id']} never rang")
    suppressed = set(Suppression.objects.values_list("number", flat=True))
    for gateway in lab.gateways:
        for leg in gateway.legs.values():
            told = any(one.type == EventType.OPTED_OUT for one in leg.events[: leg.acknowledged])
            if told != (leg.request.to in suppressed):
                found.append(f"the opt-out of {leg.request.to} was {'lost' if told else 'invented'}")
    return found


# The mistakes.


def _taken_for_refused(is_wrong: Callable[[Unsure], bool]) -> Callable[[GatewayCarrier], None]:
    """The carrier's answer, read more boldly than it may be."""

    def change(carrier: GatewayCarrier) -> None:
        careful = carrier.dial

        async def bold(requests):
            return [
                Refused(attempt_id=one.attempt_id, cause=one.cause, retry=True)
                if isinstance(one, Unsure) and is_wrong(one)
                else one
                for one in await careful(requests)
            ]

        carrier.dial = bold

    return change


def retry_the_dial(trial: Trial) -> Tally:
    """What was not answered is dialled again."""
    return run(trial, dial=_taken_for_refused(bool), stop=True)


def trust_any_answer(trial: Trial) -> Tally:
    """What an answer of 200 does not name was not taken."""
    return run(trial, dial=_taken_for_refused(_came_with_200), stop=True)


def _came_with_200(unsure: Unsure) -> bool:
    return unsure.cause == "not in the answer" or "JSON" in unsure.cause


FAULTS_PROOF = Proof(
    name="faults",
    shows="However the carrier goes wrong, no number rings twice and every call comes to an honest end.",
    unit="calls under a fault",
    small=2 * len(FAULTS),
    full=125 * len(FAULTS),
    chunk=25 * len(FAULTS),
    run=run,
    broken={
        mistake.__name__: Broken(run=mistake, seen_by="rang twice")
        for mistake in (retry_the_dial, trust_any_answer)
    },
)
