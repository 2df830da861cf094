"""The doors for carriers: signed, and nothing else about them is trusted."""

import logging
import re
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import msgspec
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from calls.actions.carrier_events import record_carrier_events
from calls.actions.gateways import record_heartbeat, trunks_to_have_ready
from calls.actions.recordings import record_recording_failed, take_part
from temphone import wiring
from temphone.lib.clock import now as utc_now
from temphone.telephony.messages import (
    Acknowledged,
    Events,
    Heartbeat,
    Received,
    RecordingFailed,
    RecordingPart,
    Welcome,
    decode,
    encode,
)
from temphone.telephony.signing import CONTENT_TYPE, BadSignature, SignedRequest

Told = TypeVar("Told")
# In JSON, NUL is \u0000 after an even number of backslashes. PostgreSQL keeps it in no text.
NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
UNREADABLE = rb"\1\\ufffd"

log = logging.getLogger(__name__)


def told_by_gateway(
    kind: type[Told],
) -> Callable[[Callable[[Told], object]], Callable[[HttpRequest], HttpResponse]]:
    """Hand a signed message of this kind to the function, and answer with the message that it returns.

    Without our signature the answer is 401; without the kind's shape, or with a value that the database
    cannot hold, 400: to send it again would not help. 503 while the disk fails: it may help.
    """

    def door(handle: Callable[[Told], object]) -> Callable[[HttpRequest], HttpResponse]:
        @csrf_exempt
        @require_POST
        @wraps(handle)
        def view(request: HttpRequest) -> HttpResponse:
            try:
                wiring.carrier().verify(SignedRequest(headers=request.headers, body=request.body))
                answer = handle(decode(_readable(request.body), kind))
            except BadSignature:
                return HttpResponse(status=401)
            except (msgspec.DecodeError, DataError, OverflowError):
                return HttpResponse(status=400)
            except OSError as error:
                log.warning("What a gateway told waits for the disk: %s.", type(error).__name__)
                return HttpResponse(status=503)
            return HttpResponse(encode(answer), content_type=CONTENT_TYPE)

        return view

    return door


def _readable(body: bytes) -> bytes:
    # To look for the bare text first spares a megabyte of sound a tenth of a second.
    return NUL.sub(UNREADABLE, body) if b"\\u0000" in body else body


@told_by_gateway(Events)
def gateway_events(message: Events) -> Acknowledged:
    """Apply a batch of events; say how far."""
    applied = record_carrier_events(ledger=message.ledger, events=message.events, now=utc_now())
    return Acknowledged(sequences=applied)


@told_by_gateway(Heartbeat)
def gateway_heartbeat(message: Heartbeat) -> Welcome:
    """Note that a gateway is alive; tell it our clock, and the trunks that it is to have ready."""
    now = utc_now()
    record_heartbeat(heartbeat=message, now=now)
    return Welcome(at=now, trunks=trunks_to_have_ready())


@told_by_gateway(RecordingPart)
def gateway_recording(message: RecordingPart) -> Received:
    """Keep a part of a recording; say how far it is."""
    return take_part(part=message, now=utc_now())


@told_by_gateway(RecordingFailed)
def gateway_recording_failed(message: RecordingFailed) -> Received:
    """Note why there is no recording."""
    return record_recording_failed(message=message, now=utc_now())


urlpatterns = [
    path("gateway/events", gateway_events),
    path("gateway/heartbeat", gateway_heartbeat),
    path("gateway/recording", gateway_recording),
    path("gateway/recording-failed", gateway_recording_failed),
]
