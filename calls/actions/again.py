"""Call again: a new call in the place of one that is over; and other times for calls."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction

from calls.actions.changing import get_call, update_call
from calls.actions.idempotency import Idempotency
from calls.actions.remarks import called_again
from calls.actions.scheduling import CallRequest, Scheduled, schedule_call
from calls.models import Call
from calls.models.call import OVERDUE_AFTER
from calls.states import CallStatus
from campaigns.states import OVER
from contacts.models import Purpose
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import Mode
from temphone.lib.clock import from_wall, iso, zone
from temphone.lib.errors import Conflict, Invalid

AT_ONCE = timedelta(seconds=5)  # the least that is in the future once it is scheduled


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Another time for a call; one of the four, the first that is set.

    ``shift_min`` from when it is due; ``wall``, naive and ISO 8601, on the clock of ``zone``, else of the
    contact; ``tomorrow`` at the hour for which it was scheduled, on the contact's clock; else now, with
    many spread over ``over_min``.
    """

    shift_min: int = 0
    wall: str = ""
    zone: str = ""
    tomorrow: bool = False
    over_min: int = 0

    def instant(self, call: Call, *, place: float, start: datetime, now: datetime) -> datetime:
        """The instant for this call; ``place`` from 0 to 1 is where it stands among those of ``start``.

        Raises:
            Invalid: there is no such time.
        """
        if self.shift_min:
            return call.due_at + timedelta(minutes=self.shift_min)
        if self.wall or self.tomorrow:
            return self._on_a_clock(call, start)
        return max(start + timedelta(minutes=self.over_min) * place, now + AT_ONCE)

    def _on_a_clock(self, call: Call, start: datetime) -> datetime:
        zone_name = self.zone or call.contact.timezone
        try:
            return from_wall(
                datetime.fromisoformat(self.wall) if self.wall else _tomorrow(call, start), zone_name
            )
        except (ValueError, OverflowError) as error:
            raise Invalid.field("scheduled_at", "must be a time that there is.") from error

    @property
    def data(self) -> dict[str, object]:
        """To be kept as JSON, and made anew from."""
        return asdict(self)


def _tomorrow(call: Call, now: datetime) -> datetime:
    here = zone(call.contact.timezone)
    asked = call.scheduled_at.astimezone(here)
    return datetime.combine(now.astimezone(here).date() + timedelta(days=1), asked.time())


@transaction.atomic
def call_again(*, actor: Actor, call_id: str, at: datetime, now: datetime) -> Call:
    """Schedule a new call as one that is over was, by the rules of any; one long overdue is moved instead.

    The one that is over needs no attention any more.

    Raises:
        Forbidden, NotFound, Invalid, Refused: and nothing was created.
        Conflict: it is in progress, or yet to come; it was called again already; or its campaign is over, and
            sold something: a call alone informs, and would need less consent.
    """
    actor.require(Role.OPERATOR)
    call = get_call(actor=actor, call_id=call_id)
    if call.status == CallStatus.IN_PROGRESS:
        raise Conflict(f"Call {call_id} is in progress.", code="call_in_progress")
    if call.status == CallStatus.SCHEDULED:
        if call.due_at > now - OVERDUE_AFTER:
            raise Conflict(f"Call {call_id} is yet to come.", code="call_scheduled")
        return move_call(actor=actor, call_id=call_id, at=at, now=now)
    _take(call)
    new = schedule_call(actor=actor, mode=Mode(call.mode), request=_as_before(call, at), now=now).call
    called_again(actor, call, new, now)
    return new


def _take(call: Call) -> None:
    """Whoever presses twice, or at the same time as somebody else, rings nobody twice."""
    Call.objects.select_for_update(no_key=True).get(pk=call.pk)
    if call.events.filter(name="called_again").exists():
        raise Conflict(f"Call {call.pk} was called again already.", code="called_again")


@transaction.atomic
def schedule_again(
    *, actor: Actor, call_id: str, mode: Mode, request: CallRequest, now: datetime, idempotency: Idempotency
) -> Scheduled:
    """Schedule a call as somebody wrote it, in the place of one that is over and now needs no attention.

    Raises:
        Forbidden, NotFound, Invalid, Refused: and nothing was created.
    """
    scheduled = schedule_call(actor=actor, mode=mode, request=request, now=now, idempotency=idempotency)
    call = get_call(actor=actor, call_id=call_id)
    if call.is_final and not scheduled.replayed:
        called_again(actor, call, scheduled.call, now)
    return scheduled


def move_call(*, actor: Actor, call_id: str, at: datetime, now: datetime) -> Call:
    """Move a scheduled call to an instant; raises as ``update_call``."""
    return update_call(actor=actor, call_id=call_id, changes={"scheduled_at": iso(at)}, now=now)


def _as_before(call: Call, at: datetime) -> CallRequest:
    campaign, agent = call.campaign, call.agent
    if campaign and campaign.status in OVER:
        if campaign.purpose == Purpose.MARKETING:
            raise Conflict(f"Its campaign {campaign.pk} is over.", code="campaign_over")
        agent = agent or campaign.agent
        campaign = None
    return CallRequest(
        contact_id=call.contact_id,
        campaign_id=campaign.pk if campaign else None,
        agent_id=agent.pk if agent and agent.archived_at is None else None,
        scheduled_at=iso(at),
        timezone=call.timezone,
        initial_message=call.initial_message,
        max_duration_s=call.max_duration_s,
        caller_id=call.caller_id,
        metadata=call.metadata,
        recording_enabled=call.recording_enabled,
        webhook_url=call.webhook_url,
        max_attempts=call.max_attempts,
    )
