"""The pages about who works here, for admins alone; and the one on which somebody new chooses a password."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from temphone.accounts.actions import (
    accept_link,
    add_person,
    change_person,
    get_person,
    invited,
    make_link,
    reset_two_steps,
    switch_person,
)
from temphone.accounts.actors import Role
from temphone.accounts.forms.team import NewPersonForm, PersonForm
from temphone.accounts.models import User
from temphone.lib.errors import DomainError, NotFound
from temphone.pages import StaffRequest, capped_count, dialog, page, read_page

BY_NAME = ("username",)
VIEWS = {"active": gettext_lazy("Active"), "off": gettext_lazy("Deactivated")}


@page
@require_safe
def team_list(request: StaffRequest) -> HttpResponse:
    """Everybody who works here, or who did."""
    request.user.actor().require(Role.ADMIN)
    view = "off" if request.GET.get("view") == "off" else "active"
    parts = {name: User.objects.filter(is_active=name == "active") for name in VIEWS}
    tabs = [
        {"name": name, "label": label, "count": capped_count(parts[name].order_by())}
        for name, label in VIEWS.items()
    ]
    listing = read_page(parts[view].select_related("two_steps"), request.GET, keys=BY_NAME)
    return render(request, "accounts/team.html", {"view": view, "tabs": tabs, "listing": listing})


@page
@require_http_methods(["GET", "HEAD", "POST"])
def person_new(request: StaffRequest) -> HttpResponse:
    """Add somebody; the answer has the link by which they choose a password."""
    actor = request.user.actor()
    actor.require(Role.ADMIN)
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        values = {**form.cleaned_data, "role": Role(form.cleaned_data["role"])}
        try:
            person = add_person(actor=actor, timezone=request.user.timezone, **values)
        except DomainError as error:
            form.refuse(error)
        else:
            return _link(request, str(person.pk))
    return render(request, "accounts/person_new.html", {"form": form})


@page
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: StaffRequest, user_id: str) -> HttpResponse:
    """One member of staff."""
    actor = request.user.actor()
    found = get_person(actor=actor, user_id=user_id)
    sent = request.POST if request.method == "POST" else None
    form = PersonForm(sent, person=found, by_superuser=request.user.is_superuser)
    if request.method == "POST" and form.is_valid():
        values = {**form.cleaned_data, "role": Role(form.cleaned_data["role"])}
        try:
            saved = change_person(actor=actor, user_id=user_id, **values)
        except DomainError as error:
            if error.code == "changed_meanwhile":
                messages.error(request, error.message)
                return redirect("person", user_id=user_id)
            form.refuse(error)
        else:
            messages.success(request, _("{name} is saved.").format(name=saved.actor().label))
            if saved.state == "invited" and saved.actor().role != found.actor().role:
                messages.info(request, _("Their invitation was for the role before: make a new one."))
                return redirect("person", user_id=user_id)
            return redirect("team")
    return render(request, "accounts/person.html", {"person": found, "form": form})


@page
@require_http_methods(["GET", "HEAD", "POST"])
def person_link(request: StaffRequest, user_id: str) -> HttpResponse:
    """Ask, then make a link by which somebody chooses a password."""
    found = get_person(actor=request.user.actor(), user_id=user_id)
    if request.method != "POST":
        return dialog(request, "accounts/person_link.html", {"person": found})
    try:
        return _link(request, user_id)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("person", user_id=user_id)


def _link(request: StaffRequest, user_id: str) -> HttpResponse:
    """Shown in this answer alone: whoever has it, has the account."""
    found, token = make_link(actor=request.user.actor(), user_id=user_id)
    context = {
        "person": found,
        "link": request.build_absolute_uri(reverse("welcome", args=[found.pk, token])),
        "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
    }
    return render(request, "accounts/person_link_made.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def person_switch(request: StaffRequest, user_id: str) -> HttpResponse:
    """Ask, then deactivate somebody; or let them log in again."""
    actor = request.user.actor()
    found = get_person(actor=actor, user_id=user_id)
    if request.method != "POST":
        return dialog(request, "accounts/person_switch.html", {"person": found})
    on = request.POST.get("on") == "1"
    try:
        switch_person(actor=actor, user_id=user_id, on=on)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        text = _("{name} can log in again.") if on else _("{name} is logged out, and cannot log in any more.")
        messages.success(request, text.format(name=found.actor().label))
    return redirect("person", user_id=user_id)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def person_two_steps(request: StaffRequest, user_id: str) -> HttpResponse:
    """Ask, then turn two-step login off for somebody who lost their phone; the answer has a link for them."""
    actor = request.user.actor()
    found = get_person(actor=actor, user_id=user_id)
    if request.method != "POST":
        return dialog(request, "accounts/person_two_steps.html", {"person": found})
    try:
        reset_two_steps(actor=actor, user_id=user_id)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        text = _("Two-step login is off for {name}, who is logged out everywhere.")
        messages.success(request, text.format(name=found.actor().label))
        if found.is_active:
            return _link(request, user_id)
    return redirect("person", user_id=user_id)


@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, user_id: str, token: str) -> HttpResponse:
    """Choose a password by a link, which is the proof. It logs nobody in: a second step stays."""
    try:
        found = invited(user_id=user_id, token=token)
        form = SetPasswordForm(found, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            accept_link(user_id=user_id, token=token, password=form.cleaned_data["new_password1"])
            messages.success(request, _("Your password is set. Log in with it."))
            return redirect("login")
    except NotFound:
        return render(request, "accounts/welcome_over.html", status=410)
    return render(request, "accounts/welcome.html", {"form": form, "person": found})
