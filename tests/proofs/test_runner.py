"""The runner of the battery: it goes on where it stopped, and counts nothing that did not end well."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from tests.proofs.__main__ import arguments, chosen, tracks_of
from tests.proofs.running import guarantees, made_up
from tests.proofs.running.journal import Journal, Record
from tests.proofs.running.report import result, summary, table
from tests.proofs.running.tracks import SEED, Job, Track

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def prove(folder, *words):
    """Start the runner on the made-up proofs."""
    command = [sys.executable, "-m", "tests.proofs", *words, "--folder", str(folder / "kept")]
    return subprocess.Popen(
        [*command, "--registry", "tests.proofs.running.made_up", "--database", "sqlite", "--jobs", "1"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "MADE_UP_FOLDER": str(folder), "MADE_UP_SEED": str(SEED)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def done(process):
    text, _ = process.communicate(timeout=200)
    return process.returncode, text


def kept(folder, name):
    return Journal(folder / "kept" / f"{name}-sqlite.jsonl")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("proofs")


@pytest.fixture(scope="module")
def half(folder):
    """Exit code and text of a run of all but one, at half their size."""
    names = ("holds", "flags", "crashes_once", "crashes", "blind", "mistaken")
    return done(prove(folder, *names, "--scale", "0.5"))


@pytest.fixture(scope="module")
def rest(folder, half):
    """Exit code and text of the run after it, of one proof that holds."""
    return done(prove(folder, "holds"))


def test_a_run_does_what_is_left_of_a_proof_in_chunks_and_sees_the_mistakes_of_its_database(rest, folder):
    code, text = rest
    assert (code, "Everything holds." in text) == (0, True), text
    assert "4 of 4 cases" in text
    assert "1 of 1 mistakes seen" in text
    journal = kept(folder, "holds")
    assert [record.mistake for record in journal.records] == ["a_mistake", "", ""]
    assert [(chunk.seed, chunk.cases) for chunk in journal.chunks] == [(SEED, 2), (SEED + 2, 2)]
    (told,) = json.loads((folder / "kept" / "result.json").read_text())["proofs"]
    assert told["counts"] == {"rings": 4, "worst_ms": max(SEED % 7, (SEED + 2) % 7)}
    assert told["mistakes"] == {"a_mistake": {"cases": 2, "flagged": 1}}
    assert journal.commits == told["commits"] != []


def test_a_flagged_chunk_fails_the_run_and_its_evidence_is_kept(half, folder):
    code, text = half
    assert (code, "It does not hold." in text) == (1, True), text
    (line,) = kept(folder, "flags").flagged
    dump = Path(line.split("(")[1].rstrip(")"))
    assert json.loads(dump.read_text()) == {"problem": "rang twice", "seed": SEED}
    assert (dump.parent / "gateway.log").read_text() == "It rang twice."


def test_a_flagged_chunk_says_how_to_run_it_again_and_that_does(half, folder):
    again = (folder / "kept" / "flagged" / "flags-sqlite-0" / "again.txt").read_text()
    assert again == f'make prove PROVE="flags --database sqlite --seed {SEED} --cases 2"\n'
    assert again.strip() in half[1]
    code, text = done(prove(folder, "flags", "--seed", str(SEED), "--cases", "2"))
    assert (code, "2 cases, 1 flagged." in text) == (1, True), text
    (dump,) = (folder / "kept" / "again" / "flagged").rglob("flagged-1.json")
    assert json.loads(dump.read_text())["seed"] == SEED
    assert len(kept(folder, "flags").records) == 1


def test_a_mistake_can_be_made_again_alone(folder, rest):
    words = ("holds", "--seed", str(SEED), "--cases", "2", "--mistake", "a_mistake")
    code, text = done(prove(folder, *words))
    assert (code, "2 cases, 1 flagged." in text) == (1, True), text
    (record,) = Journal(folder / "kept" / "again" / "holds-sqlite.jsonl").records
    assert record.mistake == "a_mistake"


def test_what_was_flagged_fails_the_next_run_too_and_is_forgotten_by_a_fresh_one(half, folder):
    asked = arguments(
        ["flags", "--folder", str(folder / "kept"), "--registry", "tests.proofs.running.made_up"]
    )
    (track,) = tracks_of(chosen(asked), asked)
    assert not result([track])["holds"]
    asked.fresh = True
    (track,) = tracks_of(chosen(asked), asked)
    assert result([track])["holds"]


@pytest.mark.parametrize("name", ["blind", "mistaken"])
def test_a_mistake_that_was_not_seen_or_only_for_another_reason_is_told_of(half, name):
    assert f"{name} (sqlite): the mistake a_mistake was not seen" in half[1]


def test_a_crashed_chunk_is_told_of_and_runs_once_more(half, folder):
    assert "crashes_once-sqlite 0: the chunk crashed (-6), it runs once more" in half[1]
    assert [record.cases for record in kept(folder, "crashes_once").records] == [1]


def test_a_chunk_that_crashes_twice_is_never_counted(half, folder):
    assert "crashes (sqlite): 1 chunks crashed twice and are not counted" in half[1]
    assert kept(folder, "crashes").records == []
    assert f"seed {SEED}" in (folder / "kept" / "crashed" / "crashes-sqlite-0" / "chunk.log").read_text()


def test_who_stops_it_loses_one_chunk_and_leaves_nothing_running(tmp_path):
    second = tmp_path / f"started-{SEED + 2}"
    for number in (signal.SIGKILL, signal.SIGINT):
        process = prove(tmp_path, "waits")
        wait_until(second.exists)
        process.send_signal(number)
        code, text = done(process)
        chunk = int(second.read_text())
        wait_until(lambda chunk=chunk: not Path(f"/proc/{chunk}").exists())
        assert [record.start for record in kept(tmp_path, "waits").records] == [0], text
        second.unlink()
    assert (code, "`make prove` goes on from here" in text) == (130, True)


def wait_until(is_so, timeout_s=60):
    until = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def a_record(**fields):
    values = {"start": 0, "asked": 2, "seed": 1, "cases": 2, "seconds": 1.0, "commit": "abc", "at": ""}
    return Record(**{**values, **fields})


def test_half_a_line_is_no_chunk_and_spoils_no_other(tmp_path):
    journal = Journal(tmp_path / "it.jsonl")
    journal.add(a_record())
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + whole[:20])
    again = Journal(journal.path)
    assert again.cases == 2
    again.add(a_record(start=2))
    assert [record.start for record in Journal(journal.path).chunks] == [0, 2]


def test_a_gap_between_chunks_is_filled(tmp_path):
    journal = Journal(tmp_path / "it.jsonl")
    journal.add(a_record(start=3, asked=2))
    track = Track.of(made_up.PROOFS[1], "sqlite", journal, 2.0)
    taken = [track.take() for _ in range(4)]
    assert [(job.start, job.cases) for job in taken] == [(0, 2), (2, 1), (5, 2), (7, 1)]
    assert track.take() is None


def test_a_changed_product_is_said():
    told = {
        **dict.fromkeys(("name", "database", "shows", "unit"), "x"),
        "cases": 1,
        "of": 1,
        "counts": {},
        "flagged": [],
        "given_up": 0,
        "seconds": 1,
        "mistakes": {},
        "commits": ["abc", "def"],
    }
    assert "the product changed meanwhile (abc to def, 2 versions)" in table(
        {"proofs": [told], "holds": True}
    )


def test_the_page_tells_all_counts():
    told = {
        "name": "kills",
        "database": "sqlite",
        "shows": "it rings once",
        "unit": "points",
        "cases": 1000,
        "of": 1000,
        "counts": {"rings": 1200, "late_ms": 35},
        "flagged": [],
        "commits": ["abc"],
        "mistakes": {"dial_then_update": {"cases": 20, "flagged": 9}},
    }
    text = guarantees.page({"proofs": [told], "holds": True, "machine": "M", "date": "D"})
    assert "| kills | it rings once | sqlite | 1,000 points | 1,200 rings, late 35 ms | 0 |" in text
    assert "| kills | dial then update | sqlite | 9 in 20 points |" in text


def test_the_page_says_what_is_not_at_full_size():
    track = Track.of(made_up.PROOFS[1], "sqlite", Journal(Path("none")), 2.0)
    told = {**summary(track), "cases": 1}
    text = guarantees.page({"proofs": [told], "holds": False, "machine": "M", "date": "D"})
    assert "**Not at full size yet**: 1 of 1 are not." in text
    assert f"| 1 of {track.target} " in text


def test_a_job_runs_again_with_its_seed():
    track = Track.of(made_up.PROOFS[1], "sqlite", Journal(Path("none")), 1.0)
    job = track.take()
    track.crashed(job)
    again = track.take()
    assert (again, again.seed) == (Job(start=0, cases=2, again=True), job.seed)
    track.crashed(again)
    assert track.take().start == 2
