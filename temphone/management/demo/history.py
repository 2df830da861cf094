"""Plays the demo's past through the very actions that real calls go through, at the times it had then."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from django.db.models import Q

from calls.actions.carrier_events import record_carrier_events
from calls.actions.dialing import claim_due
from calls.models import Attempt, Call, DayCount, Gateway
from campaigns.states import CampaignStatus
from temphone.accounts.models import Mode
from temphone.lib.clock import seconds
from temphone.management.demo.stories import Told
from temphone.telephony.messages import (
    AnsweredBy,
    CarrierEvent,
    DialRequest,
    Ending,
    EventType,
    Script,
    Turn,
)

CARRIER = "simulated"
NETWORK = "demo"
CHARS_PER_S = 15.0
PAUSE_S = 0.7
EVER = datetime.min.replace(tzinfo=UTC)
Evidence = Mapping[str, str | int]
Waited = tuple[float, CarrierEvent]  # seconds since the event before


def play(
    stories: Mapping[str, Iterator[Told]],
    *,
    until: datetime,
    since: datetime = EVER,
) -> None:
    """Dial all that was due until then; ``stories`` has, per call, how each of its dials went.

    ``since`` is when the worker came: what was due before is dialled late, or never.
    """
    network = Gateway(ledger=NETWORK, legs=[CARRIER], lines=1000)
    now = since
    runs = Q(campaign=None) | Q(campaign__status=CampaignStatus.RUNNING)
    while call := Call.objects.claimable(until).filter(runs).first():
        now = max(now + seconds(1), call.due_at + seconds(0.2))  # a second has only so many dials
        network.last_seen_at = now
        network.save()
        requests, _ = claim_due(mode=Mode.TEST, now=now)
        _carry(requests, stories, now)
    DayCount.objects.all().delete()  # the worker of a running installation found these days empty
    Attempt.objects.filter(gateway=network).update(gateway=None)
    network.delete()


def _carry(requests: Sequence[DialRequest], stories: Mapping[str, Iterator[Told]], at: datetime) -> None:
    """Tell of these dials what the network would have told."""
    calls = dict(
        Attempt.objects.filter(pk__in=[one.attempt_id for one in requests]).values_list("pk", "call_id")
    )
    events = [
        event
        for request in requests
        for event in dated(events_of(request, next(stories[calls[request.attempt_id]])), at)
    ]
    if events:
        record_carrier_events(ledger=NETWORK, events=events, now=max(event.at for event in events))


def dated(told: Iterable[Waited], at: datetime) -> Iterator[CarrierEvent]:
    """The events of a dial that was made then, numbered, each at its instant."""
    for sequence, (waited_s, event) in enumerate(told, start=1):
        at += seconds(waited_s)
        yield replace(event, sequence=sequence, at=at)


def events_of(request: DialRequest, told: Told) -> Iterator[Waited]:
    event = partial(CarrierEvent, attempt_id=request.attempt_id, sequence=0, at=request.not_after)
    yield 0.1, event(type=EventType.ACCEPTED)
    if told.ring_s:
        yield 0.4, event(type=EventType.RINGING)
    if not told.answered_by:
        yield told.ring_s, event(type=EventType.ENDED, ending=_ending(told, 0))
        return
    yield told.ring_s, event(type=EventType.ANSWERED)
    spoken_s, evidence = 0.0, _evidence(told, request.script)
    for number, turn in enumerate(_turns(told, request.script)):
        lasted_s = PAUSE_S + len(turn.text) / CHARS_PER_S
        spoken_s = turn.offset_ms / 1000 + lasted_s
        if number == 1:
            yield 0.0, event(type=EventType.CLASSIFIED, answered_by=told.answered_by)
        if turn.text == request.script.opt_out_confirmation:
            yield 0.0, event(type=EventType.OPTED_OUT, evidence=evidence)
        yield lasted_s, event(type=EventType.TURN, turn=turn)
    yield 0.3, event(type=EventType.ENDED, ending=_ending(told, round(spoken_s), evidence))


def _turns(told: Told, script: Script) -> Iterator[Turn]:
    """What was said, one after the other; what the agent says may be named as in the script."""
    offset_s = 0.0
    for speaker, words in told.turns:
        text: str = getattr(script, words, words) if speaker == "agent" else words
        yield Turn(speaker=speaker, text=text, offset_ms=round(offset_s * 1000))
        offset_s += PAUSE_S + len(text) / CHARS_PER_S


def _evidence(told: Told, script: Script) -> Evidence:
    """What they said last; that a person says hello shows nothing."""
    heard = [turn for turn in _turns(told, script) if turn.speaker == "callee"]
    telling = heard[1:] if told.answered_by == AnsweredBy.HUMAN else heard
    return {"said": telling[-1].text, "offset_ms": telling[-1].offset_ms} if telling else {}


def _ending(told: Told, duration_s: int, evidence: Evidence | None = None) -> Ending:
    return Ending(
        outcome=told.outcome,
        ended_by=told.ended_by,
        hangup_cause=told.cause,
        answered_by=told.answered_by,
        duration_s=duration_s,
        evidence=evidence or {},
        analysis=told.analysis if duration_s else None,
    )
