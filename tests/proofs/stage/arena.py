"""Where races are held: calls made for them, verbs that race, and what is judged in every one."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError
from django.test import override_settings

from calls.actions.dialing import claim_due, record_dial_results
from calls.models import Call, Gateway
from contacts.models import Contact, PhoneNumber
from temphone.accounts.models import Mode
from temphone.lib import ids
from temphone.lib.errors import Conflict, DomainError
from temphone.telephony.messages import Refused
from tests.builders import NOON, a_number, a_trunk, ready
from tests.proofs.battery import Tally, Trial
from tests.proofs.stage.crew import Crew, Hold, Verb, held_before_deciding, instant
from tests.proofs.stage.phone import FakeCarrier, Heard, Phone, dump, repeated, rings, rung_while_up
from tests.proofs.stage.slate import wipe

CARRIER = "simulated"
LEDGER = "gw_test"
FOREVER = timedelta(days=3650)  # ahead: the gateway is well whatever the instant, and never has to rest
_numbers = itertools.count(2_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a verb said, and the instant at which whoever asked had the answer."""

    said: str  # the status that it left, or the code of the refusal
    at: float


def answer(verb: Callable[[], object]) -> Answer:
    """Ask, and note when it was answered."""
    try:
        said = getattr(verb(), "status", "done")
    except DomainError as error:
        said = error.code
    return Answer(said=str(said), at=instant())


@dataclass(slots=True, kw_only=True)
class Mistake:
    """What the claimers of a broken variant get wrong; by default, nothing."""

    name: str = ""
    claiming: Callable[[], object] = nullcontext  # entered around each claim


@dataclass(kw_only=True)
class Arena:
    """One trial's races."""

    trial: Trial
    crew: Crew
    mistake: Mistake = field(default_factory=Mistake)
    tally: Tally = field(default_factory=Tally)
    phone: Phone = field(default_factory=Phone)
    kind: str = ""
    mode: Mode = Mode.TEST  # of what is claimed

    def __post_init__(self) -> None:
        self.chance = self.trial.chance

    def begin(self, kind: str) -> None:
        """A clean slate, and a gateway."""
        wipe()
        self.kind = kind
        self.mode = Mode.TEST
        self.carrier = FakeCarrier(self.phone)
        self._from = len(self.phone)
        legs = {"url": "http://127.0.0.1:9", "legs": ["simulated"], "lines": 1000}
        Gateway.objects.create(ledger=LEDGER, last_seen_at=NOON + FOREVER, **legs)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Calls go by a trunk of ours, and need no consent."""
        self.mode = Mode.LIVE
        trunk = a_trunk(lines=1000)
        a_number()
        Gateway.objects.update(legs=["simulated", "sip"], trunks=ready(trunk))
        freely = {**settings.POLICIES, "live": {"consent": "off", "hours": "warn"}}
        with override_settings(POLICIES=freely):
            yield

    def calls(self, count: int, *, per_number: int = 1, **columns: object) -> list[Call]:
        """Calls due at NOON, each number's own; a call's message is its id, so that the phone hears it."""
        people = [
            Contact(first_name="Jo", phone=f"+1415{next(_numbers)}", timezone="America/Los_Angeles")
            for _ in range(count)
        ]
        Contact.objects.bulk_create(people)
        PhoneNumber.objects.bulk_create(PhoneNumber(e164=one.phone) for one in people)
        made = [_call(one, **{"mode": self.mode, **columns}) for one in people for _ in range(per_number)]
        Call.objects.bulk_create(made)
        return sorted(made, key=lambda call: call.pk)  # as they are claimed

    def race(self, *verbs: Verb) -> list[object]:
        """Let them loose together; whoever breaks is flagged."""
        answers = self.crew.at_once(verbs)
        for error in (one for one in answers if isinstance(one, Exception)):
            if self.mistake.name and isinstance(error, IntegrityError | Conflict):
                self.count(f"stopped by {type(error).__name__}")
            else:
                self.flag(f"raised {type(error).__name__}: {error}")
        return answers

    def claim(self, *, limit: int, moment: datetime = NOON, pause: Verb | None = None) -> int:
        """Claim once and dial; how many calls were decided on."""
        written: list[float] = []

        def deciding() -> None:
            if pause:
                pause()
            written.append(instant())

        with self.mistake.claiming(), held_before_deciding(deciding):
            requests, settled = claim_due(mode=self.mode, now=moment, limit=limit)
        if requests and not written:
            raise AssertionError("The claim's first write is not recognised any more: no race would be seen.")
        refused = self.carrier.dial(requests, written=(written or [0])[0], moment=moment)
        results = [Refused(attempt_id=one.attempt_id, cause="busy here", retry=True) for one in refused]
        if results:
            record_dial_results(results, now=moment)
        return settled

    def claimer(self, *, limit: int, moment: datetime = NOON, pause: Verb | None = None) -> Verb:
        """A worker that claims until nothing is due."""

        def work() -> None:
            while self.claim(limit=limit, moment=moment, pause=pause):
                pass

        return work

    def drain(self, *, limit: int = 100, moment: datetime = NOON) -> None:
        """Let one worker claim all that is due; nobody is in its way."""
        self.race(self.claimer(limit=limit, moment=moment))

    def orders(self, calls: Sequence[Call], give: Callable[[Call], object], hold: Hold | None = None) -> Verb:
        """Somebody who gives the same order for each; the answers by call."""

        def work() -> dict[str, Answer]:
            answers = {}
            for call in calls:
                answers[call.pk] = answer(lambda call=call: give(call))
                if hold:
                    hold.come()
            return answers

        return hold.leaving(work) if hold else work

    def saw(self, hold: Hold) -> None:
        """Count how claims were held."""
        self.count("met behind the gates", hold.met)
        self.count("held by a lock", hold.held)
        self.count("nobody came", hold.missed)

    def count(self, what: str, times: int = 1) -> None:
        """Count what happened in this kind of race."""
        if times:
            self.tally.counts[f"{self.kind}: {what}"] += times

    def heard(self) -> list[Heard]:
        """What the phone heard in this round."""
        return self.phone.since(self._from)

    def rings(self) -> dict[str, list[Heard]]:
        """The rings of this round, by call."""
        found = defaultdict(list)
        for one in rings(self.heard()):
            found[one.call].append(one)
        return found

    def judge_always(self) -> None:
        """What holds in every race: no attempt rings twice, no number while a call to it is up."""
        heard = self.heard()
        self.tally.counts["rings"] += len(rings(heard))
        for attempt in repeated(heard):
            self.flag(f"attempt {attempt} rang twice")
        for number in rung_while_up(heard):
            self.flag(f"{number} rang while a call to it was up")

    def judge_orders(
        self, calls: Iterable[Call], answers: dict[str, Answer], accepted: Sequence[str]
    ) -> None:
        """No ring was decided after an order against it had been answered.

        What was decided before, and rang after it, was on its way: that is counted.
        """
        rang = self.rings()
        for call in calls:
            given = answers[call.pk]
            late = [one for one in rang[call.pk] if given.said in accepted and one.at > given.at]
            if any(one.written > given.at for one in late):
                self.flag(f"{call.pk} was decided to ring after {given.said} had been answered", answer=given)
            self.count("rang after the answer, was on its way", sum(one.written <= given.at for one in late))
            self.count(f"{given.said}, {'rang' if rang[call.pk] else 'silent'}")

    def flag(self, problem: str, **evidence: object) -> None:
        """A promise is broken."""
        heard = dump(self.heard())
        self.tally.flag(f"{self.kind}: {problem}", folder=self.trial.folder, heard=heard, **evidence)


def _call(contact: Contact, **columns: object) -> Call:
    id_ = ids.call_id()
    times = {"scheduled_at": NOON, "due_at": NOON, "created_at": NOON - timedelta(hours=1)}
    fixed = {"id": id_, "contact": contact, "timezone": contact.timezone}
    return Call(**fixed, initial_message=id_, **{**times, **columns})
