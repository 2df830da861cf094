"""Take recordings from gateways, part by part, until each lies whole in the storage.

Any number of web processes, on any machines, may take the parts of one: so every part is a file of its own
in the storage, and the row says which of them count.
"""

import hashlib
import logging
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO

from django.conf import settings
from django.core.files.base import ContentFile

from calls.actions.keeping import clear, fail, keep, parts_folder, remove_parts, storage, unchanged
from calls.models import Attempt, Recording
from calls.states import RecordingState
from temphone.lib import ids, waveform
from temphone.telephony.messages import Received, RecordingFailed, RecordingPart, RecordingProblem

LONGEST_BYTES = 7_400 * waveform.RATE_HZ * waveform.FRAME_BYTES  # a call lasts 7,200 s at most
BLOCK_BYTES = 1 << 20

log = logging.getLogger(__name__)


def take_part(*, part: RecordingPart, now: datetime) -> Received:
    """Keep what follows on what is here; with the last part, look through the whole and let it be heard.

    A repeated part, or one from further on, changes nothing: the answer says how far it is.

    Raises:
        OSError: the storage is away; what had arrived before stays.
    """
    attempt = _attempt_of(part)
    if attempt is None:
        return _refused("it has no such attempt of this gateway")
    if reason := _objection(attempt, part):
        return _refused(reason)
    if attempt.call.contact.erased_at:
        return Received(verdict="unwanted")
    recording = _begun(attempt, part, now)
    if recording.state == RecordingState.UPLOADING:
        return _go_on(recording, part, now)
    return _over(recording, part)


def record_recording_failed(*, message: RecordingFailed, now: datetime) -> Received:
    """Note why there is no recording, unless one is here, or on its way, after all."""
    attempt = _attempt_of(message)
    if attempt and attempt.call.recording_enabled:
        failed = {"state": RecordingState.FAILED, "problem": message.problem.value, "created_at": now}
        Recording.objects.get_or_create(attempt=attempt, defaults=failed)
    return Received(verdict="unwanted")


def _attempt_of(message: RecordingPart | RecordingFailed) -> Attempt | None:
    mine = Attempt.objects.filter(pk=message.attempt_id, gateway=message.ledger)
    return mine.select_related("call__contact").first()


def _objection(attempt: Attempt, part: RecordingPart) -> str:
    """Why it will never be taken; empty when it may."""
    if not attempt.call.recording_enabled:
        return "the call was not to be recorded"
    return "it is longer than a call can be" if part.total > LONGEST_BYTES else ""


def _refused(reason: str) -> Received:
    return Received(verdict="refused", reason=reason)


def _over(recording: Recording, part: RecordingPart) -> Received:
    """The answer about a recording of which nothing more is expected."""
    if recording.is_ready and recording.sha256 == part.sha256:
        return Received(verdict="kept", through=recording.size)
    return _refused("another recording of it is here") if recording.is_ready else Received(verdict="unwanted")


def _begun(attempt: Attempt, part: RecordingPart, now: datetime) -> Recording:
    """The row of this file. One that failed begins anew, and so does one of another file, not whole."""
    fresh = {
        "state": RecordingState.UPLOADING,
        "size": part.total,
        "sha256": part.sha256,
        "created_at": now,
    }
    recording, _ = Recording.objects.get_or_create(attempt=attempt, defaults=fresh)
    is_other = (recording.size, recording.sha256) != (part.total, part.sha256)
    if recording.state == RecordingState.FAILED or (recording.state == RecordingState.UPLOADING and is_other):
        _start_over(recording, **fresh, problem="", clear_at=None)
    return recording


def _start_over(recording: Recording, **columns: object) -> None:
    """Forget what has arrived."""
    remove_parts(recording)
    unchanged(recording).update(received=0, parts=[], **columns)
    recording.refresh_from_db()


def _go_on(recording: Recording, part: RecordingPart, now: datetime) -> Received:
    if part.data and part.offset == recording.received:
        _add(recording, part)
    if recording.state == RecordingState.UPLOADING and recording.received == recording.size:
        return _finish(recording, part, now)
    if recording.state != RecordingState.UPLOADING:
        return _over(recording, part)  # a twin of this request was faster
    return Received(verdict="more", through=recording.received)


def _add(recording: Recording, part: RecordingPart) -> None:
    name = f"{parts_folder(recording)}/{part.offset:010}-{ids.random_text(6)}"
    name = storage().save(name, ContentFile(part.data))
    received = min(part.offset + len(part.data), recording.size)
    if not unchanged(recording).update(received=received, parts=[*recording.parts, name]):
        storage().delete(name)  # the same part came twice at once, or the recording was deleted
    recording.refresh_from_db()


def _finish(recording: Recording, part: RecordingPart, now: datetime) -> Received:
    with TemporaryFile(dir=settings.DATA_DIR) as joined:
        if not _join(recording, joined):
            _start_over(recording)
            return Received(verdict="more", through=recording.received)
        try:
            keep(recording, joined, now=now)
        except waveform.NoRecording:
            fail(recording, RecordingProblem.BROKEN, now=now)
            return _refused("it is no recording of ours")
    recording.refresh_from_db()
    if recording.state == RecordingState.UPLOADING:  # a twin of this request is at it
        return Received(verdict="more", through=recording.received)
    try:
        clear(recording, now=now)
    except OSError as error:
        log.warning("The parts of %s are left for later: %s.", recording.pk, type(error).__name__)
    return _over(recording, part)


def _join(recording: Recording, joined: BinaryIO) -> bool:
    """Whether the parts together are the file that the gateway has."""
    digest = hashlib.sha256()
    try:
        for name in recording.parts:
            with storage().open(name) as part:
                while block := part.read(BLOCK_BYTES):
                    digest.update(block)
                    joined.write(block)
    except FileNotFoundError:
        return False
    return (joined.tell(), digest.hexdigest()) == (recording.size, recording.sha256)
