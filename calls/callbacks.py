"""The doors for carriers: signed, and nothing else about them is trusted."""

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from calls.actions.carrier_events import record_carrier_events
from calls.actions.gateways import record_heartbeat
from temphone import wiring
from temphone.lib.clock import now as utc_now
from temphone.telephony.messages import Acknowledged, Events, Heartbeat, Welcome, decode, encode
from temphone.telephony.signing import CONTENT_TYPE, BadSignature, SignedRequest


@csrf_exempt
@require_POST
def gateway_events(request: HttpRequest) -> HttpResponse:
    """Apply a batch of events; say how far."""
    try:
        wiring.carrier().verify(SignedRequest(headers=request.headers, body=request.body))
        events = decode(request.body, Events)
    except BadSignature:
        return HttpResponse(status=401)
    except msgspec.DecodeError:
        return HttpResponse(status=400)
    sequences = record_carrier_events(ledger=events.ledger, events=events.events, now=utc_now())
    return _answer(Acknowledged(sequences=sequences))


@csrf_exempt
@require_POST
def gateway_heartbeat(request: HttpRequest) -> HttpResponse:
    """Note that a gateway is alive; tell it our clock."""
    try:
        wiring.carrier().verify(SignedRequest(headers=request.headers, body=request.body))
        heartbeat = decode(request.body, Heartbeat)
    except BadSignature:
        return HttpResponse(status=401)
    except msgspec.DecodeError:
        return HttpResponse(status=400)
    now = utc_now()
    record_heartbeat(heartbeat=heartbeat, now=now)
    return _answer(Welcome(at=now))


def _answer(message: object) -> HttpResponse:
    return HttpResponse(encode(message), content_type=CONTENT_TYPE)


urlpatterns = [
    path("gateway/events", gateway_events),
    path("gateway/heartbeat", gateway_heartbeat),
]
