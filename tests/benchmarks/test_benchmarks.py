"""The benchmarks' own arithmetic, and that the cheap ones run. How fast anything is, no test asks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks import frame, report
from benchmarks.frame import Report, folder, percentile, ratio, shown, table
from benchmarks.ours import Starts, burst, burst_figures, seeded

needs_postgres = pytest.mark.skipif(
    not frame.postgres_program("initdb"), reason="needs PostgreSQL's server (Debian: postgresql)"
)


def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed():
    values = list(range(100, 0, -1))
    assert [percentile(values, share) for share in (0, 0.5, 0.99, 0.995, 1)] == [1, 50, 99, 100, 100]
    assert percentile([7.0], 0.99) == 7.0


def test_a_row_holds_the_medians_and_the_spread_of_its_runs():
    made = Report("one", title="One", note="Measured.")
    middle = made.row("ours", [{"starts/s": rate, "p99, s": 1 / rate} for rate in (100, 400, 200)])
    assert middle == {"starts/s": 200, "p99, s": 0.005}
    (row,) = made.rows
    assert row["runs"] == 3
    assert row["spread"] == {"starts/s": [100, 400], "p99, s": [0.0025, 0.01]}


def test_a_goal_is_met_within_its_bounds_and_says_why_when_it_is_not():
    made = Report("one", title="One", note="Measured.")
    made.goal("at least 20", 20, least=20, why="never told")
    made.goal("at least 20", 19.99, least=20, unit="times", why="too slow")
    made.goal("at most 3", 3.01, most=3, why="too late")
    assert [goal["met"] for goal in made.goals] == [True, False, False]
    assert [goal.get("why") for goal in made.goals] == [None, "too slow", "too late"]
    assert made.goals[1]["reached"] == "20 times"


def test_figures_are_shown_with_the_digits_that_count():
    assert [shown(value) for value in (12345.6, 100.4, 3.0, 2.345, 0.01234)] == [
        "12,346",
        "100",
        "3",
        "2.35",
        "0.0123",
    ]
    assert ratio({"rate": 9}, {"rate": 3}, "rate") == 3


def test_a_table_shows_medians_and_leaves_out_what_a_row_has_not():
    made = Report("one", title="One", note="Measured.")
    made.row("thrice", [{"rate": 1}, {"rate": 3}, {"rate": 2}])
    made.row("once", [{"rate": 5, "commits": 7}])
    assert [[cell.strip() for cell in line.strip("|").split("|")] for line in table(made.rows)] == [
        ["what", "rate", "commits"],
        ["------", "----------", "-------"],
        ["thrice", "2 (1 to 3)", ""],
        ["once", "5", "7"],
    ]


def test_starts_are_measured_from_their_instant_and_none_may_come_twice(tmp_path: Path):
    starts = Starts(tmp_path / "dials")
    starts.path.write_text("a 100.5\nb 101.0\nc 102.0\n")
    assert starts.count() == 3
    figures = burst_figures(starts.read(), 100.0)
    assert figures == {"starts/s": 1.5, "lag p50, s": 1.0, "lag p99, s": 2.0}
    with starts.path.open("a") as log:
        log.write("b 103.0\n")
    with pytest.raises(AssertionError, match="1 were started twice, such as b"):
        starts.read()


def test_the_page_tells_goals_figures_and_why_one_is_missed(tmp_path: Path):
    made = Report("burst", title="A burst", note="Ten calls.")
    made.row("ours", [{"starts/s": 12.0}])
    made.goal("at least 20 a second", 12, least=20, why="It is slow.")
    (tmp_path / "burst.json").write_text(json.dumps(made.data()))
    page = report.page(tmp_path)
    assert "| at least 20 a second | 12 | no |" in page
    assert "- at least 20 a second: 12. It is slow." in page
    assert "## A burst\n\n| what | starts/s |" in page
    assert "smoke run" not in page


def test_a_folder_is_gone_with_what_it_held():
    with folder() as on_tmpfs, folder(on="disk") as on_disk:
        (on_tmpfs / "file").write_text("here")
        assert frame.filesystem(on_disk) not in {"tmpfs", "ramfs"}
    assert not on_tmpfs.exists()
    assert not on_disk.exists()


@needs_postgres
@pytest.mark.processes
def test_the_cost_of_a_commit_is_measured_on_servers_of_its_own(tmp_path: Path):
    out = tmp_path / "disk.json"
    subprocess.run(
        [sys.executable, "-m", "benchmarks.disk", "--quick", "--out", out],
        cwd=settings.BASE_DIR,
        check=True,
        timeout=100,
    )
    made = json.loads(out.read_text())
    assert [row["what"] for row in made["rows"]] == [
        "PostgreSQL, tmpfs",
        "SQLite, tmpfs",
        "PostgreSQL, disk",
        "SQLite, disk",
    ]
    assert all(0 < row["p50, ms"] <= row["p99, ms"] for row in made["rows"])
    assert made["quick"] is True
    assert made["versions"]["PostgreSQL"]


@pytest.mark.processes
def test_a_burst_goes_through_the_real_clock_and_worker(tmp_path: Path):
    template = seeded(None, tmp_path, calls=20)
    figures = burst(template, 20)  # which asserts that each started once and has its rows
    assert figures["starts/s"] > 0
    assert (tmp_path / "dials").read_text().count("\n") == 20
