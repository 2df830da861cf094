"""What the battery found, for the terminal: the live lines, the table and the verdict."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from tests.proofs.running import product
from tests.proofs.running.journal import Record
from tests.proofs.running.tracks import Track
from tests.proofs.telling.promises import broken_promises, deeds

MOST = 10  # counts in a line of the terminal, and those that are 0; the page has all of them


def progress(track: Track) -> str:
    """One line: how far, how fast, how long still, how many flagged and crashed."""
    done, seconds = track.cases, track.seconds
    per_second = done / seconds if seconds else 0.0
    left = max(0, track.target - done)
    crashes = track.journal.crashes
    words = [
        f"{track.name:<26} {done:>7,} of {track.target:>7,}",
        f"{per_second:>8,.1f}/s" if per_second else f"{'':>10}",
        f"{_span(left / per_second) + ' left' if left and per_second else '':>12}",
        f"{len(track.journal.flagged)} flagged",
        *([f"{len(crashes)} crashed"] if crashes else []),
        *(["running"] if track.under_way else []),
    ]
    return "  ".join(words)


def _span(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def summary(track: Track) -> dict[str, object]:
    """What came of a proof on a database, in the version at hand."""
    journal, proof = track.journal, track.proof
    return {
        "name": proof.name,
        "database": track.database,
        "shows": proof.shows,
        "unit": proof.unit,
        "cases": track.cases,
        "of": track.target,
        "full": proof.full,
        "counts": dict(track.counts),
        "flagged": journal.flagged,
        "crashes": _crashes(track),
        "seconds": round(track.seconds),
        "commits": _each(record.commit for record in journal.here),
        "machines": _each(record.machine for record in journal.here),
        "days": sorted({record.at[:10] for record in journal.here}),
        "mistakes": {name: _seen(journal.variant(name)) for name in proof.mistakes(track.database)},
        "earlier": {
            "cases": sum(record.cases for record in journal.earlier if not record.mistake),
            "commits": _each(record.commit for record in journal.earlier),
        },
    }


def _each(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _seen(record: Record | None) -> dict[str, int] | None:
    return record and {"cases": record.cases, "flagged": record.seen}


def _crashes(track: Track) -> list[dict[str, object]]:
    """Each crash, and whether the same chunk came to its end at another time."""
    ended = {record.start for record in track.done}
    return [
        {
            "chunk": crash.mistake or crash.start,
            "how": crash.crashed,
            "at": crash.at,
            "explained": crash.explained,
            "ended": bool(track.journal.variant(crash.mistake)) if crash.mistake else crash.start in ended,
        }
        for crash in track.journal.crashes
    ]


def result(tracks: Sequence[Track]) -> dict[str, object]:
    """Everything, as it is kept."""
    proofs = [summary(track) for track in tracks]
    return {
        "holds": not any(_wrong(told) for told in proofs),
        "version": product.version(),
        "commit": product.commit(),
        "totals": {**deeds(proofs), **broken_promises(proofs)},
        "proofs": proofs,
    }


def _wrong(told: Mapping[str, object]) -> bool:
    """Whether something of what was asked for does not hold, or is not known to."""
    seen = told["mistakes"].values()
    crashed = any(not (one["ended"] and one["explained"]) for one in told["crashes"])
    short = told["cases"] < told["of"]
    return bool(told["flagged"]) or short or crashed or not all(one and one["flagged"] for one in seen)


def verdict(proofs: Sequence[Mapping[str, object]]) -> str:
    """One sentence, or two: never more than was run, at its full size, and came to its end."""
    mistakes = [one for told in proofs for one in told["mistakes"].values()]
    crashes = [one for told in proofs for one in told["crashes"]]
    wrong = {
        "flagged": sum(len(told["flagged"]) for told in proofs),
        "mistakes that were not seen": sum(one is not None and not one["flagged"] for one in mistakes),
    }
    open_still = {
        "proofs that are not at full size": sum(told["cases"] < told["full"] for told in proofs),
        "mistakes that are not tried": sum(one is None for one in mistakes),
        "crashes for no known reason": sum(not one["explained"] for one in crashes),
        "crashes of what never ended then": sum(not one["ended"] for one in crashes),
    }
    parts = "; ".join(f"{what}: {times:,}" for what, times in {**wrong, **open_still}.items() if times)
    explained = f" Crashes for known reasons, of what ended then: {len(crashes):,}." if crashes else ""
    if any(wrong.values()):
        return f"It does not hold ({parts})."
    if not any(told["cases"] for told in proofs):
        return "Nothing is shown yet: of this version, no proof was run."
    if parts:
        return f"Not all of it is shown ({parts}). Of what was run, nothing was flagged."
    return f"Nothing was flagged, and every mistake was seen.{explained}"


def table(found: Mapping[str, object]) -> str:
    """The calm end: a line for each proof, what is wrong, what was done in all, the verdict."""
    proofs = found["proofs"]
    lines = [_line(told) for told in proofs]
    lines += [line for told in proofs for line in _complaints(told)]
    return "\n".join([*lines, *totals_in_words(proofs), verdict(proofs)])


def totals_in_words(proofs: Sequence[Mapping[str, object]]) -> list[str]:
    """What was done in all, and how often each promise was broken that was watched for."""
    done = ", ".join(f"{times:,} {deed}" for deed, times in deeds(proofs).items())
    broken = [f"{times:>6,} times {what}" for what, times in broken_promises(proofs).items()]
    return [f"In all: {done}.", *broken]


def _line(told: Mapping[str, object]) -> str:
    seen = sum(bool(one and one["flagged"]) for one in told["mistakes"].values())
    mistakes = (
        f"{seen} of {len(told['mistakes'])} mistakes seen" if told["mistakes"] else "no mistakes to see"
    )
    cases = f"{told['cases']:,} of {told['of']:,} {told['unit']}"
    name = f"{told['name']} ({told['database']})"
    flagged = f"{len(told['flagged'])} flagged"
    span = f"{_span(told['seconds']):>7}"
    counts = counts_in_words(told["counts"], most=MOST)
    return f"{name:<28} {cases:<30} {flagged:<11} {mistakes:<22} {span}  {counts}".rstrip()


def _complaints(told: Mapping[str, object]) -> list[str]:
    name = f"{told['name']} ({told['database']})"
    lines = [f"! {name}: {line}" for line in told["flagged"][:5]]
    lines += [f"! {name}: {words}" for words in crashes_in_words(told["crashes"])]
    tried = {mistake: one for mistake, one in told["mistakes"].items() if one}
    lines += [
        f"! {name}: the mistake {mistake} was not seen." for mistake in tried if not tried[mistake]["flagged"]
    ]
    if left := [mistake for mistake in told["mistakes"] if mistake not in tried]:
        lines.append(f"! {name}: not tried yet: the mistakes {names(left)}.")
    if earlier := earlier_in_words(told):
        lines.append(f"  {name}: {earlier}")
    return lines


def crashes_in_words(crashes: Sequence[Mapping[str, object]]) -> list[str]:
    """A sentence for each chunk that crashed."""
    ordered = sorted(crashes, key=lambda one: str(one["chunk"]))
    return [_crash(chunk, list(times)) for chunk, times in groupby(ordered, key=lambda one: one["chunk"])]


def _crash(chunk: object, times: Sequence[Mapping[str, object]]) -> str:
    last = times[-1]
    often = f" {len(times)} times, at last" if len(times) > 1 else ""
    then = "It ended well when it ran again." if last["ended"] else "It is not counted."
    why = f"Because: {last['explained']}" if last["explained"] else "Why is not known."
    return f"chunk {chunk} did not end{often} at {last['at']}, it {last['how']}. {then} {why}"


def earlier_in_words(told: Mapping[str, object]) -> str:
    """What its journal has of other versions."""
    earlier = told["earlier"]
    if not earlier["commits"]:
        return ""
    return (
        f"{earlier['cases']:,} {told['unit']} of an earlier version ({names(earlier['commits'])})"
        " are kept and not counted."
    )


def counts_in_words(counts: Mapping[str, int], *, most: int | None = None) -> str:
    """``1,000 kills, 900 rings``; of a measure, its unit. Of the largest alone, and of what is 0."""
    largest = sorted(counts, key=lambda name: -counts[name])[:most]
    words = [_count(name, count) for name, count in counts.items() if name in largest or not count]
    more = len(counts) - len(words)
    return ", ".join([*words, *([f"and {more} counts more"] if more else [])])


def _count(name: str, count: int) -> str:
    for ending, unit in (("_ms", "ms"), ("_percent", "%")):
        if name.endswith(ending):
            return f"{name.removesuffix(ending).replace('_', ' ')} {count:,} {unit}"
    return f"{count:,} {name.replace('_', ' ')}"


def names(all_of_them: Sequence[str]) -> str:
    """``abc``, ``abc and def``, ``abc, def and ghi``."""
    *others, last = all_of_them
    return f"{', '.join(others)} and {last}" if others else last
