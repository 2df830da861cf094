"""Which bells ring."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

# Then whoever was to hear it has died. It must be longer than a bell stands behind the tasks that go on for a
# while (four of a second each, and one worker): one that is rung again has lost its place to the newer.
UNHEARD = timedelta(seconds=8)


class Doorbell(models.Model):
    """A task of the worker, and since when its bell rings unheard: who comes meanwhile need not ring.

    Bells that ring whenever there is work pile up faster than a busy worker answers them, and what cannot
    wait (asking about silent attempts, hanging up) stands behind those for what is being done already.
    """

    task = models.CharField(max_length=100, primary_key=True)
    rung_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.task

    @classmethod
    def ring(cls, task: str, now: datetime) -> bool:
        """Whether it is to be rung: it rings not yet, or was not heard."""
        if cls.objects.filter(pk=task, rung_at__gt=now - UNHEARD, rung_at__lte=now).exists():
            return False  # most often so; on SQLite a write would lock out everybody
        # Several clocks come at once: one of them rings.
        is_quiet = Q(rung_at=None) | Q(rung_at__lte=now - UNHEARD) | Q(rung_at__gt=now)
        if cls.objects.filter(is_quiet, pk=task).update(rung_at=now):
            return True
        return cls.objects.get_or_create(pk=task, defaults={"rung_at": now})[1]

    @classmethod
    def answer(cls, task: str, rung_at: datetime) -> bool:
        """Whether it is this bell that rings; what comes due from now on rings anew.

        Of those that were rung again only the last counts. If each did, their number would never fall while
        there is work: each that is answered makes room for the next.
        """
        return bool(cls.objects.filter(pk=task, rung_at=rung_at).update(rung_at=None))
