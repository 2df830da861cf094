"""A recording is heard by those who may, in whatever parts, and it is known who heard it."""

import json
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calls.models import Recording
from temphone import ranged
from temphone.accounts.actors import Role
from temphone.accounts.models import AuditEntry, Mode, User
from tests.builders import NOON, a_key, a_recording
from tests.pages.conftest import a_finished_call, an_attempt
from tests.sounds import a_wav, tone

pytestmark = pytest.mark.django_db
SOUND = a_wav(tone(1))
SIZE = len(SOUND)


class Ear:
    """Somebody who asks for the recording of a call: a person, by the page's address, or a program."""

    def __init__(self, call, role=Role.OPERATOR, *, program=False, number=1, mode=Mode.TEST) -> None:
        self.client = Client()
        self.headers = {}
        if program:
            self.path = f"/v1/calls/{call.pk}/recording"
            self.headers["Authorization"] = f"Bearer {a_key(role=role, mode=mode)[1]}"
        else:
            self.path = f"/calls/{call.pk}/recording/{number}/"
            self.client.force_login(User.objects.create(username=f"u{User.objects.count()}", role=role))

    def ask(self, method="GET", *, query="", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.client.generic(method, self.path + query, headers={**self.headers, **headers})
        answer.body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer


@pytest.fixture
def call():
    """A finished call whose recording is there."""
    call = a_finished_call()
    a_recording(call.attempts.get(), SOUND)
    return call


@pytest.fixture(params=["page", "api"])
def ear(request, call) -> Ear:
    return Ear(call, program=request.param == "api")


def plays() -> int:
    return AuditEntry.objects.filter(action="recording.play").count()


def test_the_whole_is_given(ear):
    answer = ear.ask()
    assert (answer.status_code, answer.body) == (200, SOUND)
    assert answer["Content-Type"] == "audio/wav"
    assert answer["Content-Length"] == str(SIZE)
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["ETag"] == f'"{Recording.objects.get().sha256}"'
    assert answer["Content-Disposition"].startswith("inline; filename=")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_it_can_be_saved(ear, call):
    query = "?download=true"
    disposition = ear.ask(query=query)["Content-Disposition"]
    assert disposition == f'attachment; filename="{call.pk}-1.wav"'


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-43", 0, 43),
        ("bytes=100-", 100, SIZE - 1),
        ("bytes=-100", SIZE - 100, SIZE - 1),
        ("bytes=0-0", 0, 0),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        (f"bytes=10-{SIZE * 2}", 10, SIZE - 1),
    ],
)
def test_a_part_is_given(ear, asked, first, last):
    answer = ear.ask(Range=asked)
    assert (answer.status_code, answer.body) == (206, SOUND[first : last + 1])
    assert answer["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer["Content-Length"] == str(last - first + 1)
    assert answer["Content-Type"] == "audio/wav"
    assert answer["ETag"]


@pytest.mark.parametrize("asked", ["bytes=9-5", "items=0-5", "bytes=0-1,4-5", "nonsense"])
def test_a_range_that_is_none_gets_the_whole(ear, asked):
    answer = ear.ask(Range=asked)
    assert (answer.status_code, answer.body) == (200, SOUND)
    assert "Content-Range" not in answer


def test_a_range_that_lies_outside_is_refused(ear):
    answer = ear.ask(Range=f"bytes={SIZE}-")
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{SIZE}"
    assert answer["Cache-Control"] == "private, no-store"
    assert plays() == 0
    if ear.headers:
        assert json.loads(answer.body)["code"] == "range_not_satisfiable"


def test_a_player_gets_a_piece_at_a_time(ear, monkeypatch):
    monkeypatch.setattr(ranged, "PIECE_BYTES", 1_000)
    heard, answer = b"", None
    while len(heard) < SIZE:
        answer = ear.ask(Range=f"bytes={len(heard)}-")
        assert answer.status_code == 206
        heard += answer.body
    assert heard == SOUND


def test_head_tells_all_but_the_sound(ear):
    for headers in ({}, {"Range": "bytes=0-5"}):
        answer = ear.ask("HEAD", **headers)
        assert (answer.status_code, answer.body) == (200, b"")
        assert answer["Content-Length"] == str(SIZE)
        assert (answer["Content-Type"], answer["Accept-Ranges"]) == ("audio/wav", "bytes")
        assert answer["ETag"]
    assert plays() == 0


def test_if_range_gives_the_part_of_just_this_file(ear):
    etag = ear.ask("HEAD")["ETag"]
    asked = {"Range": "bytes=0-9"}
    assert ear.ask(**asked, If_Range=etag).status_code == 206
    for other in (
        '"other"',
        f"W/{etag}",
        "Sun, 15 Mar 2026 15:00:00 GMT",
        etag.strip('"'),
        f"{etag}, {etag}",
    ):
        answer = ear.ask(**asked, If_Range=other)
        assert (answer.status_code, answer.body) == (200, SOUND), other
    # A range that lies outside matters only where the file is the same.
    outside = f"bytes={SIZE}-"
    assert ear.ask(Range=outside, If_Range=etag).status_code == 416
    assert ear.ask(Range=outside, If_Range='"other"').status_code == 200


def test_what_one_has_already_is_not_sent_again(ear):
    etag = ear.ask("HEAD")["ETag"]
    for method in ("GET", "HEAD"):
        for value in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            answer = ear.ask(method, If_None_Match=value, Range="bytes=0-5")
            assert (answer.status_code, answer.body) == (304, b"")
            assert answer["ETag"] == etag
    assert plays() == 0
    assert ear.ask(If_None_Match='"other"').status_code == 200


def test_a_condition_that_does_not_hold_is_412(ear):
    etag = ear.ask("HEAD")["ETag"]
    assert ear.ask(If_Match=etag, Range="bytes=0-5").status_code == 206
    assert ear.ask(If_Match="*").status_code == 200
    answer = ear.ask(If_Match='"other"')
    assert answer.status_code == 412
    assert SOUND[:44] not in answer.body


# Who may


@pytest.mark.parametrize("program", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("role", Role)
def test_operators_and_above_may_listen(call, role, method, program):
    answer = Ear(call, role, program=program).ask(method, Range="bytes=0-5")
    if role == Role.VIEWER:
        assert answer.status_code == 403
        assert plays() == 0
    else:
        assert answer.status_code == (206 if method == "GET" else 200)


def test_nobody_else_may(call):
    assert Client().get(f"/calls/{call.pk}/recording/1/").status_code == 302
    assert Client().get(f"/v1/calls/{call.pk}/recording").status_code == 401
    assert plays() == 0


def test_a_key_of_the_other_mode_finds_none(call):
    answer = Ear(call, program=True, mode=Mode.LIVE).ask()
    assert answer.status_code == 404
    assert json.loads(answer.body)["code"] == "call_not_found"


def test_without_a_recording_it_is_404_in_the_envelope():
    answer = Ear(a_finished_call(), program=True).ask()
    assert answer.status_code == 404
    body = json.loads(answer.body)
    assert (body["status"], body["code"], body["data"]) == ("error", "recording_not_found", None)


@pytest.mark.parametrize("state", ["uploading", "failed", "deleted"])
def test_one_that_is_not_ready_is_404(call, state):
    Recording.objects.update(state=state)
    assert Ear(call).ask().status_code == 404
    assert Ear(call, program=True).ask().status_code == 404


def test_each_attempt_has_its_own():
    call = a_finished_call("busy")
    second = an_attempt(call, state="ended", outcome="message_delivered")
    other = a_wav(tone(2))
    a_recording(call.attempts.get(number=1), SOUND)
    a_recording(second, other)

    assert Ear(call, number=1).ask().body == SOUND
    assert Ear(call, number=2).ask().body == other
    assert Ear(call, number=3).ask().status_code == 404
    program = Ear(call, program=True)
    assert program.ask().body == other
    assert program.ask(query="?attempt=1").body == SOUND
    assert program.ask(query="?attempt=3").status_code == 404
    assert program.ask(query="?attempt=x").status_code == 400


def test_no_others_recording_is_found_by_a_calls_address(call):
    assert Ear(a_finished_call()).ask().status_code == 404


# The storage


def away(*_args, **_kwargs):
    raise PermissionError(13, "Permission denied")


def test_a_storage_that_is_away_is_503_and_nothing_is_noted(ear, monkeypatch):
    monkeypatch.setattr(storages["recordings"], "open", away)
    answer = ear.ask(Range="bytes=0-5")
    assert answer.status_code == 503
    assert plays() == 0


def test_a_file_that_is_lost_is_404_and_logged_by_its_id(ear, call, caplog):
    storages["recordings"].delete(Recording.objects.get().file)
    assert ear.ask().status_code == 404
    assert plays() == 0
    assert f"The file of the recording of {call.attempts.get().pk} is lost." in caplog.text


# The audit


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set."""

    def set_(moment):
        monkeypatch.setattr("temphone.lib.clock.now", lambda: moment)

    set_(NOON)
    return set_


def test_who_listens_is_noted_once_however_many_parts(ear, call, clock):
    for first in range(0, SIZE, 4_000):
        ear.ask(Range=f"bytes={first}-{first + 3_999}")
    ear.ask()

    entry = AuditEntry.objects.get(action="recording.play")
    assert (entry.target, entry.details, entry.at) == (call.pk, {"attempt": 1}, NOON)
    assert entry.actor_kind == ("key" if ear.headers else "user")


@pytest.mark.parametrize("asked", ["bytes=0-0", "bytes=-1", f"bytes={SIZE - 1}-", "bytes=0-1,3-4", "x"])
def test_any_byte_is_noted(ear, asked, clock):
    ear.ask(Range=asked)
    assert plays() == 1


def test_it_is_noted_again_after_ten_minutes(ear, clock):
    for minutes, noted in ((0, 1), (5, 1), (9.99, 1), (10, 2), (19, 2), (20, 3)):
        clock(NOON + timedelta(minutes=minutes))
        ear.ask(Range="bytes=0-5")
        assert plays() == noted, minutes


def test_each_person_and_each_recording_is_noted(call, clock):
    second = an_attempt(call, state="ended", outcome="busy")
    a_recording(second)
    other = a_finished_call()
    a_recording(other.attempts.get())
    ears = [Ear(call), Ear(call), Ear(call, program=True), Ear(call, number=2), Ear(other)]
    ears[3].client = ears[0].client  # one person hears both attempts
    for ear in ears * 2:
        assert ear.ask(Range="bytes=0-5").status_code == 206
    assert plays() == len(ears)


def test_what_cannot_be_noted_is_not_heard(ear, monkeypatch):
    def fails(*_args, **_kwargs):
        raise DatabaseError("away")

    monkeypatch.setattr(AuditEntry, "save", fails)
    ear.client.raise_request_exception = False
    answer = ear.ask(Range="bytes=0-5")
    assert answer.status_code == 500
    assert SOUND[:6] not in answer.body


def test_a_part_costs_the_same_number_of_queries_however_many_came_before(call):
    ear, counts = Ear(call), []
    for _ in range(4):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ear.ask(Range="bytes=0-5")
        counts.append(len(queries))
    assert counts[1] == counts[2] == counts[3] < counts[0]
    assert counts[1] <= 5
