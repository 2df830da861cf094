"""The gates before a dial, in order. Each is a pure function that returns a check.

What it looks at are the facts and, as its parameters, attributes of the call's case; it sees nothing else.
All are asked; the strongest verdict decides, the first among equals. At creation, in dry runs and in the
claim the same gates are asked; only the facts differ, and in the claim they are read under its locks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from inspect import Parameter, signature
from typing import Protocol

from django.conf import settings

from calls.hours import is_open, next_opening, open_until
from calls.models import Attempt, Call, StopSwitch
from calls.models.history import Stage, Verdict
from campaigns.models import Campaign
from campaigns.states import NOT_HELD, OVER, CampaignStatus
from contacts.models import Consent, ConsentKind, Destinations, Suppression, SuppressionReason
from temphone.accounts.models import Mode
from temphone.lib import clock
from temphone.lib.clock import iso, seconds
from temphone.lib.phone import Place, place_of
from temphone.said import in_english
from temphone.telephony.messages import Outcome

LATE_SINGLE_S = 15 * 60
LATE_CAMPAIGN_S = 2 * 60 * 60
CAP_SPAN = timedelta(hours=24)
STRENGTH = [Verdict.ALLOW, Verdict.WARN, Verdict.WAIT, Verdict.DEFER, Verdict.BLOCK]


@dataclass(frozen=True, kw_only=True)
class Check:
    """What one gate said: its verdict, in plain words, and what it looked at."""

    rule: str
    verdict: Verdict
    text: str
    input: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    outcome: Outcome | None = None  # of a block
    until: datetime | None = None  # of a deferral, or the next opening after a refusal

    @cached_property
    def record(self) -> dict[str, object]:
        """The check as a decision keeps it."""
        return {
            "rule": self.rule,
            "verdict": self.verdict.value,
            "text": self.text,
            "input": dict(self.input),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Whether a call finds a line: why not, in plain words; empty: it does."""

    free: int  # lines, when they were first looked at
    problem: str = ""


class FreeLines(Protocol):
    """The lines that are free just now."""

    def room_for(self, call: Call) -> Room:
        """Whether the call finds one."""


@dataclass(slots=True, kw_only=True)
class Case:
    """What the gates may look at in one call."""

    mode: str
    purpose: str
    zone: str
    place: Place
    campaign: Campaign | None
    suppression: Suppression | None
    consent: Consent | None
    was_open: bool  # whether it came due within the calling hours
    late_s: int
    number_in_use: bool
    dialed_today: int  # attempts to its number in the 24 hours before the instant
    room: Room | None  # None: not asked, as at creation


@dataclass(slots=True, kw_only=True)
class Facts:
    """What is known of many calls at one instant, read at once; and what the gates have said of it."""

    now: datetime  # the instant at which the calls would be dialled
    stop: StopSwitch
    destinations: Destinations
    suppressions: Sequence[Suppression]
    consents: Mapping[str, Sequence[Consent]]  # by contact
    numbers_in_use: set[str]
    dialed: Mapping[str, Sequence[datetime]]  # when each number was dialled in the last 24 hours
    lines: FreeLines | None = None  # None: not asked, as at creation
    # What was asked already, by the gate, the instant and what it saw: facts of other instants share it.
    checks: dict[tuple[object, ...], Check] = field(default_factory=dict)

    @classmethod
    def read(
        cls,
        calls: Iterable[Call],
        *,
        now: datetime,
        at: datetime | None = None,
        lines: FreeLines | None = None,
    ) -> "Facts":
        """The facts about these calls as they stand, for a dial at the instant ``at`` (now, if omitted)."""
        calls = list(calls)
        numbers = {call.contact.phone for call in calls}
        consents: dict[str, list[Consent]] = {}
        for consent in Consent.objects.in_force(now).filter(contact__in={call.contact_id for call in calls}):
            consents.setdefault(consent.contact_id, []).append(consent)
        return cls(
            now=at or now,
            stop=StopSwitch.read(),
            destinations=Destinations.read(),
            suppressions=list(Suppression.objects.in_force(now).covering(numbers)),
            consents=consents,
            numbers_in_use=set(Attempt.objects.live().filter(to__in=numbers).values_list("to", flat=True)),
            dialed=_dialed_since(numbers, now - CAP_SPAN),
            lines=lines,
        )

    def case_of(self, call: Call) -> Case:
        """What the gates look at in this call."""
        number = call.contact.phone
        return Case(
            mode=call.mode,
            purpose=call.purpose,
            zone=call.contact.timezone,
            place=place_of(number),
            campaign=call.campaign,
            suppression=next((one for one in self.suppressions if one.covers(number)), None),
            consent=_consent_for(call.purpose, self.consents.get(call.contact_id, ())),
            was_open=is_open(call.due_at.astimezone(clock.zone(call.contact.timezone))),
            late_s=max(0, int((self.now - call.due_at).total_seconds())),
            number_in_use=number in self.numbers_in_use,
            # The instant may be days from now: by then, what is counted now counts no more.
            dialed_today=sum(at > self.now - CAP_SPAN for at in self.dialed.get(number, ())),
            room=self.lines.room_for(call) if self.lines else None,
        )


def _dialed_since(numbers: set[str], since: datetime) -> Mapping[str, Sequence[datetime]]:
    if not settings.CALLS_PER_NUMBER_PER_DAY:
        return {}
    dials = Attempt.objects.filter(to__in=numbers, created_at__gt=since)
    # One of which nobody knows how it ended counts: it may have rung.
    dials = dials.exclude(accepted_at=None, outcome=Outcome.CARRIER_ERROR)
    dialed: dict[str, list[datetime]] = {}
    for number, at in dials.values_list("to", "created_at"):
        dialed.setdefault(number, []).append(at)
    return dialed


Gate = Callable[..., Check]


def stop_switch(facts: Facts) -> Check:
    """Whether dialling is stopped altogether."""
    if facts.stop.on:
        text = f"All calling is stopped ({facts.stop.changed_by})."
        return Check(rule="stop_switch", verdict=Verdict.WAIT, text=text, input={"on": True})
    return Check(
        rule="stop_switch", verdict=Verdict.ALLOW, text="Calling is not stopped.", input={"on": False}
    )


def campaign(facts: Facts, *, campaign: Campaign | None, zone: str) -> Check:
    """Whether the campaign lets its calls go, and the contact's clocks are within its window."""
    if campaign is None:
        return Check(rule="campaign", verdict=Verdict.ALLOW, text="Belongs to no campaign.")
    status = CampaignStatus(campaign.status)
    seen: dict[str, str | int | bool | None] = {"campaign": campaign.pk, "status": status.value}
    text = f"Campaign {campaign.name} is {in_english(status.label).lower()}."
    if _is_held(campaign):
        return Check(rule="campaign", verdict=Verdict.WAIT, text=f"{text} It holds its calls.", input=seen)
    if status in OVER:
        outcome = Outcome.CANCELED_BY_USER
        return Check(rule="campaign", verdict=Verdict.BLOCK, text=text, input=seen, outcome=outcome)
    if campaign.window and (opening := next_opening(facts.now, zone, campaign.window)) > facts.now:
        opens, closes = campaign.window
        text = f"{text} It calls from {opens:%H:%M} to {closes:%H:%M}. Next opening: {iso(opening)}."
        return Check(rule="campaign", verdict=Verdict.DEFER, text=text, input=seen, until=opening)
    return Check(rule="campaign", verdict=Verdict.ALLOW, text=text, input=seen)


def _is_held(campaign: Campaign) -> bool:
    """Whether it neither lets its calls go nor ends them."""
    return campaign.status not in NOT_HELD


def suppression(_facts: Facts, *, suppression: Suppression | None) -> Check:
    """Whether the number must not be called."""
    if suppression is None:
        return Check(rule="suppression", verdict=Verdict.ALLOW, text="The number is not suppressed.")
    label = in_english(SuppressionReason(suppression.reason).label).lower()
    return Check(
        rule="suppression",
        verdict=Verdict.BLOCK,
        text=f"The number must not be called: {label}.",
        input={"suppression": suppression.pk, "reason": suppression.reason},
        outcome=Outcome.BLOCKED_SUPPRESSED,
    )


def destination(facts: Facts, *, mode: str, place: Place) -> Check:
    """Whether calls may go where the number leads. Nobody is rung in test mode: there it is told only."""
    seen: dict[str, str | int | bool | None] = {"country": place.region or None, "kind": place.kind or None}
    text = facts.destinations.why_not(place)
    if not text:
        text = "Calls may go there." if facts.destinations.countries else "Calls may go to every country."
        return Check(rule="destination", verdict=Verdict.ALLOW, text=text, input=seen)
    verdict = Verdict.WARN if mode == Mode.TEST else Verdict.BLOCK
    outcome = Outcome.BLOCKED_DESTINATION
    return Check(rule="destination", verdict=verdict, text=text, input=seen, outcome=outcome)


def consent(_facts: Facts, *, mode: str, purpose: str, consent: Consent | None) -> Check:
    """Whether the contact agreed to calls of this purpose."""
    policy = settings.POLICIES[mode]["consent"]
    seen: dict[str, str | int | bool | None] = {"policy": policy, "purpose": purpose}
    if consent is not None or policy == "off":
        text = f"{consent}, recorded {iso(consent.captured_at)}." if consent else "Consent is not asked for."
        return Check(rule="consent", verdict=Verdict.ALLOW, text=text, input=seen)
    text = f"No consent to {purpose} calls is recorded. Record one on the contact's page."
    verdict = Verdict.BLOCK if policy == "require" else Verdict.WARN
    return Check(rule="consent", verdict=verdict, text=text, input=seen, outcome=Outcome.BLOCKED_CONSENT)


def _consent_for(purpose: str, newest_first: Sequence[Consent]) -> Consent | None:
    """The newest that covers the purpose, unless a newer one says that there is none."""
    absent: set[str] = set()
    for one in newest_first:
        if one.kind == ConsentKind.NONE:
            absent.add(one.purpose)
        elif one.covers(purpose) and not absent & {one.purpose, purpose}:
            return one
    return None


def calling_hours(facts: Facts, *, mode: str, zone: str, was_open: bool) -> Check:
    """Whether the contact's clocks show an hour at which we may call."""
    local = facts.now.astimezone(clock.zone(zone))
    opens, closes = settings.CALLING_HOURS
    seen: dict[str, str | int | bool | None] = {
        "local_time": local.isoformat(timespec="minutes"),
        "opens": f"{opens:%H:%M}",
        "closes": f"{closes:%H:%M}",
    }
    if is_open(local):
        text = f"{local:%H:%M} there is within {opens:%H:%M} to {closes:%H:%M}."
        return Check(rule="calling_hours", verdict=Verdict.ALLOW, text=text, input=seen)
    opening = next_opening(facts.now, zone)
    text = f"{local:%H:%M} there is outside {opens:%H:%M} to {closes:%H:%M}. Next opening: {iso(opening)}."
    verdict = {"warn": Verdict.WARN, "defer": Verdict.DEFER, "reject": Verdict.BLOCK}
    return Check(
        rule="calling_hours",
        verdict=verdict[settings.POLICIES[mode]["hours"]],
        text=text,
        input=seen,
        # Due within the hours and only now outside them: it is late.
        outcome=Outcome.EXPIRED if was_open else Outcome.BLOCKED_HOURS,
        until=opening,
    )


def may_ring_until(call: Call, now: datetime, latest: datetime) -> datetime:
    """The last instant up to ``latest`` at which a phone that may ring now still may."""
    zone_name = call.contact.timezone
    if call.campaign and call.campaign.window:
        latest = open_until(now, latest, zone_name, call.campaign.window)
    if settings.POLICIES[call.mode]["hours"] == "warn":
        return latest
    return open_until(now, latest, zone_name)


def number_in_use(facts: Facts, *, number_in_use: bool) -> Check:
    """Whether the number has a call up already; the second waits. What is up now says nothing of later."""
    if facts.lines and number_in_use:
        text = "Another call to this number is up; this one waits."
        return Check(rule="number_in_use", verdict=Verdict.WAIT, text=text)
    return Check(rule="number_in_use", verdict=Verdict.ALLOW, text="No other call to this number is up.")


def caps(facts: Facts, *, zone: str, dialed_today: int) -> Check:
    """Whether the number was called often enough for a day."""
    cap = settings.CALLS_PER_NUMBER_PER_DAY
    if not cap:
        return Check(rule="caps", verdict=Verdict.ALLOW, text="No cap on calls per number is set.")
    seen: dict[str, str | int | bool | None] = {"cap": cap, "made": dialed_today}
    text = f"{dialed_today} of {cap} calls to this number in 24 hours."
    if dialed_today < cap:
        return Check(rule="caps", verdict=Verdict.ALLOW, text=text, input=seen)
    later = next_opening(facts.now + CAP_SPAN, zone)
    return Check(rule="caps", verdict=Verdict.DEFER, text=text, input=seen, until=later)


def lateness(facts: Facts, *, campaign: Campaign | None, late_s: int) -> Check:
    """Whether it is still worth calling. While calling is held, lateness is not judged."""
    limit_s = LATE_CAMPAIGN_S if campaign else LATE_SINGLE_S
    seen: dict[str, str | int | bool | None] = {"late_s": late_s, "limit_s": limit_s}
    held = facts.stop.on or (campaign is not None and _is_held(campaign))
    if late_s <= limit_s or held:
        return Check(rule="lateness", verdict=Verdict.ALLOW, text="It is not too late.", input=seen)
    text = f"{late_s // 60} minutes late; the limit is {limit_s // 60}."
    return Check(rule="lateness", verdict=Verdict.BLOCK, text=text, input=seen, outcome=Outcome.EXPIRED)


def late_since(now: datetime, *, of_campaign: bool) -> datetime:
    """What was due before this instant is too late."""
    return now - seconds((LATE_CAMPAIGN_S if of_campaign else LATE_SINGLE_S) + 1)


def lines(_facts: Facts, *, room: Room | None) -> Check:
    """Whether what carries the call has a free line, within its pace."""
    if room is None:
        return Check(rule="lines", verdict=Verdict.ALLOW, text="Lines are looked at when it is dialled.")
    seen: dict[str, str | int | bool | None] = {"free": room.free}
    if room.problem:
        return Check(rule="lines", verdict=Verdict.WAIT, text=room.problem, input=seen)
    return Check(rule="lines", verdict=Verdict.ALLOW, text="A line is free.", input=seen)


RULES: tuple[Gate, ...] = (
    stop_switch,
    campaign,
    suppression,
    destination,
    consent,
    calling_hours,
    number_in_use,
    caps,
    lateness,
    lines,
)

LOOKS_AT: Mapping[Gate, Sequence[str]] = {
    gate: [
        parameter.name
        for parameter in signature(gate).parameters.values()
        if parameter.kind == Parameter.KEYWORD_ONLY
    ]
    for gate in RULES
}


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What all gates said of one call, and the check that decides."""

    checks: Sequence[Check]

    @cached_property
    def deciding(self) -> Check:
        """The strongest check, the first among equals."""
        return max(self.checks, key=lambda check: STRENGTH.index(check.verdict))

    @cached_property
    def record(self) -> list[dict[str, object]]:
        """The checks as a decision keeps them."""
        return [check.record for check in self.checks]

    def decision(self, stage: Stage) -> dict[str, object]:
        """The columns of the decision that history keeps of it."""
        return {
            "stage": stage.value,
            "verdict": self.deciding.verdict.value,
            "rule": self.deciding.rule,
            "checks": self.record,
        }


def ask(call: Call, facts: Facts) -> Ruling:
    """Ask every gate; the same question once."""
    case = facts.case_of(call)
    return Ruling(checks=[_asked(gate, names, case, facts) for gate, names in LOOKS_AT.items()])


def _asked(gate: Gate, names: Sequence[str], case: Case, facts: Facts) -> Check:
    seen = [getattr(case, name) for name in names]
    question = (gate, facts.now, *seen)
    if question not in facts.checks:
        facts.checks[question] = gate(facts, **dict(zip(names, seen, strict=True)))
    return facts.checks[question]
