"""What the battery found, for people: the live lines, the table, the page of guarantees."""

import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.proofs.battery import Broken
from tests.proofs.running.journal import Record
from tests.proofs.running.tracks import Track

ROOT = Path(__file__).resolve().parents[3]

MOST = 10  # counts in a line; all of them are in result.json


def commit() -> str:
    """The version under test; a plus where files differ from it."""
    head = _git("rev-parse", "--short", "HEAD")
    return (
        f"{head}+"
        if head and _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
        else head or "unknown"
    )


def _git(*words: str) -> str:
    found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def machine() -> str:
    """Where it ran."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = f"{os.cpu_count()} cores, {memory:.0f} GB"
    return f"{platform.system()} {platform.machine()}, {cores}, Python {platform.python_version()}"


def progress(track: Track) -> str:
    """One line: how far, how fast, how long still, how many flagged."""
    done, journal = track.journal.cases, track.journal
    per_second = done / journal.seconds if journal.seconds else 0.0
    left = max(0, track.target - done)
    words = [
        f"{track.name:<24} {done:>9,} of {track.target:>9,}",
        f"{per_second:>9,.1f}/s" if per_second else f"{'':>11}",
        f"{_span(left / per_second) + ' left' if left and per_second else '':>14}",
        f"{len(journal.flagged)} flagged",
    ]
    return "  ".join(words) + ("  running" if track.under_way else "")


def _span(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def summary(track: Track) -> dict[str, object]:
    """What came of a proof on a database."""
    journal, proof = track.journal, track.proof
    return {
        "name": proof.name,
        "database": track.database,
        "shows": proof.shows,
        "unit": proof.unit,
        "cases": journal.cases,
        "of": track.target,
        "counts": dict(journal.counts),
        "flagged": journal.flagged,
        "given_up": len(track.given_up),
        "seconds": round(journal.seconds),
        "commits": journal.commits,
        "mistakes": {
            name: _seen(journal.variant(name), broken)
            for name, broken in proof.mistakes(track.database).items()
        },
    }


def _seen(record: Record | None, broken: Broken) -> dict[str, int] | None:
    return record and {"cases": record.cases, "flagged": broken.seen(record.flagged)}


def holds(told: Mapping[str, object]) -> bool:
    """Whether nothing was flagged or given up, and every mistake was seen."""
    seen = told["mistakes"].values()
    return not told["flagged"] and not told["given_up"] and all(one and one["flagged"] for one in seen)


def result(tracks: Sequence[Track]) -> dict[str, object]:
    """Everything, as it is kept."""
    proofs = [summary(track) for track in tracks]
    return {
        "holds": all(holds(told) for told in proofs),
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "proofs": proofs,
    }


def table(found: Mapping[str, object]) -> str:
    """The calm end: a line for each proof, then what is wrong."""
    lines = [_line(told) for told in found["proofs"]]
    lines += [line for told in found["proofs"] for line in _complaints(told)]
    return "\n".join([*lines, "Everything holds." if found["holds"] else "It does not hold."])


def _line(told: Mapping[str, object]) -> str:
    seen = sum(bool(one and one["flagged"]) for one in told["mistakes"].values())
    mistakes = (
        f"{seen} of {len(told['mistakes'])} mistakes seen" if told["mistakes"] else "no mistakes to see"
    )
    cases = f"{told['cases']:,} of {told['of']:,} {told['unit']}"
    name = f"{told['name']} ({told['database']})"
    flagged = f"{len(told['flagged'])} flagged"
    span = f"{_span(told['seconds']):>7}"
    return f"{name:<26} {cases:<30} {flagged:<11} {mistakes:<22} {span}  {counts_in_words(told)}".rstrip()


def _complaints(told: Mapping[str, object]) -> list[str]:
    name = f"{told['name']} ({told['database']})"
    lines = [f"! {name}: {line}" for line in told["flagged"][:5]]
    if len(told["commits"]) > 1:
        lines.append(
            f"  {name}: the product changed meanwhile ({commits_in_words([told])}); --fresh begins anew."
        )
    if told["given_up"]:
        lines.append(f"! {name}: {told['given_up']} chunks crashed twice and are not counted.")
    unseen = [mistake for mistake, one in told["mistakes"].items() if not (one and one["flagged"])]
    return lines + [f"! {name}: the mistake {mistake} was not seen." for mistake in unseen]


def counts_in_words(told: Mapping[str, object]) -> str:
    """``1,000 kills, 900 rings``; of a measure, its unit."""
    counts = told["counts"]
    largest = sorted(counts, key=lambda name: -counts[name])[:MOST]
    words = [_count(name, count) for name, count in counts.items() if name in largest]
    more = len(counts) - len(words)
    return ", ".join([*words, *([f"and {more} counts more"] if more else [])])


def _count(name: str, count: int) -> str:
    for ending, unit in (("_ms", "ms"), ("_percent", "%")):
        if name.endswith(ending):
            return f"{name.removesuffix(ending).replace('_', ' ')} {count:,} {unit}"
    return f"{count:,} {name.replace('_', ' ')}"


def commits_in_words(proofs: Sequence[Mapping[str, object]]) -> str:
    """The versions that were tried, the first to the last."""
    seen = list(dict.fromkeys(commit for told in proofs for commit in told["commits"]))
    return seen[0] if len(seen) == 1 else f"{seen[0]} to {seen[-1]}, {len(seen)} versions" if seen else "none"
