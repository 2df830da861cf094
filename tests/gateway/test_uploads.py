"""Recordings come to Django whole, whatever is killed, away or full on the way."""

import asyncio
import hashlib
import logging
import threading
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path

import pytest
from aiohttp import web

from temphone.gateway import uploads
from temphone.gateway.callback import Callback
from temphone.gateway.uploads import Uploads, repaired
from temphone.telephony.messages import (
    Received,
    RecordingFailed,
    RecordingPart,
    RecordingProblem,
    decode,
    encode,
)
from temphone.telephony.signing import SignedRequest, verify
from tests.gateway.builders import SECRET
from tests.gateway.fake_django import FakeDjango, until
from tests.gateway.running import gateway
from tests.sounds import a_wav, silence, tone

SOUND = a_wav(tone(1))


def in_a_loop(test):
    """A test that is a coroutine."""

    @wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


class Shelf:
    """Where a fake Django keeps recordings, checking what the real one relies on."""

    def __init__(self) -> None:
        self.kept: dict[str, bytearray] = {}
        self.whole: dict[str, bytes] = {}
        self.failed: dict[str, RecordingProblem] = {}
        self.messages: list[RecordingPart] = []
        self.verdicts: dict[str, str] = {}  # of those that it will not take
        self.status = 200
        self.stops_after = 0  # so many messages, and leaves what follows without an answer; 0: never
        self.forgetful = False  # it finds another hash each time
        self.in_flight = self.most_in_flight = 0
        self.hold = asyncio.Event()
        self.hold.set()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        verify(SignedRequest(headers=request.headers, body=body), secret=SECRET)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await self.hold.wait()
        self.in_flight -= 1
        if self.status != 200:
            return web.Response(status=self.status)
        return web.Response(body=encode(self._answer(decode(body, RecordingPart))))

    async def fail(self, request: web.Request) -> web.Response:
        body = await request.read()
        verify(SignedRequest(headers=request.headers, body=body), secret=SECRET)
        message = decode(body, RecordingFailed)
        self.failed[message.attempt_id] = message.problem
        return web.Response(body=encode(Received(verdict="unwanted")))

    def _answer(self, part: RecordingPart) -> Received:
        self.messages.append(part)
        if len(self.messages) == self.stops_after:
            self.hold.clear()
        if part.attempt_id in self.verdicts:
            return Received(verdict=self.verdicts[part.attempt_id], reason="it is none of ours")
        held = self.kept.setdefault(part.attempt_id, bytearray())
        if part.offset == len(held):
            held += part.data
        if len(held) < part.total:
            return Received(verdict="more", through=len(held))
        if self.forgetful:
            held.clear()
            return Received(verdict="more")
        assert hashlib.sha256(held).hexdigest() == part.sha256
        self.whole[part.attempt_id] = bytes(held)
        return Received(verdict="kept", through=len(held))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(uploads, "BACKOFF_S", (0.01, 0.02))
    monkeypatch.setattr(uploads, "PART_BYTES", 10_000)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "recordings").mkdir()
    return tmp_path / "recordings"


@asynccontextmanager
async def shelf():
    django, kept = FakeDjango(), Shelf()
    django.also = [("/carriers/gateway/recording", kept.take), (uploads.FAILED_PATH, kept.fail)]
    async with django:
        kept.url = django.url
        kept.django = django
        yield kept


@asynccontextmanager
async def running(folder: Path, kept: Shelf):
    async with Callback(kept.url, SECRET) as callback:
        sending = Uploads(folder, "gw_1", callback)
        task = asyncio.create_task(sending.run())
        await asyncio.sleep(0)
        yield sending
        task.cancel()
        await asyncio.wait([task])


def write(folder: Path, name: str = "att_1.wav", sound: bytes = SOUND) -> Path:
    (folder / name).write_bytes(sound)
    return folder / name


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@in_a_loop
async def test_a_finished_recording_is_brought_and_then_removed(folder):
    async with shelf() as kept, running(folder, kept) as sending:
        write(folder)
        sending.finished("att_1")
        await until(lambda: not sending.waiting)
        assert kept.whole == {"att_1": SOUND}
        assert names(folder) == []


@in_a_loop
async def test_it_asks_first_and_then_sends_each_part_once(folder):
    async with shelf() as kept, running(folder, kept) as sending:
        write(folder)
        sending.finished("att_1")
        await until(lambda: not sending.waiting)
        sent = [(part.offset, len(part.data)) for part in kept.messages]
        assert sent == [
            (0, 0),
            *((at, min(10_000, len(SOUND) - at)) for at in range(0, len(SOUND), 10_000)),
        ]
        assert {(part.ledger, part.total) for part in kept.messages} == {("gw_1", len(SOUND))}


@in_a_loop
async def test_only_the_rest_is_sent_of_what_django_has(folder):
    async with shelf() as kept:
        kept.kept["att_1"] = bytearray(SOUND[:25_000])
        write(folder)
        async with running(folder, kept) as sending:
            await until(lambda: kept.whole and not sending.waiting)
        assert kept.whole == {"att_1": SOUND}
        assert [part.offset for part in kept.messages] == [0, 25_000]


@in_a_loop
async def test_a_gateway_killed_in_between_goes_on_where_it_was(folder):
    async with shelf() as kept:
        kept.stops_after = 3
        async with running(folder, kept) as sending:
            write(folder)
            sending.finished("att_1")
            await until(lambda: kept.in_flight)
            await until(lambda: not kept.hold.is_set())
        kept.hold.set()
        assert names(folder) == ["att_1.wav"]
        async with running(folder, kept) as sending:
            await until(lambda: kept.whole and not sending.waiting)
        assert kept.whole == {"att_1": SOUND}
        assert names(folder) == []
        assert len([part for part in kept.messages if part.offset == 0]) == 3  # asked, sent, asked again


@pytest.mark.parametrize("status", [500, 503, 400, 401, 413, 404])
@in_a_loop
async def test_it_is_tried_until_django_takes_it(folder, status, caplog):
    async with shelf() as kept, running(folder, kept) as sending:
        kept.status = status
        write(folder)
        sending.finished("att_1")
        await until(lambda: sending._trouble._present)
        assert names(folder) == ["att_1.wav"]
        kept.status = 200
        await until(lambda: not sending.waiting)
        assert kept.whole == {"att_1": SOUND}
    told = [record.getMessage() for record in caplog.records]
    assert told == [told[0], "The recordings: well again."]
    assert f"HTTP {status}" in told[0]


@in_a_loop
async def test_a_hash_that_django_does_not_find_is_no_endless_haste(folder):
    async with shelf() as kept, running(folder, kept) as sending:
        kept.forgetful = True
        write(folder)
        sending.finished("att_1")
        await until(lambda: "no progress" in sending._trouble._present)
        kept.forgetful = False
        await until(lambda: not sending.waiting)
        assert kept.whole == {"att_1": SOUND}


@in_a_loop
async def test_what_django_refuses_for_good_is_kept_aside_and_logged_by_its_id(folder, caplog):
    async with shelf() as kept, running(folder, kept) as sending:
        kept.verdicts["att_1"] = "refused"
        write(folder)
        sending.finished("att_1")
        await until(lambda: not sending.waiting)
    assert names(folder) == ["att_1.wav.refused"]
    assert [record.getMessage() for record in caplog.records] == [
        "Django refuses the recording of att_1: it is none of ours."
    ]
    async with shelf() as kept, running(folder, kept) as sending:
        assert sending.waiting == 0  # it is not asked again


@in_a_loop
async def test_what_nobody_may_hear_any_more_is_removed(folder):
    async with shelf() as kept, running(folder, kept) as sending:
        kept.verdicts["att_1"] = "unwanted"
        write(folder)
        sending.finished("att_1")
        await until(lambda: not sending.waiting)
        assert names(folder) == []


@in_a_loop
async def test_two_are_sent_at_once_and_no_more(folder):
    async with shelf() as kept, running(folder, kept) as sending:
        kept.hold.clear()
        for number in range(5):
            write(folder, f"att_{number}.wav")
            sending.finished(f"att_{number}")
        await until(lambda: kept.in_flight == 2)
        kept.hold.set()
        await until(lambda: not sending.waiting)
        assert kept.most_in_flight == 2
        assert len(kept.whole) == 5


@in_a_loop
async def test_one_that_fails_holds_up_no_other(folder):
    async with shelf() as kept, running(folder, kept) as sending:
        for number in range(3):
            (folder / f"att_bad{number}.wav").mkdir()  # cannot be read
            sending.finished(f"att_bad{number}")
        write(folder)
        sending.finished("att_1")
        await until(lambda: sending.waiting == 3)
        assert kept.whole == {"att_1": SOUND}


@in_a_loop
async def test_a_file_that_somebody_took_away_is_let_be(folder, caplog):
    async with shelf() as kept, running(folder, kept) as sending:
        sending.finished("att_1")
        await until(lambda: not sending.waiting)
    assert "The recording of att_1 is gone." in caplog.text


@in_a_loop
async def test_a_failure_is_told(folder):
    async with shelf() as kept, running(folder, kept) as sending:
        sending.failed("att_1", RecordingProblem.DISK_FULL)
        await until(lambda: not sending.waiting)
        assert kept.failed == {"att_1": RecordingProblem.DISK_FULL}


@in_a_loop
async def test_the_loop_goes_on_while_a_disk_is_slow(folder, monkeypatch):
    measured, gate, began = uploads._measured, threading.Event(), threading.Event()

    def slow(path):
        began.set()
        assert gate.wait(5)
        return measured(path)

    monkeypatch.setattr(uploads, "_measured", slow)
    async with shelf() as kept, running(folder, kept) as sending:
        write(folder)
        sending.finished("att_1")
        await until(began.is_set)
        for _ in range(100):
            await asyncio.sleep(0)
        assert sending.waiting == 1
        gate.set()
        await until(lambda: not sending.waiting)
    assert kept.whole


# What a former gateway left


def cut_off(sound: bytes) -> bytes:
    """A recording whose header tells nothing yet."""
    return sound[:4] + bytes(4) + sound[8:40] + bytes(4) + sound[44:]


@in_a_loop
async def test_what_was_left_is_taken_up_whole_or_cut_off(folder):
    write(folder, "att_1.wav")
    write(folder, "att_2.wav.part", cut_off(SOUND))
    write(folder, "att_3.wav.part", cut_off(SOUND) + b"\x01\x02\x03")  # half a frame
    write(folder, "att_4.wav.part", SOUND[:44])
    write(folder, "att_5.wav.part", b"")
    write(folder, "att_6.wav", a_wav(silence(0)))
    write(folder, "att_7.wav.refused")
    async with shelf() as kept, running(folder, kept) as sending:
        await until(lambda: len(kept.whole) == 3 and not sending.waiting)
    assert kept.whole == {"att_1": SOUND, "att_2": SOUND, "att_3": SOUND}
    assert kept.failed == dict.fromkeys(("att_4", "att_5", "att_6"), RecordingProblem.EMPTY)
    assert names(folder) == ["att_7.wav.refused"]


@in_a_loop
async def test_a_recording_of_this_gateway_under_way_is_not_touched(folder):
    async with shelf() as kept, running(folder, kept) as sending:
        write(folder, "att_1.wav.part", cut_off(SOUND))
        write(folder, "att_2.wav")
        sending.finished("att_2")
        await until(lambda: not sending.waiting)
        assert names(folder) == ["att_1.wav.part"]


def test_a_repair_that_was_cut_off_is_done_again(folder):
    part = write(folder, "att_1.wav.part", cut_off(SOUND) + b"x")
    assert repaired(part) == folder / "att_1.wav"
    assert repaired(part) == folder / "att_1.wav"
    assert (folder / "att_1.wav").read_bytes() == SOUND
    assert repaired(folder / "att_2.wav.part") is None


@in_a_loop
async def test_a_folder_that_cannot_be_read_or_is_not_there_stops_nothing(tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "nowhere", tmp_path / "file"):
        async with shelf() as kept, running(folder, kept) as sending:
            assert sending.waiting == 0
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@in_a_loop
async def test_a_file_that_cannot_be_removed_is_tried_again(folder, monkeypatch):
    def fails(_path):
        raise OSError(30, "Read-only file system")

    async with shelf() as kept, running(folder, kept) as sending:
        write(folder)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", fails)
            sending.finished("att_1")
            await until(lambda: "OSError" in sending._trouble._present)
        await until(lambda: not sending.waiting)
        assert names(folder) == []


@in_a_loop
async def test_a_gateway_uploads_what_it_finds_while_it_carries_calls(tmp_path, folder):
    write(folder)
    async with shelf() as kept, gateway(tmp_path, kept.django):
        await until(lambda: kept.whole and not names(folder))
    assert kept.whole == {"att_1": SOUND}
