"""Pages show times in the reader's zone, and keep when a session was last used."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from temphone.accounts.sessions import SessionStore
from temphone.lib import clock
from temphone.lib.clock import zone

GetResponse = Callable[[HttpRequest], HttpResponse]


def activate_zone(get_response: GetResponse) -> GetResponse:
    """Activate the zone of whoever is logged in, for this request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return get_response(request)
        if isinstance(request.session, SessionStore):
            request.session.mark_seen(clock.now())
        with timezone.override(zone(request.user.timezone)):
            return get_response(request)

    return middleware
