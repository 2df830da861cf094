"""What the battery tells of itself never says more than was run, at full size, in the version at hand."""

import os
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from django.conf import settings

from tests.proofs.__main__ import arguments, everything, prove
from tests.proofs.registry import PROOFS
from tests.proofs.running import made_up, product
from tests.proofs.running.journal import Journal, Record
from tests.proofs.running.tracks import Job, Track
from tests.proofs.telling import guarantees, screen
from tests.proofs.telling.promises import PROMISES, broken_promises, deeds
from tests.proofs.telling.report import progress, result, summary, table, totals_in_words, verdict

WHOLE = "Nothing was flagged, and every mistake was seen."
RECORD = {"asked": 2, "seed": 1, "cases": 2, "seconds": 1.0, "version": "v1", "commit": "abc"}
LATER = {"commit": "def", "machine": "N", "at": "2026-12-02T00:01:00Z"}


@pytest.fixture(autouse=True)
def _at_a_commit(monkeypatch):
    monkeypatch.setattr("tests.proofs.running.product.commit", lambda: "abc")


def record(start=0, **fields):
    return Record(start=start, **{**RECORD, "machine": "M", "at": "2026-11-30T23:59:00Z", **fields})


SEEN = record(mistake="a_mistake", seen=1)


def a_track(path, *records, name="holds", version="v1", scale=1.0):
    journal = Journal(path / f"{name}-sqlite.jsonl", version)
    for one in records:
        journal.add(one)
    return Track.of(next(proof for proof in made_up.PROOFS if proof.name == name), "sqlite", journal, scale)


def told(*tracks):
    return result(tracks)


def page(*tracks):
    return guarantees.page(told(*tracks))


# --- the verdict


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([SEEN, record(), record(2)], WHOLE),
        ([], "Nothing is shown yet: of this version, no proof was run."),
        ([SEEN], "Nothing is shown yet: of this version, no proof was run."),
        ([SEEN, record()], "Not all of it is shown (proofs that are not at full size: 1)."),
        ([record(), record(2)], "Not all of it is shown (mistakes that are not tried: 1)."),
        (
            [record(mistake="a_mistake"), record(), record(2)],
            "It does not hold (mistakes that were not seen: 1).",
        ),
        ([SEEN, record(flagged=["x"]), record(2)], "It does not hold (flagged: 1)."),
        (
            [SEEN, record(cases=0, crashed="crashed (-6)"), record(), record(2)],
            "Not all of it is shown (crashes for no known reason: 1).",
        ),
        (
            [SEEN, record(cases=0, crashed="crashed (-6)", flagged=["x"]), record(), record(2)],
            "It does not hold (flagged: 1; crashes for no known reason: 1).",
        ),
        (
            [SEEN, record(), record(2, cases=0, crashed="crashed (-6)", explained="full")],
            "Not all of it is shown (proofs that are not at full size: 1; crashes of what never ended",
        ),
        ([SEEN, record(version="v0", flagged=["x"]), record(), record(2)], WHOLE),
    ],
)
def test_the_verdict_never_says_more_than_there_is(tmp_path, records, says):
    found = told(a_track(tmp_path, *records))
    assert verdict(found["proofs"]).startswith(says)
    assert found["holds"] == (says == WHOLE)
    assert f"**{verdict(found['proofs'])}**" in guarantees.page(found)
    assert table(found).endswith(verdict(found["proofs"]))


def test_a_crash_that_was_explained_is_told_of_with_its_reason(tmp_path):
    crash = record(cases=0, crashed="crashed (-9)")
    track = a_track(tmp_path, SEEN, crash, record(), record(2))
    assert track.journal.explain("The machine was full.") == 1
    assert track.journal.explain("Again.") == 0
    (told_of,) = summary(track)["crashes"]
    assert (told_of["explained"], told_of["ended"]) == ("The machine was full.", True)
    text = page(track)
    assert f"**{WHOLE} Crashes for known reasons, of what ended then: 1.**" in text
    assert (
        "- holds (sqlite): chunk 0 did not end at 2026-11-30T23:59:00Z, it crashed (-9)."
        " It ended well when it ran again. Because: The machine was full." in text
    )
    assert "| 4 cases | 0 | 1 |" in text


# --- the page


def test_the_page_tells_what_was_not_run_or_not_in_full(tmp_path):
    text = page(a_track(tmp_path, record()), a_track(tmp_path, name="flags"))
    assert "| holds | something holds | sqlite | **not in full**: 2 of 4 cases | 0 | 0 |" in text
    assert "| flags | something flags | sqlite | **not run**, of 4 cases | 0 | 0 |" in text
    assert "| holds | a mistake | sqlite | **not run** |" in text


def test_a_share_of_the_full_size_is_no_full_size_on_the_page(tmp_path):
    half = a_track(tmp_path, SEEN, record(), scale=0.5)
    assert verdict(told(half)["proofs"]).startswith(
        "Not all of it is shown (proofs that are not at full size: 1)."
    )
    assert told(half)["holds"]


def test_the_page_tells_all_counts_and_the_zeros(tmp_path):
    counts = {f"{number}s": number for number in range(12)}
    text = page(a_track(tmp_path, SEEN, record(counts={"late_ms": 35, **counts}), record(2)))
    words = ", ".join(f"{number} {number}s" for number in range(12))
    assert f"- holds (sqlite): late 35 ms, {words}\n" in text
    assert "| holds | a mistake | sqlite | 1 in 2 cases |" in text


def test_the_terminal_tells_the_largest_counts_and_the_zeros(tmp_path):
    counts = {f"{number}s": number for number in range(12)}
    text = table(told(a_track(tmp_path, SEEN, record(counts=counts), record(2))))
    assert "0 0s, 2 2s, 3 3s" in text
    assert "11 11s, and 1 counts more\n" in text


def test_the_page_tells_days_machines_and_commits_of_the_runs(tmp_path):
    text = page(a_track(tmp_path, SEEN, record(), record(2, **LATER)))
    ran = f"on M and N. Version `{product.version()}`, run at commit abc and def."
    assert f"From 2026-11-30 to 2026-12-02, {ran}" in text
    assert "On 2026-11-30, on M." in page(a_track(tmp_path, record(), name="flags"))


def test_the_page_tells_of_an_earlier_version_and_counts_nothing_of_it(tmp_path):
    old = record(version="v0", commit="old", counts={"rings": 7}, flagged=["x"])
    text = page(a_track(tmp_path, old, SEEN, record(), record(2)))
    assert "- holds (sqlite): 2 cases of an earlier version (old) are kept and not counted." in text
    assert "7 rings" not in text
    assert "| 4 cases | 0 | 0 |" in text


# --- totals


def test_the_page_tells_what_was_done_in_all_and_a_zero_for_each_promise_that_was_watched(tmp_path):
    found = told(a_track(tmp_path, SEEN, record(counts={"kills": 3, "races": 2}), record(2)))
    found["proofs"][0]["name"] = "machine"
    text = guarantees.page(found)
    assert "In all: 4 cases, 3 kills, 0 freezes, 2 races, 0 faults." in text
    for promise in PROMISES:
        seen = "0 | 4" if "machine" in promise.watched_by else "**not tried** | 0"
        assert f"| {promise.broken} | {seen} |" in text
    assert "| something else was flagged | 0 | |" in text
    assert "     0 times rang twice, or again when it must not\n" in table(found)
    assert "internal" not in table(found)


def test_each_promise_is_watched_by_proofs_that_there_are():
    assert {name for promise in PROMISES for name in promise.watched_by} <= {proof.name for proof in PROOFS}


def test_a_proof_of_kills_counts_each_case_as_one_and_none_twice():
    one = {"cases": 50, "unit": "kills", "counts": {"kills": 50}, "flagged": []}
    faults = {"cases": 7, "unit": "calls under a fault", "counts": {}, "flagged": []}
    assert deeds([one, faults]) == {"cases": 57, "kills": 50, "freezes": 0, "races": 0, "faults": 7}


TWICE, LOST, AFTER, POLICY, WEBHOOKS, KEYS, ERRORS, INTERNAL = (promise.broken for promise in PROMISES)
OTHER = "something else was flagged"


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("one attempt rang twice", {TWICE}),
        ("call_1 to +14155550100: rang 2 times, not 0 to 1", {TWICE}),
        ("there_and_back: call_1: the cancel said in_progress, it rang 0 times", {LOST}),
        ("there_and_back: call_1: the cancel said canceled, it rang 1 times", {AFTER}),
        ("cancels: call_1: the move said done, it rang 1 times at the old time", {AFTER}),
        ("AssertionError: rang after a cancel that was answered 200", {AFTER}),
        ("AssertionError: opted out, canceled", {AFTER}),
        ("AssertionError: stopped", {POLICY}),
        ("AssertionError: the key first made call_1, then call_2", {KEYS}),
        ("AssertionError: call_1 never ends: in_progress", {LOST}),
        ("opt_outs: call_1 rings on after the opt-out", {AFTER}),
        ("rang after its number had opted out", {AFTER}),
        ("stops: call_1 was decided to ring after stopped had been answered", {AFTER}),
        ("lost: it never came to an end", {LOST}),
        ("lost, or rung twice", {LOST, TWICE}),
        ("lost, or rung too often or not at all", {LOST, TWICE}),
        ("accepted, but not there", {LOST}),
        ("is in_progress", {LOST}),
        ("calls or webhooks did not end", {LOST, WEBHOOKS}),
        ("webhooks are missing or out of order", {WEBHOOKS}),
        ("messages [1, 3] were received, not 1 to 3", {WEBHOOKS}),
        ("message msg_1 was not signed", {WEBHOOKS}),
        ("call 3: rang outside the calling hours, at 2026-03-15", {POLICY}),
        ("call 3: rang at 2026 (Etc/UTC), the number's ring 3 in 24 hours, with a cap of 2", {POLICY}),
        ("Europe/Paris: is_open differs", {POLICY}),
        ("lines: 3 legs were up on 2 lines", {POLICY}),
        ("one key made 2 calls", {KEYS}),
        ("an answer of 500 or above, or none", {ERRORS}),
        ("GET /v1/calls: ServerError, 500", {ERRORS}),
        ("web: 3 times locked", {ERRORS}),
        ("10.0.0.1 was reached", {INTERNAL}),
        ("a public address was not reached: 8.8.8.8", {OTHER}),
        ("leaked", {OTHER}),
        ("GET /v1/calls: JsonSchemaError, 200", {OTHER}),
    ],
)
def test_what_was_flagged_is_told_by_the_promise_that_it_broke(line, kinds):
    dump = "flagged/kills-sqlite-500/trial/flagged-1.json"
    flagged = {"name": "kills", "cases": 1, "flagged": [f"{line} ({dump})"], "counts": {}}
    assert {kind for kind, times in broken_promises([flagged]).items() if times} == kinds


def test_what_was_counted_and_must_never_happen_is_told_too():
    counts = {"answers_5xx": 2, "connections to internal addresses": 3}
    counted = {"name": "openapi", "unit": "requests", "cases": 1, "flagged": [], "counts": counts}
    found = broken_promises([counted, counted])
    assert found == {ERRORS: 4, INTERNAL: 6, OTHER: 0}
    assert "     4 times a server error, or a program that broke" in totals_in_words([counted, counted])


# --- writing


def asked_for(folder, *words):
    registry = ["--registry", "tests.proofs.running.made_up"]
    return arguments([*words, "--folder", str(folder / "kept"), "--docs", str(folder / "docs"), *registry])


@pytest.fixture
def at_version_one(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr("tests.proofs.running.product.version", lambda _proof=None: "v1")


@pytest.mark.usefixtures("at_version_one")
@pytest.mark.parametrize("words", [["holds"], ["--scale", "0.001"], ["--database", "sqlite"]])
def test_writing_tells_of_every_proof_at_full_size_whatever_was_asked_for(tmp_path, capsys, words):
    a_track(tmp_path / "kept", SEEN, record(), record(2), record(version="v0"))
    prove(asked_for(tmp_path, *words, "--report", "--write"))
    text = (tmp_path / "docs" / "guarantees.md").read_text()
    short = len(made_up.PROOFS) - 1
    assert f"**Not all of it is shown (proofs that are not at full size: {short};" in text
    assert "| holds | something holds | sqlite | 4 cases | 0 | 0 |" in text
    for proof in made_up.PROOFS[1:]:
        assert f"| {proof.name} | {proof.shows} | sqlite | **not run**" in text
    assert "says: Not all of it is shown" in capsys.readouterr().out


@pytest.mark.usefixtures("at_version_one")
def test_writing_from_a_journal_that_is_whole_runs_nothing_again(tmp_path, monkeypatch):
    track = a_track(tmp_path / "kept", SEEN, record(), record(2))
    monkeypatch.setattr("tests.proofs.running.runner.Runner._start", None)
    assert prove(asked_for(tmp_path, "holds", "--write"))
    assert Journal(track.journal.path, "v1").records == track.journal.records


@pytest.mark.usefixtures("at_version_one")
def test_writing_copies_the_lines_that_the_page_is_made_of_and_takes_others_away(tmp_path):
    stale = tmp_path / "docs" / "proofs" / "gone-sqlite.jsonl"
    stale.parent.mkdir()
    stale.write_text("{}\n")
    a_track(tmp_path / "kept", record(version="v0"), SEEN, record())
    prove(asked_for(tmp_path, "--report", "--write"))
    (copy,) = stale.parent.iterdir()
    assert copy.name == "holds-sqlite.jsonl"
    assert Journal(copy, "v1").records == [SEEN, record()]


@pytest.mark.usefixtures("at_version_one")
def test_journals_that_are_kept_beside_the_page_stay_as_they_are(tmp_path):
    beside = tmp_path / "docs" / "proofs"
    beside.mkdir()
    track = a_track(beside, record(version="v0"), SEEN, record())
    asked = asked_for(tmp_path, "--report", "--write")
    prove(Namespace(**{**vars(asked), "folder": beside}))
    assert Journal(track.journal.path, "v1").records == track.journal.records


def test_the_page_is_about_each_proof_on_each_of_its_databases(tmp_path):
    asked = arguments(["hours", "--scale", "0.01", "--fresh", "--folder", str(tmp_path)])
    every = [(track.proof.name, track.database, track.target) for track in everything(asked)]
    assert every == [(proof.name, database, proof.full) for proof in PROOFS for database in proof.databases]


@pytest.mark.usefixtures("at_version_one")
def test_a_crash_keeps_what_was_asked_for_from_holding_until_it_is_explained(tmp_path, capsys):
    crash = record(cases=0, crashed="crashed (-9)")
    a_track(tmp_path / "kept", SEEN, crash, record(), record(2))
    assert not prove(asked_for(tmp_path, "holds", "--report"))
    assert prove(asked_for(tmp_path, "holds", "--explain", "The machine was full."))
    assert "Crashes that are explained now: 1." in capsys.readouterr().out
    assert prove(asked_for(tmp_path, "holds", "--report"))


# --- the live lines


class Terminal:
    def __init__(self):
        self.text = ""

    def isatty(self):
        return True

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_the_live_lines_fit_into_the_terminal_and_begin_with_what_runs(tmp_path, monkeypatch):
    tracks = [a_track(tmp_path, name=proof.name) for proof in made_up.PROOFS]
    tracks[-1].under_way.append(Job(cases=2))
    tracks[0] = a_track(tmp_path, SEEN, record(), record(2))
    tracks[-2] = a_track(tmp_path, record(flagged=["x"]), name=tracks[-2].proof.name)
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(screen.shutil, "get_terminal_size", lambda: os.terminal_size((60, 7)))
    shown = screen.Screen()
    shown.show(tracks)
    first = sys.stdout.text
    lines = first.splitlines()
    assert (len(lines), max(map(len, lines)) < 60) == (5, True)
    assert lines[-1] == f"and {len(tracks) - 4} more; 2 of {len(tracks)} are done"
    assert lines[-3].startswith("mistaken-sqlite")
    assert lines[-2].startswith("waits-sqlite")
    assert not any(line.startswith("holds-sqlite") for line in lines)
    tracks[1].under_way.append(Job(cases=2))
    shown.show(tracks)
    assert sys.stdout.text.removeprefix(first).startswith("\x1b[5F\x1b[J")


def test_a_live_line_tells_how_far_how_fast_and_what_went_wrong(tmp_path):
    track = a_track(tmp_path, record(flagged=["x"]), record(2, cases=0, crashed="crashed (1)"))
    track.under_way.append(Job(cases=2))
    assert progress(track).endswith("1 flagged  1 crashed  running")
    assert "2 of       4" in progress(track)
    assert "2.0/s" in progress(track)
    assert "1 s left" in progress(track)


# --- what is written about them


def test_the_pages_of_development_tell_the_sizes_that_are():
    text = Path(settings.BASE_DIR, "docs", "development.md").read_text()
    for proof in PROOFS:
        assert size_row(proof) in text, f"docs/development.md should say: {size_row(proof)}"


def size_row(proof):
    names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    again = f", {proof.small_again:,} on {names[proof.databases[-1]]}" if proof.small_again else ""
    where = " and ".join(names[database] for database in proof.databases)
    return f"| `{proof.name}` | {proof.unit} | {where} | {proof.small:,}{again} | {proof.full:,} |"
