"""The pages about API keys, for admins alone."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from contacts.models import Contact
from temphone.accounts.actions import change_key, create_key, get_key, revoke_key
from temphone.accounts.actors import Role
from temphone.accounts.forms.keys import KeyForm, NewKeyForm
from temphone.accounts.models import ApiKey, Mode
from temphone.lib import clock
from temphone.lib.errors import DomainError
from temphone.pages import StaffRequest, capped_count, dialog, page, read_page

NEWEST = ("-created_at", "-public_id")
VIEWS = {"usable": gettext_lazy("In use"), "revoked": pgettext_lazy("keys", "Revoked")}


@page
@require_safe
def key_list(request: StaffRequest) -> HttpResponse:
    """The keys in use, or those revoked."""
    request.user.actor().require(Role.ADMIN)
    view = "revoked" if request.GET.get("view") == "revoked" else "usable"
    parts = {"usable": ApiKey.objects.usable(), "revoked": ApiKey.objects.revoked()}
    tabs = [
        {"name": name, "label": label, "count": capped_count(parts[name].order_by())}
        for name, label in VIEWS.items()
    ]
    context = {
        "view": view,
        "tabs": tabs,
        "listing": read_page(parts[view].select_related("created_by"), request.GET, keys=NEWEST),
        "default_limit": settings.REQUESTS_PER_MINUTE,
    }
    return render(request, "accounts/keys.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def key_new(request: StaffRequest) -> HttpResponse:
    """Make a key. It is shown in the answer to the form, and on no page after."""
    actor = request.user.actor()
    actor.require(Role.ADMIN)
    form = NewKeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        key, whole = create_key(actor=actor, now=clock.now(), **form.cleaned_data)
        return _made(request, key, whole)
    return render(request, "accounts/key_new.html", {"form": form})


def _made(request: StaffRequest, key: ApiKey, whole: str) -> HttpResponse:
    """Not kept for a page of its own: the session, and so the database, would hold the key."""
    may_schedule = Role(key.role).includes(Role.OPERATOR) and key.mode == Mode.TEST
    context = {
        "key": key,
        "whole": whole,
        "address": request.build_absolute_uri("/").rstrip("/"),
        "contact": Contact.objects.present().order_by("-created_at").first() if may_schedule else None,
    }
    return render(request, "accounts/key_made.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def key_page(request: StaffRequest, public_id: str) -> HttpResponse:
    """One key: what is known of it, its name and rate to be changed."""
    actor = request.user.actor()
    key = get_key(actor=actor, public_id=public_id)
    form = KeyForm(request.POST if request.method == "POST" else None, key=key)
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_key(actor=actor, public_id=public_id, **form.cleaned_data)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, _("The key {name} is saved.").format(name=changed.name))
        return redirect("key", public_id=public_id)
    context = {"key": key, "form": form, "default_limit": settings.REQUESTS_PER_MINUTE}
    return render(request, "accounts/key.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def key_revoke(request: StaffRequest, public_id: str) -> HttpResponse:
    """Ask, then make a key useless for good."""
    actor = request.user.actor()
    key = get_key(actor=actor, public_id=public_id)
    if request.method != "POST":
        return dialog(request, "accounts/key_revoke.html", {"key": key})
    try:
        revoke_key(actor=actor, public_id=public_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The key {name} is revoked.").format(name=key.name))
    return redirect("key-list")
