"""The envelope of every answer under ``/v1``: status, message, data; beside a refusal, code and errors."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from http.client import BAD_REQUEST
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from temphone.lib.errors import DomainError

logger = logging.getLogger(__name__)

ROOT = "/v1"
FAILED = "Something went wrong on our side. Please retry."
# The specification's own words, at its own endpoint.
FAILED_AT = {
    f"{ROOT}/calls/scheduled": "Unable to schedule call at this time. Please retry.",
    f"{ROOT}/calls/scheduled/batch": "Unable to schedule calls at this time; none was. Please retry.",
}
AWAY = (OperationalError, InterfaceError)
REFUSALS: dict[type[Exception], tuple[int, str, str]] = {
    exceptions.NotAuthenticated: (401, "unauthorized", "Unauthorized."),
    exceptions.AuthenticationFailed: (401, "unauthorized", "Unauthorized."),
    exceptions.MethodNotAllowed: (405, "method_not_allowed", "Method not allowed."),
    exceptions.UnsupportedMediaType: (
        415,
        "unsupported_media_type",
        "Content-Type must be application/json.",
    ),
    exceptions.Throttled: (429, "too_many_requests", "Too many requests. Retry after {wait} seconds."),
    Http404: (404, "not_found", "Not found."),
    SuspiciousOperation: (400, "invalid", "Bad request."),
}


class Answer(Response):
    """What was asked for, with the message that stands in the envelope."""

    def __init__(
        self,
        data: object,
        message: str = "OK.",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data, status=status, headers=headers)
        self.message = message


class EnvelopeRenderer(JSONRenderer):
    """Puts what a view answers into the envelope; a refusal is in one already."""

    def render(
        self,
        data: object,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The body's bytes."""
        response: Response = (renderer_context or {})["response"]
        if response.status_code < BAD_REQUEST:
            data = {"status": "success", "message": getattr(response, "message", "OK."), "data": data}
        return bytes(super().render(data, accepted_media_type, renderer_context))


class AlwaysJSON(DefaultContentNegotiation):
    """Whatever ``Accept`` says, a view answers in the one form that it has."""

    def select_renderer(
        self, _request: Request, renderers: Iterable[BaseRenderer], _format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The view's first renderer."""
        first = next(iter(renderers))
        return first, first.media_type


def problem(
    message: str, code: str, *, errors: Mapping[str, Sequence[str]] | None = None, data: object = None
) -> dict[str, object]:
    """The body of a refusal."""
    body = {"status": "error", "message": message, "data": data, "code": code}
    return {**body, "errors": errors} if errors else body


def refusal(error: DomainError, *, data: object = None) -> Response:
    """What a rule said; ``data`` shows the true state where that helps."""
    body = problem(error.message, error.code, errors=error.fields, data=data)
    return Response(body, status=error.http_status, headers=dict(error.headers))


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """Whatever a view raised, in the envelope; a page or a document answers its errors so too."""
    request: Request = context["request"]
    request.accepted_renderer = EnvelopeRenderer()
    request.accepted_media_type = EnvelopeRenderer.media_type
    if isinstance(error, DomainError):
        return refusal(error)
    for kind, (status, code, message) in REFUSALS.items():
        if isinstance(error, kind):
            wait = int(getattr(error, "wait", None) or 0)
            body = problem(message.format(wait=wait), code)
            return Response(body, status=status, headers=_headers(error, wait))
    return _failed(request.path, error)


def _headers(error: Exception, wait: int) -> dict[str, str]:
    headers = {
        "WWW-Authenticate": getattr(error, "auth_header", ""),
        "Retry-After": str(wait) if wait else "",
    }
    return {name: value for name, value in headers.items() if value}


def _failed(path: str, error: Exception) -> Response:
    if isinstance(error, AWAY):
        logger.error("The database does not answer: %s", type(error).__name__)
    else:
        logger.error("Unexpected error at %s", path, exc_info=error)
    return Response(_failure(path), status=500)


def _failure(path: str) -> dict[str, object]:
    return problem(FAILED_AT.get(path.rstrip("/"), FAILED), "server_error")


def is_api(request: HttpRequest) -> bool:
    """Whether the answer must be the envelope."""
    return request.path == ROOT or request.path.startswith(f"{ROOT}/")


def handler400(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """A request that Django itself refuses, such as one for another host."""
    if is_api(request):
        return JsonResponse(problem("Bad request.", "invalid"), status=400)
    return defaults.bad_request(request, exception)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """No such address."""
    if is_api(request):
        return JsonResponse(problem("Not found.", "not_found"), status=404)
    return defaults.page_not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponseBase:
    """What failed outside a view; Django has logged it."""
    if is_api(request):
        return JsonResponse(_failure(request.path), status=500)
    return defaults.server_error(request)
