"""A request's body: strict JSON, small and shallow, with nothing in it that no database can keep."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.parsers import BaseParser

from temphone.lib.errors import DomainError, Invalid


class TooLarge(DomainError):
    """The body is too long to be read."""

    code = "too_large"
    http_status = 413


class LengthRequired(DomainError):
    """The body comes in chunks, of which Django would see nothing."""

    code = "length_required"
    http_status = 411


class StrictJSONParser(BaseParser):
    """A JSON object of at most 64 kB and depth 5; of two equal names the last counts."""

    media_type = "application/json"
    most_bytes = 64 * 1024
    most_levels = 5
    said = "64 kB"

    def parse(
        self,
        stream: IO[Any],
        _media_type: str | None = None,
        _parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The object.

        Raises:
            TooLarge, Invalid: it is not read, or it is no such object.
        """
        body = stream.read(self.most_bytes + 1)
        if len(body) > self.most_bytes:
            raise TooLarge(f"Request body must not exceed {self.said}.")
        try:
            text = _text(body)
            parsed = _decoded(text)
            if not isinstance(parsed, dict):
                raise _invalid("must be a JSON object")
            # Only an escape can spell what no database keeps, and each level has its bracket.
            if "\\u" in text or text.count("{") + text.count("[") > self.most_levels:
                _examine(parsed, levels=self.most_levels)
        except RecursionError as error:
            raise _invalid(f"must not be nested deeper than {self.most_levels} levels") from error
        return parsed


class BatchParser(StrictJSONParser):
    """A JSON object of at most 4 MB, in which objects of five levels stand in a list."""

    most_bytes = 4 * 1024 * 1024
    most_levels = StrictJSONParser.most_levels + 2
    said = "4 MB"


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _invalid("must be valid UTF-8") from error


def _decoded(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except ValueError as error:
        raise _invalid("must be valid JSON") from error


def _refuse_constant(_name: str) -> NoReturn:
    raise _invalid("must not contain NaN or Infinity")


def _finite(text: str) -> float:
    # JSON has no infinity, and 1e999 would become one.
    value = float(text)
    if math.isinf(value):
        raise _invalid("must not contain numbers beyond the range of a double")
    return value


def _examine(value: object, *, levels: int) -> None:
    """Look at every text, names too.

    Raises:
        RecursionError: it has more levels than these.
    """
    if isinstance(value, str):
        _examine_text(value)
    elif isinstance(value, dict | list):
        if not levels:
            raise RecursionError
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            _examine(item, levels=levels - 1)


def _examine_text(text: str) -> None:
    if "\x00" in text:
        raise _invalid("must not contain NUL characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _invalid("must not contain lone surrogates") from error


def _invalid(problem: str) -> Invalid:
    return Invalid(f"Request body {problem}.", code="invalid_body")
