"""What carries the calls: gateways, the pace of each carrier, and the stop switch."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from calls.models.trunks import Trunk
from temphone.lib.clock import now as utc_now
from temphone.telephony.messages import GatewayRef

MAX_SKEW_MS = 2_000  # beyond it no dial: "not after" would mean another instant there
HEARD_WITHIN = timedelta(seconds=7)  # heartbeats come every 2 s; two may be lost


class GatewayQuerySet(models.QuerySet["Gateway"]):
    """Reads of gateways."""

    def reachable(self, now: datetime) -> "GatewayQuerySet":
        """Heard of lately, not found unreachable since, and with a clock that agrees with ours."""
        since_failure = Q(unreachable_at=None) | Q(unreachable_at__lt=F("last_seen_at"))
        return self.filter(
            since_failure,
            last_seen_at__gt=now - HEARD_WITHIN,
            clock_skew_ms__range=(-MAX_SKEW_MS, MAX_SKEW_MS),
        )


class Gateway(models.Model):
    """One gateway, known by its ledger; where it is and what it can carry, by its heartbeats."""

    ledger = models.CharField(max_length=64, primary_key=True)
    url = models.CharField(max_length=200)
    version = models.CharField(max_length=40, blank=True)
    legs = models.JSONField(default=list)
    trunks = models.JSONField(default=dict, help_text="By id: whether it is ready there, and what is wrong.")
    speaks = models.BooleanField(default=False, help_text="Whether it has engines of speech, and they work.")
    lines = models.PositiveIntegerField(default=0)
    live = models.PositiveIntegerField(default=0)
    outbox = models.PositiveIntegerField(default=0, help_text="Events not yet acknowledged.")
    clock_skew_ms = models.IntegerField(default=0)
    last_seen_at = models.DateTimeField()
    unreachable_at = models.DateTimeField(null=True, blank=True, help_text="When a request last failed.")

    objects = GatewayQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["ledger"]

    def __str__(self) -> str:
        return self.ledger

    @property
    def ref(self) -> GatewayRef:
        """How a carrier addresses it."""
        return GatewayRef(ledger=self.ledger, url=self.url)

    def has_ready(self, trunk: Trunk) -> bool:
        """Whether it can carry calls of the trunk."""
        return bool(self.trunks.get(trunk.pk, {}).get("ready"))

    def most_over(self, trunk: Trunk) -> int | None:
        """How many calls it carries at once over all trunks of the same kind; None: its lines alone count."""
        most = self.trunks.get(trunk.pk, {}).get("most")
        return None if most is None else int(most)

    def problem_of(self, trunk: Trunk) -> str:
        """What is wrong with the trunk there, in plain words; empty: nothing, or nothing is known."""
        return str(self.trunks.get(trunk.pk, {}).get("problem", "")).rstrip(". ")

    def is_silent(self, now: datetime) -> bool:
        """Whether nothing was heard of it lately."""
        return self.last_seen_at <= now - HEARD_WITHIN


class Pacing(models.Model):
    """A carrier's pace. Every claim holds the row, so claims, pauses and stops go one by one."""

    carrier = models.CharField(max_length=20, primary_key=True)
    lines = models.PositiveIntegerField(
        null=True, blank=True, help_text="Legs up at once; empty: the gateways'."
    )
    calls_per_second = models.PositiveIntegerField(
        null=True, blank=True, help_text="Dials started per second; empty: the setting."
    )

    class Meta:
        verbose_name_plural = "pacing"

    def __str__(self) -> str:
        return self.carrier

    @property
    def per_second(self) -> int:
        """Dials that it may start in a second; 0: as many as it likes."""
        return self.calls_per_second or settings.CALLS_PER_SECOND

    @classmethod
    def lock(cls, *carriers: str) -> list["Pacing"]:
        """Lock the rows of these carriers in a fixed order; who makes one is waited for, too."""
        wanted = sorted(set(carriers))
        rows = Pacing.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
        if len(rows) < len(wanted):
            missing = [Pacing(carrier=carrier) for carrier in wanted]
            Pacing.objects.bulk_create(missing, ignore_conflicts=True)
            rows = rows.all()
        return list(rows)


class StopSwitch(models.Model):
    """The global stop: while it is on, nothing is dialled. One row at most."""

    on = models.BooleanField(default=False)
    changed_at = models.DateTimeField(default=utc_now)
    changed_by = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "stop switch"
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="one_stop_switch")]

    def __str__(self) -> str:
        return "on" if self.on else "off"

    @classmethod
    def read(cls) -> "StopSwitch":
        """Its present position; off before its first use."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class Beat(models.Model):
    """When a process of this kind last showed that it is alive."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def mark(cls, name: str, now: datetime) -> None:
        """Say that one is alive."""
        cls.objects.update_or_create(name=name, defaults={"at": now})
