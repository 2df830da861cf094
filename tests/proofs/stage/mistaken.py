"""``python -m tests.proofs.stage.mistaken MISTAKE COMMAND``: a program of ours with a plausible mistake."""

import sys
from datetime import datetime, timedelta

import django
from django.core.management import execute_from_command_line


def rings_at_each_poll() -> None:
    """The clock rings whenever there is work, whether its last bell was heard or not."""
    from django_q.tasks import async_task

    from temphone.doorbell.models import Doorbell
    from temphone.management.commands import clock

    def ring(task: str, now: datetime) -> bool:
        Doorbell.ring(task, now)
        async_task(task, now)
        return True

    clock.ring = ring
    clock.AGAIN = timedelta(0)


def keeps_what_it_did() -> None:
    """The worker keeps a megabyte of each task."""
    from django_q.signals import pre_execute

    kept = []
    pre_execute.connect(lambda **_sent: kept.append(bytes(range(256)) * 4096), weak=False)


MISTAKES = {mistake.__name__: mistake for mistake in (rings_at_each_poll, keeps_what_it_did)}


def words(mistake: str, command: str) -> list[str]:
    """What starts it."""
    return ["-m", "tests.proofs.stage.mistaken", mistake, command]


if __name__ == "__main__":
    _, name, program = sys.argv
    django.setup()
    MISTAKES[name]()
    execute_from_command_line(["manage.py", program])
