"""``make run`` in a fresh copy of the sources: how long until TemPhone says that it is ready, and then again.

On a real disk, with SQLite and the demo's data, as one gets it. "No package cached": nothing but Python, make
and the sources is there, so the packages come from wherever pip is set up to get them, and the figure is that
connection's, too; it is one run, as it fills the caches, the others are medians of three. "Packages cached":
pip and uv have them, the virtual environment is made anew. "Again": it was run before, and stopped.
Installed: the virtual environment is complete; prepared: so are the database and its data; ready: all
programs run, and web answers.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.frame.command import ROOT, options, say
from benchmarks.frame.figures import Figures
from benchmarks.frame.programs import Process, folder, free_port
from benchmarks.frame.report import Report

LIMIT_S = 600
NOTHING, CACHED, AGAIN = "from nothing, no package cached", "from nothing, packages cached", "again"
SAID = {"prepared, s": "Starting web, clock", "ready, s": "TemPhone is ready"}
OWN = {"DATABASE_URL": "", "QUEUE_REDIS_URL": "", "TEMPHONE_DATA_DIR": "", "MAKEFLAGS": ""}


def main() -> None:
    given = options(__doc__)
    report = Report("start", title="`make run`", note=" ".join(str(__doc__).split()))
    runs, found = given.pick(3, quick=1), {}
    with folder(on="disk") as path:
        # A smoke run downloads nothing that is in this user's caches already.
        caches = {} if given.quick else _caches(path)
        if caches:
            found[NOTHING] = [started(_sources(path), caches)]
        found[CACHED] = [started(_sources(path), caches) for _ in range(runs)]
        found[AGAIN] = [started(path / "sources", caches) for _ in range(runs)]
    middle = {name: report.row(name, measured) for name, measured in found.items()}
    _goals(report, middle)
    report.finish(given)


def _caches(path: Path) -> dict[str, str]:
    """Caches of our own, which hold nothing yet."""
    return {"PIP_CACHE_DIR": str(path / "pip"), "UV_CACHE_DIR": str(path / "uv")}


def _sources(path: Path) -> Path:
    """A fresh copy of what git keeps, or would."""
    copy = path / "sources"
    shutil.rmtree(copy, ignore_errors=True)
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():  # it may be deleted, and not yet committed
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


def started(sources: Path, caches: Mapping[str, str]) -> Figures:
    """Run it until it is ready; how long each step took from the beginning."""
    log, stamp = sources.parent / "make.log", sources / ".venv" / "run.stamp"
    log.unlink(missing_ok=True)
    was_installed = stamp.exists()
    own = {**OWN, **caches, "PORT": str(free_port())}
    environment = {name: value for name, value in own.items() if value}
    began = time.monotonic()
    figures: dict[str, float] = {}
    without = ["env", *(f"--unset={name}" for name, value in own.items() if not value)]
    command = [*without, "make", "-C", str(sources), "run"]
    with Process(command, log=log, environment=environment, within_s=60) as process:
        while len(figures) < (2 if was_installed else 3):
            process.check()
            passed = time.monotonic() - began
            if passed > LIMIT_S:
                raise TimeoutError(f"not ready within {LIMIT_S} s:\n{process.tail()}")
            if not was_installed and stamp.exists():
                figures.setdefault("installed, s", passed)
            said = log.read_text(errors="replace")
            for name, text in SAID.items():
                if text in said:
                    figures.setdefault(name, passed)
            time.sleep(0.05)
    say("  " + ", ".join(f"{name} {value:.1f}" for name, value in figures.items()))
    return figures


def _goals(report: Report, middle: Mapping[str, Figures]) -> None:
    first, again = middle.get(NOTHING, middle[CACHED]), middle[AGAIN]
    cached = middle[CACHED]
    report.goal(
        "`make run` from nothing under 90 s", first["ready, s"], most=90, unit="s",
        why=f"{first['installed, s']:.0f} s of it until the packages were there, "
        f"{cached['installed, s']:.0f} s where they are cached; then {_then(first)}.",
    )  # fmt: skip
    report.goal(
        "`make run` again under 5 s", again["ready, s"], most=5, unit="s",
        why=f"{again['prepared, s']:.1f} s of it until the database was found as it should be, the rest "
        f"until four programs ran on {os.cpu_count()} cores.",
    )  # fmt: skip


def _then(figures: Figures) -> str:
    """How long each later step took."""
    prepared = figures["prepared, s"] - figures["installed, s"]
    return f"{prepared:.1f} s for the database, {figures['ready, s'] - figures['prepared, s']:.1f} s to start"


if __name__ == "__main__":
    main()
