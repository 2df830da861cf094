"""Calls as a CSV file, sent while it is read."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.views.decorators.http import require_http_methods

from calls.actions.exporting import export_calls
from calls.actions.many import MOST_AT_ONCE
from calls.models import Call
from calls.models.call import CallQuerySet
from calls.views.browsing import Browsing, with_rows
from temphone.csv_files import csv_file
from temphone.keyset import following
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
    parts = [Call.objects.filter(pk__in=named).newest()] if named else browsing.parts()
    what = ["chosen"] if named else sorted(browsing.kept)
    rows = export_calls(actor=request.user.actor(), calls=_each(parts), filters=what)
    return csv_file(f"calls-{clock.now():%Y-%m-%d}.csv", rows)


def _each(parts: list[CallQuerySet]) -> Iterator[Call]:
    """All calls, some hundreds at a time: no read that lasts as long as the download does."""
    for part in parts:
        rows = with_rows(part)
        while found := list(rows[:AT_A_TIME]):
            yield from found
            last = found[-1]
            place = following(("-scheduled_at", "-id"), [last.scheduled_at, last.pk])
            rows = with_rows(part.filter(place))
