"""One's own account."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from temphone.accounts.actions import (
    change_password,
    choose_zone,
    end_other_sessions,
    end_session,
    save_account,
    save_look,
)
from temphone.accounts.devices import in_words
from temphone.accounts.forms.own import AccountForm, PasswordForm, ZoneForm
from temphone.accounts.half_way import knows_password
from temphone.accounts.models import LoginSession, Theme, User
from temphone.lib import clock
from temphone.pages import StaffRequest, is_ours, page

SESSIONS_SHOWN = 50
THEME_ICONS = {Theme.AUTO: "monitor", Theme.LIGHT: "sun", Theme.DARK: "moon"}


@page
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: StaffRequest) -> HttpResponse:
    """Name, zone, look, password, second step, sessions."""
    user = request.user
    form = AccountForm(request.POST or None, initial=_values_of(user))
    if request.method == "POST" and form.is_valid():
        save_account(user=user, **form.cleaned_data)
        messages.success(request, _("Your account is saved."))
        return redirect("account")
    return _account(request, form, _password_form(request))


def _account(request: StaffRequest, form: AccountForm, password_form: PasswordForm) -> HttpResponse:
    context = {
        "form": form,
        "password_form": password_form,
        "themes": [(theme, THEME_ICONS[theme]) for theme in Theme],
        "sessions": _sessions(request),
        "codes_left": request.user.recovery_codes.count() if request.user.has_two_steps else 0,
    }
    return render(request, "accounts/account.html", context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session as its owner sees it."""

    fingerprint: str
    device: str
    began_at: datetime | None
    seen_at: datetime
    is_this: bool


def _sessions(request: StaffRequest) -> list[Session]:
    """The newest of one's own, this one first."""
    rows = LoginSession.objects.filter(user=request.user, expire_date__gt=clock.now()).order_by("-seen_at")
    shown = [_shown(row, is_this=row.pk == request.session.session_key) for row in rows[:SESSIONS_SHOWN]]
    return sorted(shown, key=lambda session: not session.is_this)


def _shown(row: LoginSession, *, is_this: bool) -> Session:
    kept = row.get_decoded()
    began = kept.get("began")
    return Session(
        fingerprint=row.fingerprint,
        device=in_words(str(kept.get("agent", ""))),
        began_at=datetime.fromisoformat(began) if began else None,
        seen_at=row.seen_at,
        is_this=is_this,
    )


@page
@require_POST
def look(request: StaffRequest) -> HttpResponse:
    """Keep the theme, or whether single keys are shortcuts; scripts send it in the background."""
    theme, keys = request.POST.get("theme", ""), request.POST.get("keys", "")
    save_look(
        user=request.user,
        theme=Theme(theme) if theme in Theme.values else None,
        single_keys=keys == "on" if keys in {"on", "off"} else None,
    )
    if request.htmx:
        return HttpResponse(status=204)
    back = request.POST.get("next", "")
    return redirect(back if is_ours(request, back) else "account")


@page
@require_POST
def own_zone(request: StaffRequest) -> HttpResponse:
    """Take the zone of the browser that was offered, or keep one's own."""
    form = ZoneForm(request.POST)
    if form.is_valid():
        choose_zone(user=request.user, **form.cleaned_data)
        messages.success(request, _("Times are shown in {zone}.").format(zone=request.user.timezone))
    else:
        messages.error(request, _("TemPhone does not know this time zone. Choose yours in the account."))
    back = request.POST.get("next", "")
    return redirect(back if is_ours(request, back) else "account")


@page
@require_POST
def session_end(request: StaffRequest, fingerprint: str) -> HttpResponse:
    """End one of one's own sessions."""
    end_session(user=request.user, fingerprint=fingerprint)
    messages.success(request, _("That session is ended."))
    return redirect("account")


@page
@require_POST
def sessions_end(request: StaffRequest) -> HttpResponse:
    """End all of one's own sessions but this one."""
    ended = end_other_sessions(user=request.user, session_key=request.session.session_key or "")
    text = ngettext("{n} other session is ended.", "{n} other sessions are ended.", ended)
    messages.success(request, text.format(n=ended))
    return redirect("account")


def _password_form(request: StaffRequest, data: QueryDict | None = None) -> PasswordForm:
    """A wrong old password is a failure of the address, as at the login."""
    return PasswordForm(request.user, partial(knows_password, request, request.user), data)


def _values_of(user: User) -> dict[str, object]:
    return {name: getattr(user, name) for name in ("first_name", "last_name", "timezone", "language")}


@page
@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@require_POST
def password(request: StaffRequest) -> HttpResponse:
    """Change one's password; this session goes on, the others end."""
    user = request.user
    form = _password_form(request, request.POST)
    if form.is_valid():
        change_password(user=user, password=form.cleaned_data["new_password1"])
        update_session_auth_hash(request, user)
        messages.success(request, _("Your password is changed."))
        return redirect("account")
    return _account(request, AccountForm(initial=_values_of(user)), form)
