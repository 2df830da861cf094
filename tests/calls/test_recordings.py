"""Recordings come from gateways in parts, in any order and disorder, and are heard once they are whole."""

import hashlib
from datetime import timedelta

import pytest
from django.core.files.storage import storages

from calls.actions import keeping, recordings
from calls.actions.dialing import claim_due
from calls.actions.forgetting import erase_contact, forget_recordings
from calls.actions.recordings import record_recording_failed, take_part
from calls.models import Attempt, Call, Recording
from calls.models.recording import GIVEN_UP_AFTER
from contacts.models import Contact
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.telephony.messages import (
    Received,
    RecordingFailed,
    RecordingPart,
    RecordingProblem,
)
from tests.builders import NOON, a_call, a_contact, a_gateway
from tests.sounds import a_wav, silence, tone

pytestmark = pytest.mark.django_db
PART = 10_000
SOUND = a_wav(tone(1) + silence(1), silence(1) + tone(1))


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    """The storage, an empty folder."""
    settings.STORAGES = {
        **settings.STORAGES,
        "recordings": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "store")},
        },
    }
    return tmp_path / "store"


@pytest.fixture
def attempt(db) -> Attempt:
    """An attempt that its gateway, gw_test, carries."""
    return an_attempt()


def an_attempt(**fields) -> Attempt:
    a_gateway() if not Attempt.objects.exists() else None
    call = a_call(**fields)
    claim_due(mode=Mode.TEST, now=NOON)
    return call.attempts.get()


def part(attempt: Attempt, offset: int = 0, size: int = PART, *, sound: bytes = SOUND, **fields):
    defaults = {
        "ledger": "gw_test",
        "attempt_id": attempt.pk,
        "offset": offset,
        "total": len(sound),
        "sha256": hashlib.sha256(sound).hexdigest(),
        "data": sound[offset : offset + size],
    }
    return RecordingPart(**(defaults | fields))


def send(attempt: Attempt, offset: int = 0, size: int = PART, **fields) -> Received:
    return take_part(part=part(attempt, offset, size, **fields), now=NOON)


def upload(attempt: Attempt, sound: bytes = SOUND, **fields) -> Received:
    """As a gateway does it: ask, then send on from where Django is."""
    answer = send(attempt, 0, 0, sound=sound, **fields)
    while answer.verdict == "more":
        before = answer.through
        answer = send(attempt, before, sound=sound, **fields)
        assert answer.verdict != "more" or answer.through > before
    return answer


def files(store) -> list[str]:
    return sorted(str(path.relative_to(store)) for path in store.rglob("*") if path.is_file())


def kept(attempt: Attempt) -> bytes:
    with storages["recordings"].open(Recording.objects.get(pk=attempt.pk).file) as file:
        return file.read()


def test_what_came_in_parts_is_kept_whole(attempt, store):
    assert upload(attempt).verdict == "kept"

    recording = Recording.objects.get()
    assert kept(attempt) == SOUND
    assert (recording.state, recording.duration_ms, recording.size) == ("ready", 2000, len(SOUND))
    assert (recording.parts, recording.clear_at, len(recording.peaks)) == ([], None, 800)
    assert files(store) == [recording.file]
    assert not list((store / "parts").iterdir())
    assert Call.objects.get().recording_ms == 2000


def test_the_first_message_asks_how_far_it_is(attempt):
    assert send(attempt, 0, 0) == Received(verdict="more", through=0)
    send(attempt)
    assert send(attempt, 0, 0) == Received(verdict="more", through=PART)


def test_a_repeated_part_changes_nothing(attempt, store):
    send(attempt)
    before = files(store)
    for offset, size in ((0, PART), (0, PART // 2), (PART // 2, PART), (1, PART)):
        assert send(attempt, offset, size) == Received(verdict="more", through=PART)
    assert files(store) == before


def test_a_part_from_further_on_waits_for_those_before_it(attempt, store):
    assert send(attempt, PART) == Received(verdict="more", through=0)
    assert files(store) == []
    assert upload(attempt).verdict == "kept"
    assert kept(attempt) == SOUND


def test_any_size_of_part_will_do(attempt):
    assert send(attempt, 0, len(SOUND)).verdict == "kept"
    assert kept(attempt) == SOUND


def test_more_than_was_announced_is_not_kept(attempt):
    answer = send(attempt, 0, len(SOUND), total=len(SOUND) - 1)
    assert answer == Received(verdict="more", through=0)
    assert Recording.objects.get().state == "uploading"


def test_what_is_kept_is_acknowledged_again(attempt, store):
    upload(attempt)
    before = files(store)
    for offset in (0, PART, len(SOUND)):
        assert send(attempt, offset).verdict == "kept"
    assert files(store) == before


def test_another_file_for_what_is_kept_is_refused(attempt):
    upload(attempt)
    assert upload(attempt, a_wav(tone(1))).verdict == "refused"
    assert kept(attempt) == SOUND


def test_another_file_for_what_is_not_whole_begins_anew(attempt, store):
    send(attempt)
    other = a_wav(tone(1))
    assert send(attempt, 0, 0, sound=other) == Received(verdict="more", through=0)
    assert files(store) == []
    assert upload(attempt, other).verdict == "kept"
    assert kept(attempt) == other


def test_a_wrong_hash_begins_anew_and_nothing_is_heard(attempt, store):
    wrong = {"sha256": "0" * 64}
    send(attempt, 0, PART, **wrong)
    answer = send(attempt, PART, len(SOUND), **wrong)
    assert answer == Received(verdict="more", through=0)
    assert files(store) == []
    assert Recording.objects.get().state == "uploading"
    assert upload(attempt).verdict == "kept"


def test_a_part_that_the_storage_lost_is_sent_again(attempt, store):
    send(attempt)
    (lost,) = files(store)
    (store / lost).unlink()
    assert send(attempt, PART, len(SOUND)) == Received(verdict="more", through=0)
    assert upload(attempt).verdict == "kept"
    assert kept(attempt) == SOUND


def test_what_a_killed_process_left_beside_is_removed_with_the_parts(attempt, store):
    send(attempt)
    (store / "parts" / attempt.pk / "0000010000-killed").write_bytes(b"half of a part")
    upload(attempt)
    assert files(store) == [Recording.objects.get().file]


def test_a_process_killed_before_the_row_was_written_costs_one_part(attempt, store, monkeypatch):
    send(attempt)
    with monkeypatch.context() as patch:
        patch.setattr(recordings, "unchanged", killed)
        with pytest.raises(Killed):
            send(attempt, PART)
    assert send(attempt, 0, 0).through == PART
    assert upload(attempt).verdict == "kept"
    assert files(store) == [Recording.objects.get().file]


def test_a_process_killed_before_the_end_finishes_when_it_is_asked(attempt, store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(recordings, "keep", killed)
        with pytest.raises(Killed):
            upload(attempt)
    assert Recording.objects.get().state == "uploading"
    assert send(attempt, len(SOUND), 0).verdict == "kept"
    assert files(store) == [Recording.objects.get().file]


@pytest.mark.parametrize("step", ["_make_ready", "_announce"])
def test_a_process_killed_between_file_and_row_leaves_no_file_that_nobody_knows(
    attempt, store, monkeypatch, step
):
    with monkeypatch.context() as patch:
        patch.setattr(keeping, step, killed)
        with pytest.raises(Killed):
            upload(attempt)
    assert send(attempt, len(SOUND), 0).verdict == "kept"
    assert files(store) == [Recording.objects.get().file]


def test_a_file_without_its_row_goes_with_its_contact(attempt, store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "_make_ready", killed)
        with pytest.raises(Killed):
            upload(attempt)
    assert files(store)
    erase(attempt)
    forget_recordings(now=NOON + timedelta(hours=1))
    assert files(store) == []


class Killed(BaseException):
    pass


def killed(*_args, **_kwargs):
    raise Killed


def test_the_same_part_twice_at_once_counts_once(attempt, store, monkeypatch):
    send(attempt)
    storage = storages["recordings"]
    save = storage.save

    def twin(name, content):
        """While this part is being saved, its twin is saved and counted."""
        monkeypatch.setattr(storage, "save", save)
        assert send(attempt, PART).through == 2 * PART
        return save(name, content)

    monkeypatch.setattr(storage, "save", twin)
    assert send(attempt, PART) == Received(verdict="more", through=2 * PART)
    assert len(files(store)) == 2
    upload(attempt)
    assert kept(attempt) == SOUND


def test_whoever_finishes_second_leaves_nothing(attempt, store, monkeypatch):
    storage = storages["recordings"]
    save = storage.save

    def twin(name, content):
        if name.endswith(".wav"):
            monkeypatch.setattr(storage, "save", save)
            assert send(attempt, len(SOUND), 0).verdict == "kept"
        return save(name, content)

    monkeypatch.setattr(storage, "save", twin)
    assert upload(attempt).verdict == "kept"
    assert files(store) == [Recording.objects.get().file]
    assert kept(attempt) == SOUND


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"attempt_id": "att_nobody"}, "no such attempt"),
        ({"ledger": "gw_other"}, "no such attempt"),
        ({"total": 300_000_000}, "longer than a call"),
    ],
)
def test_what_nobody_can_ever_use_is_refused(attempt, store, fields, reason):
    a_gateway(ledger="gw_other")
    answer = send(attempt, **fields)
    assert answer.verdict == "refused"
    assert reason in answer.reason
    assert not Recording.objects.exists()
    assert files(store) == []


def test_a_call_that_was_not_to_be_recorded_is_not(store):
    attempt = an_attempt(recording_enabled=False)
    assert send(attempt).verdict == "refused"
    assert not Recording.objects.exists()
    assert files(store) == []


@pytest.mark.parametrize("sound", [b"x" * 30_000, a_wav(rate=16_000), a_wav(silence(0))])
def test_what_is_no_recording_is_refused_and_removed(attempt, store, sound):
    assert upload(attempt, sound).verdict == "refused"
    recording = Recording.objects.get()
    assert (recording.state, recording.problem) == ("failed", "broken")
    forget_recordings(NOON)
    assert files(store) == []


def test_the_calls_length_is_that_of_its_latest_recording(attempt):
    upload(attempt)
    call = attempt.call
    Attempt.objects.filter(pk=attempt.pk).update(state="ended", outcome="busy")
    second = Attempt.objects.create(
        call=call,
        number=2,
        carrier="simulated",
        gateway_id="gw_test",
        to=call.contact.phone,
        caller_id="+14155550199",
        rendered_message="Hi.",
        not_after=NOON,
        lease_until=NOON,
    )
    upload(second, a_wav(tone(3)))
    assert Call.objects.get().recording_ms == 3000


# The storage away


@pytest.fixture
def broken(monkeypatch):
    """Make a method of the storage fail."""

    def fails(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    def break_(name):
        monkeypatch.setattr(storages["recordings"], name, fails)
        return monkeypatch

    return break_


def test_a_storage_that_is_away_takes_nothing_and_loses_nothing(attempt, store, broken):
    send(attempt)
    before = files(store), Recording.objects.values().get()
    away = broken("save")
    with pytest.raises(OSError, match="No space"):
        send(attempt, PART)
    assert (files(store), Recording.objects.values().get()) == before
    away.undo()
    assert upload(attempt).verdict == "kept"


def test_parts_that_cannot_be_removed_are_removed_later(attempt, store, broken):
    away = broken("delete")
    assert upload(attempt).verdict == "kept"
    assert len(files(store)) > 1
    forget_recordings(NOON + timedelta(minutes=11))  # in vain
    away.undo()
    assert not Recording.objects.to_clear(NOON + timedelta(minutes=20)).exists()
    forget_recordings(NOON + timedelta(minutes=22))
    assert files(store) == [Recording.objects.get().file]
    assert not Recording.objects.exclude(clear_at=None).exists()


# Erasure


def finish(attempt: Attempt) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(state="ended", outcome="message_delivered")
    Call.objects.filter(pk=attempt.call_id).update(status="completed", outcome="message_delivered")


def erase(attempt: Attempt) -> None:
    finish(attempt)
    erase_contact(actor=SYSTEM, contact_id=attempt.call.contact_id, now=NOON)


def test_erasing_a_contact_erases_how_they_sounded(attempt, store):
    upload(attempt)
    erase(attempt)

    recording = Recording.objects.get()
    assert (recording.state, bytes(recording.peaks)) == ("deleted", b"")
    assert Call.objects.get().recording_ms is None
    forget_recordings(NOON)
    assert files(store) == []
    recording.refresh_from_db()
    assert (recording.file, recording.clear_at) == ("", None)


def test_others_are_still_heard(attempt, store):
    upload(attempt)
    other = an_attempt(contact=a_contact())
    upload(other)
    erase(other)
    forget_recordings(NOON)
    assert kept(attempt) == SOUND
    assert len(files(store)) == 1


def test_what_is_on_its_way_when_the_contact_is_erased_is_dropped_on_both_sides(attempt, store):
    send(attempt)
    erase(attempt)
    assert send(attempt, PART).verdict == "unwanted"
    forget_recordings(NOON)
    assert files(store) == []


def test_what_comes_after_the_contact_was_erased_is_dropped(attempt, store):
    erase(attempt)
    assert send(attempt).verdict == "unwanted"
    assert files(store) == []
    assert not Recording.objects.exists()


def test_an_erasure_while_the_whole_is_saved_wins(attempt, store, monkeypatch):
    storage = storages["recordings"]
    save = storage.save

    def erased_meanwhile(name, content):
        if name.endswith(".wav"):
            erase(attempt)
        return save(name, content)

    monkeypatch.setattr(storage, "save", erased_meanwhile)
    assert upload(attempt).verdict == "unwanted"
    forget_recordings(NOON)
    assert files(store) == []
    assert Call.objects.get().recording_ms is None


def test_an_erasure_just_before_the_first_message_is_noted_wins(attempt, store, monkeypatch):
    begun = recordings._begun

    def erased_meanwhile(*given):
        erase(attempt)
        return begun(*given)

    monkeypatch.setattr(recordings, "_begun", erased_meanwhile)
    assert send(attempt, 0, len(SOUND)).verdict == "unwanted"
    forget_recordings(NOON)
    assert files(store) == []


def test_an_erasure_just_before_the_parts_are_removed_is_not_put_off(attempt, store, monkeypatch):
    clear = recordings.clear

    def erased_meanwhile(*given, **named):
        erase(attempt)
        clear(*given, **named)

    monkeypatch.setattr(recordings, "clear", erased_meanwhile)
    upload(attempt)
    forget_recordings(NOON)
    assert files(store) == []


def test_an_erasure_that_is_refused_deletes_nothing(attempt):
    upload(attempt)
    with pytest.raises(Exception, match="in progress"):
        erase_contact(actor=SYSTEM, contact_id=attempt.call.contact_id, now=NOON)
    assert Recording.objects.get().is_ready
    assert Contact.objects.get().erased_at is None


# Retention


def test_recordings_are_kept_for_ever_unless_said_otherwise(attempt, store):
    upload(attempt)
    forget_recordings(NOON + timedelta(days=5000))
    assert kept(attempt) == SOUND


def test_recordings_older_than_they_are_kept_are_deleted(attempt, store, settings):
    settings.RECORDING_DAYS = 30
    upload(attempt)
    forget_recordings(NOON + timedelta(days=30, seconds=-1))
    assert kept(attempt) == SOUND
    forget_recordings(NOON + timedelta(days=30))
    assert Recording.objects.get().state == "deleted"
    assert files(store) == []
    assert send(attempt).verdict == "unwanted"


def test_retention_goes_a_little_at_a_time_the_oldest_first(settings):
    settings.RECORDING_DAYS = 1
    attempts = [an_attempt() for _ in range(3)]
    for number, attempt in enumerate(attempts):
        take_part(part=part(attempt, 0, len(SOUND)), now=NOON + timedelta(minutes=number))
    forget_recordings(NOON + timedelta(days=2), most=2)
    states = dict(Recording.objects.values_list("pk", "state"))
    assert [states[attempt.pk] for attempt in attempts] == ["deleted", "deleted", "ready"]


def test_what_never_came_whole_is_given_up(attempt, store):
    send(attempt)
    forget_recordings(NOON + GIVEN_UP_AFTER)
    recording = Recording.objects.get()
    assert (recording.state, recording.problem) == ("failed", "lost")
    assert files(store) == []
    # And taken all the same, should it come at last.
    assert upload(attempt).verdict == "kept"


# Failures on the gateway


def fail(attempt: Attempt, **fields) -> None:
    defaults = {"ledger": "gw_test", "attempt_id": attempt.pk, "problem": RecordingProblem.DISK_FULL}
    record_recording_failed(message=RecordingFailed(**(defaults | fields)), now=NOON)


def test_why_there_is_no_recording_is_kept(attempt):
    fail(attempt)
    recording = Recording.objects.get()
    assert (recording.state, recording.get_problem_display()) == (
        "failed",
        "the disk of the gateway was full",
    )


def test_a_recording_that_comes_after_all_wins(attempt):
    fail(attempt)
    assert upload(attempt).verdict == "kept"
    fail(attempt)
    recording = Recording.objects.get()
    assert (recording.state, recording.problem) == ("ready", "")


def test_a_failure_of_what_was_not_to_be_or_is_anothers_tells_nothing(attempt):
    fail(attempt, ledger="gw_other")
    fail(attempt, attempt_id="att_nobody")
    fail(an_attempt(recording_enabled=False))
    assert not Recording.objects.exists()
