"""What would come of a launch, told before it: the gates are asked for the people as they stand now."""

from collections import Counter
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Sum

from calls import messages
from calls.actions.lookup import facts_of_all
from calls.gates import Facts, ask
from calls.models import Call, Gateway, Trunk
from calls.models.history import Verdict
from campaigns.actions.planning import Plan
from campaigns.models import Campaign
from campaigns.states import CampaignStatus
from contacts.models import Contact
from temphone.accounts.models import Mode
from temphone.lib import phone
from temphone.lib.errors import Invalid

MOST_CHECKED = 2_000  # people whose gates are asked; of more, the first by id, which are random
BATCH = 500
OF_GATES = {
    "suppression": "suppressed",
    "destination": "elsewhere",
    "consent": "no_consent",
    "calling_hours": "out_of_hours",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """How many people stand in each way; somebody may stand in several."""

    size: int
    checked: int
    callable: int  # nothing keeps their call from being made
    found: Counter[
        str
    ]  # suppressed, elsewhere, no_consent, out_of_hours, missing, bad_number: will not be called
    warned: Counter[str]  # the same, where test mode only warns
    example: str  # of a message that lacks something, what
    first_at: datetime | None
    first_zone: str  # on whose clock that is
    last_at: datetime | None
    last_zone: str
    lines: int  # that could carry its calls now

    @property
    def is_whole(self) -> bool:
        """Whether everybody was checked."""
        return self.checked == self.size


def preflight(campaign: Campaign, *, now: datetime) -> Preflight:
    """Ask the gates for each person, at the instant at which they would be called. Changes nothing."""
    people = campaign.whom.people
    size = people.count()
    plan, running = Plan.of(campaign, now=now), copy(campaign)
    running.status = CampaignStatus.RUNNING
    contacts = list(people.order_by("pk")[:MOST_CHECKED])
    found, warned, example, able = Counter[str](), Counter[str](), "", 0
    for call, facts in _planned(running, plan, contacts, now):
        stopped, told = _asked(call, facts)
        problem = _message_problem(call)
        example = example or problem
        stopped |= ({"missing"} if problem else set()) | _number_problem(call)
        found.update(stopped)
        warned.update(told)
        able += not stopped
    zones = {contact.timezone for contact in contacts}
    first = min(((plan.due(0, name), name) for name in zones), default=(None, ""))
    last = max(((plan.due(size - 1, name), name) for name in zones), default=(None, ""))
    return Preflight(
        size=size,
        checked=len(contacts),
        callable=able,
        found=found,
        warned=warned,
        example=example,
        first_at=first[0],
        first_zone=first[1],
        last_at=last[0],
        last_zone=last[1],
        lines=_lines(campaign.mode, now),
    )


def _planned(
    campaign: Campaign, plan: Plan, contacts: Sequence[Contact], now: datetime
) -> Iterator[tuple[Call, Facts]]:
    calls = [
        Call(
            contact=contact,
            campaign=campaign,
            mode=campaign.mode,
            initial_message=campaign.message,
            timezone=contact.timezone,
            due_at=plan.due(place, contact.timezone),
        )
        for place, contact in enumerate(contacts)
    ]
    for start in range(0, len(calls), BATCH):
        some = calls[start : start + BATCH]
        for call, facts in zip(some, facts_of_all(some, now=now), strict=True):
            yield call, replace(facts, now=call.due_at)


def _asked(call: Call, facts: Facts) -> tuple[set[str], set[str]]:
    """What keeps the call from being made, and what is only warned of."""
    checks = [check for check in ask(call, facts).checks if check.rule in OF_GATES]
    stopped = {OF_GATES[check.rule] for check in checks if check.verdict == Verdict.BLOCK}
    told = {OF_GATES[check.rule] for check in checks if check.verdict in {Verdict.WARN, Verdict.DEFER}}
    return stopped, told


def _message_problem(call: Call) -> str:
    try:
        messages.render_for(call, now=call.due_at)
    except Invalid as error:
        return next(iter(error.fields.values()), [error.message])[0]
    return ""


def _number_problem(call: Call) -> set[str]:
    try:
        phone.to_e164(call.contact.phone)
    except ValueError:
        return {"bad_number"}
    return set()


def _lines(mode: str, now: datetime) -> int:
    if mode == Mode.LIVE:
        return int(Trunk.objects.enabled().aggregate(all=Sum("lines"))["all"] or 0)
    return sum(gateway.lines for gateway in Gateway.objects.reachable(now) if "simulated" in gateway.legs)
