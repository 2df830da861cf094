"""What the frame of every page shows of the installation, told anew to pages that stay open."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from temphone.pages import StaffRequest, page

STOP_ASKING = 286  # htmx's own


def frame(request: StaffRequest) -> HttpResponseBase:
    """The parts of the frame that may have changed."""
    if request.htmx and not request.user.is_authenticated:
        # It asks by itself: the login must not come over a form that is half filled in.
        return HttpResponse(status=STOP_ASKING)
    return _parts(request)


@page
@require_safe
def _parts(request: StaffRequest) -> HttpResponse:
    return render(request, "parts/frame.html")
