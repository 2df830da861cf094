"""Schedule a call, or see what scheduling it would do."""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction

from calls import messages
from calls.actions.changes import to_endpoints
from calls.actions.idempotency import Idempotency, answer_to_keep, once, replay
from calls.actions.lookup import Known, look_up
from calls.gates import Check, Facts, Ruling, ask
from calls.models import Call, CallEvent, Decision
from calls.models.call import DEFAULT_MAX_ATTEMPTS
from calls.models.history import Stage, Verdict
from calls.representation import call_data
from campaigns.models import Agent, Campaign
from campaigns.states import OVER
from temphone import rows
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry, Mode
from temphone.lib.clock import parse_timestamp, zone
from temphone.lib.errors import Invalid, NotFound, Refused
from temphone.lib.phone import to_e164
from temphone.webhooks.actions import enqueue
from temphone.webhooks.models import Event

FURTHEST = timedelta(days=366)
NOT_FUTURE = "must be a valid ISO-8601 timestamp in the future."


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """What somebody asks for; every value has the right shape already."""

    contact_id: str
    campaign_id: str | None = None
    agent_id: str | None = None
    scheduled_at: str  # ISO 8601, as sent
    timezone: str | None = None
    initial_message: str
    max_duration_s: int = 900
    caller_id: str = ""  # as sent
    metadata: dict[str, object] | None = None
    recording_enabled: bool = True
    webhook_url: str = ""
    max_attempts: int = DEFAULT_MAX_ATTEMPTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """The call, and the data that its creation answered."""

    call: Call
    data: dict[str, object]
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would be scheduled."""

    rendered_message: str
    scheduled_at: datetime
    timezone: str
    contact_local: datetime
    verdict: str
    checks: list[dict[str, object]]
    planned_attempts: int


def schedule_call(
    *, actor: Actor, mode: Mode, request: CallRequest, now: datetime, idempotency: Idempotency | None = None
) -> Scheduled:
    """Accept a call. After it returns, the call ends completed, failed or canceled; it is never lost.

    Raises:
        Forbidden, NotFound, Invalid, Refused: and nothing was created.
    """
    actor.require(Role.OPERATOR)
    if idempotency is None:
        return _schedule(actor, mode, request, now)
    return once(
        lambda: scheduled_before(actor=actor, idempotency=idempotency, now=now),
        lambda: _schedule(actor, mode, request, now, idempotency),
    )


def scheduled_before(*, actor: Actor, idempotency: Idempotency, now: datetime) -> Scheduled | None:
    """What the first request with this key made, if there was one and its answer is still kept.

    Doors ask this before they look at the request: what was valid then may be past now.

    Raises:
        Refused: the key came with another body.
    """
    record = replay(actor, idempotency, now=now)
    if record is None:
        return None
    return Scheduled(call=Call.objects.get(pk=record.target), data=json.loads(record.answer), replayed=True)


def _schedule(
    actor: Actor, mode: Mode, request: CallRequest, now: datetime, idempotency: Idempotency | None = None
) -> Scheduled:
    with transaction.atomic():
        # The contact stays locked, so that nobody erases it between our look and our commit.
        known, facts = look_up(actor, request.contact_id, request.campaign_id, mode=mode, now=now)
        call = planned(actor, mode, request, known=known, now=now)
        ruling = allowed(call, facts or Facts.read([call], now=now))
        data = call_data(call)
        made = [call, *history(call, ruling, "scheduled", now=now), audit(actor, call)]
        if idempotency:
            made.append(answer_to_keep(actor, idempotency, target=call.pk, data=data, now=now))
        rows.insert_together(*made)
        enqueue(to_endpoints(call, Event.SCHEDULED, now))
    return Scheduled(call=call, data=data)


def preview_call(*, actor: Actor, mode: Mode, request: CallRequest, now: datetime) -> Preview:
    """What ``schedule_call`` would make of the request: the message as spoken, every gate's verdict.

    Raises:
        Forbidden, NotFound, Invalid: as scheduling would. What policy would refuse is in the verdict.
    """
    actor.require(Role.OPERATOR)
    known, facts = look_up(actor, request.contact_id, request.campaign_id, mode=mode, now=now)
    call = planned(actor, mode, request, known=known, now=now)
    ruling = _asked(call, facts or Facts.read([call], now=now))
    return Preview(
        rendered_message=messages.render_for(call, now=call.scheduled_at),
        scheduled_at=call.scheduled_at,
        timezone=call.timezone,
        contact_local=call.scheduled_at.astimezone(zone(call.contact.timezone)),
        verdict=ruling.deciding.verdict.value,
        checks=ruling.record,
        planned_attempts=call.max_attempts,
    )


def planned(actor: Actor, mode: Mode, request: CallRequest, *, known: Known, now: datetime) -> Call:
    """The call that the request describes, not saved.

    Raises:
        NotFound, Invalid, Refused: in the order that the API promises.
    """
    contact = known.contact(request.contact_id)
    campaign = known.campaign(request.campaign_id)
    zone_name = request.timezone or contact.timezone
    when = future_instant(request.scheduled_at, zone_name, now)
    call = Call(
        contact=contact,
        campaign=campaign,
        agent_id=_agent_id(request.agent_id),
        mode=mode,
        scheduled_at=when,
        due_at=when,
        timezone=zone_name,
        initial_message=request.initial_message,
        max_duration_s=request.max_duration_s,
        caller_id=request.caller_id,
        metadata=request.metadata,
        recording_enabled=request.recording_enabled,
        webhook_url=request.webhook_url,
        max_attempts=request.max_attempts,
        created_by_key_id=known.key_id,
        created_by_user_id=int(actor.id) if actor.kind == "user" else None,
        created_at=now,
        updated_at=now,
    )
    messages.render_for(call, now=when)
    call.caller_number = shown_number(mode, request.caller_id, known.numbers)
    refuse_campaign(mode, campaign)
    return call


def _agent_id(agent_id: str | None) -> str | None:
    if agent_id and not Agent.objects.present().filter(pk=agent_id).exists():
        raise NotFound(f"Agent not found: {agent_id}.", code="agent_not_found")
    return agent_id


def future_instant(text: str, zone_name: str, now: datetime) -> datetime:
    """The instant that a request names.

    Raises:
        Invalid: no timestamp, not in the future, or too far in it.
    """
    try:
        when = parse_timestamp(text, zone_name=zone_name)
    except ValueError as error:
        raise Invalid.field("scheduled_at", NOT_FUTURE) from error
    if when <= now:
        raise Invalid.field("scheduled_at", NOT_FUTURE)
    if when > now + FURTHEST:
        raise Invalid.field("scheduled_at", "must be within 366 days.")
    return when


def shown_number(mode: str, caller_id: str, numbers: Collection[str]) -> str | None:
    """The number of ours that a live call asks to show; None: the default, or test mode, which shows any.

    Raises:
        Refused: there are no real lines.
        Invalid: the number is none of ours.
    """
    if mode == Mode.TEST:
        return None
    if not numbers:
        raise Refused(
            "Live calls need a trunk that is switched on and a number, and there are none. An admin adds "
            "them under Setup, Trunks and numbers. Use a test key meanwhile.",
            code="no_live_carrier",
        )
    if not caller_id:
        return None
    try:
        number = to_e164(caller_id)
    except ValueError as error:
        raise Invalid.field("caller_id", "must be a valid E.164 phone number.") from error
    if number not in numbers:
        raise Invalid.field("caller_id", "must be one of this installation's numbers.")
    return number


def refuse_campaign(mode: Mode, campaign: Campaign | None) -> None:
    """Return if calls of this mode can be made in this campaign.

    Raises:
        Refused: it is of the other mode, or over.
    """
    if campaign and campaign.mode != mode:
        raise Refused(
            f"Campaign {campaign.pk} is in {campaign.mode} mode; this call is in {mode} mode.",
            code="mode_mismatch",
        )
    if campaign and campaign.status in OVER:
        raise Refused(f"Campaign {campaign.pk} is {campaign.status}; choose another.", code="campaign_over")


def rule_on(call: Call, *, now: datetime) -> Ruling:
    """What the gates say of a dial when it is due; what they defer, they move. Raises as ``allowed``."""
    return allowed(call, Facts.read([call], now=now))


def allowed(call: Call, facts: Facts) -> Ruling:
    """What the gates say, by these facts, of a dial when it is due; what they defer, they move.

    Raises:
        Refused: they forbid it; the message says why, and the mend.
    """
    ruling = _asked(call, facts)
    check = ruling.deciding
    if check.verdict == Verdict.BLOCK:
        raise Refused(_with_mend(check), code=check.outcome.value if check.outcome else check.rule)
    if check.verdict == Verdict.DEFER and check.until:
        call.due_at = check.until
    return ruling


def _asked(call: Call, facts: Facts) -> Ruling:
    return ask(call, replace(facts, now=call.due_at))


def _with_mend(check: Check) -> str:
    if check.rule == "calling_hours" and check.until:
        return f"Field 'scheduled_at' is outside the contact's calling hours. {check.text}"
    if check.rule == "destination":
        return f"Field 'contact_id' leads to a number that may not be called. {check.text}"
    return check.text


def history(call: Call, ruling: Ruling, event: str, *, now: datetime) -> tuple[Decision, CallEvent]:
    """What the gates said, and what was done; not saved."""
    decision = Decision(call=call, at=now, **ruling.decision(Stage.CREATION))
    return decision, CallEvent(call=call, name=event, to_status=call.status, at=now)


def audit(actor: Actor, call: Call) -> AuditEntry:
    """Who scheduled the call; not saved."""
    return AuditEntry.of(actor, "call.schedule", call.pk)


def record(call: Call, ruling: Ruling, event: str, *, now: datetime) -> None:
    """Write what the gates said, and what was done."""
    rows.insert_together(*history(call, ruling, event, now=now))
