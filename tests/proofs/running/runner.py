"""Runs the battery: chunk after chunk, each a process of its own, until every proof has its full size."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from tests.proofs.battery import Proof
from tests.proofs.running import product
from tests.proofs.running.folders import end_all_of
from tests.proofs.running.journal import Record
from tests.proofs.running.tracks import Job, Track

ROOT = product.ROOT
LIMIT_S = 3 * 3600.0  # no chunk takes so long: one that does hangs
GOODBYE_S = 30.0
KEPT = ("flagged*", "*.log", "*.jsonl", "*.sqlite3*")  # of a flagged or crashed chunk's folder
EXAMPLES = 10  # lines that are kept of what a broken variant had flagged
DUMP = re.compile(r" \(/\S+/flagged-\d+\.json\)$")


@dataclass(kw_only=True)
class Running:
    """A chunk's process."""

    track: Track
    job: Job
    folder: Path
    process: subprocess.Popen[bytes]
    slot: int
    version: str  # of the product when it began
    commit: str
    began: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        """Which chunk it is."""
        return f"{self.track.name} {self.job.mistake or self.job.start}"

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began


@dataclass(kw_only=True)
class Runner:
    """Works off the tracks. ``urls``: the database of each kind; ``work``: where chunks write."""

    tracks: Sequence[Track]
    urls: dict[str, str]
    work: Path
    kept: Path  # evidence of what was flagged, and the logs of what crashed
    jobs: int
    registry: str
    show: Callable[[Sequence[Track]], None]
    say: Callable[[str], None]
    version: Callable[[Proof], str] = product.version
    commit: Callable[[], str] = product.commit
    running: list[Running] = field(default_factory=list)

    def run(self) -> None:
        """Until nothing is left to do. Whatever ends it, no chunk goes on."""
        try:
            while self._fill() or self.running:
                self._look()
                self.show(self.tracks)
                time.sleep(0.1)
        finally:
            for one in self.running:
                self._end(one)

    def _fill(self) -> bool:
        """Start what there is room for; whether anything was started."""
        started = False
        while len(self.running) < self.jobs and (one := self._next()):
            self.running.append(one)
            started = True
        return started

    def _next(self) -> Running | None:
        if any(one.track.proof.exclusive for one in self.running):
            return None
        # Who needs the machine for itself comes last, so that nobody waits for it.
        for track in sorted(self.tracks, key=lambda track: track.proof.exclusive):
            if track.proof.exclusive and self.running:
                return None
            if job := track.take():
                if self._begins_anew():
                    track.under_way.remove(job)
                    return self._next()
                return self._start(track, job)
        return None

    def _begins_anew(self) -> bool:
        """Whether the product is another one: a chunk tries what is on disk when it begins."""
        changed = False
        for track in self.tracks:
            now = self.version(track.proof)
            if track.journal.version != now:
                track.begin_anew(now)
                changed = True
        if changed:
            self.say("The product has changed: what was proved of it before does not count for this version.")
        return changed

    def _start(self, track: Track, job: Job) -> Running:
        slot = min(set(range(self.jobs)) - {one.slot for one in self.running})
        folder = self.work / f"{track.name}-{job.mistake or job.start}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # a database of another user may live in it
        told = {
            "registry": self.registry,
            "name": track.proof.name,
            "mistake": job.mistake,
            "cases": job.cases,
            "seed": job.seed,
            "folder": str(folder / "trial"),
            "result": str(folder / "result.json"),
        }
        with (folder / "chunk.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.proofs.running.chunk", json.dumps(told)],
                cwd=ROOT,
                env=self._environment(track.database, folder, slot),
                stdin=subprocess.PIPE,  # its end tells the chunk of ours
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we tell it
            )
        return Running(
            track=track,
            job=job,
            folder=folder,
            process=process,
            slot=slot,
            version=track.journal.version,
            commit=self.commit(),
        )

    def _environment(self, database: str, folder: Path, slot: int) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": database_url(self.urls[database], folder, slot),
            "TEMPHONE_DATA_DIR": str(folder / "data"),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }

    def _look(self) -> None:
        for one in list(self.running):
            if one.process.poll() is None and one.seconds < LIMIT_S:
                continue
            self._end(one)
            self.running.remove(one)
            self._take_in(one)

    def _take_in(self, one: Running) -> None:
        """Keep what came of a chunk that ended, crashed, or saw two versions of the product."""
        result = one.folder / "result.json"
        if self.version(one.track.proof) != one.version:
            one.track.under_way.remove(one.job)
            kept = self._keep(one, "changed")
            self.say(f"{one.name}: the product changed while it ran, so it does not count. See {kept}.")
        elif one.process.returncode == 0 and result.exists():
            one.track.under_way.remove(one.job)
            one.track.journal.add(self._ended(one, json.loads(result.read_text())))
        else:
            one.track.crashed(one.job)
            one.track.journal.add(self._crashed(one))
        shutil.rmtree(one.folder, ignore_errors=True)

    def _ended(self, one: Running, told: dict[str, object]) -> Record:
        flagged = [str(line) for line in told.pop("flagged")]
        mistake = one.job.mistake
        seen = one.track.proof.broken[mistake].seen(flagged) if mistake else 0
        if mistake and not one.track.runs_again:
            flagged = [DUMP.sub("", line) for line in flagged[:EXAMPLES]]
        elif flagged:
            flagged = self._keep_what_was_flagged(one, flagged)
        return self._record(one, flagged=flagged, seen=seen, **told)

    def _keep_what_was_flagged(self, one: Running, flagged: Sequence[str]) -> list[str]:
        """Keep the evidence, and say so; the lines as they name it then."""
        kept = self._keep(one, "flagged")
        first = flagged[0].replace(str(one.folder), str(kept))
        self.say(f"{one.track.name}: {len(flagged)} flagged, the first: {first}")
        again = f"{one.track.proof.name} --database {one.track.database} {one.job.words}"
        (kept / "again.txt").write_text(f'make prove PROVE="{again}"\n')
        self.say(f'  To run it again: make prove PROVE="{again}"')
        return [line.replace(str(one.folder), str(kept.relative_to(self.kept))) for line in flagged]

    def _crashed(self, one: Running) -> Record:
        """What it had flagged before counts; how it ended is told, and is for somebody to explain."""
        kept = self._keep(one, "crashed")
        how = f"crashed ({one.process.returncode})"
        if one.seconds >= LIMIT_S:
            how = f"was ended after {LIMIT_S / 3600:.0f} h"
        then = "given up" if one.job.again else "it runs once more"
        self.say(f"{one.name}: the chunk {how}, {then}. See {kept}.")
        flagged = [] if one.job.mistake else _flagged_in(kept, self.kept)
        if flagged:
            self.say(f"{one.name}: before that, {len(flagged)} were flagged, the first: {flagged[0]}")
        last = _last_line(kept / "chunk.log").replace(str(one.folder), str(kept.relative_to(self.kept)))
        crashed = f"{how}: {last}" if last else how
        return self._record(one, flagged=flagged, crashed=crashed, cases=0, seconds=round(one.seconds, 1))

    def _record(self, one: Running, **fields: object) -> Record:
        return Record(
            mistake=one.job.mistake,
            start=one.job.start,
            asked=one.job.cases,
            seed=one.job.seed,
            version=one.version,
            commit=one.commit,
            machine=product.machine(),
            at=_now(),
            **fields,
        )

    def _keep(self, one: Running, why: str) -> Path:
        """Copy the evidence out of the chunk's folder, which goes; what was kept before stays."""
        names = (f"{one.folder.name}{f'.{number}' if number else ''}" for number in itertools.count())
        kept = next(path for name in names if not (path := self.kept / why / name).exists())
        kept.mkdir(parents=True)
        for pattern in KEPT:
            for path in one.folder.rglob(pattern):
                if path.is_file():
                    copy = kept / path.relative_to(one.folder)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, copy)
        return kept

    def _end(self, one: Running) -> None:
        """See that neither the chunk nor anything that it started is left."""
        if one.process.poll() is None:
            one.process.terminate()
            try:
                one.process.wait(GOODBYE_S)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()
        if one.process.stdin:
            one.process.stdin.close()
        end_all_of(one.folder)


def _now() -> str:
    """To the millisecond: a chunk that crashes at once does so twice within a second, and both count."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def database_url(url: str, folder: Path, slot: int) -> str:
    """The chunk's own database: a file in its folder, or one of the server with a name of the slot's."""
    if url.startswith("sqlite"):
        return f"sqlite:///{folder / 'db.sqlite3'}"
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path}_proof_{slot}").geturl()


def _flagged_in(kept: Path, root: Path) -> list[str]:
    """What a chunk that crashed had flagged until then, by its dumps."""
    return [
        f"{_problem_of(dump)} ({dump.relative_to(root)})" for dump in sorted(kept.rglob("flagged-*.json"))
    ]


def _problem_of(dump: Path) -> str:
    try:
        return str(json.loads(dump.read_text())["problem"])
    except (ValueError, KeyError, TypeError):
        return "flagged, and killed while writing why"


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
