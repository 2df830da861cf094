"""What the worker does for campaigns. A task that is started twice, or for nothing, does no harm."""

import time

from campaigns.actions import launching
from campaigns.actions.ending import cancel_rest, complete_through, with_rest
from temphone.doorbell.tasks import task
from temphone.lib.clock import now as utc_now

WORKS_S = 2.0  # then the clock rings again, and others had their turn


@task
def end() -> None:
    """Cancel what canceled campaigns have left, and complete those that are through."""
    until = time.monotonic() + WORKS_S
    for campaign_id in with_rest(utc_now()).values_list("pk", flat=True):
        while time.monotonic() < until and cancel_rest(campaign_id=campaign_id, now=utc_now()):
            pass
    complete_through(now=utc_now())


@task
def launch() -> None:
    """Schedule the calls of campaigns that were launched, batch by batch."""
    until = time.monotonic() + WORKS_S
    for campaign_id in launching.waiting(utc_now()).values_list("pk", flat=True):
        while time.monotonic() < until and launching.schedule_some(campaign_id=campaign_id, now=utc_now()):
            pass
