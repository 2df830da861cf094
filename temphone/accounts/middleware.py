"""Pages show times in the reader's zone."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from temphone.lib.clock import zone

GetResponse = Callable[[HttpRequest], HttpResponse]


def activate_zone(get_response: GetResponse) -> GetResponse:
    """Activate the zone of whoever is logged in, for this request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return get_response(request)
        with timezone.override(zone(request.user.timezone)):
            return get_response(request)

    return middleware
