"""The dial protocol: claim what is due, record what the carrier answered, reconcile what it did not.

The claim is the one place where a dial is decided. It writes its intent and commits before anything
leaves; the request goes out once; what stays unanswered is asked for, and never simply sent again.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q

from calls import messages
from calls.actions.changes import Changes, gathering
from calls.actions.changing import ask_to_hang_up
from calls.actions.finishing import finish_call, give_up, refuse, requeue
from calls.actions.lines import Lines
from calls.actions.queues import Queues
from calls.gates import Facts, Ruling, ask, late_since, may_ring_until
from calls.models import Attempt, Call, Decision, Pacing
from calls.models.history import Stage, Verdict
from calls.models.trunks import CARRIERS
from calls.scripts import script_for
from calls.states import CallStatus
from campaigns.models import AgentVersion
from contacts.models import PhoneNumber, Suppression
from temphone.accounts.models import Mode
from temphone.lib import ids
from temphone.lib.clock import now as utc_now
from temphone.lib.errors import Invalid
from temphone.telephony.messages import DialRequest, DialResult, Outcome, Placed, Refused, Sighting

BATCH = 100
RING_TIMEOUT_S = 30
NOT_AFTER = timedelta(seconds=10)  # claim to the last instant at which the leg may ring
LEASE = timedelta(seconds=8)  # the dial request gives up after 5 s; then somebody must ask
LONG_SILENCE = timedelta(seconds=60)  # beyond all that a call may last
ASK_AGAIN = timedelta(seconds=10)  # asking takes 5 s at most

log = logging.getLogger(__name__)


def claim_due(
    *, mode: Mode, now: datetime | None = None, limit: int = BATCH
) -> tuple[list[DialRequest], int]:
    """Take the calls that are due, as many as there are free lines, and decide on each.

    Returns the dials to make, now that they are committed, and how many calls were decided on. The locks
    are taken in one order: the pacing rows of the mode's carriers, the due calls (skipping those in other
    hands), the numbers. Pauses, stops and changes of trunks take the first; opt-outs take the last. Without
    ``now``, the clock is looked at whenever a lock was waited for.
    """
    with transaction.atomic():
        pacings = Pacing.lock(*CARRIERS[mode])
        looked = now or utc_now()
        lines = Lines.read(mode, pacings, looked)
        calls = _due(mode, lines, looked, limit=limit)
        if not calls:
            return [], 0
        PhoneNumber.lock({call.contact.phone for call in calls})
        # Stamped with when it began to wait, what is dialled now would not count for the pace of this second.
        changes = Changes(now or utc_now())
        facts = Facts.read(calls, now=changes.now, lines=lines)
        claim = _Claim(mode=mode, lines=lines, facts=facts, changes=changes)
        claim.decide_all(calls)
        changes.write()
    return claim.dials, claim.settled


def _due(mode: Mode, lines: Lines, now: datetime, *, limit: int) -> list[Call]:
    queues = Queues(mode, now)
    calls = queues.take(lines.at_most(limit))
    if behind := lines.behind(calls):
        waiting, found = behind
        calls += queues.take(waiting, found)
    single, of_campaign = late_since(now, of_campaign=False), late_since(now, of_campaign=True)
    if any(call.due_at < (of_campaign if call.campaign_id else single) for call in calls):
        # They only end, which takes no line: those in time behind thousands of them need not wait for lines.
        late = Q(campaign=None, due_at__lt=single) | Q(due_at__lt=of_campaign)
        calls += queues.take(limit - len(calls), late)
    return calls


class _Claim:
    """One claim: its calls, decided one by one, and written together."""

    def __init__(self, *, mode: Mode, lines: Lines, facts: Facts, changes: Changes) -> None:
        self.mode = mode
        self.now = changes.now
        self.lines = lines
        self.facts = facts
        self.changes = changes
        self.dials: list[DialRequest] = []
        self.settled = 0
        self.waiting: list[tuple[Call, Ruling]] = []
        self.attempts_made: Mapping[str, int] = {}
        self.agents: Mapping[str | None, AgentVersion] = {}
        self.barred: Collection[str] = ()

    def decide_all(self, calls: Sequence[Call]) -> None:
        """Ask the gates of each call, and do what they say."""
        self.attempts_made = _attempts_made(calls)
        self.agents = AgentVersion.objects.speaking({call.speaker_id for call in calls})
        self.barred = self._barred({to for agent in self.agents.values() for to in agent.transfers.values()})
        for call in calls:
            try:
                ruling = ask(call, self.facts)
            except Exception as error:
                # Whatever is wrong with one call, it must not keep all others from theirs, now and ever.
                log.exception("The gates cannot judge the call %s.", call.pk)
                self._end(call, error)
            else:
                self._decide(call, ruling)
        self._note_new_waits()

    def _barred(self, numbers: Collection[str]) -> Collection[str]:
        """The numbers to which nobody may be transferred."""
        suppressed = Suppression.objects.covered(numbers, self.now)
        # In test mode nobody is rung, wherever the number leads.
        return suppressed | self.facts.destinations.barred(numbers) if self.mode == Mode.LIVE else suppressed

    def _decide(self, call: Call, ruling: Ruling) -> None:
        match ruling.deciding.verdict:
            case Verdict.ALLOW | Verdict.WARN:
                self._dial(call, ruling)
            case Verdict.WAIT:
                self.waiting.append((call, ruling))
            case Verdict.DEFER:
                self._defer(call, ruling)
            case Verdict.BLOCK:
                self._block(call, ruling)

    def _dial(self, call: Call, ruling: Ruling) -> None:
        try:
            rendered = messages.render_for(call, now=self.now)
            caller_id = self.lines.caller_id(call)
            agent = self.agents[call.speaker_id]
            script = script_for(call, rendered, agent, now=self.now, barred=self.barred)
        except (Invalid, ValueError, TypeError, LookupError) as error:
            # One call that cannot be made must not keep the others from theirs.
            self._give_up(call, ruling, error)
            return
        way, gateway = self.lines.take(call)
        request = DialRequest(
            attempt_id=ids.attempt_id(),
            gateway=gateway,
            to=call.contact.phone,
            caller_id=caller_id,
            ring_timeout_s=RING_TIMEOUT_S,
            max_duration_s=call.max_duration_s,
            not_after=may_ring_until(call, self.now, self.now + NOT_AFTER),
            record=call.recording_enabled,
            script=script,
            leg=way.leg,
            trunk=way.trunk,
        )
        self._write_attempt(call, request, agent)
        self.facts.numbers_in_use.add(request.to)
        self.dials.append(request)
        self._settle(call, ruling, request.attempt_id)

    def _write_attempt(self, call: Call, request: DialRequest, agent: AgentVersion) -> None:
        self.changes.add(
            Attempt,
            id=request.attempt_id,
            call_id=call.pk,
            number=self.attempts_made.get(call.pk, 0) + 1,
            carrier=request.leg,
            trunk_id=request.trunk or None,
            gateway_id=request.gateway.ledger if request.gateway else None,
            to=request.to,
            caller_id=request.caller_id,
            rendered_message=request.script.message,
            agent_version_id=agent.pk,
            not_after=request.not_after,
            lease_until=self.now + LEASE,
            created_at=self.now,
        )
        self.changes.advance(call, CallStatus.IN_PROGRESS, event="dialing", attempt_id=request.attempt_id)

    def _give_up(self, call: Call, ruling: Ruling, error: Exception) -> None:
        self._end(call, error)
        self._note(call, ruling)

    def _end(self, call: Call, error: Exception) -> None:
        reason = error.message if isinstance(error, Invalid) else f"cannot be made: {type(error).__name__}"
        finish_call(self.changes, call, Outcome.MESSAGE_INCOMPLETE, reason=reason[:200])
        self.settled += 1

    def _defer(self, call: Call, ruling: Ruling) -> None:
        check = ruling.deciding
        self.changes.change(call, due_at=check.until)
        self.changes.event(call, "deferred", reason=check.text[:200])
        self._settle(call, ruling)

    def _block(self, call: Call, ruling: Ruling) -> None:
        check = ruling.deciding
        finish_call(self.changes, call, check.outcome or Outcome.UNKNOWN, reason=check.text[:200])
        self._settle(call, ruling)

    def _settle(self, call: Call, ruling: Ruling, attempt_id: str | None = None) -> None:
        self.settled += 1
        self._note(call, ruling, attempt_id)

    def _note(self, call: Call, ruling: Ruling, attempt_id: str | None = None) -> None:
        columns = ruling.decision(Stage.CLAIM)
        self.changes.add(Decision, call_id=call.pk, attempt_id=attempt_id, at=self.now, **columns)

    def _note_new_waits(self) -> None:
        """Why a call waits is told once, not at every look."""
        last = _last_decisions([call for call, _ in self.waiting])
        for call, ruling in self.waiting:
            if last.get(call.pk) != ruling.deciding.record:
                self._note(call, ruling)


def _attempts_made(calls: Sequence[Call]) -> Mapping[str, int]:
    """The number of each call's last attempt."""
    of = Attempt.objects.filter(call__in=calls).values_list("call")
    return dict(of.annotate(last=Max("number")).order_by())


def _last_decisions(calls: Sequence[Call]) -> Mapping[str, object]:
    """The check that decided of each call last."""
    if not calls:
        return {}
    newest = Decision.objects.filter(call__in=calls).values("call").annotate(last=Max("id")).order_by()
    rows = Decision.objects.filter(pk__in=newest.values("last"))
    return {row.call_id: next((one for one in row.checks if one["rule"] == row.rule), None) for row in rows}


def record_dial_results(results: Iterable[DialResult], *, now: datetime) -> None:
    """What the carrier answered to the dials. A placed one says the rest by its events."""
    refused = {result.attempt_id: result for result in results if isinstance(result, Refused)}
    unsure = [result.attempt_id for result in results if not isinstance(result, Refused | Placed)]
    if unsure:
        with transaction.atomic():
            _locked(unsure)  # as who records their events does
            # Nobody knows: have it asked for at once.
            Attempt.objects.live().filter(pk__in=unsure, sequence=0).update(lease_until=now)
    if refused:
        with gathering(now) as changes:
            for attempt in _locked(list(refused)):
                _record_refusal(changes, attempt, refused[attempt.pk])


def _record_refusal(changes: Changes, attempt: Attempt, refusal: Refused) -> None:
    if attempt.sequence:
        return
    if refusal.retry:
        requeue(changes, attempt, refusal.cause, rest=True)
    else:
        refuse(changes, attempt, refusal.cause)


def _locked(attempt_ids: Sequence[str]) -> list[Attempt]:
    """Those of the attempts that are live, locked with their calls."""
    of = Attempt.objects.filter(pk__in=attempt_ids).values("call_id")
    list(Call.objects.select_for_update().filter(pk__in=of).order_by("pk").values("pk"))
    live = Attempt.objects.live().filter(pk__in=attempt_ids)
    return list(live.select_related("call__contact", "call__campaign", "gateway"))


@transaction.atomic
def take_overdue(*, now: datetime, limit: int = BATCH) -> list[Attempt]:
    """Attempts whose lease ran out: the carrier must be asked. They are in the caller's hands for a while."""
    overdue = Attempt.objects.overdue(now).select_related("gateway").order_by("lease_until")
    attempts = list(overdue.select_for_update(skip_locked=True, of=("self",))[:limit])
    Attempt.objects.filter(pk__in=[row.pk for row in attempts]).update(lease_until=now + ASK_AGAIN)
    return attempts


def record_sighting(attempt_id: str, sighting: Sighting, *, now: datetime) -> None:
    """What the carrier knows of an attempt whose lease ran out."""
    with gathering(now) as changes:
        for attempt in _locked([attempt_id]):
            _apply_sighting(changes, attempt, sighting)


def _apply_sighting(changes: Changes, attempt: Attempt, sighting: Sighting) -> None:
    if sighting == Sighting.NEVER and attempt.sequence == 0:
        requeue(changes, attempt, "never_sent")
    elif changes.now <= _deadline(attempt):
        return  # it is asked for again when its lease runs out
    elif sighting == Sighting.LIVE and not attempt.call.hang_up_requested_at:
        ask_to_hang_up(changes, attempt.call, reason="over its maximum length")
    elif sighting != Sighting.LIVE or _asked_long_ago(attempt.call, changes.now):
        give_up(changes, attempt, f"carrier_{sighting}")


def _asked_long_ago(call: Call, now: datetime) -> bool:
    """Whether its hang-up was asked for so long ago that it will not come: its line and number are freed."""
    return call.hang_up_requested_at is not None and now > call.hang_up_requested_at + LONG_SILENCE


def _deadline(attempt: Attempt) -> datetime:
    """When even the longest call would be over."""
    longest = timedelta(seconds=RING_TIMEOUT_S + attempt.call.max_duration_s)
    return (attempt.answered_at or attempt.created_at) + longest + LONG_SILENCE
