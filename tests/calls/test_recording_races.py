"""Gateways that repeat themselves, listeners and erasures at once. Real commits, real threads."""

import pytest

from calls.actions.forgetting import forget_recordings
from calls.actions.listening import get_recording, listen
from calls.actions.recordings import take_part
from calls.models import Recording
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import AuditEntry
from tests.builders import NOON, a_recording
from tests.calls.test_recordings import SOUND, an_attempt, erase, files, finish, kept, part, store
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["store"]  # a fixture, for every test here


def test_the_same_parts_at_once_are_kept_once(store):
    attempt = an_attempt()
    third = len(SOUND) // 3 + 1
    answers = []
    for offset in range(0, len(SOUND), third):
        message = part(attempt, offset, third)
        answers = at_once(*[lambda message=message: take_part(part=message, now=NOON)] * 4)
    # Whoever came while another finished is told to ask again, or that it is kept.
    assert {answer.verdict for answer in answers} <= {"kept", "more"}
    assert take_part(part=part(attempt, 0, 0), now=NOON).verdict == "kept"
    assert kept(attempt) == SOUND
    forget_recordings(NOON)
    assert files(store) == [Recording.objects.get().file]


def test_the_first_requests_of_a_player_are_one_play():
    attempt = an_attempt()
    recording = a_recording(attempt)

    def play():
        found = get_recording(actor=SYSTEM, call_id=attempt.call_id)
        listen(actor=SYSTEM, recording=found, now=NOON).close()

    at_once(*[play] * 6)
    assert AuditEntry.objects.filter(action="recording.play").count() == 1
    assert recording.is_ready


def test_an_erasure_at_the_moment_of_arrival_leaves_nothing(store):
    for _ in range(5):
        attempt = an_attempt()
        finish(attempt)
        at_once(
            lambda attempt=attempt: take_part(part=part(attempt, 0, len(SOUND)), now=NOON),
            lambda attempt=attempt: erase(attempt),
        )
        assert not Recording.objects.ready().exists()
    forget_recordings(NOON)
    assert files(store) == []
