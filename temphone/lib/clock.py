"""Instants and wall times. Inside TemPhone every instant is aware and UTC."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, reset_tzpath

# The pinned tzdata package gives the zones, not whatever the system happens to have.
reset_tzpath(to=())

TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,6})?)?(Z|z|[+-]\d{2}(:?\d{2})?)?")


def now() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)


@cache
def zone_names() -> frozenset[str]:
    """The IANA keys of the pinned tzdata package, whatever the system's files say."""
    text = files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(text.split())


def zone(name: str) -> ZoneInfo:
    """The zone with this IANA key, spelled exactly.

    Raises:
        ValueError: there is none.
    """
    if name not in zone_names():
        raise ValueError(f"Not an IANA time zone: {name!r}.")
    return ZoneInfo(name)


def parse_timestamp(text: str, *, zone_name: str) -> datetime:
    """The instant that an ISO 8601 timestamp means, UTC.

    With Z or an offset it is an instant. Without, it is wall time in ``zone_name``: where a clock
    change skips it the later reading holds, where one repeats it the earlier (as RFC 5545 does).

    Raises:
        ValueError: not a timestamp, or out of the calendar's range.
    """
    if not TIMESTAMP.fullmatch(text):
        raise ValueError(f"Not an ISO 8601 timestamp: {text!r}.")
    moment = datetime.fromisoformat(text.upper().replace(",", "."))
    if moment.tzinfo is None:
        return from_wall(moment, zone_name)
    return to_utc(moment)


def from_wall(wall: datetime, zone_name: str) -> datetime:
    """The UTC instant at which clocks in the zone show the naive ``wall``; gap later, fold earlier."""
    # With fold=0 zoneinfo reads a gap with the offset before it (so later) and a fold as the earlier.
    return to_utc(wall.replace(tzinfo=zone(zone_name), fold=0))


def to_utc(moment: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        ValueError: it falls outside the calendar (year 1 or 9999 at the edge).
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("Out of the calendar's range.") from error


def iso(moment: datetime) -> str:
    """UTC, whole seconds, Z: ``2026-03-15T15:00:00Z``."""
    # Not strftime: where the C library is glibc, its %Y writes the year 519 with three digits.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def seconds(count: float) -> timedelta:
    """A span of ``count`` seconds."""
    return timedelta(seconds=count)
