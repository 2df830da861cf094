"""The pages about the numbers that calls are made from, for admins alone."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from calls.actions.numbers import add_number, change_number, get_number, make_default, remove_number
from calls.forms import NumberForm
from calls.models import Number
from temphone.accounts.actors import Role
from temphone.lib import clock, phone
from temphone.lib.errors import DomainError
from temphone.pages import StaffRequest, dialog, page


@page
@require_http_methods(["GET", "HEAD", "POST"])
def number_new(request: StaffRequest) -> HttpResponse:
    """One more number."""
    actor = request.user.actor()
    actor.require(Role.ADMIN)
    form = NumberForm(request.POST if request.method == "POST" else None)
    return _form(
        request,
        form,
        None,
        lambda: add_number(
            actor=actor,
            number=form.cleaned_data["number"],
            name=form.cleaned_data["name"],
            trunk_id=form.trunk_id,
            now=clock.now(),
        ),
    )


@page
@require_http_methods(["GET", "HEAD", "POST"])
def number_page(request: StaffRequest, number_id: str) -> HttpResponse:
    """Change its name, or the trunk by which its calls go."""
    actor = request.user.actor()
    number = get_number(actor=actor, number_id=number_id)
    form = NumberForm(request.POST if request.method == "POST" else None, number=number)
    return _form(
        request,
        form,
        number,
        lambda: change_number(
            actor=actor,
            number_id=number_id,
            name=form.cleaned_data["name"],
            trunk_id=form.trunk_id,
            now=clock.now(),
        ),
    )


def _form(
    request: StaffRequest, form: NumberForm, number: Number | None, save: Callable[[], Number]
) -> HttpResponse:
    if form.is_valid():
        try:
            saved = save()
        except DomainError as error:
            form.refuse(error)
        else:
            shown = phone.for_people(saved.e164)
            messages.success(request, _("The number {number} is saved.").format(number=shown))
            return redirect("trunk-list")
    return render(request, "calls/number.html", {"form": form, "number": number})


@page
@require_POST
def number_default(request: StaffRequest, number_id: str) -> HttpResponse:
    """Let calls that name no number show this one."""
    number = make_default(actor=request.user.actor(), number_id=number_id, now=clock.now())
    shown = phone.for_people(number.e164)
    messages.success(request, _("Calls that name no number show {number} now.").format(number=shown))
    return redirect("trunk-list")


@page
@require_http_methods(["GET", "HEAD", "POST"])
def number_remove(request: StaffRequest, number_id: str) -> HttpResponse:
    """Ask, then call from it no more."""
    actor = request.user.actor()
    number = get_number(actor=actor, number_id=number_id)
    if request.method != "POST":
        return dialog(request, "calls/number_remove.html", {"number": number})
    try:
        remove_number(actor=actor, number_id=number_id)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The number is removed."))
    return redirect("trunk-list")
