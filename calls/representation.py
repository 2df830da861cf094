"""A call as the API shows it; the webhooks and the pages' JSON use it too."""

from django.db.models import prefetch_related_objects

from calls.models import Attempt, Call, CallEvent, Decision, TranscriptTurn
from temphone.lib.clock import iso
from temphone.lib.data import present

DETAILS = ("attempts__turns", "attempts__recording", "events", "decisions")


def call_data(call: Call) -> dict[str, object]:
    """The call in the specification's key order, our own keys after it; what is unset is absent."""
    return present(
        {
            "call_id": call.pk,
            "contact_id": call.contact_id,
            "campaign_id": call.campaign_id,
            "scheduled_at": call.scheduled_at,
            "timezone": call.timezone,
            "initial_message": call.initial_message,
            "max_duration_seconds": call.max_duration_s,
            "caller_id": call.caller_id or None,
            "recording_enabled": call.recording_enabled,
            "webhook_url": call.webhook_url or None,
            "metadata": call.metadata,
            "status": call.status,
            "created_at": call.created_at,
            "updated_at": call.updated_at,
            "outcome": call.outcome,
            "answered_by": call.answered_by,
            "mode": call.mode,
            "due_at": call.due_at,
            "hang_up_requested_at": call.hang_up_requested_at,
            "recording": _recording(call, call.recording_ms),
        }
    )


def _recording(call: Call, duration_ms: int | None, number: int | None = None) -> dict[str, object]:
    """Whether there is a recording, how long it is, and where; of the whole call it is the latest."""
    if duration_ms is None:
        return {"available": False}
    query = "" if number is None else f"?attempt={number}"
    url = f"/v1/calls/{call.pk}/recording{query}"
    return {"available": True, "duration_seconds": round(duration_ms / 1000), "url": url}


def call_details(call: Call) -> dict[str, object]:
    """The call with its attempts, events, transcript and decisions; five queries, none if prefetched."""
    prefetch_related_objects([call], *DETAILS)
    attempts = list(call.attempts.all())
    turns = [turn for attempt in attempts for turn in attempt.turns.all()]
    return {
        **call_data(call),
        "attempts": [_attempt(call, attempt) for attempt in attempts],
        "events": [_event(event) for event in call.events.all()],
        "transcript": [_turn(turn) for turn in turns],
        "decisions": [_decision(decision) for decision in call.decisions.all()],
        **next((_analysis(attempt) for attempt in reversed(attempts) if attempt.analyzed_by), {}),
    }


def _analysis(attempt: Attempt) -> dict[str, object]:
    """What was made of it, and by what; nothing where nobody answered."""
    return present(
        {
            "summary": attempt.summary or None,
            "extracted": attempt.extracted or None,
            "analyzed_by": attempt.analyzed_by or None,
        }
    )


def _attempt(call: Call, attempt: Attempt) -> dict[str, object]:
    recording = getattr(attempt, "recording", None)
    heard_ms = recording.duration_ms if recording and recording.is_ready else None
    return present(
        {
            "attempt_id": attempt.pk,
            "number": attempt.number,
            "state": attempt.state,
            "outcome": attempt.outcome,
            "answered_by": attempt.answered_by,
            "carrier": attempt.carrier,
            "trunk_id": attempt.trunk_id,
            "to": attempt.to,
            "caller_id": attempt.caller_id,
            "rendered_message": attempt.rendered_message,
            "created_at": attempt.created_at,
            "ringing_at": attempt.ringing_at,
            "answered_at": attempt.answered_at,
            "ended_at": attempt.ended_at,
            "ended_by": attempt.ended_by or None,
            "hangup_cause": attempt.hangup_cause or None,
            "duration_seconds": attempt.duration_s,
            "evidence": attempt.evidence or None,
            "recording": _recording(call, heard_ms, attempt.number),
        }
    ) | _analysis(attempt)


def _event(event: CallEvent) -> dict[str, object]:
    return present(
        {
            "name": event.name,
            "at": event.at,
            "attempt_id": event.attempt_id,
            "from_status": event.from_status or None,
            "to_status": event.to_status or None,
            "reason": event.reason or None,
            "data": event.data or None,
        }
    )


def _turn(turn: TranscriptTurn) -> dict[str, object]:
    return {
        "attempt_id": turn.attempt_id,
        "speaker": turn.speaker,
        "text": turn.text,
        "offset_ms": turn.offset_ms,
        "at": iso(turn.at),
    }


def _decision(decision: Decision) -> dict[str, object]:
    return present(
        {
            "stage": decision.stage,
            "verdict": decision.verdict,
            "rule": decision.rule,
            "checks": decision.checks,
            "at": decision.at,
            "attempt_id": decision.attempt_id,
        }
    )
