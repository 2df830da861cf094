"""What programs ask for goes straight to its view: of the middleware for pages it needs none.

``MIDDLEWARE`` keeps Django's usual list, with ``straight`` before what is for pages alone, and ``views`` as
its last. That halves what a request of the API costs before and after its view.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from temphone.api.envelope import ROOT, is_api

GetResponse = Callable[[HttpRequest], HttpResponse]

PAGES = (f"{ROOT}/docs", f"{ROOT}/schema")
# Django builds the list from its end: ``views`` leaves here what ``straight`` then takes.
_built: list[GetResponse] = []


def views(get_response: GetResponse) -> GetResponse:
    """The way from here to the views. To programs they speak English, whatever a browser asks for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not is_api(request):
            return get_response(request)
        with translation.override("en"):
            return get_response(request)

    _built.append(middleware)
    return middleware


def straight(get_response: GetResponse) -> GetResponse:
    """Lead requests of the API to the views, all others on through what is for pages."""
    to_views = _built.pop()

    def middleware(request: HttpRequest) -> HttpResponse:
        if not is_api(request) or request.path.startswith(PAGES):
            return get_response(request)
        return to_views(request)

    return middleware
