"""The page about how the installation itself is, for admins alone."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import django
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from calls.models import Attempt, Gateway, Trunk
from calls.models.carriers import MAX_SKEW_MS
from calls.views.vitals import BAD, DOUBTFUL, GOOD, parts, vitals, worst
from temphone import __version__
from temphone.accounts.actors import Role
from temphone.health import report
from temphone.lib import clock
from temphone.pages import StaffRequest, page

FULL_OUTBOX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A gateway: how it is, and what is wrong with it in plain words."""

    gateway: Gateway
    state: str
    words: str
    mend: str
    trunks: Sequence[str]


@page
@require_safe
def system_page(request: StaffRequest) -> HttpResponse:
    """Health of each part, what waits, how late it is, the gateways, the versions."""
    request.user.actor().require(Role.ADMIN)
    now = clock.now()
    programs, measured = parts(report(now)), vitals(now)
    stations = _stations(now)
    context = {
        "now": now,
        "programs": programs,
        "measured": measured,
        "stations": stations,
        "state": worst(programs, measured),
        "in_use": Attempt.objects.live().count(),
        "lines": sum(one.gateway.lines for one in stations if one.state != BAD),
        "versions": _versions(),
    }
    return render(request, "calls/system.html#health" if request.htmx else "calls/system.html", context)


def _stations(now: datetime) -> list[Station]:
    names: Mapping[str, str] = dict(Trunk.objects.values_list("pk", "name"))
    return [
        _station(gateway, names, now) for gateway in Gateway.objects.order_by("-last_seen_at", "ledger")[:50]
    ]


def _station(gateway: Gateway, names: Mapping[str, str], now: datetime) -> Station:
    state, words, mend = _judged(gateway, now)
    known = [(names[pk], told) for pk, told in gateway.trunks.items() if pk in names]
    return Station(
        gateway=gateway,
        state=state,
        words=words,
        mend=mend,
        trunks=[
            f"{name}: {_('ready') if told.get('ready') else told.get('problem', '')}" for name, told in known
        ],
    )


def _judged(gateway: Gateway, now: datetime) -> tuple[str, str, str]:
    """Its state, what the pill says, and what to do."""
    if gateway.is_silent(now):
        return (
            BAD,
            _("Silent"),
            _("It does not run, or cannot reach web. A gateway that was replaced stays here."),
        )
    if abs(gateway.clock_skew_ms) > MAX_SKEW_MS:
        return BAD, _("Clock is off"), _("It gets no calls until its machine's clock is right (NTP).")
    if gateway.unreachable_at and gateway.unreachable_at >= gateway.last_seen_at:
        return (
            DOUBTFUL,
            _("Cannot be reached"),
            _("Web cannot reach its address: look at TEMPHONE_GATEWAY_URL."),
        )
    if gateway.outbox > FULL_OUTBOX:
        return DOUBTFUL, _("Behind"), _("Many events wait to be taken: is web, or the database, too slow?")
    return GOOD, _("Working"), ""


def _versions() -> dict[str, str]:
    return {
        "TemPhone": __version__,
        _("Database"): _database(),
        "Django": django.get_version(),
        "Python": platform.python_version(),
    }


def _database() -> str:
    try:
        version = ".".join(str(part) for part in connection.get_database_version())
    except DatabaseError:
        return connection.display_name
    return f"{connection.display_name} {version}"
