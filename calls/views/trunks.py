"""The pages about real lines: trunks and numbers, for admins alone."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from calls.actions.trunks import SHARED, change_trunk, create_trunk, delete_trunk, get_trunk, switch_trunk
from calls.forms import FORMS, TrunkForm
from calls.models import Attempt, Number, Trunk, TrunkKind
from calls.views.standing import standings
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.lib.errors import DomainError
from temphone.pages import StaffRequest, dialog, page


@page
@require_safe
def trunk_list(request: StaffRequest) -> HttpResponse:
    """All trunks with how they are, and all numbers."""
    request.user.actor().require(Role.ADMIN)
    context = {
        "standings": standings(list(Trunk.objects.all()), clock.now()),
        "numbers": Number.objects.select_related("trunk"),
        "is_live": bool(Number.objects.for_live()),
    }
    template = "calls/trunks.html#trunks" if request.htmx else "calls/trunks.html"
    return render(request, template, context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def trunk_new(request: StaffRequest) -> HttpResponse:
    """A new trunk; its kind is chosen by a link, and only the fields of that kind are shown."""
    actor = request.user.actor()
    actor.require(Role.ADMIN)
    asked = request.POST if request.method == "POST" else request.GET
    kind = TrunkKind(asked["kind"]) if asked.get("kind") in TrunkKind.values else TrunkKind.SIP
    if request.method == "POST":
        form = FORMS[kind](request.POST)
        if saved := _saved(
            request,
            form,
            lambda: create_trunk(
                actor=actor,
                kind=kind,
                values=form.values,
                secret=form.cleaned_data["secret"],
                tariff=form.tariff,
                now=clock.now(),
            ),
        ):
            return redirect("trunk", trunk_id=saved.pk)
    else:
        form = FORMS[kind](initial={name: request.GET[name] for name in SHARED & request.GET.keys()})
    context = {"form": form, "kind": kind, "kinds": TrunkKind.choices}
    return render(request, "calls/trunk_new.html#fields" if request.htmx else "calls/trunk_new.html", context)


def _saved(request: StaffRequest, form: TrunkForm, save: Callable[[], Trunk]) -> Trunk | None:
    """The trunk, if the form is valid and no rule refuses it."""
    if not form.is_valid():
        return None
    try:
        trunk = save()
    except DomainError as error:
        form.refuse(error)
        return None
    messages.success(request, _("The trunk {name} is saved.").format(name=trunk.name))
    return trunk


@page
@require_http_methods(["GET", "HEAD", "POST"])
def trunk_page(request: StaffRequest, trunk_id: str) -> HttpResponse:
    """One trunk: how it is at each gateway, and what is known of it, to be changed."""
    actor = request.user.actor()
    trunk = get_trunk(actor=actor, trunk_id=trunk_id)
    form = FORMS[trunk.kind](request.POST if request.method == "POST" else None, trunk=trunk)
    if request.method == "POST" and _saved(
        request,
        form,
        lambda: change_trunk(
            actor=actor,
            trunk_id=trunk_id,
            values=form.values,
            secret=form.cleaned_data["secret"],
            tariff=form.tariff,
            now=clock.now(),
        ),
    ):
        return redirect("trunk", trunk_id=trunk_id)
    (standing,) = standings([trunk], clock.now())
    context = {
        "trunk": trunk,
        "form": form,
        "kind": trunk.kind,
        "standing": standing,
        "numbers": trunk.numbers.all(),
        "is_used": Attempt.objects.filter(trunk=trunk).exists(),
    }
    return render(request, "calls/trunk.html#standing" if request.htmx else "calls/trunk.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def trunk_switch(request: StaffRequest, trunk_id: str) -> HttpResponse:
    """Ask, then switch the trunk off; or on again."""
    actor = request.user.actor()
    trunk = get_trunk(actor=actor, trunk_id=trunk_id)
    if request.method == "POST":
        on = request.POST.get("on") == "1"
        switch_trunk(actor=actor, trunk_id=trunk_id, on=on, now=clock.now())
        text = _("The trunk {name} is switched on.") if on else _("The trunk {name} is switched off.")
        messages.success(request, text.format(name=trunk.name))
        return redirect("trunk", trunk_id=trunk_id)
    return dialog(request, "calls/trunk_switch.html", {"trunk": trunk})


@page
@require_http_methods(["GET", "HEAD", "POST"])
def trunk_delete(request: StaffRequest, trunk_id: str) -> HttpResponse:
    """Ask, then forget a trunk that was never used."""
    actor = request.user.actor()
    trunk = get_trunk(actor=actor, trunk_id=trunk_id)
    if request.method != "POST":
        return dialog(request, "calls/trunk_delete.html", {"trunk": trunk})
    try:
        delete_trunk(actor=actor, trunk_id=trunk_id)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("trunk", trunk_id=trunk_id)
    messages.success(request, _("The trunk {name} is deleted.").format(name=trunk.name))
    return redirect("trunk-list")
