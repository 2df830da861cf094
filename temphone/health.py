"""Is it alive, and is it well? For load balancers, supervisors and people; no login, no secrets."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from calls.models import Beat, Gateway
from temphone import skew
from temphone.lib.clock import now as utc_now

WELL = "ok"
CLOCK_WITHIN = timedelta(seconds=10)  # it beats every second or so
WORKER_WITHIN = timedelta(seconds=45)  # it may be busy with slow gateways for a while


@never_cache
@require_safe
def healthz(_: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked, the database neither."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(_: HttpRequest) -> JsonResponse:
    """Each part and how it is; 503 unless all are well."""
    parts = report(utc_now())
    return JsonResponse(parts, status=200 if set(parts.values()) == {WELL} else 503)


def report(now: datetime) -> dict[str, str]:
    """Per part ``ok``, or what is wrong with it."""
    try:
        beats = Beat.objects.in_bulk([program for program, _within in BEATS.values()])
        parts = {
            **{part: _beat(beats.get(program), now, within) for part, (program, within) in BEATS.items()},
            **{part: check(now) for part, check in CHECKS.items()},
        }
    except DatabaseError:
        return {"database": gettext_noop("unreachable"), **dict.fromkeys(PARTS, gettext_noop("unknown"))}
    return {"database": WELL, **parts}


def _gateway(now: datetime) -> str:
    return WELL if Gateway.objects.reachable(now).exists() else gettext_noop("none reachable")


def _time(_now: datetime) -> str:
    return gettext_noop("differs from the database's by more than 2 s") if skew.is_off() else WELL


def _beat(beat: Beat | None, now: datetime, within: timedelta) -> str:
    if beat is None:
        return gettext_noop("not seen yet")
    silence = now - beat.at
    return WELL if silence <= within else f"not seen for {silence.total_seconds():.0f} s"


# The program that has to beat, and how often at least.
BEATS = {"queue": ("worker", WORKER_WITHIN), "clock": ("clock", CLOCK_WITHIN)}
CHECKS: dict[str, Callable[[datetime], str]] = {"gateway": _gateway, "time": _time}
PARTS = (*BEATS, *CHECKS)
