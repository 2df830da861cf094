"""Recordings: both tracks, aligned to the sample, whatever happens to the gateway or the disk."""

import asyncio
import logging
import os
import subprocess
import sys
import threading
import wave
from array import array
from pathlib import Path

from temphone.gateway import recorder as recorder_module
from temphone.gateway.recorder import CHUNK_FRAMES, MOST_WAITING, Recorder
from tests.gateway.spoken.fakes import Does, hangs_up, heard, presses, says
from tests.gateway.spoken.legs import answered
from tests.gateway.spoken.sounds import WORD_MS, noise, voice, words

ROOT = Path(__file__).parents[2]
TEXT = "one two three four five six seven eight"
SAMPLES_A_MS = 8


def tracks(path):
    """The agent's track and the callee's, as bytes of one track."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8_000)
        samples = array("h", file.readframes(file.getnframes()))
    return samples[0::2].tobytes(), samples[1::2].tobytes()


def record(folder, test, *does):
    """Run a test's coroutine on a recorded call; what the uploader was told, and the line."""
    told = []

    async def whole():
        recorder = Recorder(folder, told.append, lambda *problem: told.append(problem))
        async with answered(*does, tape=recorder.tape("att_1")) as (leg, line):
            await test(leg, line)
        await recorder.close()
        await asyncio.sleep(0)
        return line

    line = asyncio.run(whole())
    return told, line


async def say(leg, line):
    await leg.say(TEXT)


def test_both_are_on_their_tracks(tmp_path):
    finished, _ = record(tmp_path, say, says("well", 300, when=heard("two")))
    agent, callee = tracks(tmp_path / "att_1.wav")
    assert words(agent).startswith("one two three")
    assert words(callee) == "well"
    assert finished == ["att_1"]
    assert list(tmp_path.iterdir()) == [tmp_path / "att_1.wav"]


def test_the_agents_track_is_what_the_callee_heard_to_the_sample(tmp_path):
    _, line = record(tmp_path, say, Does(noise(400), 500), presses("1", 300))
    agent, _ = tracks(tmp_path / "att_1.wav")
    heard_of_it = bytes(line.heard)
    assert agent[: len(heard_of_it)] == heard_of_it[: len(agent)]
    assert voice(TEXT)[:8_000] in agent


def test_the_callees_track_is_what_they_said_to_the_sample(tmp_path):
    record(tmp_path, say, says("hold on please", 500))
    _, callee = tracks(tmp_path / "att_1.wav")
    assert callee.find(voice("hold on please")) == 500 * SAMPLES_A_MS * 2


def test_what_was_taken_back_is_not_on_it(tmp_path):
    record(tmp_path, say, presses("1", 2 * WORD_MS))
    agent, _ = tracks(tmp_path / "att_1.wav")
    assert words(agent) == "one two"


def test_what_a_line_plays_late_is_late_on_it(tmp_path):
    async def whole():
        recorder = Recorder(tmp_path, print, print)
        tape = recorder.tape("att_1")
        tape.give(b"\1\0" * 160, 40)
        for _ in range(4):
            tape.hear(bytes(320))
        tape.end()
        await recorder.close()

    asyncio.run(whole())
    agent, _ = tracks(tmp_path / "att_1.wav")
    assert agent == bytes(640) + b"\1\0" * 160 + bytes(320)


def test_it_lasts_as_long_as_the_call(tmp_path):
    async def test(leg, line):
        await leg.listen(2.5)

    record(tmp_path, test)
    agent, callee = tracks(tmp_path / "att_1.wav")
    assert len(agent) == len(callee)
    assert 2_500 <= len(agent) / SAMPLES_A_MS / 2 <= 2_520


def test_only_the_owner_may_read_it(tmp_path):
    record(tmp_path, say)
    assert (tmp_path / "att_1.wav").stat().st_mode & 0o077 == 0


def test_an_id_leads_to_no_other_folder(tmp_path):
    async def whole():
        recorder = Recorder(tmp_path / "recordings", print, print)
        tape = recorder.tape("../../etc/x")
        tape.hear(bytes(320))
        tape.end()
        await recorder.close()

    asyncio.run(whole())
    assert [path.parent for path in tmp_path.rglob("*.wav")] == [tmp_path / "recordings"]


def test_a_recording_that_is_there_already_is_not_overwritten(tmp_path, caplog):
    (tmp_path / "att_1.wav.part").write_bytes(b"something")
    told, _ = record(tmp_path, say)
    assert (tmp_path / "att_1.wav.part").read_bytes() == b"something"
    assert "att_1" in caplog.text
    assert told == [("att_1", "disk_error")]


def test_a_full_disk_ends_the_recording_and_not_the_call(tmp_path, monkeypatch, caplog):
    room = [40_000]
    write = os.pwrite

    def pwrite(file, data, at):
        if at:
            data = data[: room[0]]
            room[0] -= len(data)
        return write(file, data, at)

    async def test(leg, line):
        assert (await leg.say(TEXT)).text == TEXT
        assert (await leg.say(TEXT)).text == TEXT

    monkeypatch.setattr(recorder_module.os, "pwrite", pwrite)
    with caplog.at_level(logging.WARNING):
        finished, _ = record(tmp_path, test)
    agent, _ = tracks(tmp_path / "att_1.wav")
    assert len(agent) == 20_000
    assert words(agent) == "one two three four five six seven"
    assert finished == ["att_1"]
    assert caplog.text.count("No space left") == 1


def test_without_a_folder_the_call_goes_on(tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"")

    async def test(leg, line):
        assert (await leg.say(TEXT)).text == TEXT

    told, _ = record(tmp_path / "file" / "folder", test)
    assert told == [("att_1", "disk_error")]
    assert caplog.text.count("ends too early") == 1


def test_a_disk_that_is_too_slow_ends_the_recording(tmp_path, caplog):
    async def whole():
        recorder = Recorder(tmp_path, print, print)
        tape = recorder.tape("att_1")
        slow = threading.Event()
        recorder._thread.submit(slow.wait)
        for _ in range(CHUNK_FRAMES * (MOST_WAITING + 5)):
            tape.hear(bytes(320))
        slow.set()
        tape.end()
        await recorder.close()

    asyncio.run(whole())
    assert caplog.text.count("too slow") == 1


KILLED = """
import asyncio, sys
from pathlib import Path
from temphone.gateway.recorder import Recorder

async def main():
    recorder = Recorder(Path(sys.argv[1]), print, print)
    tape = recorder.tape("att_1")
    for _ in range(125):
        tape.hear(b"\\1\\0" * 160)
    recorder._thread.submit(lambda: None).result()
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_killed_gateway_leaves_what_can_be_heard(tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert program.stdout.readline() == "ready\n"
    program.kill()
    program.communicate()
    _, callee = tracks(tmp_path / "att_1.wav.part")
    assert len(callee) == 2_000 * SAMPLES_A_MS * 2


def test_a_disk_without_any_room_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder_module.os, "pwrite", lambda file, data, at: 0)
    told, _ = record(tmp_path, say)
    assert told == [("att_1", "disk_full")]
    assert list(tmp_path.iterdir()) == []


def test_a_call_without_a_sound_has_no_recording(tmp_path):
    async def test(leg, line):
        await leg.listen(1)

    told, _ = record(tmp_path, test, hangs_up())
    assert told == [("att_1", "empty")]
    assert list(tmp_path.iterdir()) == []
