"""Calling hours: the wall times at which the contact may be called, in the contact's zone."""

from datetime import datetime, time, timedelta

from django.conf import settings

from temphone.lib.clock import from_wall, zone

Hours = tuple[time, time]


def is_open(local: datetime, hours: Hours | None = None) -> bool:
    """Whether the wall time of ``local`` lies within the hours: opening included, closing not.

    Here and below, without ``hours`` the calling hours are meant.
    """
    opens, closes = hours or settings.CALLING_HOURS
    return bool(opens <= local.time() < closes)


def next_opening(moment: datetime, zone_name: str, hours: Hours | None = None) -> datetime:
    """The first instant from ``moment`` on at which calling is allowed, UTC; itself if it is allowed."""
    local = moment.astimezone(zone(zone_name))
    if is_open(local, hours):
        return moment
    opens, _ = hours or settings.CALLING_HOURS
    day = local.date() if local.time() < opens else local.date() + timedelta(days=1)
    return from_wall(datetime.combine(day, opens), zone_name)


def open_until(moment: datetime, latest: datetime, zone_name: str, hours: Hours | None = None) -> datetime:
    """The last instant at which calling is still allowed, of those from an open ``moment`` to ``latest``.

    They are less than a day apart.
    """
    local = latest.astimezone(zone(zone_name))
    if is_open(local, hours):
        return latest
    _, closes = hours or settings.CALLING_HOURS
    closed_for = (local.replace(tzinfo=None) - datetime.combine(local.date(), closes)) % timedelta(days=1)
    return max(moment, latest - closed_for - datetime.resolution)
