"""The pages on which one turns the second step of one's login on and off."""

import textwrap
from collections.abc import Callable
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from temphone.accounts import half_way
from temphone.accounts.actions import Tried, renew_codes, turn_off, turn_on
from temphone.accounts.forms.two_steps import WRONG_CODE, WRONG_PASSWORD, CodeForm, ProveForm
from temphone.accounts.logins import locked_out
from temphone.lib import clock, totp
from temphone.lib.errors import DomainError, Invalid
from temphone.pages import StaffRequest, dialog, is_ours, page


@page
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: StaffRequest) -> HttpResponse:
    """Show a secret; with the password and its first code, turn two-step login on; show recovery codes.

    Each look shows another secret: who saw one on an open screen has nothing of the one that is used.
    """
    if request.user.has_two_steps:
        messages.info(request, _("Two-step login is on already."))
        return redirect("account")
    sent = request.method == "POST"
    secret = half_way.offered_secret(request) if sent else half_way.offer_secret(request)
    form = CodeForm(request.POST if sent else None)
    must = half_way.must_set_up(request.user)
    if sent and _knows_password(request, form):
        try:
            codes = turn_on(
                user=request.user,
                secret=secret,
                code=form.cleaned_data["code"],
                session_key=request.session.session_key or "",
                now=clock.now(),
            )
        except Invalid as error:
            form.add_error("code", error.message)
        else:
            half_way.pass_on(request)
            return _codes(request, codes, must=must)
    link = totp.link_of(secret, name=request.user.username, issuer=settings.ORGANISATION)
    context = {
        "form": form,
        "picture": totp.picture_of(link),
        "secret": " ".join(textwrap.wrap(secret, 4)),
        "next": request.POST.get("next", request.GET.get("next", "")),
        **_layout(must=must),
    }
    return render(request, "accounts/two_steps.html", context)


def _layout(*, must: bool) -> dict[str, object]:
    """Whoever may open nothing yet sees no way to elsewhere."""
    return {"must": must, "layout": "base_plain.html" if must else "base.html"}


def _codes(request: StaffRequest, codes: list[str], *, must: bool) -> HttpResponse:
    """Shown in this answer alone, and on no page after."""
    wanted = request.POST.get("next", "")
    lines = "\n".join(codes)
    about = _("Recovery codes of {username} at {organisation}. Each opens once.").format(
        username=request.user.username, organisation=settings.ORGANISATION
    )
    context = {
        "codes": codes,
        "lines": lines,
        "file": "data:text/plain;charset=utf-8," + quote(f"{about}\n\n{lines}\n"),
        "then": wanted if must and is_ours(request, wanted) else reverse("overview" if must else "account"),
        **_layout(must=must),
    }
    return render(request, "accounts/recovery_codes.html", context)


def _knows_password(request: StaffRequest, form: CodeForm) -> bool:
    """Whether the form is whole, and its password that of whoever is logged in; else it says so."""
    if not form.is_valid():
        return False
    if half_way.knows_password(request, request.user, form.cleaned_data["password"]):
        return True
    form.add_error("password", WRONG_PASSWORD)
    return False


def _prove(request: StaffRequest, form: ProveForm) -> Tried:
    """Whether password and code are those of whoever is logged in; what is wrong is said in the form."""
    if not _knows_password(request, form):
        return Tried.WRONG
    try:
        tried = half_way.try_code(request, request.user, code=form.cleaned_data["code"], now=clock.now())
    except DomainError as error:
        form.add_error("code", error.message)
        return Tried.WRONG
    if tried == Tried.WRONG:
        form.add_error("code", WRONG_CODE)
    return tried


def _with_proof(request: StaffRequest, template: str, do: Callable[[], HttpResponse]) -> HttpResponse:
    """Ask for password and code, then do it."""
    if not request.user.has_two_steps:
        messages.info(request, _("Two-step login is off."))
        return redirect("account")
    form = ProveForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        tried = _prove(request, form)
        if tried in {Tried.LAST, Tried.LOCKED}:
            return locked_out(request)
        if tried == Tried.RIGHT:
            return do()
    return dialog(request, template, {"form": form})


@page
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def codes_new(request: StaffRequest) -> HttpResponse:
    """Ask for password and code, then make new recovery codes."""

    def renew() -> HttpResponse:
        return _codes(request, renew_codes(user=request.user), must=False)

    return _with_proof(request, "accounts/recovery_codes_new.html", renew)


@page
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def switch_off(request: StaffRequest) -> HttpResponse:
    """Ask for password and code, then turn two-step login off."""

    def switch() -> HttpResponse:
        turn_off(user=request.user)
        request.session.pop(half_way.PASSED, None)
        messages.success(request, _("Two-step login is off: your password suffices."))
        return redirect("account")

    return _with_proof(request, "accounts/two_steps_off.html", switch)
