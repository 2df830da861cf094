"""What the worker does for campaigns. A task that is started twice, or for nothing, does no harm."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError

from campaigns.actions.ending import cancel_rest, complete_through, reopen_completed, with_rest
from campaigns.actions.launching import schedule_some, waiting
from temphone.doorbell.tasks import task
from temphone.lib.clock import now as utc_now

log = logging.getLogger(__name__)
WORKS_S = 1.0  # then the clock rings again, and others had their turn


@contextmanager
def _alone(campaign_id: str) -> Iterator[None]:
    """What goes wrong with one campaign keeps none of the others waiting."""
    try:
        yield
    except DatabaseError:
        raise
    except Exception:
        log.exception("Campaign %s cannot be worked on.", campaign_id)


@task
def end() -> None:
    """Cancel what canceled campaigns have left, and complete those that are through."""
    until = time.monotonic() + WORKS_S
    for campaign_id in with_rest(utc_now()).values_list("pk", flat=True):
        with _alone(campaign_id):
            while time.monotonic() < until and cancel_rest(campaign_id=campaign_id, now=utc_now()):
                pass
    reopen_completed(now=utc_now())
    complete_through(now=utc_now())


@task
def launch() -> None:
    """Schedule the calls of campaigns that were launched, batch by batch."""
    until = time.monotonic() + WORKS_S
    for campaign_id in waiting(utc_now()).values_list("pk", flat=True):
        with _alone(campaign_id):
            while time.monotonic() < until and schedule_some(campaign_id=campaign_id, now=utc_now()):
                pass
