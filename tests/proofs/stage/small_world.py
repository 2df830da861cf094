"""A small world: people in zones of all kinds, calls by every door of the product, phones, time by chance.

Days are near clock changes, calls near opening and closing time. At each step of time the real claim decides,
each dial is heard by a phone, and the judge looks on.
"""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from functools import partial

from django.conf import settings

from calls.actions import dialing
from calls.actions.batch import schedule_batch
from calls.actions.bulk import CampaignRequest
from calls.actions.carrier_events import record_carrier_events
from calls.actions.changing import get_call, update_call
from calls.actions.gateways import record_heartbeat
from calls.actions.scheduling import CallRequest, schedule_call
from calls.actions.stop import set_stop_switch
from calls.models import Call
from campaigns.actions import create_campaign, pause_campaign, resume_campaign
from contacts.models import Contact
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.lib import clock
from temphone.lib.clock import from_wall, iso
from temphone.lib.errors import Conflict, Refused
from temphone.telephony.messages import DialRequest, DialResult, EventType, Heartbeat, Outcome, Sighting
from temphone.telephony.messages import Refused as Declined
from tests.campaigns.builders import call_all
from tests.proofs.stage.fake_network import Network
from tests.proofs.stage.local_time import WallClock
from tests.proofs.stage.promised import BrokenPromise, Judge, Promised, Ring

LEDGER = "gw_test"
STEPS = 40
END = 400  # steps at the most until every call is over
# Offsets of half-hours and quarters; summers of half an hour, of two hours, and in winter.
STEADY = ("Asia/Kathmandu", "Asia/Kolkata", "Australia/Eucla", "Pacific/Apia")
CHANGING = (
    *("America/St_Johns", "Pacific/Chatham", "Australia/Lord_Howe", "Antarctica/Troll"),
    *("Africa/Casablanca", "Europe/Dublin", "America/Los_Angeles", "America/Santiago"),
)
FINAL = {"completed", "failed", "canceled"}
FAULTS = ("refuse", "refuse for good", "lose the request", "lose the answer")
# What the callee does, and after how many seconds; nobody answers: the ring times out.
CALLEES = (
    (),
    (),
    ((2, Outcome.BUSY),),
    ((3, Outcome.REJECTED),),
    ((6, EventType.ANSWERED), (90, Outcome.ANSWERED_HUMAN)),
    ((9, EventType.ANSWERED), (600, Outcome.ANSWERED_HUMAN)),
)


class World:
    """The product on one side; the phones, their owners and the judge on the other."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.program: list[str] = []
        self.counts: Counter[str] = Counter()
        policy = self.chance.choice(["reject", "defer", "warn", "defer"])
        self.judge = Judge(policy=policy, cap=self.chance.choice([0, 0, 1, 2, 3]))
        self.network = Network()
        self.stories: dict[str, list[tuple[datetime, EventType | Outcome]]] = {}  # of legs, yet to come
        self.ids: dict[str, str] = {}  # of calls that were asked for one by one, by their message
        self.launched: dict[str, str] = {}  # of those of a campaign

    def live(self) -> None:
        """From the first call to the end of the last."""
        self.now = self._first_day()
        self.people = [self._person(index) for index in range(self.chance.randint(2, 4))]
        self.campaigns = [
            create_campaign(actor=SYSTEM, name=f"C{index}", mode=Mode.TEST, now=self.now).pk
            for index in range(2)
        ]
        for _ in range(STEPS):
            if len(self.judge.calls) + len(self.judge.refused) < 20 and self.chance.random() < 0.25:
                self._schedule()
            else:
                self._go_on()
        self._come_to_an_end()

    # Who and when.

    def _first_day(self) -> datetime:
        """Near a clock change of the zone that most people live in, if there is one."""
        self.home = self.chance.choice(CHANGING) if self.chance.random() < 0.5 else self._zone()
        day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.chance.randrange(4 * 366 * 86_400))
        changes = WallClock(self.home).changes(day, 366) if self.chance.random() < 0.7 else []
        if changes:
            day = self.chance.choice(changes) - timedelta(hours=self.chance.randint(1, 60))
            self.counts["worlds near a clock change"] += 1
        self._note(f"it is {iso(day)}, most live in {self.home}")
        return day

    def _zone(self) -> str:
        special = self.chance.random() < 0.4
        return self.chance.choice(STEADY + CHANGING if special else sorted(clock.zone_names()))

    def _person(self, index: int) -> Contact:
        """The last may share the first one's number."""
        zone = self.home if self.chance.random() < 0.5 else self._zone()
        shared = index > 1 and self.chance.random() < 0.3
        number = f"+1415555{2000 if shared else 2000 + index}"
        self._note(f"P{index}, {number}, in {zone}")
        return Contact.objects.create(first_name=f"P{index}", phone=number, timezone=zone)

    def _wall(self, zone: str) -> datetime:
        """A wall time of the next days: near opening or closing, at night, anywhere; in the future."""
        today = self.now.astimezone(UTC).replace(tzinfo=None)
        day = datetime.combine(today.date() + timedelta(days=self.chance.randint(0, 4)), time(0))
        opens, closes = ((hour.hour * 60 + hour.minute) * 60 for hour in settings.CALLING_HOURS)
        second = self.chance.choice(
            [
                opens + self.chance.randint(-60, 60),
                closes + self.chance.randint(-12, 3),
                closes + self.chance.randint(-1_000, 100),
                self.chance.randint(0, 5 * 3_600),
                self.chance.randint(0, 86_399),
            ]
        )
        wall = day + timedelta(seconds=second)
        return wall if WallClock(zone).instant(wall) > self.now else wall + timedelta(days=2)

    def _time(self, person: Contact) -> tuple[str, str | None, datetime]:
        """As a request has it: the timestamp, the zone field; and the instant that it means."""
        zone = self.chance.choice([person.timezone, person.timezone, self._zone()])
        wall = self._wall(person.timezone)
        if self.chance.random() < 0.5:
            instant = WallClock(person.timezone).instant(wall)
            return iso(instant), self.chance.choice([None, zone]), instant
        instant = WallClock(zone).instant(wall)
        if instant <= self.now:
            wall, instant = wall + timedelta(days=2), WallClock(zone).instant(wall + timedelta(days=2))
        return wall.isoformat(), None if zone == person.timezone else zone, instant

    # Every door.

    def _schedule(self) -> None:
        doors = [self._one, self._batch, self._batch, self._launch, self._move, self._move]
        self.chance.choice(doors)()

    def _request(self) -> tuple[CallRequest, Promised]:
        person = self.chance.choice(self.people)
        text, zone, asked = self._time(person)
        name = f"call {len(self.judge.calls) + len(self.judge.refused) + 1}"
        campaign = self.chance.choice([None, None, *self.campaigns])
        request = CallRequest(
            contact_id=person.pk,
            campaign_id=campaign,
            scheduled_at=text,
            timezone=zone,
            initial_message=name,
            max_duration_s=self.chance.choice([60, 900]),
        )
        self._note(f"{name} to {person.first_name} at {text} {zone or ''}, campaign {campaign}")
        return request, self._promised(name, person, campaign, asked)

    def _promised(self, name: str, person: Contact, campaign: str | None, asked: datetime) -> Promised:
        there = WallClock(person.timezone)
        return Promised(
            name=name, number=person.phone, clock=there, campaign=campaign, asked=asked, due=asked
        )

    def _one(self) -> None:
        request, promised = self._request()
        try:
            made = schedule_call(actor=SYSTEM, mode=Mode.TEST, request=request, now=self.now)
        except Refused as error:
            self._refused(promised, error.code, error.message)
        else:
            self._accepted(promised, made.data)

    def _batch(self) -> None:
        asked = []
        for _ in range(self.chance.randint(2, 5)):
            asked.append(self._request())
            self.judge.refused[asked[-1][1].name] = "not answered yet"
        requests = [request for request, _ in asked]
        verdicts = schedule_batch(actor=SYSTEM, mode=Mode.TEST, requests=requests, now=self.now)
        for (_, promised), item in zip(asked, verdicts.data["items"], strict=True):
            if item["status"] == "scheduled":
                del self.judge.refused[promised.name]
                self._accepted(promised, item["data"])
            else:
                self._refused(promised, str(item["code"]), str(item["message"]))

    def _accepted(self, promised: Promised, data: Mapping[str, object]) -> None:
        self.counts["accepted"] += 1
        self.judge.calls[promised.name] = promised
        self.ids[promised.name] = str(data["call_id"])
        self.judge.judge_acceptance(promised, _due_in(data))
        self.counts["moved to an opening"] += promised.due != promised.asked

    def _refused(self, promised: Promised, code: str, text: str) -> None:
        self.counts["refused"] += 1
        self.judge.refused[promised.name] = text
        self.judge.judge_refusal(promised.name, promised.number, promised.clock, promised.asked, code, text)

    def _launch(self) -> None:
        """A campaign: to everybody, at one instant or one wall time; nobody looks at the hours yet."""
        number = len(self.campaigns)
        campaign = create_campaign(actor=SYSTEM, name=f"C{number}", mode=Mode.TEST, now=self.now)
        self.campaigns.append(campaign.pk)
        wall = self._wall(self.home)
        at = WallClock(self.home).instant(wall)
        by_wall = self.chance.random() < 0.5
        self._note(f"launch {campaign.pk} to all at {wall if by_wall else at}")
        made = call_all(
            campaign,
            CampaignRequest(initial_message=f"launch {number} to {{{{first_name}}}}"),
            when=lambda _place, zone_name: from_wall(wall, zone_name) if by_wall else at,
            now=self.now,
        )
        for person in self.people:
            asked = WallClock(person.timezone).instant(wall) if by_wall else at
            name = f"launch {number} to {person.first_name}"
            self.judge.calls[name] = self._promised(name, person, campaign.pk, asked)
        made_of = Call.objects.filter(campaign=campaign.pk).values_list("contact__first_name", "pk")
        self.launched |= {f"launch {number} to {who}": call_id for who, call_id in made_of}
        self.counts["launched"] += made

    def _move(self) -> None:
        """To another time, or what does not touch the time; a call that is over cannot be moved."""
        known = [call for name, call in self.judge.calls.items() if name in self.ids]
        if not known:
            return
        call = self.chance.choice(self._lively(known))
        person = next(one for one in self.people if one.timezone == call.clock.name)
        changes: dict[str, object] = {"metadata": {"n": 1}}
        asked = call.due
        if asked <= self.now or self.chance.random() < 0.7:
            text, zone, asked = self._time(person)
            changes = {"scheduled_at": text, "timezone": zone or person.timezone}
        self._note(f"move {call.name}: {changes}")
        change = partial(update_call, actor=SYSTEM, call_id=self.ids[call.name], changes=changes)
        try:
            changed = change(now=self.now)
        except Conflict as error:
            if call in self.judge.waiting():
                raise BrokenPromise(f"{call.name}: waits, and cannot be moved: {error.message}") from error
        except Refused as error:
            self.counts["moves refused"] += 1
            self.judge.judge_refusal(call.name, call.number, call.clock, asked, error.code, error.message)
        else:
            self._moved(call, asked, changed)

    def _lively(self, calls: list[Promised]) -> list[Promised]:
        """Those that wait, mostly."""
        waiting = [call for call in calls if call in self.judge.waiting()]
        return waiting if waiting and self.chance.random() < 0.9 else calls

    def _moved(self, call: Promised, asked: datetime, changed: Call) -> None:
        if call not in self.judge.waiting():
            raise BrokenPromise(f"{call.name}: moved, although it is over or under way: {call.over}")
        self.counts["moves"] += 1
        call.asked = asked
        self.judge.judge_acceptance(call, changed.due_at)

    # Time goes on.

    def _go_on(self) -> None:
        """A step of time, and what is done then; what is held, seldom for long."""
        if self.judge.stopped and self.chance.random() < 0.3:
            self._stop(on=False)
        match self.chance.choices(["work", "silence", "outage", "switch"], [84, 4, 4, 8])[0]:
            case "work":
                self._advance(self._next_instant())
                self._work()
            case "silence":
                # The gateway is not heard of; the worker works.
                self._advance(self.now + timedelta(minutes=self.chance.randint(1, 200)))
                self._work(reachable=False)
            case "outage":
                self._advance(self.now + timedelta(hours=self.chance.randint(1, 12)))
                self._work()
            case _:
                self._switch()

    def _next_instant(self) -> datetime:
        """Mostly near the next call, as the clock would ring; or near its last instant, or later."""
        to_come = [call for call in self.judge.waiting() if call.due > self.now]
        if not to_come or self.chance.random() < (0.6 if self.network.up() else 0.1):
            return self.now + timedelta(seconds=self.chance.randint(1, 120))
        call = min(to_come, key=lambda call: call.due)
        nearly = call.limit_s + self.chance.choice([0, 0.5, 1, 2])
        some = self.chance.uniform(0, self.chance.choice([20, 900]))
        after_s = self.chance.choice([0, 0, 1, 3, 3, some, some, nearly])
        return call.due + timedelta(seconds=after_s)

    def _advance(self, to: datetime) -> None:
        self.now = to
        self._note(f"it is {iso(to)} ({to.microsecond} us)")

    def _switch(self) -> None:
        """The stop switch, or a campaign's pause."""
        if self.chance.random() < 0.5:
            self._stop(on=not self.judge.stopped)
            return
        campaign = self.chance.choice(self.campaigns)
        self._pause(campaign, on=campaign not in self.judge.paused)

    def _stop(self, *, on: bool) -> None:
        self._note(f"stop switch {on}")
        set_stop_switch(actor=SYSTEM, on=on, now=self.now)
        self.judge.stopped = on
        self.counts["stops"] += on

    def _pause(self, campaign: str, *, on: bool) -> None:
        self._note(f"pause {campaign} {on}")
        turn = pause_campaign if on else resume_campaign
        turn(actor=SYSTEM, campaign_id=campaign, now=self.now)
        (self.judge.paused.add if on else self.judge.paused.discard)(campaign)
        self.counts["pauses"] += on

    def _work(self, *, reachable: bool = True, healed: bool = False) -> None:
        """What the worker and the outbox do, in one order or the other."""
        self.counts["claims"] += 1
        self._talk()
        deliver = self._deliver if reachable else lambda: None
        first_events = healed or self.chance.random() < 0.7
        if reachable:
            self._heartbeat()
        if first_events:
            deliver()
        self._claim(carried=reachable, healed=healed)
        if not first_events:
            deliver()
        self._reconcile(reachable=reachable)

    def _heartbeat(self) -> None:
        beat = Heartbeat(
            ledger=LEDGER,
            url="http://127.0.0.1:9",
            version="1",
            lines=1000,
            live=0,
            outbox=0,
            legs=["simulated"],
            at=self.now,
        )
        record_heartbeat(heartbeat=beat, now=self.now)

    def _claim(self, *, carried: bool, healed: bool) -> None:
        """Claim all that is due, and let the phones ring; the request may be some seconds on its way."""
        fates = self.judge.fates(self.now, carried=carried)
        requests, _ = dialing.claim_due(mode="test", now=self.now)
        decided = self.now
        if requests and not healed and self.chance.random() < 0.5:
            self._advance(self.now + timedelta(seconds=self.chance.uniform(0, 11)))
        results = self._dial(requests, decided, healed=healed)
        dialled = {one.script.message: one.attempt_id for one in requests}
        self.judge.settle(fates, dialled, decided, self._told_due)
        for result in results:
            if isinstance(result, Declined):
                self.judge.never_rang(result.attempt_id, over="" if result.retry else "it was refused")
        dialing.record_dial_results(results, now=self.now)

    def _told_due(self, name: str) -> datetime:
        """What staff and programs are told of when the call is due."""
        return get_call(actor=SYSTEM, call_id=(self.ids | self.launched)[name]).due_at

    def _dial(self, requests: list[DialRequest], decided: datetime, *, healed: bool) -> list[DialResult]:
        self._talk()
        results = []
        for request in requests:
            fault = "" if healed or self.chance.random() < 0.85 else self.chance.choice(FAULTS)
            heard = len(self.network.rang)
            results += self.network.dial([request], self.now, fault)
            self._note(f"{request.script.message}: {request.attempt_id} {fault}")
            for one in self.network.rang[heard:]:
                self._ring(one, decided)
        return results

    def _ring(self, request: DialRequest, decided: datetime) -> None:
        self.counts["rings"] += 1
        ring = Ring(at=self.now, number=request.to, call=request.script.message, attempt=request.attempt_id)
        self.judge.hear(ring, decided=decided)
        there = self.judge.calls[ring.call].clock
        closes_soon = there.is_open(self.now) and not there.is_open(self.now + timedelta(minutes=1))
        self.counts["in the last minute"] += closes_soon
        self.stories[request.attempt_id] = [
            (self.now + timedelta(seconds=min(after_s, request.max_duration_s)), what)
            for after_s, what in self.chance.choice(CALLEES)
        ]

    def _talk(self) -> None:
        """What has happened on the legs until now."""
        for attempt, story in self.stories.items():
            while story and story[0][0] <= self.now:
                at, what = story.pop(0)
                self.network.happen(attempt, what, at)
        self.network.end_overdue(self.now)
        self.judge.up = {self.network.lines[one].request.to for one in self.network.up()}

    def _deliver(self) -> None:
        """The outbox; what the gateway told counts from now on."""
        events = self.network.waiting()
        if not events:
            return
        self.network.acknowledge(record_carrier_events(ledger=LEDGER, events=events, now=self.now))
        for event in events:
            self.judge.counted.add(event.attempt_id)
            if event.ending:
                self.judge.ended(event.attempt_id, event.ending.outcome, self.now)

    def _reconcile(self, *, reachable: bool) -> None:
        """Ask after what is not heard of; what a silent gateway cannot tell for too long is given up."""
        for attempt in dialing.take_overdue(now=self.now):
            sighting = self.network.find(attempt.pk) if reachable else Sighting.UNREACHABLE
            dialing.record_sighting(attempt.pk, sighting, now=self.now)
            since = attempt.answered_at or attempt.created_at
            longest = timedelta(seconds=30 + attempt.call.max_duration_s + 60)
            if sighting == Sighting.NEVER:
                self.judge.never_rang(attempt.pk)
            elif sighting != Sighting.LIVE and self.now > since + longest:
                self._note(f"{attempt.pk} is given up")
                self.judge.given_up(attempt.pk)

    def _come_to_an_end(self) -> None:
        """All is well again: every call is over some day."""
        self._note("all is well again")
        if self.judge.stopped:
            self._stop(on=False)
        for campaign in sorted(self.judge.paused):
            self._pause(campaign, on=False)
        for _ in range(END):
            if not self.judge.open() and not self.network.waiting():
                break
            ends = [story[-1][0] for story in self.stories.values() if story]
            dues = [call.due for call in self.judge.waiting()]
            soon = self.now + timedelta(seconds=31)
            self._advance(max(soon, min(ends + dues, default=soon)))
            self._work(healed=True)
        for name in [call.name for call in self.judge.open()]:
            raise BrokenPromise(f"{name}: never ends")
        for status, outcome in Call.objects.values_list("status", "outcome"):
            self.counts[f"{status}, {outcome}"] += 1
            if status not in FINAL:
                raise BrokenPromise(f"a call is {status} for ever, although it is over")

    def _note(self, what: str) -> None:
        self.program.append(what)


def _due_in(data: Mapping[str, object]) -> datetime:
    return clock.to_utc(datetime.fromisoformat(str(data["due_at"])))
