"""The pages about numbers that must not be called."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from calls.actions.suppression import canceled_by, suppress
from calls.forms.suppressions import SuppressionFilter, SuppressionForm
from contacts.actions import get_suppression, lift_suppression
from contacts.models import Suppression, SuppressionQuerySet, SuppressionReason
from temphone.accounts.actors import Role
from temphone.lib import clock, phone
from temphone.lib.errors import Conflict, DomainError
from temphone.pages import StaffRequest, capped_count, dialog, page, read_page

NEWEST = ("-created_at", "-id")
BY_NUMBER = ("number", "id")
VIEWS = ("force", "over", "all")


@page
@require_safe
def suppression_list(request: StaffRequest) -> HttpResponse:
    """The numbers that must not be called, the newest first; those that a search finds, by number."""
    now = clock.now()
    form = SuppressionFilter(request.GET)
    view = request.GET.get("view", "")
    view = view if view in VIEWS else "force"
    found = _in_view(view, now)
    if reason := form.given.get("reason"):
        found = found.filter(reason=reason)
    keys, parts = (BY_NUMBER, found.about(form.digits)) if form.digits else (NEWEST, [found])
    context = {
        "form": form,
        "view": view,
        "reason": SuppressionReason(reason).label if reason else "",
        "filtered": bool(form.given) or view != "force",
        "now": now,
        "count": capped_count(*(part.order_by(*keys) for part in parts)),
        "listing": read_page(found, request.GET, parts if len(parts) > 1 else (), keys=keys),
    }
    template = "calls/suppressions.html#results" if request.htmx else "calls/suppressions.html"
    return render(request, template, context)


def _in_view(view: str, now: datetime) -> SuppressionQuerySet:
    if view == "force":
        return Suppression.objects.in_force(now)
    return Suppression.objects.over(now) if view == "over" else Suppression.objects.all()


@page
@require_http_methods(["GET", "HEAD", "POST"])
def suppression_new(request: StaffRequest) -> HttpResponse:
    """One more number; or all that begin alike, after asking."""
    actor = request.user.actor()
    actor.require(Role.OPERATOR)
    zone_name = request.user.timezone
    form = SuppressionForm(request.POST if request.method == "POST" else None, zone_name=zone_name)
    if request.method == "POST" and form.is_valid():
        try:
            if form.is_to_be_asked:
                return _ask(request, form)
            made = suppress(actor=actor, now=clock.now(), **form.values)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("{number} will not be called.").format(number=_shown(made)))
            return redirect("suppression-list")
    return render(request, "calls/suppression_new.html", {"form": form})


def _ask(request: StaffRequest, form: SuppressionForm) -> HttpResponse:
    number = form.values["number"]
    calls = canceled_by(number, is_prefix=True).order_by("due_at", "id")
    context = {"form": form, "number": number, "calls": capped_count(calls)}
    return render(request, "calls/suppression_ask.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def suppression_lift(request: StaffRequest, suppression_id: int) -> HttpResponse:
    """Ask, then let the number be called again."""
    actor = request.user.actor()
    actor.require(Role.MANAGER)
    suppression = get_suppression(suppression_id)
    if request.method != "POST":
        return dialog(request, "calls/suppression_lift.html", {"suppression": suppression})
    try:
        lift_suppression(actor=actor, suppression_id=suppression_id, now=clock.now())
    except Conflict as error:
        messages.error(request, error.message)
    else:
        text = _("{number} may be called again.").format(number=_shown(suppression))
        messages.success(request, text)
    return redirect("suppression-list")


def _shown(suppression: Suppression) -> str:
    return str(suppression) if suppression.is_prefix else phone.for_people(suppression.number)
