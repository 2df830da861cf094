"""Pages show times in the reader's zone, words in their language; when a session was last used; two steps."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation

from temphone.accounts.half_way import is_by_half, must_set_up
from temphone.accounts.sessions import SessionStore
from temphone.lib import catalogs, clock
from temphone.lib.clock import zone

GetResponse = Callable[[HttpRequest], HttpResponse]


def as_they_read(get_response: GetResponse) -> GetResponse:
    """Activate the zone and the language of whoever is logged in, for this request."""
    catalogs.compile_all(settings.LOCALES, settings.LOCALE_PATHS[0])

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return get_response(request)
        if isinstance(request.session, SessionStore):
            request.session.mark_seen(clock.now())
        # Without a choice it stays the browser's, which Django's own middleware has found.
        language = request.user.language or translation.get_language()
        with timezone.override(zone(request.user.timezone)), translation.override(language):
            response = get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or "en")
            return response

    return middleware


def require_two_steps(get_response: GetResponse) -> GetResponse:
    """End a login that is by half; lead whoever must have two steps, and has not, to set them up."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated and is_by_half(request, user):
            logout(request)  # and what they asked for asks for the login
            return get_response(request)
        if not user.is_authenticated or not must_set_up(user):
            return get_response(request)
        set_up = reverse("two-steps")
        if request.path in {set_up, reverse("logout")}:
            return get_response(request)
        if "HX-Request" in request.headers:
            # A fragment must not become that page: let the whole page go there.
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        wanted = request.get_full_path() if request.method == "GET" else reverse("overview")
        return redirect_to_login(wanted, login_url=set_up)

    return middleware
