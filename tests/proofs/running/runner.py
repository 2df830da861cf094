"""Runs the battery: chunk after chunk, each a process of its own, until every proof has its full size."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.proofs.running.folders import end_all_of
from tests.proofs.running.journal import Record
from tests.proofs.running.tracks import Job, Track

ROOT = Path(__file__).resolve().parents[3]
LIMIT_S = 3 * 3600.0  # no chunk takes so long: one that does hangs
GOODBYE_S = 30.0
KEPT = ("flagged*", "*.log", "*.jsonl", "*.sqlite3*")  # of a flagged or crashed chunk's folder


@dataclass(kw_only=True)
class Running:
    """A chunk's process."""

    track: Track
    job: Job
    folder: Path
    process: subprocess.Popen[bytes]
    slot: int
    began: float = field(default_factory=time.monotonic)


@dataclass(kw_only=True)
class Runner:
    """Works off the tracks. ``urls``: the database of each kind; ``work``: where chunks write."""

    tracks: Sequence[Track]
    urls: dict[str, str]
    work: Path
    kept: Path  # evidence of what was flagged, and the logs of what crashed
    jobs: int
    commit: str
    registry: str
    show: Callable[[Sequence[Track]], None]
    say: Callable[[str], None]
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
                return self._start(track, job)
        return None

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
        return Running(track=track, job=job, folder=folder, process=process, slot=slot)

    def _environment(self, database: str, folder: Path, slot: int) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": database_url(self.urls[database], folder, slot),
            "TEMPHONE_DATA_DIR": str(folder / "data"),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }

    def _look(self) -> None:
        for one in list(self.running):
            if one.process.poll() is None and time.monotonic() - one.began < LIMIT_S:
                continue
            self._end(one)
            self.running.remove(one)
            self._take_in(one)

    def _take_in(self, one: Running) -> None:
        """Keep what came of a chunk that ended; of one that crashed, only its logs."""
        track, job = one.track, one.job
        result = one.folder / "result.json"
        if one.process.returncode == 0 and result.exists():
            track.under_way.remove(job)
            track.journal.add(self._record(one, json.loads(result.read_text())))
        else:
            kept = self._keep(one, "crashed")
            track.crashed(job)
            then = "given up" if job.again else "it runs once more"
            how = f"crashed ({one.process.returncode})"
            self.say(f"{track.name} {job.mistake or job.start}: the chunk {how}, {then}. See {kept}.")
        shutil.rmtree(one.folder, ignore_errors=True)

    def _record(self, one: Running, told: dict[str, object]) -> Record:
        flagged = [str(line) for line in told.pop("flagged")]
        if flagged and (not one.job.mistake or one.track.runs_again):
            kept = self._keep(one, "flagged")
            flagged = [line.replace(str(one.folder), str(kept)) for line in flagged]
            self.say(f"{one.track.name}: {len(flagged)} flagged, the first: {flagged[0]}")
            again = f"{one.track.proof.name} --database {one.track.database} {one.job.words}"
            (kept / "again.txt").write_text(f'make prove PROVE="{again}"\n')
            self.say(f'  To run it again: make prove PROVE="{again}"')
        return Record(
            mistake=one.job.mistake,
            start=one.job.start,
            asked=one.job.cases,
            seed=one.job.seed,
            flagged=flagged,
            commit=self.commit,
            at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            **told,
        )

    def _keep(self, one: Running, why: str) -> Path:
        """Copy the evidence out of the chunk's folder, which goes."""
        kept = self.kept / why / one.folder.name
        shutil.rmtree(kept, ignore_errors=True)
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


def database_url(url: str, folder: Path, slot: int) -> str:
    """The chunk's own database: a file in its folder, or one of the server with a name of the slot's."""
    if url.startswith("sqlite"):
        return f"sqlite:///{folder / 'db.sqlite3'}"
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path}_proof_{slot}").geturl()
