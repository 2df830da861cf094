"""The login: a password, and for whoever has two steps a code after it."""

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from temphone.accounts import half_way
from temphone.accounts.actions import Tried
from temphone.accounts.forms.two_steps import SOMEBODY_GUESSES, WRONG_CODE, LoginCodeForm
from temphone.accounts.logins import locked_out
from temphone.accounts.models import User
from temphone.lib import clock
from temphone.lib.errors import DomainError


class Login(LoginView):
    """Ask for the password."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Log in; whoever has two steps is only half-way."""
        user = form.get_user()
        if not isinstance(user, User) or not user.has_two_steps:
            return super().form_valid(form)
        half_way.begin(self.request, user, then=self.get_success_url(), now=clock.now())
        return redirect("login-code")


class OfficeLogin(Login):
    """The same for the back office, which lets in its staff alone."""

    authentication_form = AdminAuthenticationForm
    redirect_authenticated_user = False  # to where they may not go, which leads back here
    next_page = "admin:index"

    def get(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        """Whoever may is there already."""
        if admin.site.has_permission(request):
            return redirect("admin:index")
        return super().get(request, *args, **kwargs)


login = Login.as_view()
office_login = OfficeLogin.as_view()
logout = LogoutView.as_view()


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def login_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code, within a few minutes of the password."""
    now = clock.now()
    user = half_way.who(request, now)
    if user is None:
        messages.info(request, _("Type your password first; the code is asked for after it."))
        return redirect("login")
    form = LoginCodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            tried = half_way.try_code(request, user, code=form.cleaned_data["code"], now=now)
        except DomainError as error:
            form.add_error("code", error.message)
        else:
            if tried == Tried.RIGHT:
                then = half_way.finish(request, user)
                if user.two_steps.is_guessed:  # as it was before the right one
                    messages.warning(request, SOMEBODY_GUESSES)
                return redirect(then)
            if tried in {Tried.LAST, Tried.LOCKED}:
                return locked_out(request)
            form.add_error("code", WRONG_CODE)
    return render(request, "accounts/login_code.html", {"form": form, "person": user})
