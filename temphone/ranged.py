"""Files that are sent whole or in the part that was asked for. Source: RFC 9110, sections 13.2.2 and 14.

``Range`` and ``If-Range`` are read here, since Django's own file response knows neither, and the packages
that add them were left years ago; conditions are Django's.
"""

from collections.abc import Callable
from typing import Protocol

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from temphone.lib.byte_ranges import NotSatisfiable, asked_for
from temphone.lib.errors import PreconditionFailed, RangeNotSatisfiable

PIECE_BYTES = 1 << 20  # of a range without an end


class Readable(Protocol):
    """A file."""

    def seek(self, offset: int, /) -> object:
        """Go there."""

    def read(self, size: int, /) -> bytes:
        """What comes next."""

    def close(self) -> None:
        """Let go of it."""


class Slice:
    """So many bytes of a file from where it stands; without ``fileno``, by which servers send all of it."""

    def __init__(self, file: Readable, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int) -> bytes:
        """What comes next."""
        block = self._file.read(min(size, self._left))
        self._left -= len(block)
        return block

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class SliceResponse(FileResponse):
    """A part of a file, or all of it."""

    block_size = 1 << 16


def ranged(
    request: HttpRequest,
    open_: Callable[[], Readable],
    *,
    size: int,
    etag: str,
    content_type: str,
    filename: str,
    as_attachment: bool = False,
) -> HttpResponseBase:
    """The answer to GET or HEAD. ``open_`` is called just when bytes of the file are sent, and only then.

    Raises:
        PreconditionFailed, RangeNotSatisfiable
    """
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    conditional = get_conditional_response(request, etag=etag)
    if conditional is not None:
        if conditional.status_code != 304:
            raise PreconditionFailed("It is not, or no longer, what 'If-Match' names.")
        return HttpResponse(status=304, headers=headers)
    if request.method == "HEAD":
        length = {"Content-Length": str(size)}
        return HttpResponse(content_type=content_type, headers=headers | length)
    part = _part(request, size, etag)
    first, last = part or (0, size - 1)
    file = open_()
    file.seek(first)
    answer = SliceResponse(
        Slice(file, last - first + 1),
        status=206 if part else 200,
        headers=headers | {"Content-Length": str(last - first + 1)},
        content_type=content_type,
        filename=filename,
        as_attachment=as_attachment,
    )
    if part:
        answer.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return answer


def _part(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    # A weak tag, a list or a date never equals our strong tag: then the whole is sent.
    if request.headers.get("If-Range", etag).strip() != etag:
        return None
    try:
        return asked_for(request.headers.get("Range", ""), size=size, most=PIECE_BYTES)
    except NotSatisfiable as error:
        raise RangeNotSatisfiable(size) from error
