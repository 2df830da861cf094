"""Plays the demo's past through the very actions that real calls go through, at the times it had then."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from calls.actions.carrier_events import record_carrier_events
from calls.actions.dialing import claim_due
from calls.models import Attempt, Call, Gateway
from temphone.accounts.models import Mode
from temphone.lib.clock import seconds
from temphone.management.demo.stories import Told
from temphone.telephony.messages import CarrierEvent, DialRequest, Ending, EventType, Script, Turn

CARRIER = "simulated"
NETWORK = "demo"
CHARS_PER_S = 15.0
PAUSE_S = 0.7
Waited = tuple[float, CarrierEvent]  # seconds since the event before


def play(stories: Mapping[str, Iterator[Told]], *, until: datetime) -> None:
    """Dial all that was due until then; ``stories`` has, per call, how each of its dials went."""
    network = Gateway(ledger=NETWORK, legs=[CARRIER], lines=1000)
    while call := Call.objects.due(until).first():
        network.last_seen_at = call.due_at + seconds(0.2)
        network.save()
        requests, _ = claim_due(mode=Mode.TEST, now=network.last_seen_at)
        for request in requests:
            _carry(request, stories, network.last_seen_at)
    Attempt.objects.filter(gateway=network).update(gateway=None)
    network.delete()


def _carry(request: DialRequest, stories: Mapping[str, Iterator[Told]], at: datetime) -> None:
    """Tell of one dial what the network would have told."""
    call_id = Attempt.objects.values_list("call_id", flat=True).get(pk=request.attempt_id)
    for sequence, (waited_s, undated) in enumerate(_events(request, next(stories[call_id])), start=1):
        at += seconds(waited_s)
        event = replace(undated, sequence=sequence, at=at)
        record_carrier_events(ledger=NETWORK, events=[event], now=at)


def _events(request: DialRequest, told: Told) -> Iterator[Waited]:
    event = partial(CarrierEvent, attempt_id=request.attempt_id, sequence=0, at=request.not_after)
    yield 0.1, event(type=EventType.ACCEPTED)
    if told.ring_s:
        yield 0.4, event(type=EventType.RINGING)
    if not told.answered_by:
        yield told.ring_s, event(type=EventType.ENDED, ending=_ending(told, 0))
        return
    yield told.ring_s, event(type=EventType.ANSWERED)
    spoken_s = 0.0
    for number, turn in enumerate(_turns(told, request.script)):
        lasted_s = PAUSE_S + len(turn.text) / CHARS_PER_S
        spoken_s = turn.offset_ms / 1000 + lasted_s
        if number == 1:
            yield 0.0, event(type=EventType.CLASSIFIED, answered_by=told.answered_by)
        if turn.text == request.script.opt_out_confirmation:
            yield 0.0, event(type=EventType.OPTED_OUT)
        yield lasted_s, event(type=EventType.TURN, turn=turn)
    yield 0.3, event(type=EventType.ENDED, ending=_ending(told, round(spoken_s)))


def _turns(told: Told, script: Script) -> Iterator[Turn]:
    """What was said, one after the other; the agent's texts are the script's."""
    offset_s = 0.0
    for speaker, words in told.turns:
        text: str = getattr(script, words) if speaker == "agent" else words
        yield Turn(speaker=speaker, text=text, offset_ms=round(offset_s * 1000))
        offset_s += PAUSE_S + len(text) / CHARS_PER_S


def _ending(told: Told, duration_s: int) -> Ending:
    return Ending(
        outcome=told.outcome,
        ended_by=told.ended_by,
        hangup_cause=told.cause,
        answered_by=told.answered_by,
        duration_s=duration_s,
    )
