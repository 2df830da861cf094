"""The pages about webhooks, for admins alone: endpoints, and the log of what was sent."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calls.models import Call
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.lib.errors import Conflict, DomainError, NotFound
from temphone.pages import StaffRequest, capped_count, dialog, page, read_page
from temphone.templatetags.ui import grouped
from temphone.webhooks.actions import resend
from temphone.webhooks.actions.endpoints import (
    MOST_AGAIN,
    OVERLAP,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    end_overlap,
    get_endpoint,
    resend_failed,
    rotate_secret,
    send_test,
    switch_endpoint,
)
from temphone.webhooks.forms import DeliveryFilter, EndpointForm, ResendForm, is_call
from temphone.webhooks.models import Delivery, DeliveryState, DeliveryTry, Endpoint
from temphone.webhooks.sender import Message, headers

LATEST = 10
LATEST_OF_ONE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An endpoint with how many messages wait for it."""

    endpoint: Endpoint
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message with its last try and, where it is about one, its call."""

    delivery: Delivery
    last: DeliveryTry | None
    call: Call | None


def _sent(deliveries: Sequence[Delivery]) -> list[Sent]:
    """Two queries, however many there are."""
    tries = DeliveryTry.objects.filter(delivery__in=[one.pk for one in deliveries]).order_by("id")
    last = {one.delivery_id: one for one in tries.defer("answer")}
    subjects = {one.subject for one in deliveries if is_call(one.subject)}
    calls = Call.objects.filter(pk__in=subjects).select_related("contact").in_bulk()
    return [Sent(delivery=one, last=last.get(one.pk), call=calls.get(one.subject)) for one in deliveries]


def _waiting(endpoint: Endpoint) -> int:
    return capped_count(
        Delivery.objects.filter(endpoint=endpoint, state=DeliveryState.PENDING).order_by("id")
    )


@page
@require_safe
def endpoint_list(request: StaffRequest) -> HttpResponse:
    """All endpoints with how they are, and the latest messages."""
    request.user.actor().require(Role.ADMIN)
    endpoints: Iterable[Endpoint] = Endpoint.objects.present()
    latest = list(Delivery.objects.select_related("endpoint").order_by("-id")[:LATEST])
    context = {
        "standings": [Standing(endpoint=one, waiting=_waiting(one)) for one in endpoints],
        "latest": _sent(latest),
        "now": clock.now(),
    }
    template = "webhooks/list.html#endpoints" if request.htmx else "webhooks/list.html"
    return render(request, template, context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint_new(request: StaffRequest) -> HttpResponse:
    """A new endpoint; once made, its secret is shown, and never again."""
    actor = request.user.actor()
    actor.require(Role.ADMIN)
    form = EndpointForm(request.POST if request.method == "POST" else None)
    token = _token(request)
    if request.method == "POST" and form.is_valid():
        try:
            endpoint, secret = create_endpoint(actor=actor, now=clock.now(), token=token, **form.cleaned_data)
        except DomainError as error:
            if error.code == "sent_before":
                return _sent_before(request, redirect("webhook-list"))
            form.refuse(error)
        else:
            context = {"endpoint": endpoint, "secret": secret, "is_new": True}
            return render(request, "webhooks/secret.html", context)
    return render(request, "webhooks/new.html", {"form": form, "token": token})


def _token(request: StaffRequest) -> str:
    """What tells one form from the next of its kind; a new one where none was sent."""
    return request.POST.get("token", "")[:64] or uuid4().hex


def _sent_before(request: StaffRequest, answer: HttpResponse) -> HttpResponse:
    """Say why there is no secret to be shown: it was, to whoever sent the form first."""
    text = _(
        "This form was sent before, and its secret was shown then. If it was not copied, make a new one."
    )
    messages.warning(request, text)
    return answer


@page
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint_page(request: StaffRequest, endpoint_id: str) -> HttpResponse:
    """One endpoint: how it is, its latest messages, and what is known of it, to be changed."""
    actor = request.user.actor()
    endpoint = get_endpoint(actor=actor, endpoint_id=endpoint_id)
    form = EndpointForm(request.POST if request.method == "POST" else None, endpoint=endpoint)
    if request.method == "POST" and form.is_valid():
        try:
            change_endpoint(actor=actor, endpoint_id=endpoint_id, now=clock.now(), **form.cleaned_data)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(
                request, _("The endpoint {name} is saved.").format(name=form.cleaned_data["name"])
            )
            return redirect("webhook", endpoint_id=endpoint_id)
    now = clock.now()
    parts = [Delivery.objects.filter(endpoint=endpoint, state=state) for state in DeliveryState.values]
    latest = read_page(Delivery.objects.all(), request.GET, parts, keys=("-id",), size=LATEST_OF_ONE)
    context = {
        "endpoint": endpoint,
        "form": form,
        "now": now,
        "waiting": _waiting(endpoint),
        "latest": _sent(latest.rows),
        "signs_twice": endpoint.signs_twice(now),
    }
    template = "webhooks/endpoint.html#standing" if request.htmx else "webhooks/endpoint.html"
    return render(request, template, context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint_switch(request: StaffRequest, endpoint_id: str) -> HttpResponse:
    """Ask, then switch the endpoint off; or on again."""
    actor = request.user.actor()
    endpoint = get_endpoint(actor=actor, endpoint_id=endpoint_id)
    if request.method == "POST":
        on = request.POST.get("on") == "1"
        switch_endpoint(actor=actor, endpoint_id=endpoint_id, on=on, now=clock.now())
        text = _("The endpoint {name} is switched on.") if on else _("The endpoint {name} is switched off.")
        messages.success(request, text.format(name=endpoint.name))
        return redirect("webhook", endpoint_id=endpoint_id)
    context = {"endpoint": endpoint, "waiting": _waiting(endpoint)}
    return dialog(request, "webhooks/switch.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint_rotate(request: StaffRequest, endpoint_id: str) -> HttpResponse:
    """Ask, then sign with a new secret, which is shown and never again; or with the newest alone."""
    actor, now = request.user.actor(), clock.now()
    endpoint = get_endpoint(actor=actor, endpoint_id=endpoint_id)
    hours, token = int(OVERLAP.total_seconds() // 3600), _token(request)
    if request.method != "POST":
        context = {
            "endpoint": endpoint,
            "hours": hours,
            "token": token,
            "overlaps": endpoint.signs_twice(now),
        }
        return dialog(request, "webhooks/rotate.html", context)
    if request.POST.get("act") == "end":
        end_overlap(actor=actor, endpoint_id=endpoint_id, now=now)
        messages.success(request, _("The newest secret signs alone now."))
        return redirect("webhook", endpoint_id=endpoint_id)
    keep_old = request.POST.get("keep_old") == "1"
    try:
        endpoint, secret = rotate_secret(
            actor=actor, endpoint_id=endpoint_id, keep_old=keep_old, now=now, token=token
        )
    except Conflict as error:
        if error.code == "sent_before":
            return _sent_before(request, redirect("webhook", endpoint_id=endpoint_id))
        messages.error(request, error.message)
        return redirect("webhook-rotate", endpoint_id=endpoint_id)
    keeps = endpoint.signs_twice(now)
    context = {"endpoint": endpoint, "secret": secret, "keep_old": keeps, "hours": hours}
    return render(request, "webhooks/secret.html", context)


@page
@require_POST
def endpoint_test(request: StaffRequest, endpoint_id: str) -> HttpResponse:
    """Send a message that tells of nothing, and show how it goes."""
    try:
        delivery = send_test(actor=request.user.actor(), endpoint_id=endpoint_id, now=clock.now())
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("webhook", endpoint_id=endpoint_id)
    return redirect("webhook-delivery", delivery_id=delivery.pk)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint_delete(request: StaffRequest, endpoint_id: str) -> HttpResponse:
    """Ask, then forget the endpoint and its secret."""
    actor = request.user.actor()
    endpoint = get_endpoint(actor=actor, endpoint_id=endpoint_id)
    if request.method != "POST":
        context = {"endpoint": endpoint, "waiting": _waiting(endpoint)}
        return dialog(request, "webhooks/delete.html", context)
    delete_endpoint(actor=actor, endpoint_id=endpoint_id, now=clock.now())
    messages.success(request, _("The endpoint {name} is deleted.").format(name=endpoint.name))
    return redirect("webhook-list")


@page
@require_safe
def delivery_log(request: StaffRequest) -> HttpResponse:
    """What was sent, the newest first, or what of it matches."""
    request.user.actor().require(Role.ADMIN)
    form = DeliveryFilter(request.GET)
    parts = form.apply()
    rows = (parts[0] if len(parts) == 1 else Delivery.objects.all()).select_related("endpoint")
    listing = read_page(rows, request.GET, parts if len(parts) > 1 else (), keys=("-id",))
    context = {
        "form": form,
        "chips": form.chips(),
        "filtered": bool(form.given),
        "count": capped_count(*parts),
        "listing": listing,
        "sent": _sent(listing.rows),
    }
    return render(request, "webhooks/log.html#results" if request.htmx else "webhooks/log.html", context)


@page
@require_safe
def delivery_page(request: StaffRequest, delivery_id: int) -> HttpResponse:
    """One message: what was sent, and each try with its answer."""
    request.user.actor().require(Role.ADMIN)
    delivery = Delivery.objects.select_related("endpoint").filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFound(f"Delivery not found: {delivery_id}.")
    (sent,) = _sent([delivery])
    context = {
        "delivery": delivery,
        "call": sent.call,
        "tries": list(delivery.log.order_by("-id")),
        "payload": json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False),
        "headers": _headers(delivery, sent.last),
        "poll": delivery.state == DeliveryState.PENDING,
    }
    template = "webhooks/delivery.html#live" if request.htmx else "webhooks/delivery.html"
    return render(request, template, context)


def _headers(delivery: Delivery, last: DeliveryTry | None) -> dict[str, str]:
    """What the last try sent along, without the signature: who has it could repeat the message."""
    message = Message(id=delivery.event_id, url=delivery.url, body=delivery.body)
    sent = headers(message, secrets=[], at=last.at if last else delivery.created_at)
    return {**sent, "webhook-signature": "v1,\N{HORIZONTAL ELLIPSIS}"}


@page
@require_POST
def delivery_resend(request: StaffRequest, delivery_id: int) -> HttpResponse:
    """Send one message again."""
    actor = request.user.actor()
    actor.require(Role.ADMIN)
    try:
        resend(actor=actor, delivery_id=delivery_id, now=clock.now())
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The message is sent again, with its own id and content."))
    return redirect("webhook-delivery", delivery_id=delivery_id)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def resend_many(request: StaffRequest) -> HttpResponse:
    """Ask since when, then send again all that failed since: to one endpoint, or to all."""
    actor, now = request.user.actor(), clock.now()
    actor.require(Role.ADMIN)
    asked = request.POST if request.method == "POST" else request.GET
    endpoint_id = asked.get("endpoint", "")
    endpoint = get_endpoint(actor=actor, endpoint_id=endpoint_id) if endpoint_id else None
    form = ResendForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return dialog(request, "webhooks/resend.html", {"form": form, "endpoint": endpoint})
    try:
        count = resend_failed(actor=actor, endpoint_id=endpoint_id or None, since=form.since(now), now=now)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        _report(request, count)
    return redirect("webhook", endpoint_id=endpoint_id) if endpoint_id else redirect("webhook-log")


def _report(request: StaffRequest, count: int) -> None:
    if not count:
        messages.info(request, _("Nothing has failed in that time."))
        return
    text = ngettext("{n} message is sent again.", "{n} messages are sent again.", count).format(
        n=grouped(count)
    )
    if count == MOST_AGAIN:
        text += " " + _("There may be more: once these are through, ask again.")
    messages.success(request, text)
