"""What the worker does. django-q2 is only the doorbell: each task finds its work in our own tables.

A task that is started twice, or for nothing, does no harm.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import timedelta

from django_q.models import Failure

from calls.actions import counting, dialing, forgetting, hanging_up, many
from calls.actions.queues import has_work
from calls.actions.suppression import cancel_more
from calls.models import Attempt, Beat
from temphone import skew, wiring
from temphone.accounts import logins
from temphone.accounts.models import IdempotencyRecord, KeyMinute, Mode
from temphone.doorbell.tasks import task
from temphone.lib.background import event_loop
from temphone.lib.clock import now as utc_now
from temphone.lib.clock import seconds
from temphone.telephony.messages import DialRequest, DialResult, Sighting
from temphone.telephony.port import Unreachable

DRAIN_S = 1.0  # where work comes without end, whoever asks to hang up waits so long for the worker
BATCHES_AT_ONCE = 10  # of dials on their way to the carrier
FAILURES_KEPT = timedelta(days=7)

Dialling = Future[Sequence[DialResult]]

log = logging.getLogger(__name__)


def _knows_the_time() -> bool:
    """Whether what is due and what is late can be told; if not, it says so."""
    if not skew.is_off():
        return True
    log.error(
        "This machine's clock differs from the database's by more than 2 s: set it. Nothing is dialled."
    )
    return False


@task
def dial_due() -> None:
    """Claim and dial until nothing is due, or for a while; the clock rings again.

    The next batch is claimed while the carrier has yet to answer for those before it.
    """
    if not _knows_the_time():
        return
    until = time.monotonic() + DRAIN_S
    # Those of live mode first: both share the lines of the gateways.
    due = [mode for mode in (Mode.LIVE, Mode.TEST) if has_work(mode, utc_now())]
    under_way: set[Dialling] = set()
    with event_loop() as loop:
        while due or under_way:
            if time.monotonic() >= until:
                due = []
            if len(under_way) < BATCHES_AT_ONCE:
                due = [mode for mode in due if _dial_batch(mode, loop, under_way)]
            answered, under_way = _answered(under_way, at_once=bool(due))
            for dialling in answered:
                dialing.record_dial_results(dialling.result(), now=utc_now())


def _dial_batch(mode: Mode, loop: asyncio.AbstractEventLoop, under_way: set[Dialling]) -> bool:
    """Whether there may be more."""
    requests, settled = dialing.claim_due(mode=mode)
    if requests:
        under_way.add(asyncio.run_coroutine_threadsafe(_dial(requests), loop))
    return settled > 0


async def _dial(requests: Sequence[DialRequest]) -> Sequence[DialResult]:
    return await wiring.carrier().dial(requests)


def _answered(under_way: set[Dialling], *, at_once: bool) -> tuple[set[Dialling], set[Dialling]]:
    """The batches for which the carrier has answered, and those still under way."""
    wait_s = 0 if at_once and len(under_way) < BATCHES_AT_ONCE else None
    done, rest = wait(under_way, timeout=wait_s, return_when=FIRST_COMPLETED)
    return done, rest


@task
def reconcile() -> None:
    """Ask the carrier about the attempts of which nothing was heard in time."""
    if not _knows_the_time():
        return
    for attempts in _batches(dialing.take_overdue):
        for attempt, sighting in zip(attempts, asyncio.run(_find(attempts)), strict=True):
            dialing.record_sighting(attempt.pk, sighting, now=utc_now())


def _batches(take: Callable[..., list[Attempt]]) -> Iterator[list[Attempt]]:
    """What there is to take, one batch after the other, for a while; the clock rings again."""
    until = time.monotonic() + DRAIN_S
    while attempts := take(now=utc_now()):
        yield attempts
        if time.monotonic() >= until:
            return


async def _find(attempts: Sequence[Attempt]) -> list[Sighting]:
    carrier = wiring.carrier()

    async def find(attempt: Attempt) -> Sighting:
        if _is_silent(attempt):
            return Sighting.UNREACHABLE
        return await carrier.find(attempt.leg)

    return await asyncio.gather(*(find(attempt) for attempt in attempts))


def _is_silent(attempt: Attempt) -> bool:
    """Whether its gateway is: it would keep the worker from all others for as long as a request takes."""
    return attempt.gateway is not None and attempt.gateway.is_silent(utc_now())


@task
def hang_up_due() -> None:
    """Tell the carrier which legs to end."""
    for attempts in _batches(hanging_up.take_hang_ups):
        for attempt, told in zip(attempts, asyncio.run(_hang_up(attempts)), strict=True):
            hanging_up.record_hang_up(attempt.pk, told=told, now=utc_now())


async def _hang_up(attempts: Sequence[Attempt]) -> list[bool]:
    carrier = wiring.carrier()

    async def tell(attempt: Attempt) -> bool:
        if _is_silent(attempt):
            return False
        try:
            await carrier.hang_up(attempt.leg)
        except Unreachable:
            return False
        return True

    return await asyncio.gather(*(tell(attempt) for attempt in attempts))


@task
def continue_runs() -> None:
    """Go on with the changes of many calls that staff asked for."""
    many.continue_runs()


@task
def cancel_suppressed() -> None:
    """Go on to cancel the calls to numbers that were suppressed."""
    until = time.monotonic() + DRAIN_S
    while time.monotonic() < until and cancel_more(now=utc_now()):
        pass


@task
def count_days() -> None:
    """Count the days that are over, for the overview."""
    until = time.monotonic() + DRAIN_S
    while time.monotonic() < until and counting.count_days(now=utc_now()):
        pass


@task
def beat() -> None:
    """Show that the worker works."""
    Beat.mark("worker", utc_now())


@task
def forget_recordings() -> None:
    """Delete recordings that are kept no longer, and remove from the storage what is to go."""
    forgetting.forget_recordings(utc_now())


@task
def prune() -> None:
    """Forget what is kept for a time only."""
    now = utc_now()
    IdempotencyRecord.objects.filter(created_at__lte=now - IdempotencyRecord.KEPT).delete()
    KeyMinute.objects.filter(minute__lte=now - seconds(3600)).delete()
    Failure.objects.filter(stopped__lt=now - FAILURES_KEPT).delete()
    logins.forget(now)
