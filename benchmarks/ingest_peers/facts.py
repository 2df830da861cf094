"""What a peer without an ORM knows of a call, as plain values; and what our gates say of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from calls import messages
from calls.actions.scheduling import allowed, future_instant, refuse_campaign
from calls.gates import Facts
from calls.models.history import Stage
from campaigns.models import Campaign
from contacts.models import Consent, ConsentKind, Destinations
from temphone.accounts.models import Mode
from temphone.lib import ids
from temphone.lib.errors import NotFound

if TYPE_CHECKING:
    from benchmarks.ingest_peers.asked import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A contact."""

    id: str
    first_name: str
    last_name: str
    phone: str
    timezone: str
    language: str
    company: str
    attributes: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A campaign."""

    pk: str
    name: str
    status: str
    mode: str
    purpose: str
    opens: time | None
    closes: time | None

    window = Campaign.window


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A consent."""

    purpose: str
    kind: str
    captured_at: datetime

    covers = Consent.covers

    def __str__(self) -> str:
        return f"{ConsentKind(self.kind).label} consent, {self.purpose}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The stop switch."""

    on: bool
    changed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where calls may go."""

    countries: Sequence[str]
    kinds: Sequence[str]

    why_not = Destinations.why_not


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Whom and what a request names; its number is not suppressed."""

    person: Person
    campaign: Programme | None
    consents: Sequence[Agreement]
    switch: Switch
    reach: Reach


@dataclass(slots=True, kw_only=True)
class Draft:
    """A call as the gates look at it."""

    contact: Person
    contact_id: str
    campaign: Programme | None
    mode: str
    purpose: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A call that may be written."""

    call_id: str
    when: datetime
    due: datetime
    zone_name: str
    decision: dict[str, Any]


def judge(asked: "Asked", errand: Errand, *, now: datetime) -> Plan:
    """Make the checks that depend on the contact, in TemPhone's order.

    Raises:
        NotFound, Invalid, Refused
    """
    if asked.campaign_id and errand.campaign is None:
        raise NotFound(f"Campaign not found: {asked.campaign_id}.", code="campaign_not_found")
    person, zone_name = errand.person, asked.timezone or errand.person.timezone
    when = future_instant(asked.scheduled_at, zone_name, now)
    messages.render(asked.initial_message, contact=person, metadata=asked.metadata, now=when)
    refuse_campaign(Mode.TEST, errand.campaign)
    purpose = errand.campaign.purpose if errand.campaign else "informational"
    draft = Draft(
        contact=person,
        contact_id=person.id,
        campaign=errand.campaign,
        mode="test",
        purpose=purpose,
        due_at=when,
    )
    facts = Facts(
        now=now,
        stop=errand.switch,
        destinations=errand.reach,
        suppressions=(),
        consents={person.id: errand.consents},
        numbers_in_use=set(),
        dialed={},
    )
    ruling = allowed(draft, facts)
    return Plan(
        call_id=ids.call_id(),
        when=when,
        due=draft.due_at,
        zone_name=zone_name,
        decision=ruling.decision(Stage.CREATION),
    )
