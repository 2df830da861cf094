"""``make prove``: every promise, at full size, as long as it takes. Stop it and start it as you like."""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import django

from tests.proofs.battery import BOTH, Proof
from tests.proofs.running import product
from tests.proofs.running.folders import a_folder
from tests.proofs.running.journal import Journal
from tests.proofs.running.runner import ROOT, Runner
from tests.proofs.running.tracks import SEED, Job, Track
from tests.proofs.telling import guarantees, report
from tests.proofs.telling.screen import Screen


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which proofs; all, without a name")
    parser.add_argument("--database", action="append", choices=BOTH, help="on this one only")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size; 1")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="chunks at once; one per core")
    parser.add_argument("--fresh", action="store_true", help="forget what was proved before")
    parser.add_argument("--report", action="store_true", help="run nothing; say what was proved so far")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write docs/guarantees.md and docs/proofs from all lines",
    )
    parser.add_argument("--explain", metavar="WHY", help="run nothing; note why what crashed so far did")
    parser.add_argument("--seed", type=int, help="run one trial again, with --cases, NAME and --database")
    parser.add_argument("--cases", type=int, default=1, help="of that trial; 1")
    parser.add_argument("--mistake", default="", help="of that trial: the broken variant")
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "proofs", help="var/proofs")
    parser.add_argument("--registry", default="tests.proofs.registry", help=argparse.SUPPRESS)
    parser.add_argument("--docs", type=Path, default=guarantees.DOCS, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def chosen(asked: argparse.Namespace) -> list[Proof]:
    """The proofs by these names, in the registry's order."""
    proofs: tuple[Proof, ...] = import_module(asked.registry).PROOFS
    unknown = set(asked.names) - {proof.name for proof in proofs}
    if unknown:
        sys.exit(
            f"No such proof: {', '.join(sorted(unknown))}. There are: {', '.join(p.name for p in proofs)}."
        )
    return [proof for proof in proofs if not asked.names or proof.name in asked.names]


def tracks_of(proofs: Sequence[Proof], asked: argparse.Namespace) -> list[Track]:
    """Each proof on each of its databases."""
    if asked.seed is not None:
        return [_again(proofs, asked)]
    made = []
    for proof in proofs:
        for database in asked.database or BOTH:
            if database in proof.databases:
                path = asked.folder / f"{proof.name}-{database}.jsonl"
                if asked.fresh:
                    path.unlink(missing_ok=True)
                journal = Journal(path, product.version(proof))
                made.append(Track.of(proof, database, journal, asked.scale))
    return made


def everything(asked: argparse.Namespace) -> list[Track]:
    """What the page tells of, whatever was asked for: each proof on each database, at its full size."""
    whole = {"names": [], "database": None, "scale": 1.0, "fresh": False, "seed": None}
    asked = argparse.Namespace(**{**vars(asked), **whole})
    return tracks_of(chosen(asked), asked)


def _again(proofs: Sequence[Proof], asked: argparse.Namespace) -> Track:
    """One trial as it was, with a journal of its own."""
    databases = asked.database or ["sqlite"]
    if len(proofs) != 1 or len(databases) != 1:
        sys.exit("--seed runs one trial again: name one proof and one --database.")
    (proof,), (database,) = proofs, databases
    if asked.mistake and asked.mistake not in proof.mistakes(database):
        sys.exit(f"No such mistake: {asked.mistake}. There are: {', '.join(proof.mistakes(database))}.")
    asked.folder /= "again"
    path = asked.folder / f"{proof.name}-{database}.jsonl"
    path.unlink(missing_ok=True)
    job = Job(mistake=asked.mistake, start=asked.seed - SEED, cases=asked.cases)
    return Track.again(proof, database, Journal(path, product.version(proof)), job)


def _told_again(journal: Journal, screen: Screen) -> bool:
    """Say what came of the trial; whether it ran and nothing was flagged."""
    flagged = [line for record in journal.records for line in record.flagged]
    cases = sum(record.cases for record in journal.records)
    screen.say("\n".join([*flagged, f"{cases} cases, {len(flagged)} flagged."]))
    return bool(journal.records) and not journal.crashes and not flagged


@contextlib.contextmanager
def databases(tracks: Sequence[Track], work: Path) -> Iterator[dict[str, str]]:
    """Where each kind of database is; PostgreSQL is that of DATABASE_URL, else one of our own."""
    urls = {"sqlite": "sqlite:"}
    given = os.environ.get("DATABASE_URL", "")
    if not any(track.database == "postgresql" for track in tracks):
        yield urls
    elif given.startswith("postgres"):
        yield {**urls, "postgresql": given}
    else:
        from tests.proofs.stage.postgres import Cluster

        # Nothing here must survive a power cut; the proof that kills a database has one of its own.
        cluster = Cluster(work / "postgres", durable=False)
        cluster.start()
        try:
            yield {**urls, "postgresql": cluster.url("temphone")}
        finally:
            cluster.kill()


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else writes these journals meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("Another run is at work in this folder.")
        yield


def prove(asked: argparse.Namespace) -> bool:
    """Run what is left; whether everything that was asked for holds."""
    screen = Screen()
    tracks = tracks_of(chosen(asked), asked)
    if asked.explain:
        explained = sum(track.journal.explain(asked.explain) for track in tracks)
        screen.say(f"Crashes that are explained now: {explained}.")
    elif not asked.report:
        _run(tracks, asked, screen)
    if asked.seed is not None:
        return _told_again(tracks[0].journal, screen)
    for track in tracks:
        track.journal.version = product.version(track.proof)
    found = report.result(tracks)
    (asked.folder / "result.json").write_text(json.dumps(found, indent=1))
    screen.say(report.table(found))
    if asked.write:
        _write(asked, screen)
    return bool(found["holds"])


def _run(tracks: Sequence[Track], asked: argparse.Namespace, screen: Screen) -> None:
    with a_folder() as work, databases(tracks, work) as urls:
        runner = Runner(
            tracks=tracks,
            urls=urls,
            work=work,
            kept=asked.folder,
            jobs=asked.jobs,
            registry=asked.registry,
            show=screen.show,
            say=screen.say,
        )
        runner.run()


def _write(asked: argparse.Namespace, screen: Screen) -> None:
    """The page is about all proofs at full size, so that it never looks whole when it is not."""
    every = everything(asked)
    found = report.result(every)
    guarantees.write(found, [track.journal for track in every], asked.docs)
    screen.say(f"{asked.docs / 'guarantees.md'} says: {report.verdict(found['proofs'])}")


def main() -> None:
    """Exit code 1: something was flagged or crashed, or a mistake was not seen. 130: stopped."""
    asked = arguments(sys.argv[1:])
    # Both stop it, even where a shell that put it into the background had Ctrl-C ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    with alone(asked.folder):
        try:
            sys.exit(0 if prove(asked) else 1)
        except KeyboardInterrupt:
            sys.stdout.write("\nStopped. `make prove` goes on from here.\n")
            sys.exit(130)


if __name__ == "__main__":
    main()
