"""What lies in the storage of recordings: put there whole, and removed again.

The storage may be anything that Django can use. Nothing is written to it inside a transaction; who saved a
file and then finds the row changed removes it again.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime
from io import BytesIO
from typing import BinaryIO

from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.db.models import Q

from calls.models import Attempt, Call, Recording
from calls.models.recording import RecordingQuerySet
from calls.states import RecordingState
from contacts.models import Contact
from temphone.lib import ids, waveform
from temphone.lib.clock import seconds
from temphone.telephony.messages import RecordingProblem

CLEAR_AGAIN_S = 600.0


def storage() -> Storage:
    """Where recordings are."""
    return storages["recordings"]


def parts_folder(recording: Recording) -> str:
    """Where the parts of one that is on its way lie."""
    return f"parts/{recording.pk}"


def unchanged(recording: Recording) -> RecordingQuerySet:
    """The row, if nobody has changed it since it was read."""
    return Recording.objects.filter(
        pk=recording.pk, state=recording.state, sha256=recording.sha256, received=recording.received
    )


def keep_recording(*, attempt: Attempt, sound: bytes, now: datetime) -> Recording:
    """Keep a whole recording at once, whether or not the call asked for one.

    Raises:
        NoRecording: it is none.
    """
    recording = Recording.objects.create(
        attempt=attempt,
        state=RecordingState.UPLOADING,
        size=len(sound),
        received=len(sound),
        sha256=hashlib.sha256(sound).hexdigest(),
        created_at=now,
    )
    keep(recording, BytesIO(sound), now=now)
    recording.refresh_from_db()
    return recording


def keep(recording: Recording, file: BinaryIO, *, now: datetime) -> None:
    """Save the whole; from then on it is heard, unless it or its contact was erased meanwhile.

    Raises:
        NoRecording: and nothing is saved.
        OSError: the storage is away; nothing is changed.
    """
    file.seek(0)
    form = waveform.read(file)
    file.seek(0)
    name = f"{now:%Y/%m}/{recording.pk}-{ids.random_text(6)}.wav"
    if not _announce(recording, name):
        return  # a twin of this request is faster
    saved = storage().save(name, File(file))
    if saved != name:
        Recording.objects.filter(pk=recording.pk, file=name).update(file=saved)
    if not _make_ready(recording, saved, form, now):
        _take_back(recording, saved, now)


def _announce(recording: Recording, name: str) -> bool:
    """Write down the name before there is a file: whatever is killed, nothing lies there unknown."""
    before = recording.file
    if not unchanged(recording).filter(file=before).update(file=name):
        return False
    if before:
        storage().delete(before)  # of a try that was cut off
    return True


def _take_back(recording: Recording, name: str, now: datetime) -> None:
    try:
        storage().delete(name)
    except OSError:
        forgotten = Recording.objects.filter(pk=recording.pk, state=RecordingState.DELETED, file="")
        forgotten.update(file=name, clear_at=now)  # deleted and cleared meanwhile: cleared once more
        raise


@transaction.atomic
def _make_ready(recording: Recording, name: str, form: waveform.Waveform, now: datetime) -> bool:
    call = recording.attempt.call
    # Locked as an erasure locks it: who comes second sees what the first has done.
    contact = Contact.objects.select_for_update(no_key=True).get(pk=call.contact_id)
    if contact.erased_at:
        delete_recordings(Q(pk=recording.pk), now=now)
        return False
    won = (
        unchanged(recording)
        .filter(file=name)
        .update(
            state=RecordingState.READY,
            duration_ms=form.duration_ms,
            peaks=form.peaks,
            ready_at=now,
            clear_at=now if recording.parts else None,
        )
    )
    if won:
        _show_on_calls({call.pk})
    return bool(won)


def fail(recording: Recording, problem: RecordingProblem, *, now: datetime) -> None:
    """It will not be heard, and this is why; what has arrived of it is removed soon."""
    failed = {"state": RecordingState.FAILED, "problem": problem.value, "clear_at": now}
    unchanged(recording).update(**failed)


@transaction.atomic
def delete_recordings(which: Q, *, now: datetime) -> int:
    """Let nobody hear these any more, at once; what lies in the storage is removed soon. Returns how many."""
    found = Recording.objects.filter(which).exclude(state=RecordingState.DELETED)
    locked = found.select_for_update(of=("self",)).order_by("pk")
    calls = dict(locked.values_list("pk", "attempt__call_id"))
    Recording.objects.filter(pk__in=calls).update(
        state=RecordingState.DELETED, peaks=b"", deleted_at=now, clear_at=now
    )
    _show_on_calls(set(calls.values()))
    return len(calls)


def clear(recording: Recording, *, now: datetime) -> None:
    """Remove from the storage what is not needed of this recording: its parts, and what was deleted.

    Raises:
        OSError: the storage is away; it is tried again later.
    """
    found = Recording.objects.filter(pk=recording.pk, state=recording.state, clear_at__isnull=False)
    if not found.update(clear_at=now + seconds(CLEAR_AGAIN_S)):
        return  # deleted since it was read, and to be cleared as such: not put off
    remove_parts(recording)
    is_heard = recording.state == RecordingState.READY
    if recording.file and not is_heard:
        storage().delete(recording.file)
    left = recording.file if is_heard else ""
    found.update(parts=[], file=left, clear_at=None)


def remove_parts(recording: Recording) -> None:
    """Remove all that lies in the recording's folder, of tries that were cut off too.

    Raises:
        OSError: the storage is away.
    """
    folder = parts_folder(recording)
    for name in {*recording.parts, *_listed(folder)}:
        storage().delete(name)
    storage().delete(folder)


def _listed(folder: str) -> list[str]:
    try:
        _, names = storage().listdir(folder)
    except (FileNotFoundError, NotImplementedError):
        return []
    return [f"{folder}/{name}" for name in names]


def _show_on_calls(call_ids: Collection[str]) -> None:
    """Keep on the call how long its latest recording is, where lists and webhooks find it."""
    for call_id in sorted(call_ids):
        of_call = Recording.objects.ready().filter(attempt__call=call_id).order_by("-attempt__number")
        latest = of_call.values_list("duration_ms", flat=True).first()
        Call.objects.filter(pk=call_id).update(recording_ms=latest)
