"""The runner of the battery: it goes on where it stopped, and counts nothing that did not end well.

What it tells of that, in the terminal and on the page, is tried in test_telling.py.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from tests.proofs.__main__ import arguments, chosen, tracks_of
from tests.proofs.hours import FEW
from tests.proofs.hours import PROOF as HOURS
from tests.proofs.registry import PROOFS
from tests.proofs.running import made_up, product
from tests.proofs.running.journal import Journal, Record
from tests.proofs.running.runner import Runner
from tests.proofs.running.tracks import SEED, Job, Track
from tests.proofs.telling.report import result

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


def of_name(name):
    return next(proof for proof in made_up.PROOFS if proof.name == name)


def done(process):
    text, _ = process.communicate(timeout=200)
    return process.returncode, text


def kept(folder, name):
    return Journal(folder / "kept" / f"{name}-sqlite.jsonl", product.version(of_name(name)))


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
    assert (code, "Nothing was flagged, and every mistake was seen." in text) == (0, True), text
    assert "4 of 4 cases" in text
    assert "1 of 1 mistakes seen" in text
    journal = kept(folder, "holds")
    assert [record.mistake for record in journal.records] == ["a_mistake", "", ""]
    assert [(chunk.seed, chunk.cases) for chunk in journal.chunks] == [(SEED, 2), (SEED + 2, 2)]
    (told,) = json.loads((folder / "kept" / "result.json").read_text())["proofs"]
    assert told["counts"] == {"rings": 4, "worst_ms": max(SEED % 7, (SEED + 2) % 7), "double": 0}
    assert told["mistakes"] == {"a_mistake": {"cases": 2, "flagged": 1}}
    for record in journal.records:
        assert [record.commit] == told["commits"]
        assert [record.machine] == told["machines"] == [product.machine()]
        assert [record.at[:10]] == told["days"]


def test_a_flagged_chunk_fails_the_run_and_its_evidence_is_kept(half, folder):
    code, text = half
    assert (code, "It does not hold (" in text) == (1, True), text
    (line,) = kept(folder, "flags").flagged
    dump = folder / "kept" / line.split("(")[1].rstrip(")")
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
    (record,) = Journal(folder / "kept" / "again" / "holds-sqlite.jsonl", "").records
    assert record.mistake == "a_mistake"


def test_what_was_flagged_fails_the_next_run_too_and_is_forgotten_by_a_fresh_one(half, folder):
    asked = arguments(
        ["flags", "--folder", str(folder / "kept"), "--registry", "tests.proofs.running.made_up"]
    )
    (track,) = tracks_of(chosen(asked), asked)
    assert not result([track])["holds"]
    asked.fresh = True
    (track,) = tracks_of(chosen(asked), asked)
    assert (track.journal.records, result([track])["proofs"][0]["flagged"]) == ([], [])


@pytest.mark.parametrize("name", ["blind", "mistaken"])
def test_a_mistake_that_was_not_seen_or_only_for_another_reason_is_told_of(half, name):
    assert f"{name} (sqlite): the mistake a_mistake was not seen" in half[1]


def test_a_crashed_chunk_is_told_of_and_runs_once_more(half, folder):
    assert "crashes_once-sqlite 0: the chunk crashed (-6), it runs once more" in half[1]
    assert [record.cases for record in kept(folder, "crashes_once").chunks] == [1]
    assert "crashes_once (sqlite): chunk 0 did not end" in half[1]
    assert "It ended well when it ran again. Why is not known." in half[1]


def test_a_chunk_that_crashes_twice_is_never_counted(half, folder):
    assert "crashes (sqlite): chunk 0 did not end 2 times, at last at" in half[1]
    journal = kept(folder, "crashes")
    assert journal.chunks == []
    assert [record.crashed for record in journal.crashes] == [f"crashed (1): RuntimeError: seed {SEED}"] * 2
    assert all(re.fullmatch(r"[\dT:-]+\.\d{3}Z", record.at) for record in journal.crashes)
    for name in ("crashes-sqlite-0", "crashes-sqlite-0.1"):
        assert f"seed {SEED}" in (folder / "kept" / "crashed" / name / "chunk.log").read_text()


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
    return Record(**{**values, "version": "v1", **fields})


def a_track(path, *records, name="holds", version="v1", scale=1.0):
    journal = Journal(path, version)
    for record in records:
        journal.add(record)
    return Track.of(next(proof for proof in made_up.PROOFS if proof.name == name), "sqlite", journal, scale)


def left_of(track):
    return [(job.mistake, job.start, job.cases) for job in iter(track.take, None)]


def test_half_a_line_is_no_chunk_and_spoils_no_other(tmp_path):
    journal = Journal(tmp_path / "it.jsonl", "v1")
    journal.add(a_record())
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + whole[:20])
    again = Journal(journal.path, "v1")
    assert [record.start for record in again.chunks] == [0]
    again.add(a_record(start=2))
    assert [record.start for record in Journal(journal.path, "v1").chunks] == [0, 2]


def test_a_line_as_it_was_written_before_there_were_versions_is_of_an_earlier_one(tmp_path):
    path = tmp_path / "it.jsonl"
    old = {"start": 0, "asked": 2, "seed": 1, "cases": 2, "seconds": 1.0, "commit": "abc", "at": ""}
    path.write_text(json.dumps({**old, "mistake": "", "counts": {"rings": 2}, "flagged": ["x"]}) + "\n")
    journal = Journal(path, "v1")
    assert (len(journal.earlier), journal.here, journal.flagged) == (1, [], [])


def test_what_another_chunk_left_out_is_run(tmp_path):
    track = a_track(tmp_path / "it.jsonl", a_record(start=2), name="flags", scale=1.25)
    assert left_of(track) == [("", 0, 2), ("", 4, 1)]


def test_what_was_proved_of_another_version_runs_again(tmp_path):
    seen = a_record(mistake="a_mistake", seen=1)
    records = [seen, a_record(), a_record(start=2, flagged=["rang twice"])]
    old = a_track(tmp_path / "it.jsonl", *records, version="v1")
    assert (left_of(old), old.cases, len(old.journal.flagged)) == ([], 4, 1)
    new = a_track(old.journal.path, version="v2")
    assert (new.cases, new.journal.flagged) == (0, [])
    assert left_of(new) == [("a_mistake", 0, 2), ("", 0, 2), ("", 2, 2)]
    assert len(new.journal.records) == 3


def test_a_chunk_of_a_smaller_scale_counts_for_that_scale_alone(tmp_path):
    flagged = a_record(asked=1, cases=1, flagged=["rang twice"])
    small = a_track(tmp_path / "it.jsonl", flagged, name="flags", scale=0.25)
    assert (small.cases, left_of(small)) == (1, [])
    whole = a_track(small.journal.path, name="flags")
    assert (whole.cases, left_of(whole)) == (0, [("", 0, 2), ("", 2, 2)])
    assert whole.journal.flagged == ["rang twice"]


def test_no_chunk_of_all_hours_is_so_small_that_it_is_tried_less_closely():
    assert min(HOURS.chunk, HOURS.full % HOURS.chunk or HOURS.chunk) > FEW


def test_of_a_measure_the_largest_is_told_and_a_zero_stays(tmp_path):
    counts = {"rings": 2, "worst_ms": 5, "double": 0}
    more = {"rings": 3, "worst_ms": 4, "double": 0}
    track = a_track(tmp_path / "it.jsonl", a_record(counts=counts), a_record(start=2, counts=more))
    assert track.counts == {"rings": 5, "worst_ms": 5, "double": 0}


def test_a_job_runs_again_with_its_seed(tmp_path):
    track = a_track(tmp_path / "it.jsonl", name="flags")
    job = track.take()
    track.crashed(job)
    again = track.take()
    assert (again, again.seed) == (Job(start=0, cases=2, again=True), job.seed)
    track.crashed(again)
    assert track.take().start == 2


# What a chunk does that ends well, and one that is killed after it flagged something; $1: its folder.
ENDS = """echo '{"cases": 2, "counts": {}, "flagged": [], "seconds": 1.0}' >"$1/result.json" """
FLAGS = """
mkdir "$1/trial"
echo '{"problem": "rang twice"}' >"$1/trial/flagged-1.json"
echo '{"problem": "was lo' >"$1/trial/flagged-2.json"
"""
IS_KILLED = "echo 'Out of memory' >&2; kill -9 $$"


def runner_of(track, tmp_path, monkeypatch, *, chunks, versions=()):
    """A runner whose chunks do these things, one after the other, and what it says."""
    left, seen, said, start = list(chunks), list(versions), [], subprocess.Popen

    def chunk(command, **how):
        if command[:1] != [sys.executable]:
            return start(command, **how)
        folder = Path(json.loads(command[-1])["folder"]).parent
        return start(["sh", "-c", left.pop(0), "sh", str(folder)], **how)

    monkeypatch.setattr(subprocess, "Popen", chunk)
    runner = Runner(
        tracks=[track],
        urls={"sqlite": "sqlite:"},
        work=tmp_path / "work",
        kept=tmp_path / "kept",
        jobs=1,
        registry="tests.proofs.running.made_up",
        show=lambda _: None,
        say=said.append,
        version=lambda _proof: seen.pop(0) if seen else "v1",
        commit=lambda: "def",
    )
    return runner, said


def test_what_a_chunk_had_flagged_before_it_crashed_stays_flagged_though_it_ends_well_then(
    tmp_path, monkeypatch
):
    track = a_track(tmp_path / "it.jsonl", name="flags", scale=0.5)
    runner, said = runner_of(track, tmp_path, monkeypatch, chunks=[FLAGS + IS_KILLED, ENDS])
    runner.run()
    crashed, ended = track.journal.records
    assert (crashed.cases, crashed.crashed) == (0, "crashed (-9): Out of memory")
    assert (ended.cases, ended.flagged, track.cases) == (2, [], 2)
    assert track.journal.flagged == [
        "rang twice (crashed/flags-sqlite-0/trial/flagged-1.json)",
        "flagged, and killed while writing why (crashed/flags-sqlite-0/trial/flagged-2.json)",
    ]
    assert json.loads((tmp_path / "kept/crashed/flags-sqlite-0/trial/flagged-1.json").read_text())
    assert "flags-sqlite 0: before that, 2 were flagged, the first: rang twice" in "\n".join(said)
    assert not result([track])["holds"]


def test_the_evidence_of_each_crash_is_kept(tmp_path, monkeypatch):
    track = a_track(tmp_path / "it.jsonl", name="flags", scale=0.5)
    runner, _ = runner_of(track, tmp_path, monkeypatch, chunks=[FLAGS + IS_KILLED, FLAGS + IS_KILLED])
    runner.run()
    assert len(track.journal.flagged) == 4
    for name in ("flags-sqlite-0", "flags-sqlite-0.1"):
        assert (tmp_path / "kept" / "crashed" / name / "trial" / "flagged-1.json").exists()


def test_a_product_that_changes_while_a_chunk_runs_or_between_two_begins_anew(tmp_path, monkeypatch):
    track = a_track(tmp_path / "it.jsonl", a_record(), name="flags")
    # It is asked for when a chunk is to begin and when it ended; it changes before the first and within it.
    versions = ["v2", "v2", *["v3"] * 6]
    chunks = [FLAGS + ENDS, ENDS, ENDS]
    runner, said = runner_of(track, tmp_path, monkeypatch, chunks=chunks, versions=versions)
    runner.run()
    told = [(one.version, one.commit, one.start) for one in track.journal.records]
    assert told == [("v1", "abc", 0), ("v3", "def", 0), ("v3", "def", 2)]
    assert len([line for line in said if "The product has changed" in line]) == 2
    assert any("flags-sqlite 0: the product changed while it ran" in line for line in said)
    assert (tmp_path / "kept/changed/flags-sqlite-0/trial/flagged-1.json").exists()


def test_of_a_broken_variant_some_lines_are_kept_and_all_are_counted(tmp_path, monkeypatch):
    lines = [f"rang twice (/nowhere/flagged-{number}.json)" for number in range(1, 31)]
    told = json.dumps({"cases": 30, "counts": {}, "flagged": [*lines, "was lost"], "seconds": 1.0})
    chunks = [f"echo '{told}' >\"$1/result.json\"", ENDS]
    track = a_track(tmp_path / "it.jsonl", scale=0.5)
    runner, _ = runner_of(track, tmp_path, monkeypatch, chunks=chunks)
    runner.run()
    record = track.journal.variant("a_mistake")
    assert (record.seen, record.flagged) == (30, ["rang twice"] * 10)


def test_only_what_a_proof_may_run_makes_another_version(tmp_path):
    for name in product.PARTS:
        path = tmp_path / name
        (path if path.suffix else path / "it.py").parent.mkdir(parents=True, exist_ok=True)
        (path if path.suffix else path / "it.py").write_text("1")
    shutil.copytree(product.ROOT / "tests", tmp_path / "tests")
    versions = {proof.name: product.version(proof, root=tmp_path) for proof in PROOFS}

    def become_others(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.read_text() if path.exists() else ''}\n")
        now = {proof.name: product.version(proof, root=tmp_path) for proof in PROOFS}
        others = {proof for proof, version in now.items() if version != versions[proof]}
        versions.update(now)
        return others

    every = set(versions)
    for name in (
        *("docs/guarantees.md", "locale/es/django.po", "templates/base.html", "tests/pages/test_times.py"),
        *("tests/proofs/telling/report.py", "tests/proofs/running/runner.py", "tests/proofs/test_runner.py"),
    ):
        assert become_others(name) == set(), name
    for name in (
        *("calls/it.py", "calls/new.py", "requirements/run.txt", "manage.py", "pyproject.toml"),
        *("tests/settings.py", "tests/proofs/battery.py"),
    ):
        assert become_others(name) == every, name
    assert become_others("tests/proofs/together.py") == {"together"}
    assert become_others("tests/proofs/stage/deferred_settings.py") == {"together"}
    assert become_others("tests/proofs/kills.py") == {"kills", "kills_of_web", "kills_on_a_line"}
    assert become_others("tests/proofs/stage/hasty_wsgi.py") == {"database"}
    assert become_others("tests/proofs/stage/namespace.py") == {"network"}
    (tmp_path / "calls/new.py").rename(tmp_path / "calls/newer.py")
    assert become_others("calls/newer.py") == every


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_every_module_of_the_tests_that_a_proof_loads_is_part_of_its_version(proof):
    command = [sys.executable, "-c", LOADED, product.module_of(proof)]
    loaded = subprocess.run(command, cwd=product.ROOT, capture_output=True, text=True, check=True).stdout
    counted = {name for name, _path in product.files(proof)}
    assert set(loaded.split()) - counted == set()
    assert "tests/proofs/battery.py" in loaded


LOADED = """
import importlib, os, sys
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()
importlib.import_module("tests.proofs.running.chunk")
importlib.import_module(sys.argv[1])
for name, module in sys.modules.items():
    if name.split(".")[0] == "tests" and getattr(module, "__file__", None):
        print(os.path.relpath(module.__file__))
"""
