"""Calls for programs."""

import hashlib
import json
import re

from django.db.models import TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from calls.actions.batch import Batch, batch_before, schedule_batch
from calls.actions.changing import cancel_call, get_call, update_call
from calls.actions.idempotency import Idempotency
from calls.actions.listening import get_recording, listen
from calls.actions.scheduling import (
    CallRequest,
    Preview,
    Scheduled,
    preview_call,
    schedule_call,
    scheduled_before,
)
from calls.models import Call
from calls.models.call import CallQuerySet
from calls.representation import call_data, call_details
from calls.serializers import (
    BATCH_EXAMPLES,
    EXAMPLES,
    BatchBody,
    BatchData,
    CallBody,
    CallChanges,
    CallData,
    CallDetails,
    PreviewData,
)
from calls.states import OUTCOME_CHOICES, CallStatus
from temphone.api.base import ApiView
from temphone.api.document import PAGE, header, operation, page_of, query, sound
from temphone.api.envelope import Answer, refusal
from temphone.api.pagination import page
from temphone.api.parsers import BatchParser
from temphone.lib.clock import iso
from temphone.lib.errors import Conflict, Invalid
from temphone.ranged import ranged

OUTCOMES = [outcome for outcome, _ in OUTCOME_CHOICES]
SCHEDULED = "AI outbound call scheduled successfully."
KEY_HEADER = header("Idempotency-Key", "1 to 255 printable characters; a repetition gets the first answer.")
IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}")
METADATA_KEY = re.compile(r"(?![0-9]+$)[A-Za-z0-9_.-]{1,100}")


class ScheduledCalls(ApiView):
    """Schedule calls."""

    @operation(
        "scheduleCall",
        body=CallBody,
        data=CallData,
        status=201,
        also={200: PreviewData, 404: None, 422: None},
        parameters=[
            query("dry_run", "Answer what would be done, and do nothing.", enum=["true", "false"]),
            KEY_HEADER,
        ],
        examples=EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Schedule a call; with ``dry_run=true``, see what that would do."""
        idempotency, dry_run = _idempotency(request), self.query.flag("dry_run")
        if dry_run:
            preview = preview_call(actor=self.actor, mode=self.mode, request=_asked(request), now=self.now)
            return Answer(_preview_data(preview), "Preview only; nothing was scheduled.")
        scheduled = idempotency and scheduled_before(actor=self.actor, idempotency=idempotency, now=self.now)
        return _created(scheduled or self._schedule(_asked(request), idempotency))

    def _schedule(self, asked: CallRequest, idempotency: Idempotency | None) -> Scheduled:
        return schedule_call(
            actor=self.actor, mode=self.mode, request=asked, now=self.now, idempotency=idempotency
        )


class ScheduledBatch(ApiView):
    """Schedule many calls at once."""

    parser_classes = (BatchParser,)

    @operation(
        "scheduleCalls",
        body=BatchBody,
        data=BatchData,
        status=201,
        also={207: BatchData, 422: None},
        parameters=[KEY_HEADER],
        examples=BATCH_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Schedule up to 1,000 calls; 201 when all were scheduled, 207 when some were refused."""
        idempotency = _idempotency(request)
        if self.query.flag("dry_run"):
            raise self.query.bad("dry_run", "is for single calls; a batch has no preview.")
        batch = idempotency and batch_before(actor=self.actor, idempotency=idempotency, now=self.now)
        return _verdicts(batch or self._schedule(request, idempotency))

    def _schedule(self, request: Request, idempotency: Idempotency | None) -> Batch:
        return schedule_batch(
            actor=self.actor,
            mode=self.mode,
            requests=[_item(item) for item in BatchBody.read(request)["calls"]],
            now=self.now,
            idempotency=idempotency,
        )


def _item(item: object) -> CallRequest | Invalid:
    """One call of a batch, or what is wrong with its shape."""
    if not isinstance(item, dict):
        return Invalid("A call must be a JSON object.")
    try:
        return CallRequest(**CallBody.check(item))
    except Invalid as error:
        return error


def _verdicts(batch: Batch) -> Answer:
    scheduled, asked = batch.data["scheduled"], len(batch.data["items"])
    headers = {"Idempotent-Replayed": "true"} if batch.replayed else {}
    message = f"{scheduled:,} of {asked:,} calls scheduled."
    return Answer(batch.data, message, status=201 if scheduled == asked else 207, headers=headers)


def _asked(request: Request) -> CallRequest:
    return CallRequest(**CallBody.read(request))


def _created(scheduled: Scheduled) -> Answer:
    headers = {"Idempotent-Replayed": "true"} if scheduled.replayed else {}
    return Answer(scheduled.data, SCHEDULED, status=201, headers=headers)


def _idempotency(request: Request) -> Idempotency | None:
    # The body first: its type and size are looked at before anything else is.
    body = request.data
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise Invalid("Header 'Idempotency-Key' must be 1 to 255 printable characters.")
    # With the address: what the same body asks for differs by it.
    asked = f"{request.path.rstrip('/')} {json.dumps(body, sort_keys=True)}"
    return Idempotency(key=key, fingerprint=hashlib.sha256(asked.encode()).hexdigest())


def _preview_data(preview: Preview) -> dict[str, object]:
    return {
        "rendered_message": preview.rendered_message,
        "scheduled_at": iso(preview.scheduled_at),
        "timezone": preview.timezone,
        "contact_local_time": preview.contact_local.isoformat(timespec="seconds"),
        "verdict": preview.verdict,
        "checks": preview.checks,
        "planned_attempts": preview.planned_attempts,
    }


class Calls(ApiView):
    """The calls of the key's mode."""

    @operation(
        "listCalls",
        data=page_of(CallData),
        parameters=[
            query("status", enum=CallStatus.values),
            query("outcome", enum=OUTCOMES),
            query("contact_id"),
            query("campaign_id"),
            query("scheduled_from", "Scheduled then or later.", moment=True),
            query("scheduled_to", "Scheduled then or earlier.", moment=True),
            *PAGE,
        ],
    )
    def get(self, _request: Request) -> Response:
        """List calls, the latest first."""
        return Answer(page(self._matching(), self.query, by="scheduled_at", render=call_data))

    def _matching(self) -> CallQuerySet:
        asked = self.query
        conditions = {
            "mode": self.mode,
            "status": asked.choice("status", CallStatus.values),
            "outcome": asked.choice("outcome", OUTCOMES),
            "contact_id": asked.text("contact_id"),
            "campaign_id": asked.text("campaign_id"),
            "scheduled_at__gte": asked.instant("scheduled_from"),
            "scheduled_at__lte": asked.instant("scheduled_to"),
        }
        calls = Call.objects.having({name: value for name, value in conditions.items() if value is not None})
        for key, value in asked.with_prefix("metadata.").items():
            if not METADATA_KEY.fullmatch(key):
                raise asked.bad(f"metadata.{key}", "must name a key of letters, digits, '_', '-' and '.'.")
            calls = calls.alias(found=Cast(KeyTextTransform(key, "metadata"), TextField())).filter(
                found=value
            )
        return calls


class CallDetail(ApiView):
    """One call."""

    @operation("getCall", data=CallDetails)
    def get(self, _request: Request, call_id: str) -> Response:
        """Show the call with its attempts, events, transcript and decisions."""
        return Answer(call_details(get_call(actor=self.actor, call_id=call_id)))

    @operation("changeCall", body=CallChanges, data=CallData, also={409: None, 422: None})
    def patch(self, request: Request, call_id: str) -> Response:
        """Change the call while it is scheduled."""
        changes = CallChanges.read(request, partial=True)
        try:
            call = update_call(actor=self.actor, call_id=call_id, changes=changes, now=self.now)
        except Conflict as error:
            return _as_it_stands(self, error, call_id)
        return Answer(call_data(call), "Call changed.")


class CancelCall(ApiView):
    """The end of a call before its time."""

    @operation("cancelCall", data=CallData, also={202: CallData, 409: None})
    def post(self, _request: Request, call_id: str) -> Response:
        """Cancel the call at once if it is scheduled; ask for the hang-up if it is in progress."""
        try:
            call = cancel_call(actor=self.actor, call_id=call_id, now=self.now)
        except Conflict as error:
            return _as_it_stands(self, error, call_id)
        if call.status == CallStatus.CANCELED:
            return Answer(call_data(call), "Call canceled.")
        return Answer(call_data(call), "The call is in progress; it is being hung up.", status=202)


class CallRecording(ApiView):
    """How a call sounded."""

    @sound(
        "getCallRecording",
        parameters=[
            query("attempt", "The number of the attempt; omitted: the latest that has a recording."),
            query("download", "Whether browsers should save it.", enum=["true", "false"]),
        ],
    )
    def get(self, request: Request, call_id: str) -> HttpResponseBase:
        """Give the recording, or the part of it that `Range` names; who hears it is audited."""
        number = self.query.number("attempt", 0, least=1, most=10_000) or None
        recording = get_recording(actor=self.actor, call_id=call_id, number=number)
        return ranged(
            request,
            lambda: listen(actor=self.actor, recording=recording, now=self.now),
            as_attachment=self.query.flag("download"),
            **recording.as_file,
        )


def _as_it_stands(view: ApiView, error: Conflict, call_id: str) -> Response:
    """The refusal, with the call's true state."""
    return refusal(error, data=call_data(get_call(actor=view.actor, call_id=call_id)))
