"""Which bytes a Range header asks for. Source: RFC 9110, sections 14.1.2, 14.2 and 15.3.7."""

import re

SPEC = re.compile(r"([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18})")
UNIT = "bytes="


class NotSatisfiable(Exception):
    """Well formed, and none of it is in the file."""


def asked_for(header: str, *, size: int, most: int) -> tuple[int, int] | None:
    """The first byte and the last; None when the whole is to be sent.

    What is malformed, of another unit, or of several ranges is ignored, as a server may. Of a range without
    an end ``most`` bytes are given: a player asks on for what follows, and one that pauses keeps nobody
    waiting with megabytes half sent.

    Raises:
        NotSatisfiable
    """
    if header[: len(UNIT)].lower() != UNIT:
        return None
    specs = [spec.strip(" \t") for spec in header[len(UNIT) :].split(",")]
    specs = [spec for spec in specs if spec]
    found = SPEC.fullmatch(specs[0]) if len(specs) == 1 else None
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix:
        return _tail(int(suffix), size)
    return _span(int(first), int(last) if last else None, size, most)


def _tail(length: int, size: int) -> tuple[int, int]:
    if not length or not size:
        raise NotSatisfiable
    return max(size - length, 0), size - 1


def _span(first: int, last: int | None, size: int, most: int) -> tuple[int, int] | None:
    if last is not None and last < first:
        return None
    if first >= size:
        raise NotSatisfiable
    return first, min(size - 1, first + most - 1 if last is None else last)
