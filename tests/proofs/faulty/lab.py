"""Where a carrier goes wrong: calls, a clock that may be put forward, gateways, and the worker."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.test import Client

from calls import tasks
from calls.models import Call
from contacts.models import Contact, PhoneNumber
from temphone.lib import ids
from temphone.lib.clock import now as utc_now
from temphone.telephony.messages import (
    Acknowledged,
    CarrierEvent,
    EndedBy,
    Ending,
    Events,
    EventType,
    Heartbeat,
    Outcome,
    Turn,
    decode,
    encode,
)
from temphone.telephony.signing import CONTENT_TYPE, sign
from tests.proofs.stage.fake_gateway import FakeGateway, Leg
from tests.proofs.stage.slate import wipe

FINAL = {"completed", "failed", "canceled"}
ROUNDS = 60
ON_ITS_WAY_S = 11  # beyond what was claimed may ring, and beyond a lease
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
        """Work and talk until every call is over, or it takes too long; then once more, for latecomers."""
        for _ in range(ROUNDS):
            self._go_on()
            if not Call.objects.exclude(status__in=FINAL).exists():
                break
            self.wait(ON_ITS_WAY_S)
        self.wait(ON_ITS_WAY_S)
        self._go_on()

    def _go_on(self) -> None:
        self.work()
        self.talk()
        self.send()

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
            leg.events.append(an_event(leg, type_, now, text, opts_out))
        if type_ == until:
            return


def opted_out(leg: Leg) -> bool:
    """Whether this callee asks not to be called again."""
    return int(leg.request.to[-1]) % 2 == 1


def an_event(leg: Leg, type_: EventType, now: datetime, text: str, opts_out: bool) -> CarrierEvent:
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
