"""Who listens to a recording, and that it is known who did."""

import logging
from datetime import datetime, timedelta

from django.core.files.base import File
from django.db import transaction

from calls.actions.changing import get_call
from calls.actions.keeping import storage
from calls.models import Recording
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.errors import NotFound, Unavailable

LISTENER = Role.OPERATOR
PLAY = "recording.play"
NOTED_FOR = timedelta(minutes=10)  # a player asks for many parts of what is played once

log = logging.getLogger(__name__)


def get_recording(*, actor: Actor, call_id: str, number: int | None = None) -> Recording:
    """The recording of the call's attempt of this number, or of its latest that has one.

    Raises:
        Forbidden, NotFound
    """
    actor.require(LISTENER)
    get_call(actor=actor, call_id=call_id)
    found = Recording.objects.ready().filter(attempt__call=call_id).select_related("attempt")
    if number is not None:
        found = found.filter(attempt__number=number)
    recording = found.order_by("-attempt__number").first()
    if recording is None:
        raise NotFound(f"There is no recording of {call_id}.", code="recording_not_found")
    return recording


def listen(*, actor: Actor, recording: Recording, now: datetime) -> "File[bytes]":
    """The recording's file, open; that the actor hears it is on record before the first byte goes out.

    Raises:
        NotFound: the file is lost.
        Unavailable: the storage is away.
    """
    try:
        file: File[bytes] = storage().open(recording.file)
    except FileNotFoundError as error:
        log.warning("The file of the recording of %s is lost.", recording.pk)
        raise NotFound("The file of this recording is lost.", code="recording_not_found") from error
    except OSError as error:
        raise Unavailable("Recordings cannot be read at this time. Please retry.") from error
    try:
        _note(actor, recording, now)
    except BaseException:
        file.close()
        raise
    return file


def _note(actor: Actor, recording: Recording, now: datetime) -> None:
    """Once for each who listens, and again after a while."""
    entry = AuditEntry.of(actor, PLAY, recording.attempt.call_id, attempt=recording.attempt.number)
    entry.at = now
    noted = AuditEntry.objects.filter(
        target=entry.target,
        action=PLAY,
        actor_kind=actor.kind,
        actor_id=actor.id,
        details__attempt=recording.attempt.number,
        at__gt=now - NOTED_FOR,
    )
    if noted.exists():
        return
    with transaction.atomic():
        # One at a time: the first requests of a player come together.
        Recording.objects.select_for_update().get(pk=recording.pk)
        if not noted.exists():
            entry.save()
