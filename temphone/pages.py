"""What the staff's pages share: the login, what a rule refused, and lists read by key."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from temphone.accounts.models import User
from temphone.keyset import Following, following
from temphone.lib.errors import DomainError, NotFound

M = TypeVar("M", bound=Model)
PAGE_SIZE = 25  # a row costs half a millisecond to render
COUNT_CAP = 1000
LARGEST_ID = 2**63 - 1


class StaffRequest(HttpRequest):
    """A request of somebody who is logged in."""

    user: User
    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """A page for staff: it asks for the login, and shows what a rule refused."""

    @wraps(view)
    def guarded(request: StaffRequest, **kwargs: str) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_login(request)
        if _has_nul(request):
            raise Http404("No text of ours holds a NUL; PostgreSQL cannot even look for one.")
        try:
            response = view(request, **kwargs)
        except NotFound as error:
            raise Http404(error.message) from error
        except DomainError as error:
            response = refusal(request, error)
        # A fragment and its whole page have one address: going back must not show the one for the other.
        patch_vary_headers(response, ["HX-Request"])
        return response

    return guarded


def not_stored(get_response: View) -> View:
    """Nobody keeps a copy of what we answer: it tells of people. Static files say for themselves."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def _has_nul(request: HttpRequest) -> bool:
    return "\0" in request.path or "%00" in request.GET.urlencode() + request.POST.urlencode()


def _to_login(request: StaffRequest) -> HttpResponse:
    if request.htmx:
        # A fragment must not become the login page: let the whole page go there.
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect_to_login(request.get_full_path() if request.method == "GET" else _sent_from(request))


def _sent_from(request: HttpRequest) -> str:
    """The page with the form; what a form was sent to is often no page. Nobody sends it again by itself."""
    page = request.headers.get("Referer", "")
    return urlsplit(page)._replace(scheme="", netloc="").geturl() if is_ours(request, page) else "/"


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A page that says what a rule refused, and the mend."""
    page = render(request, "refused.html", {"message": error.message}, status=error.http_status)
    for name, value in error.headers.items():
        page.headers[name] = value
    return page


def dialog(request: StaffRequest, template: str, context: Mapping[str, object]) -> HttpResponse:
    """A page that asks something, or its part ``dialog`` alone, to be shown over the page before."""
    return render(request, f"{template}#dialog" if request.htmx else template, context)


def is_ours(request: HttpRequest, address: str) -> bool:
    """Whether an address that was sent leads to a page of this site, so that one may be led there."""
    return url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())


def capped_count(*parts: QuerySet[M]) -> int:
    """How many in all parts, which share no row, counted no further than one past the cap.

    A part in the order of an index is counted along it. Without an order PostgreSQL guesses how soon it
    will have found so many, and reads the whole table where it hoped in vain.
    """
    return min(sum(rows[: COUNT_CAP + 1].count() for rows in parts), COUNT_CAP + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPage(Generic[M]):
    """One page of a list, and the cursors of its neighbours."""

    rows: Sequence[M]
    previous: str | None
    next: str | None


def read_page(
    rows: QuerySet[M],
    params: QueryDict,
    parts: Sequence[QuerySet[M]] = (),
    *,
    keys: tuple[str, ...],
    size: int = PAGE_SIZE,
) -> KeyPage[M]:
    """A page of ``rows``, ordered by ``keys``; ``params`` hold the cursor ``after`` or ``before``.

    The last key is unique. Where the first is descending (``-scheduled_at``), all are. No OFFSET: a page
    far in costs what the first costs. An unreadable cursor gives the first page. ``parts``, where one
    index cannot give the rows in this order: the same rows in parts that share none.
    """
    backwards = "before" in params
    order = tuple(_reverse(key) for key in keys) if backwards else keys
    position = _position(rows, order, params.get("before") or params.get("after") or "")
    if parts:
        rows = rows.filter(pk__in=_first(parts, position, order, size + 1))
        found = list(rows.order_by(*order))
    else:
        found = list((rows.filter(position) if position else rows).order_by(*order)[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_previous, has_next = (more, True) if backwards else (position is not None, more)
    return KeyPage(
        rows=found,
        previous=_cursor(found[0], keys) if found and has_previous else None,
        next=_cursor(found[-1], keys) if found and has_next else None,
    )


def _first(
    parts: Sequence[QuerySet[M]], position: Following | None, order: tuple[str, ...], most: int
) -> list[object]:
    """The primary keys of the first rows of all parts."""
    names = [_name(key) for key in order]
    found: list[tuple[Any, ...]] = []
    for rows in parts:
        found += (rows.filter(position) if position else rows).order_by(*order).values_list(*names)[:most]
    found.sort(reverse=order[0].startswith("-"))
    return [key[-1] for key in found[:most]]


def _reverse(key: str) -> str:
    return _name(key) if key.startswith("-") else f"-{key}"


def _cursor(row: Model, keys: tuple[str, ...]) -> str:
    values = [row.serializable_value(_name(key)) for key in keys]
    text = json.dumps([value.isoformat() if isinstance(value, datetime) else str(value) for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(rows: QuerySet[M], order: tuple[str, ...], cursor: str) -> Following | None:
    """The condition for what follows the cursor; None without a readable one."""
    fields = {field.name: field for field in rows.model._meta.fields}
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [_value(fields[_name(key)], text) for key, text in zip(order, texts, strict=True)]
    except (ValueError, TypeError, ValidationError):
        return None
    return following(order, values)


def _value(field: "Field[object, object]", text: object) -> object:
    value = field.to_python(text) if isinstance(text, str) else None
    naive = isinstance(value, datetime) and value.tzinfo is None
    too_large = isinstance(value, int) and abs(value) > LARGEST_ID
    if value is None or naive or too_large:
        raise ValueError("Not the value of a cursor.")
    return value


def _name(key: str) -> str:
    return key.removeprefix("-")
