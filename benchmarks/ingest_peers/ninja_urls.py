"""django-ninja with Django's ORM, as one writes it: a query for each thing, a save for each row.

The key's cache and the counting of requests are TemPhone's own.
"""

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from benchmarks.ingest_peers.asked import Asked, answer
from calls import messages
from calls.actions.scheduling import allowed, future_instant, refuse_campaign
from calls.gates import Facts
from calls.models import Call, CallEvent, Decision
from calls.models.history import Stage
from campaigns.models import Campaign
from contacts.models import Contact
from temphone.accounts.authentication import BEARER, GRANTS
from temphone.accounts.models import KEYS, ApiKey, AuditEntry, Mode
from temphone.lib.clock import now as utc_now
from temphone.lib.errors import DomainError


def _key(request: HttpRequest) -> ApiKey | None:
    given = BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    key = given and KEYS.find(given["public_id"])
    if not key or not key.matches(given[1]):
        return None
    if not GRANTS.take_one(key, utc_now()):
        raise HttpError(429, "Too many requests.")
    return key


api = NinjaAPI(auth=_key, openapi_url=None, docs_url=None)


@api.exception_handler(DomainError)
def _refused(request: HttpRequest, error: DomainError) -> Any:
    content = {"status": "error", "message": error.message, "data": None, "code": error.code}
    return api.create_response(request, content, status=error.http_status)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> Any:
    content = {"status": "error", "message": str(error.errors[0]["msg"]), "data": None}
    return api.create_response(request, content, status=400)


@api.post("calls/scheduled", response={201: dict})
def schedule(request: HttpRequest, asked: Asked) -> Any:
    key, now = request.auth, utc_now()
    with transaction.atomic():
        contact = Contact.objects.present().select_for_update(no_key=True).filter(pk=asked.contact_id).first()
        if contact is None:
            raise HttpError(404, "Contact not found.")
        campaign = Campaign.objects.filter(pk=asked.campaign_id).first() if asked.campaign_id else None
        if asked.campaign_id and campaign is None:
            raise HttpError(404, "Campaign not found.")
        call = _call(asked, contact, campaign, key, now)
        ruling = allowed(call, Facts.read([call], now=now))
        call.save(force_insert=True)
        Decision.objects.create(call=call, at=now, **ruling.decision(Stage.CREATION))
        CallEvent.objects.create(call=call, name="scheduled", to_status=call.status, at=now)
        AuditEntry.record(key.actor(), "call.schedule", call.pk)
    return 201, answer(
        asked, call_id=call.pk, when=call.scheduled_at, zone_name=call.timezone, due=call.due_at, now=now
    )


def _call(asked: Asked, contact: Contact, campaign: Campaign | None, key: ApiKey, now: Any) -> Call:
    zone_name = asked.timezone or contact.timezone
    when = future_instant(asked.scheduled_at, zone_name, now)
    call = Call(
        contact=contact,
        campaign=campaign,
        mode=Mode.TEST,
        scheduled_at=when,
        due_at=when,
        timezone=zone_name,
        initial_message=asked.initial_message,
        max_duration_s=asked.max_duration_seconds,
        caller_id=asked.caller_id or "",
        metadata=asked.metadata,
        recording_enabled=asked.recording_enabled,
        webhook_url=asked.webhook_url or "",
        created_by_key=key,
        created_at=now,
        updated_at=now,
    )
    messages.render_for(call, now=when)
    refuse_campaign(Mode.TEST, campaign)
    return call


urlpatterns = [path("v1/", api.urls)]
