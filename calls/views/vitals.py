"""How the installation is: each thing that can go wrong, with what to do then."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_q.brokers import get_broker
from django_q.models import Failure, OrmQ

from calls.models import Attempt, Call
from calls.states import CallStatus
from temphone.health import WELL
from temphone.pages import COUNT_CAP, capped_count
from temphone.said import said as in_their_words
from temphone.templatetags.times import span
from temphone.templatetags.ui import capped, grouped
from temphone.webhooks.models import Delivery, DeliveryState

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

GOOD, DOUBTFUL, BAD = "good", "doubtful", "bad"
MANY_BELLS = 200
LATE = timedelta(seconds=60)
LATE_DIALS_MS = (2_000, 15_000)  # a call at its minute; and what people notice
DIALS_LOOKED_AT = 2_000
OLD_MESSAGE = timedelta(minutes=15)
FAILED_WITHIN = timedelta(days=7)
LITTLE_FREE = (0.10, 0.03)  # of the disk
GIB = 2**30

NAMES: dict[str, "StrOrPromise"] = {
    "database": gettext_lazy("Database"),
    "queue": gettext_lazy("Worker"),
    "clock": gettext_lazy("Clock"),
    "gateway": gettext_lazy("Phone network"),
    "time": gettext_lazy("Time of this machine"),
}
MENDS: dict[str, "StrOrPromise"] = {
    "database": gettext_lazy("Nothing works without it. Start the database, and look at DATABASE_URL."),
    "queue": gettext_lazy("Nothing is dialled. Start the worker: python manage.py qcluster."),
    "clock": gettext_lazy("Nothing comes due. Start the clock: python manage.py clock."),
    "gateway": gettext_lazy(
        "Nothing is dialled. Start a gateway (python -m temphone.gateway), with the same "
        "TEMPHONE_GATEWAY_SECRET; its log says whether it reaches TEMPHONE_CALLBACK_URL."
    ),
    "time": gettext_lazy("A worker with a wrong clock dials nothing. Set the clock of this machine (NTP)."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vital:
    """One thing: its state, its value in words, and what to do when it is not well."""

    name: "StrOrPromise"
    state: str
    value: "StrOrPromise"
    mend: "StrOrPromise" = ""
    detail: "StrOrPromise" = ""


def parts(report: dict[str, str]) -> list[Vital]:
    """What /readyz tells, for people."""
    return [
        Vital(
            name=NAMES[part],
            state=GOOD if said == WELL else BAD,
            value=_("Well") if said == WELL else capfirst(in_their_words(said)),
            mend="" if said == WELL else MENDS[part],
        )
        for part, said in report.items()
    ]


def vitals(now: datetime) -> list[Vital]:
    """What is measured beside."""
    return [_bells(now), _due(now), _lateness(now), _webhooks(now), _failures(now), _disk()]


def bells_unheard(now: datetime) -> int:
    """Tasks that the worker was rung for and has not taken yet."""
    if settings.QUEUE_REDIS_URL:
        return int(get_broker().queue_size())
    return int(OrmQ.objects.filter(lock__lte=now).count())


def _bells(now: datetime) -> Vital:
    count = bells_unheard(now)
    state = GOOD if count < MANY_BELLS else DOUBTFUL
    return Vital(
        name=_("Tasks that wait for the worker"),
        state=state,
        value=grouped(count),
        mend="" if state == GOOD else _("The worker is behind. Is it running, and has it enough WORKERS?"),
    )


def _due(now: datetime) -> Vital:
    due = capped_count(Call.objects.waiting(now))
    waiting = Call.objects.filter(status=CallStatus.SCHEDULED, due_at__lte=now - LATE).order_by(
        "due_at", "id"
    )
    late = capped_count(waiting)
    mend = _("They wait for a line, for the stop switch or for their campaign; the page of each says why.")
    return Vital(
        name=_("Calls that are due"),
        state=DOUBTFUL if late else GOOD,
        value=capped(due),
        detail=ngettext("{n} for more than a minute", "{n} for more than a minute", late).format(
            n=capped(late)
        ),
        mend=mend if late else "",
    )


def _lateness(now: datetime) -> Vital:
    name = _("How late dials began, last hour")
    late_ms = lateness_ms(now)
    if not late_ms:
        return Vital(name=name, state=GOOD, value=_("No dials"))
    p50, p99 = late_ms[len(late_ms) // 2], late_ms[len(late_ms) * 99 // 100]
    state = GOOD if p99 < LATE_DIALS_MS[0] else DOUBTFUL if p99 < LATE_DIALS_MS[1] else BAD
    mend = _("Calls wait for lines or for the worker: look at the lines below, and at the tasks that wait.")
    count = ngettext("{n} dial", "{n} dials", len(late_ms)).format(
        n=capped(len(late_ms), DIALS_LOOKED_AT - 1)
    )
    return Vital(
        name=name,
        state=state,
        value=_("half within {p50}, 99 of 100 within {p99}").format(p50=_ms(p50), p99=_ms(p99)),
        detail=count,
        mend="" if state == GOOD else mend,
    )


def lateness_ms(now: datetime) -> list[int]:
    """How long after it was due each of the latest dials of the last hour began, in milliseconds, ascending.

    A call that is to be tried again is due later than its dials before: these count no more.
    """
    dials = Attempt.objects.filter(created_at__gt=now - timedelta(hours=1)).order_by("-created_at", "-id")
    moments = dials.values_list("created_at", "call__due_at")[:DIALS_LOOKED_AT]
    return sorted(int((made - due).total_seconds() * 1000) for made, due in moments if due <= made)


def _ms(milliseconds: int) -> str:
    return (
        _("{n} s").format(n=grouped(milliseconds / 1000, 1))
        if milliseconds < 60_000
        else span(milliseconds / 1000)
    )


def _webhooks(now: datetime) -> Vital:
    waiting = Delivery.objects.filter(state=DeliveryState.PENDING).order_by("next_try_at", "id")
    oldest = waiting.filter(next_try_at__lte=now - OLD_MESSAGE).exists()
    count = capped_count(waiting)
    mend = _("Due for more than a quarter of an hour: does the worker run, and do the receivers answer?")
    return Vital(
        name=_("Webhook messages that wait"),
        state=DOUBTFUL if oldest else GOOD,
        value=capped(count),
        mend=mend if oldest else "",
    )


def _failures(now: datetime) -> Vital:
    failed = Failure.objects.filter(stopped__gt=now - FAILED_WITHIN).order_by("-stopped")
    count = min(failed[: COUNT_CAP + 1].count(), COUNT_CAP + 1)
    last = failed.values_list("func", flat=True)[:1]
    return Vital(
        name=_("Tasks that failed, last 7 days"),
        state=DOUBTFUL if count else GOOD,
        value=capped(count),
        detail=_("the last: {task}").format(task=last[0]) if count else "",
        mend=_("The worker's log says why. Each is done again when it is due.") if count else "",
    )


def _disk() -> Vital:
    try:
        usage = shutil.disk_usage(settings.DATA_DIR)
    except OSError as error:
        return Vital(name=_("Disk of the data folder"), state=BAD, value=str(error.strerror))
    free = usage.free / usage.total
    state = GOOD if free > LITTLE_FREE[0] else DOUBTFUL if free > LITTLE_FREE[1] else BAD
    mend = _(
        "Make room, or keep recordings for fewer days (TEMPHONE_RECORDING_DAYS): when it is full all stops."
    )
    return Vital(
        name=_("Disk of the data folder"),
        state=state,
        value=_("{free} GiB free of {total}").format(
            free=grouped(usage.free / GIB, 1), total=grouped(usage.total / GIB)
        ),
        detail=str(settings.DATA_DIR),
        mend="" if state == GOOD else mend,
    )


def worst(*lists: Sequence[Vital]) -> str:
    """The worst state of all."""
    states = {vital.state for one in lists for vital in one}
    return next((state for state in (BAD, DOUBTFUL) if state in states), GOOD)
