"""The recording of an attempt: where its sound is, and how far it has come."""

from datetime import datetime, timedelta
from typing import ClassVar, TypedDict

from django.conf import settings
from django.db import models
from django.db.models import Q

from calls.models.attempt import Attempt
from calls.states import RECORDING_PROBLEMS, RecordingState
from temphone.lib.clock import now as utc_now

GIVEN_UP_AFTER = timedelta(days=30)  # a gateway that is away as long has lost what it had


class FileFacts(TypedDict):
    """A file as it is sent."""

    size: int
    etag: str
    content_type: str
    filename: str


class RecordingQuerySet(models.QuerySet["Recording"]):
    """Reads of recordings."""

    def ready(self) -> "RecordingQuerySet":
        """Those that can be heard."""
        return self.filter(state=RecordingState.READY)

    def expired(self, now: datetime) -> "RecordingQuerySet":
        """Those that can be heard longer than recordings are kept."""
        if not settings.RECORDING_DAYS:
            return self.none()
        return self.ready().filter(created_at__lte=now - timedelta(days=settings.RECORDING_DAYS))

    def given_up(self, now: datetime) -> "RecordingQuerySet":
        """Those that began to arrive long ago, and never came whole."""
        return self.filter(state=RecordingState.UPLOADING, created_at__lte=now - GIVEN_UP_AFTER)

    def to_clear(self, now: datetime) -> "RecordingQuerySet":
        """Those of which something lies in the storage that is to go."""
        return self.filter(clear_at__lte=now)


class Recording(models.Model):
    """The sound of one attempt: the agent on the left, the callee on the right."""

    attempt = models.OneToOneField(
        Attempt, primary_key=True, on_delete=models.PROTECT, related_name="recording"
    )
    state = models.CharField(max_length=9, choices=RecordingState)
    problem = models.CharField(
        max_length=10, blank=True, choices=RECORDING_PROBLEMS, help_text="Why there is none, if it failed."
    )
    size = models.PositiveIntegerField(default=0, help_text="Bytes of the whole file.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the whole file.")
    received = models.PositiveIntegerField(default=0, help_text="Bytes that have arrived.")
    parts = models.JSONField(default=list, blank=True, help_text="Their names in the storage, in order.")
    file = models.CharField(max_length=200, blank=True, help_text="The whole file's name in the storage.")
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    peaks = models.BinaryField(
        default=bytes, help_text="How loud it is, bucket by bucket: the left, then the right."
    )
    created_at = models.DateTimeField(default=utc_now)
    ready_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    clear_at = models.DateTimeField(
        null=True, blank=True, help_text="When to remove from the storage what is not needed there."
    )

    objects = RecordingQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["state", "created_at"], name="recording_age"),
            models.Index(fields=["clear_at"], name="recording_to_clear", condition=Q(clear_at__isnull=False)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=RecordingState.values), name="recording_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=RecordingState.READY) | (~Q(file="") & Q(duration_ms__isnull=False)),
                name="recording_whole_when_ready",
            ),
        ]

    def __str__(self) -> str:
        return self.attempt_id

    @property
    def is_ready(self) -> bool:
        """Whether it can be heard."""
        return self.state == RecordingState.READY

    @property
    def as_file(self) -> FileFacts:
        """What a browser is told of the file. Another file has another hash, and so another tag."""
        return {
            "size": self.size,
            "etag": f'"{self.sha256}"',
            "content_type": "audio/wav",
            "filename": f"{self.attempt.call_id}-{self.attempt.number}.wav",
        }
