"""Pages show times in the reader's zone, words in their language; and when a session was last used."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

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
