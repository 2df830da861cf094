"""Login, logout, and one's own account."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from temphone.accounts.actions import change_password, save_account
from temphone.accounts.forms.own import AccountForm, PasswordForm
from temphone.accounts.models import User
from temphone.pages import StaffRequest, page

login = LoginView.as_view(template_name="accounts/login.html", redirect_authenticated_user=True)
logout = LogoutView.as_view()


@page
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: StaffRequest) -> HttpResponse:
    """Name, zone, theme and shortcuts; the last two are kept in the browser."""
    user = request.user
    form = AccountForm(request.POST or None, initial=_values_of(user))
    if request.method == "POST" and form.is_valid():
        save_account(user=user, **form.cleaned_data)
        messages.success(request, _("Your account is saved."))
        return redirect("account")
    context = {"form": form, "password_form": PasswordForm(user)}
    return render(request, "accounts/account.html", context)


def _values_of(user: User) -> dict[str, object]:
    return {"first_name": user.first_name, "last_name": user.last_name, "timezone": user.timezone}


@page
@require_http_methods(["POST"])
def password(request: StaffRequest) -> HttpResponse:
    """Change one's password; this session goes on, the others end."""
    user = request.user
    form = PasswordForm(user, request.POST)
    if form.is_valid():
        change_password(user=user, password=form.cleaned_data["new_password1"])
        update_session_auth_hash(request, user)
        messages.success(request, _("Your password is changed."))
        return redirect("account")
    context = {"form": AccountForm(initial=_values_of(user)), "password_form": form}
    return render(request, "accounts/account.html", context)
