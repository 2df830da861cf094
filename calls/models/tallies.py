"""Dials counted by the hour, by the database itself.

Django's own functions for dates are Python on SQLite, 3 us a row; these are the databases' own.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, Count, F, FloatField, Func, IntegerField, Q, Sum, Value, When
from django.db.models.sql.compiler import SQLCompiler

from calls.models.attempt import Attempt
from calls.models.call import Call

# Where the classes of lateness end, in seconds: each a third above the one before, or less.
EDGES = (
    0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25,
    30, 40, 50, 60, 80, 100, 120, 150, 180, 240, 300, 400, 500, 600, 750, 900, 1200, 1800, 2400, 3600, 5400,
    7200,
)  # fmt: skip
Sql = tuple[str, Any]
Dialled = tuple[int, str | None, int, int]  # hour, outcome, how many, seconds of talk
Late = tuple[int, int, int]  # hour, class of lateness, how many


class HourNumber(Func):
    """Which hour since 1970 an instant falls in, the clock set forward by ``shift_s``."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """Whole numbers divided there stay whole."""
        template = "((CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) + %(shift_s)s) / 3600)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """The same."""
        template = "CAST(FLOOR((EXTRACT(EPOCH FROM %(expressions)s) + %(shift_s)s) / 3600) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, **context)


class SecondsBetween(Func):
    """How long after the second instant the first came."""

    output_field = FloatField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """By days since long ago, to the millisecond."""
        template = "((julianday(%(expressions)s)) * 86400.0)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **context)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """By the difference of the two."""
        template = "EXTRACT(EPOCH FROM (%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **context)


def dialled(start: datetime, end: datetime, *, shift_s: int) -> Iterable[Dialled]:
    """How the dials of a span ended, by the hour; no outcome while they are up."""
    hour = HourNumber("created_at", shift_s=shift_s)
    rows = Attempt.objects.filter(created_at__gte=start, created_at__lt=end).annotate(hour=hour)
    counted = rows.values_list("hour", "outcome").annotate(Count("pk"), Sum("duration_s", default=0))
    return counted.order_by()


def late(start: datetime, end: datetime, *, shift_s: int) -> Iterable[Late]:
    """How long after they were due the carrier took the dials of a span, by the hour.

    Of a call that was tried again the last dial: the time at which the ones before were due is gone.
    """
    rows = Attempt.objects.filter(
        created_at__gte=start, created_at__lt=end, accepted_at__gte=F("call__due_at")
    ).annotate(
        hour=HourNumber("created_at", shift_s=shift_s),
        lateness_s=SecondsBetween("accepted_at", "call__due_at"),
    )
    classes = [When(lateness_s__lte=edge, then=Value(place)) for place, edge in enumerate(EDGES)]
    rows = rows.annotate(lateness=Case(*classes, default=Value(len(EDGES)), output_field=IntegerField()))
    return rows.values_list("hour", "lateness").annotate(Count("pk")).order_by()


def latest_dials(start: datetime, end: datetime, *, most: int) -> Iterable[tuple[datetime, str, str]]:
    """The latest dials of a span that have ended: when, on whose clock, how."""
    rows = Attempt.objects.filter(created_at__gte=start, created_at__lt=end, outcome__isnull=False)
    found = rows.order_by("-created_at", "-id").values_list(
        "created_at", "call__contact__timezone", "outcome"
    )
    return ((at, zone_name, outcome or "") for at, zone_name, outcome in found[:most])


def ended_in_campaigns(
    start: datetime, end: datetime, *, outcomes: Iterable[str]
) -> Iterable[tuple[str | None, str | None, int]]:
    """How the campaigns' calls of a span ended: campaign, outcome, how many; read in an index alone."""
    rows = Call.objects.filter(
        Q(outcome__in=list(outcomes)), scheduled_at__gte=start, scheduled_at__lt=end, campaign__isnull=False
    )
    return rows.values_list("campaign_id", "outcome").annotate(Count("pk")).order_by()
