"""Calls as a CSV file, sent while it is read."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.views.decorators.http import require_http_methods

from calls.actions.exporting import export_calls
from calls.actions.many import MOST_AT_ONCE
from calls.models import Call
from calls.models.call import CallQuerySet
from calls.views.browsing import NEWEST, Browsing, with_people
from temphone.csv_files import csv_file
from temphone.keyset import each
from temphone.lib import clock
from temphone.pages import StaffRequest, page

AT_A_TIME = 500


@page
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: StaffRequest) -> StreamingHttpResponse:
    """The chosen calls, or all that match."""
    params = request.POST if request.method == "POST" else request.GET
    browsing = Browsing.of(params, request.user, clock.now())
    named = params.getlist("call")[:MOST_AT_ONCE]
    parts, keys = (
        ([Call.objects.filter(pk__in=named)], NEWEST) if named else (browsing.parts(), browsing.keys)
    )
    what = ["chosen"] if named else sorted(browsing.kept)
    rows = export_calls(actor=request.user.actor(), calls=_each(parts, keys), filters=what)
    return csv_file(f"calls-{clock.now():%Y-%m-%d}.csv", rows)


def _each(parts: list[CallQuerySet], keys: tuple[str, ...]) -> Iterator[Call]:
    for part in parts:
        yield from each(with_people(part).order_by(*keys), keys, at_a_time=AT_A_TIME)
