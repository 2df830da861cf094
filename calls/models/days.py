"""What was counted of the days that are over."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import ClassVar

from django.db import models

from temphone.accounts.models import Mode

SETTLED_AFTER = timedelta(hours=3)  # the longest call takes two


class Counted(models.TextChoices):
    """What is counted of a day."""

    DIALLED = "dialled"
    LATE = "late"


class DayCountQuerySet(models.QuerySet["DayCount"]):
    """Reads of what was counted."""

    def of(self, what: Counted, mode: Mode, zone_name: str, days: Iterable[date]) -> "DayCountQuerySet":
        """What was counted of these days, as the zone has them."""
        wanted = list(days)
        return self.filter(what=what, mode=mode, zone=zone_name, day__range=(min(wanted), max(wanted)))

    def around(self, moment: datetime) -> "DayCountQuerySet":
        """The days that have this moment in them somewhere on earth."""
        day = timedelta(days=1)
        return self.filter(day__range=((moment - day).date(), (moment + day).date()))


class DayCount(models.Model):
    """What was counted of one mode's dials on a day that is over; days are those of a reader's zone."""

    what = models.CharField(max_length=10, choices=Counted.choices)
    mode = models.CharField(max_length=10, choices=Mode.choices)
    zone = models.CharField(max_length=64)
    day = models.DateField()
    counts = models.JSONField()
    talk_s = models.PositiveBigIntegerField(default=0)
    counted_at = models.DateTimeField()

    objects = DayCountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["what", "mode", "zone", "day"], name="day_counted_once")
        ]

    def __str__(self) -> str:
        return f"{self.what}, {self.mode}, {self.day} in {self.zone}"
