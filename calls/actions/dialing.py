"""The dial protocol: claim what is due, record what the carrier answered, reconcile what it did not.

The claim is the one place where a dial is decided. It writes its intent and commits before anything
leaves; the request goes out once; what stays unanswered is asked for, and never simply sent again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max

from calls import messages
from calls.actions.changing import ask_to_hang_up
from calls.actions.finishing import finish_call, give_up, refuse, requeue
from calls.actions.lines import Lines
from calls.gates import Facts, Ruling, ask
from calls.models import Attempt, Call, CallEvent, Decision, Pacing
from calls.models.history import Stage, Verdict
from calls.scripts import script_for
from calls.states import CallStatus
from contacts.models import PhoneNumber
from temphone.lib.errors import Invalid
from temphone.lib.phone import to_e164
from temphone.telephony.messages import DialRequest, DialResult, Outcome, Placed, Refused, Sighting

BATCH = 100
RING_TIMEOUT_S = 30
NOT_AFTER = timedelta(seconds=10)  # claim to the last instant at which the leg may ring
LEASE = timedelta(seconds=8)  # the dial request gives up after 5 s; then somebody must ask
LONG_SILENCE = timedelta(seconds=60)  # beyond all that a call may last
ASK_AGAIN = timedelta(seconds=10)  # asking takes 5 s at most


def claim_due(*, carrier: str, now: datetime, limit: int = BATCH) -> tuple[list[DialRequest], int]:
    """Take the calls that are due, as many as there are free lines, and decide on each.

    Returns the dials to make, now that they are committed, and how many calls were decided on. The locks
    are taken in one order: the carrier's pacing row, the due calls (skipping those in other hands), the
    numbers. Pauses and stops take the first; opt-outs take the last.
    """
    modes = [mode for mode, name in settings.CARRIERS.items() if name == carrier]
    with transaction.atomic():
        (pacing,) = Pacing.lock(carrier)
        lines = Lines.free(pacing, now)
        due = Call.objects.due(now).filter(mode__in=modes).select_related("contact", "campaign")
        calls = list(due.select_for_update(skip_locked=True, of=("self",))[: lines.at_most(limit)])
        if not calls:
            return [], 0
        PhoneNumber.lock({call.contact.phone for call in calls})
        claim = _Claim(carrier=carrier, now=now, lines=lines, facts=Facts.read(calls, now=now))
        for call in calls:
            claim.decide(call)
        return claim.write(), claim.settled


class _Claim:
    """One claim: the verdicts of its calls, gathered and then written together."""

    def __init__(self, *, carrier: str, now: datetime, lines: Lines, facts: Facts) -> None:
        self.carrier = carrier
        self.now = now
        self.lines = lines
        self.facts = facts
        self.dialled: list[tuple[Call, Attempt]] = []
        self.decisions: list[Decision] = []
        self.waiting: list[tuple[Call, Ruling]] = []
        self.settled = 0

    def decide(self, call: Call) -> None:
        """Ask the gates, and do what they say."""
        self.facts.free_lines = self.lines.count
        ruling = ask(call, self.facts)
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
            caller_id = to_e164(call.caller_id or settings.DEFAULT_CALLER_ID)
        except (Invalid, ValueError, TypeError, LookupError) as error:
            # One call that cannot be made must not keep the others from theirs.
            self._give_up(call, ruling, error)
            return
        attempt = Attempt(
            call=call,
            number=1,  # counted on in write()
            carrier=self.carrier,
            gateway=self.lines.take(),
            to=call.contact.phone,
            caller_id=caller_id,
            rendered_message=rendered,
            not_after=self.now + NOT_AFTER,
            lease_until=self.now + LEASE,
            created_at=self.now,
        )
        self.facts.numbers_in_use.add(attempt.to)
        self.dialled.append((call, attempt))
        self._note(call, ruling, attempt)
        self.settled += 1

    def _give_up(self, call: Call, ruling: Ruling, error: Exception) -> None:
        reason = error.message if isinstance(error, Invalid) else f"cannot be made: {type(error).__name__}"
        self._note(call, ruling)
        finish_call(call, Outcome.MESSAGE_INCOMPLETE, now=self.now, reason=reason[:200])
        self.settled += 1

    def _defer(self, call: Call, ruling: Ruling) -> None:
        check = ruling.deciding
        call.change(now=self.now, due_at=check.until)
        CallEvent.objects.create(call=call, name="deferred", reason=check.text[:200], at=self.now)
        self._note(call, ruling)
        self.settled += 1

    def _block(self, call: Call, ruling: Ruling) -> None:
        check = ruling.deciding
        self._note(call, ruling)
        finish_call(call, check.outcome or Outcome.UNKNOWN, now=self.now, reason=check.text[:200])
        self.settled += 1

    def _note(self, call: Call, ruling: Ruling, attempt: Attempt | None = None) -> None:
        self.decisions.append(ruling.decision(call, Stage.CLAIM, at=self.now, attempt=attempt))

    def write(self) -> list[DialRequest]:
        """Write everything, and give the dials to make once it is committed."""
        self._write_attempts()
        self._note_new_waits()
        Decision.objects.bulk_create(self.decisions)
        return [_dial_request(call, attempt) for call, attempt in self.dialled]

    def _write_attempts(self) -> None:
        calls = [call for call, _ in self.dialled]
        made = dict(
            Attempt.objects.filter(call__in=calls).values_list("call").annotate(last=Max("number")).order_by()
        )
        for call, attempt in self.dialled:
            attempt.number = made.get(call.pk, 0) + 1
        Attempt.objects.bulk_create([attempt for _, attempt in self.dialled])
        # The rows are locked since they were read as scheduled, so one statement is as good as many.
        Call.objects.filter(pk__in=[call.pk for call in calls], status=CallStatus.SCHEDULED).update(
            status=CallStatus.IN_PROGRESS, version=F("version") + 1, updated_at=self.now
        )
        CallEvent.objects.bulk_create(
            CallEvent(
                call=call,
                attempt=attempt,
                name="dialing",
                from_status=CallStatus.SCHEDULED,
                to_status=CallStatus.IN_PROGRESS,
                at=self.now,
            )
            for call, attempt in self.dialled
        )

    def _note_new_waits(self) -> None:
        """A call that waits is told of once, not at every look."""
        last = _last_decisions([call for call, _ in self.waiting])
        for call, ruling in self.waiting:
            if last.get(call.pk) != (ruling.deciding.rule, Verdict.WAIT):
                self._note(call, ruling)


def _last_decisions(calls: Sequence[Call]) -> Mapping[str, tuple[str, str]]:
    newest = Decision.objects.filter(call__in=calls).values("call").annotate(last=Max("id")).order_by()
    rows = Decision.objects.filter(pk__in=newest.values("last"))
    return {row.call_id: (row.rule, row.verdict) for row in rows}


def _dial_request(call: Call, attempt: Attempt) -> DialRequest:
    return DialRequest(
        attempt_id=attempt.pk,
        gateway=attempt.leg.gateway,
        to=attempt.to,
        caller_id=attempt.caller_id,
        ring_timeout_s=RING_TIMEOUT_S,
        max_duration_s=call.max_duration_s,
        not_after=attempt.not_after,
        record=call.recording_enabled,
        script=script_for(call, attempt.rendered_message),
    )


def record_dial_results(results: Iterable[DialResult], *, now: datetime) -> None:
    """What the carrier answered to the dials. A placed one says the rest by its events."""
    refused = {result.attempt_id: result for result in results if isinstance(result, Refused)}
    unsure = [result.attempt_id for result in results if not isinstance(result, Refused | Placed)]
    # Nobody knows: have it asked for at once.
    Attempt.objects.live().filter(pk__in=unsure, sequence=0).update(lease_until=now)
    for attempt_id, refusal in refused.items():
        _record_refusal(attempt_id, refusal, now)


@transaction.atomic
def _record_refusal(attempt_id: str, refusal: Refused, now: datetime) -> None:
    attempt = _locked(attempt_id)
    if attempt is None or attempt.sequence:
        return
    if refusal.retry:
        requeue(attempt, refusal.cause, now=now, rest=True)
    else:
        refuse(attempt, refusal.cause, now=now)


def _locked(attempt_id: str) -> Attempt | None:
    """The attempt, locked with its call, if it is live."""
    call_id = Attempt.objects.filter(pk=attempt_id).values("call_id")
    Call.objects.select_for_update().filter(pk__in=call_id).first()
    live = Attempt.objects.live().filter(pk=attempt_id)
    return live.select_related("call__contact", "call__campaign").first()


@transaction.atomic
def take_overdue(*, now: datetime, limit: int = BATCH) -> list[Attempt]:
    """Attempts whose lease ran out: the carrier must be asked. They are in the caller's hands for a while."""
    overdue = Attempt.objects.overdue(now).select_related("gateway").order_by("lease_until")
    attempts = list(overdue.select_for_update(skip_locked=True, of=("self",))[:limit])
    Attempt.objects.filter(pk__in=[row.pk for row in attempts]).update(lease_until=now + ASK_AGAIN)
    return attempts


@transaction.atomic
def record_sighting(attempt_id: str, sighting: Sighting, *, now: datetime) -> None:
    """What the carrier knows of an attempt whose lease ran out."""
    attempt = _locked(attempt_id)
    if attempt is None:
        return
    if sighting == Sighting.NEVER and attempt.sequence == 0:
        requeue(attempt, "never_sent", now=now)
    elif now <= _deadline(attempt):
        return  # it is asked for again when its lease runs out
    elif sighting == Sighting.LIVE:
        if attempt.call.hang_up_requested_at is None:
            ask_to_hang_up(attempt.call, now=now, reason="over its maximum length")
    else:
        give_up(attempt, f"carrier_{sighting}", now=now)


def _deadline(attempt: Attempt) -> datetime:
    """When even the longest call would be over."""
    longest = timedelta(seconds=RING_TIMEOUT_S + attempt.call.max_duration_s)
    return (attempt.answered_at or attempt.created_at) + longest + LONG_SILENCE
