"""Write a campaign, see what would come of it, and launch it."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from calls import messages as spoken
from calls.actions.hearing import can_speak, script_of
from calls.actions.scheduling import CallRequest
from calls.forms import problems
from calls.views.hearing import sound_of, untold
from campaigns.actions import get_campaign
from campaigns.actions.drafts import save_draft
from campaigns.actions.launching import AT_ONCE, launch_campaign, schedule_some
from campaigns.actions.planning import Plan
from campaigns.actions.preflight import Preflight, preflight
from campaigns.forms.building import CampaignForm, LaunchForm
from campaigns.models import Campaign
from contacts.models import Contact, tags_in_use
from temphone.accounts.actors import Role
from temphone.accounts.models import Mode
from temphone.lib import clock
from temphone.lib.clock import iso
from temphone.lib.errors import DomainError, Invalid
from temphone.pages import StaffRequest, capped_count, page
from temphone.said import said_of

FOUND = 12
FEW = 200  # people, whom the rules are asked about in 40 ms
SOON = timedelta(minutes=1)
VARIABLES = ("first_name", "last_name", "company")
WAYS: dict[str, tuple[Any, str]] = {
    "suppressed": (gettext_lazy("On the do-not-call list"), "shield-off"),
    "elsewhere": (gettext_lazy("Where calls may not go"), "map-pin-off"),
    "no_consent": (gettext_lazy("No consent to such calls"), "file-x"),
    "out_of_hours": (gettext_lazy("Outside the calling hours"), "moon"),
    "missing": (gettext_lazy("The message lacks a value"), "text-cursor-input"),
    "bad_number": (gettext_lazy("No number that can be dialled"), "phone-off"),
}


@page
@require_http_methods(["GET", "HEAD", "POST"])
def campaign_new(request: StaffRequest) -> HttpResponse:
    """A new draft."""
    request.user.actor().require(Role.MANAGER)
    return _edit(request, None)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def campaign_edit(request: StaffRequest, campaign_id: str) -> HttpResponse:
    """A draft, to be changed."""
    request.user.actor().require(Role.MANAGER)
    campaign = get_campaign(actor=request.user.actor(), campaign_id=campaign_id)
    if not campaign.is_draft:
        messages.error(request, _("It was launched already, and cannot be edited any more."))
        return redirect("campaign", campaign_id=campaign.pk)
    return _edit(request, campaign)


def _edit(request: StaffRequest, campaign: Campaign | None) -> HttpResponse:
    if request.method != "POST":
        return _show(request, campaign, CampaignForm(campaign=campaign))
    if "find" in request.POST:  # without JavaScript the form itself is sent to look for people
        form = CampaignForm(campaign=campaign, initial=_typed(request))
        form.picked = request.POST.getlist("people")
        return _show(request, campaign, form)
    form = CampaignForm(request.POST, campaign=campaign)
    if form.is_valid() and (saved := _saved(request, campaign, form)):
        return redirect("campaign-launch", campaign_id=saved.pk)
    return _show(request, campaign, form)


def _typed(request: StaffRequest) -> dict[str, Any]:
    """What the form holds; a box that is not ticked is not sent."""
    return {**request.POST.dict(), "recording_enabled": "recording_enabled" in request.POST}


def _saved(request: StaffRequest, campaign: Campaign | None, form: CampaignForm) -> Campaign | None:
    try:
        return save_draft(
            actor=request.user.actor(),
            campaign_id=campaign.pk if campaign else None,
            mode=form.mode_chosen,
            values=form.values,
            version=form.version_seen,
            now=clock.now(),
        )
    except DomainError as error:
        form.refuse(error)
        return None


def _show(request: StaffRequest, campaign: Campaign | None, form: CampaignForm) -> HttpResponse:
    opens, closes = settings.CALLING_HOURS
    context = {
        "campaign": campaign,
        "address": reverse("campaign-edit", args=[campaign.pk]) if campaign else reverse("campaign-new"),
        "form": form,
        "tags": tags_in_use(),
        "variables": VARIABLES,
        "hours": {"opens": opens, "closes": closes},
        **_people(request, form),
    }
    return render(request, "campaigns/form.html", context)


def _people(request: StaffRequest, form: CampaignForm) -> dict[str, Any]:
    """Those who were picked, and those of whom more may be."""
    text = request.POST.get("people_q", "").strip()
    present = Contact.objects.present()
    picked = list(present.filter(pk__in=form.picked))
    others: QuerySet[Contact] = present.matching(text) if text else present.order_by("-created_at", "-id")
    known = {contact.pk for contact in picked}
    found = [contact for contact in others[: FOUND + len(known)] if contact.pk not in known]
    return {"people_q": text, "picked": picked, "found": found[:FOUND]}


@page
@require_POST
def campaign_people(request: StaffRequest) -> HttpResponse:
    """The people to be picked from, as the search stands."""
    request.user.actor().require(Role.MANAGER)
    form = CampaignForm(request.POST)
    return render(request, "campaigns/form.html#people", {"form": form, **_people(request, form)})


@page
@require_POST
def campaign_preview(request: StaffRequest) -> HttpResponse:
    """How many people it is, and the message as one of them would hear it, as far as it is filled in."""
    request.user.actor().require(Role.MANAGER)
    form = CampaignForm(request.POST)
    form.is_valid()
    now = clock.now()
    people = form.audience.people
    sample, contact = _one_of(form)
    values = {name: value for name, value in form.values.items() if name != "agent_id"}
    plan = Plan.of(Campaign(**values), now=now)
    context: dict[str, Any] = {
        "count": capped_count(people),
        "contact": contact,
        "can_speak": can_speak(now),
        "is_sample": sample is not None,
        "at": plan.due(0, contact.timezone) if contact and _is_window(plan) else None,
        **_spoken(form, contact),
    }
    return render(request, "campaigns/form.html#preview", context)


def _one_of(form: CampaignForm) -> tuple[Contact | None, Contact | None]:
    """One of its people; and whose message is shown and heard: theirs, or that of the newest contact."""
    # Whoever is found first: to find the first by id of half of all contacts takes longer than the page.
    sample = next(iter(form.audience.people[:1]), None)
    return sample, sample or Contact.objects.present().order_by("-created_at", "-id").first()


@page
@require_POST
def campaign_sound(request: StaffRequest) -> HttpResponse:
    """The opening of one of its calls as it will sound; plain text says why it cannot be heard."""
    actor, now = request.user.actor(), clock.now()
    actor.require(Role.MANAGER)
    form = CampaignForm(request.POST)
    form.is_valid()
    _sample, contact = _one_of(form)
    if form.untold or contact is None:
        return untold(form.untold or [_("Add a contact to hear it.")])
    try:
        script = script_of(actor=actor, mode=form.mode_chosen, request=_heard(form, contact), now=now)
    except DomainError as error:
        return untold([message for _field, message in problems(error)])
    return sound_of(script)


def _heard(form: CampaignForm, contact: Contact) -> CallRequest:
    """The campaign's call to this person, as if it were soon."""
    agent = form.cleaned_data["agent"]
    return CallRequest(
        contact_id=contact.pk,
        agent_id=agent.pk if agent else None,
        scheduled_at=iso(clock.now() + SOON),
        initial_message=form.cleaned_data["message"],
        caller_id=form.cleaned_data["caller_id"],
        recording_enabled=form.cleaned_data["recording_enabled"],
    )


def _is_window(plan: Plan) -> bool:
    return plan.opens < plan.closes


def _spoken(form: CampaignForm, contact: Contact | None) -> dict[str, Any]:
    message = form.cleaned_data.get("message", "")
    if not message or contact is None:
        return {}
    try:
        return {"rendered": spoken.render(message, contact=contact, metadata=None, now=clock.now())}
    except Invalid as error:
        return {"problem": said_of(_("The message"), "initial_message", error.message)}


@page
@require_http_methods(["GET", "HEAD", "POST"])
def campaign_launch(request: StaffRequest, campaign_id: str) -> HttpResponse:
    """What would come of it, of many people as a part that follows; then launch it.

    A few calls are scheduled at once, many by the worker.
    """
    actor, now = request.user.actor(), clock.now()
    actor.require(Role.MANAGER)
    campaign = get_campaign(actor=actor, campaign_id=campaign_id)
    problem, form = "", LaunchForm(request.POST)
    if request.method == "POST" and form.is_valid():
        version = form.cleaned_data["version"]
        try:
            launch_campaign(actor=actor, campaign_id=campaign.pk, version=version, now=now)
        except DomainError as error:
            problem = error.message
            campaign.refresh_from_db()
        else:
            schedule_some(campaign_id=campaign.pk, now=now, limit=AT_ONCE)
            messages.success(request, _("{name} is launched.").format(name=campaign.name))
            return redirect("campaign", campaign_id=campaign.pk)
    if not campaign.is_draft:
        if problem:
            messages.error(request, problem)
        return redirect("campaign", campaign_id=campaign.pk)
    context: dict[str, Any] = {
        "campaign": campaign,
        "form": LaunchForm(initial={"version": campaign.version}),
        "problem": problem,
    }
    if "check" in request.GET or problem or _are_few(campaign):
        found = preflight(campaign, now=now)
        context |= {"found": found, **_ways(campaign, found)}
    template = "campaigns/launch.html"
    return render(request, f"{template}#check" if request.htmx else template, context)


def _are_few(campaign: Campaign) -> bool:
    """Whether its people are checked so quickly that nobody need wait for it by itself."""
    return campaign.whom.people[: FEW + 1].count() <= FEW


def _ways(campaign: Campaign, found: Preflight) -> dict[str, Any]:
    """What keeps people from being called, and what is only warned of, in words."""
    names = [name for name in WAYS if found.found[name] or found.warned[name]]
    pace = campaign.calls_per_minute or 0
    return {
        "ways": [
            {
                "name": name,
                "label": WAYS[name][0],
                "icon": WAYS[name][1],
                "stopped": found.found[name],
                "warned": found.warned[name],
            }
            for name in names
        ],
        "well": [str(label) for name, (label, _icon) in WAYS.items() if name not in names],
        "too_fast": pace > found.lines,
        "is_test": campaign.mode == Mode.TEST,
    }
