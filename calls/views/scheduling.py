"""The page that schedules a call, and its live preview."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from calls.actions.again import schedule_again
from calls.actions.hearing import can_speak, script_of
from calls.actions.own_phone import AT_ONCE, call_own_phone
from calls.actions.scheduling import Preview, preview_call, schedule_call
from calls.forms import OwnPhoneForm, ScheduleForm, again, problems
from calls.models import Call
from calls.views.hearing import sound_of, untold
from calls.views.moves import asked_moment
from contacts.models import Contact
from temphone.accounts.actors import Role
from temphone.accounts.models import Mode
from temphone.lib import clock
from temphone.lib.clock import iso, zone
from temphone.lib.errors import DomainError
from temphone.pages import StaffRequest, page

FOUND = 8
VARIABLES = ("first_name", "last_name", "company")


@page
@require_http_methods(["GET", "HEAD", "POST"])
def call_new(request: StaffRequest) -> HttpResponse:
    """The form; sent, it schedules the call and shows its page."""
    request.user.actor().require(Role.OPERATOR)
    if request.method != "POST":
        return _show(request, ScheduleForm(user=request.user, initial=_initial(request)))
    form = ScheduleForm(request.POST, user=request.user)
    if {"find", "choose"} & request.POST.keys():
        # Without JavaScript the form itself is sent to look for a contact.
        form = ScheduleForm(user=request.user, initial={**_typed(request), **_choice(request)})
    elif form.is_valid() and (call := _scheduled(request, form)):
        return redirect("call", call_id=call.pk)
    return _show(request, form)


def _scheduled(request: StaffRequest, form: ScheduleForm) -> Call | None:
    try:
        call_id = form.cleaned_data["again"]
        schedule = partial(schedule_again, call_id=call_id) if call_id else schedule_call
        scheduled = schedule(
            actor=request.user.actor(),
            mode=Mode(form.cleaned_data["mode"]),
            request=form.request,
            now=clock.now(),
            idempotency=form.idempotency,
        )
    except DomainError as error:
        form.refuse(error)
        return None
    messages.success(request, _("The call is scheduled."))
    return scheduled.call


def _typed(request: StaffRequest) -> dict[str, object]:
    """What the form holds; a box that is not ticked is not sent."""
    return {**request.POST.dict(), "recording_enabled": "recording_enabled" in request.POST}


def _choice(request: StaffRequest) -> dict[str, object]:
    chosen = request.POST.get("choose")
    return {"contact": chosen} if chosen else {}


def _initial(request: StaffRequest) -> dict[str, object]:
    """A new form's values: soon, on the contact's clock; or as the call to repeat was."""
    contact = Contact.objects.present().filter(pk=request.GET.get("contact", "")).first()
    when = _soon().astimezone(zone(contact.timezone) if contact else timezone.get_current_timezone())
    values: dict[str, object] = {
        "token": uuid4().hex,
        "contact": contact.pk if contact else "",
        "mode": Mode.TEST,
        "date": when.date(),
        "time": when.time(),
        "whose": "contact" if contact else "mine",
    }
    values |= asked_moment(request.GET)
    call = Call.objects.select_related("campaign").filter(pk=request.GET.get("again", "")).first()
    return values | again(call) if call else values


def _soon() -> datetime:
    return (clock.now() + timedelta(minutes=2)).replace(second=0, microsecond=0) + timedelta(minutes=1)


def _show(request: StaffRequest, form: ScheduleForm, own_phone: OwnPhoneForm | None = None) -> HttpResponse:
    own_phone = own_phone or OwnPhoneForm(user=request.user, sent_with="schedule")
    context = {"form": form, "own_phone": own_phone, "variables": VARIABLES, **_picker(request, form)}
    return render(request, "calls/new.html", context)


def _picker(request: StaffRequest, form: ScheduleForm) -> dict[str, object]:
    contact = Contact.objects.present().filter(pk=form["contact"].value() or "").first()
    text = (request.POST if request.method == "POST" else request.GET).get("contact_q", "")
    return {"contact": contact, "contact_q": text, "found": None if contact else _found(text)}


def _found(text: str) -> list[Contact]:
    people = Contact.objects.present()
    if text.strip():
        return list(people.matching(text)[:FOUND])
    return list(people.order_by("-created_at", "-id")[:FOUND])


@page
@require_safe
def contact_picker(request: StaffRequest) -> HttpResponse:
    """The contacts that match what is typed, or the one that was chosen."""
    request.user.actor().require(Role.OPERATOR)
    form = ScheduleForm(user=request.user, initial={"contact": request.GET.get("choose", "")})
    part = "picker" if "choose" in request.GET else "options"
    response = render(request, f"calls/new.html#{part}", {"form": form, **_picker(request, form)})
    return trigger_client_event(response, "chosen", after="settle") if part == "picker" else response


@page
@require_POST
def call_preview(request: StaffRequest) -> HttpResponse:
    """What would be scheduled, as far as the form is filled in."""
    request.user.actor().require(Role.OPERATOR)
    form = ScheduleForm(request.POST, user=request.user)
    form.is_valid()
    contact = Contact.objects.present().filter(pk=request.POST.get("contact", "")).first()
    context: dict[str, object] = {"contact": contact, "form": form, "now": clock.now()}
    if contact:
        context["can_speak"] = can_speak(clock.now())
        context |= {"at": form.instant(contact.timezone), "quick": _quick(form, contact)}
        context |= _previewed(request, form)
    return render(request, "calls/new.html#preview", context)


def _quick(form: ScheduleForm, contact: Contact) -> list[dict[str, str]]:
    """Times that are often wanted, as wall times on the clock that the form is set to."""
    local = clock.now().astimezone(zone(form.zone_name or contact.timezone))
    tomorrow = (local + timedelta(days=1)).replace(hour=10, minute=0)
    moments = {
        _("In 1 minute"): local + timedelta(minutes=1, seconds=45),
        _("In 1 hour"): local + timedelta(hours=1),
        _("Tomorrow 10:00"): tomorrow,
    }
    return [
        {"label": label, "date": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M}"}
        for label, moment in moments.items()
    ]


def _previewed(request: StaffRequest, form: ScheduleForm) -> dict[str, object]:
    if form.errors:
        return {"problems": _unfinished(form)}
    try:
        return {"preview": _preview(request, form)}
    except DomainError as error:
        return {"problems": [message for _field, message in problems(error)]}


def _preview(request: StaffRequest, form: ScheduleForm) -> Preview:
    return preview_call(
        actor=request.user.actor(),
        mode=Mode(form.cleaned_data["mode"]),
        request=form.request,
        now=clock.now(),
    )


@page
@require_POST
def call_own(request: StaffRequest) -> HttpResponse:
    """Have one's own phone called with what the form says, and show that call."""
    request.user.actor().require(Role.OPERATOR)
    form = ScheduleForm(request.POST, user=request.user)
    own_phone = OwnPhoneForm(request.POST, user=request.user, sent_with="schedule")
    if form.is_valid() and own_phone.is_valid():
        try:
            call = _call_own_phone(request, form, own_phone.cleaned_data["own_phone"])
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("call", call_id=call.pk)
    return _show(request, form, own_phone)


def _call_own_phone(request: StaffRequest, form: ScheduleForm, number: str) -> Call:
    now = clock.now()
    asked = replace(form.request, scheduled_at=iso(now + AT_ONCE), timezone=None)
    script = script_of(
        actor=request.user.actor(), mode=Mode(form.cleaned_data["mode"]), request=asked, now=now
    )
    spoken = replace(asked, initial_message=script.message)
    return call_own_phone(user=request.user, number=number, request=spoken, now=now)


@page
@require_POST
def call_sound(request: StaffRequest) -> HttpResponse:
    """The opening of the call as it will sound; plain text says why it cannot be heard."""
    actor = request.user.actor()
    actor.require(Role.OPERATOR)
    form = ScheduleForm(request.POST, user=request.user)
    if not form.is_valid():
        return untold([str(error) for errors in form.errors.values() for error in errors])
    try:
        script = script_of(
            actor=actor, mode=Mode(form.cleaned_data["mode"]), request=form.request, now=clock.now()
        )
    except DomainError as error:
        return untold([message for _field, message in problems(error)])
    return sound_of(script)


def _unfinished(form: ScheduleForm) -> list[str]:
    """What is wrong in the fields that hold something; an empty one is only not filled in yet."""
    return [
        f"{form[name].label}: {error}"
        for name, errors in form.errors.items()
        for error in errors
        if form[name].value()
    ]
