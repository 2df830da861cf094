"""The page of guarantees: the promises in plain words, then what the battery found, written by it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.proofs.running.journal import Journal, line_of
from tests.proofs.running.product import ROOT
from tests.proofs.telling.promises import OTHER, PROMISES, broken_promises, deeds
from tests.proofs.telling.report import counts_in_words, crashes_in_words, earlier_in_words, names, verdict

DOCS = ROOT / "docs"
WORDS = Path(__file__).with_name("guarantees.txt")
Told = Mapping[str, object]


def write(found: Mapping[str, object], journals: Sequence[Journal], docs: Path = DOCS) -> None:
    """Write ``guarantees.md``, and beside it the lines that it is made of."""
    _copy(journals, docs / "proofs")
    (docs / "guarantees.md").write_text(page(found))


def _copy(journals: Sequence[Journal], folder: Path) -> None:
    """The lines of this version; what else was there goes, unless the journals are kept in that folder."""
    if any(journal.path.resolve().parent == folder.resolve() for journal in journals):
        return
    for path in folder.glob("*.jsonl"):
        path.unlink()
    for journal in journals:
        if journal.here:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / journal.path.name).write_text("".join(map(line_of, journal.here)))


def page(found: Mapping[str, object]) -> str:
    """The whole page."""
    proofs = found["proofs"]
    words = {
        "verdict": f"**{verdict(proofs)}**",
        "when": _when(found),
        "totals": _totals(proofs),
        "proofs": _table(proofs),
        "done": _done(proofs),
        "crashes": _listed("What did not come to its end:", _crashes(proofs)),
        "earlier": _listed("Not counted here:", _earlier(proofs)),
        "mistakes": _mistakes(proofs),
    }
    return WORDS.read_text().format_map(words)


def _when(found: Mapping[str, object]) -> str:
    """The days, machines and commits of what was run, by its lines."""
    proofs = found["proofs"]
    if not (days := _all(proofs, "days")):
        return f"The version at hand is `{found['version']}`, commit {found['commit']}."
    first, last = min(days), max(days)
    when = f"On {first}" if first == last else f"From {first} to {last}"
    commits = names(_all(proofs, "commits"))
    plus = " (with a plus, before it was committed)" if "+" in commits else ""
    own = " It is in no commit yet." if found["commit"].endswith("+") else ""
    machines = names(_all(proofs, "machines"))
    return f"{when}, on {machines}. Version `{found['version']}`, run at commit {commits}{plus}.{own}"


def _all(proofs: Sequence[Told], what: str) -> list[str]:
    return list(dict.fromkeys(one for told in proofs for one in told[what]))


def _totals(proofs: Sequence[Told]) -> str:
    done = ", ".join(f"{times:,} {deed}" for deed, times in deeds(proofs).items())
    found = broken_promises(proofs)
    rows = ["| what must never happen | seen | in cases that would show it |", "| --- | --- | --- |"]
    for promise in PROMISES:
        seen = f"{found[promise.broken]:,}" if promise.broken in found else "**not tried**"
        rows.append(f"| {promise.broken} | {seen} | {promise.watched(proofs):,} |")
    rows.append(f"| {OTHER} | {found.get(OTHER, 0):,} | |")
    return "\n".join([f"In all: {done}.", "", *rows])


def _table(proofs: Sequence[Told]) -> str:
    rows = [
        "| proof | shows that | database | cases | flagged | crashed |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for told in proofs:
        cells = [told["name"], told["shows"], told["database"], _cases(told)]
        rows.append(f"| {' | '.join(cells)} | {len(told['flagged'])} | {len(told['crashes'])} |")
    return "\n".join(rows)


def _cases(told: Told) -> str:
    if not told["cases"]:
        return f"**not run**, of {told['full']:,} {told['unit']}"
    if told["cases"] < told["full"]:
        return f"**not in full**: {told['cases']:,} of {told['full']:,} {told['unit']}"
    return f"{told['cases']:,} {told['unit']}"


def _done(proofs: Sequence[Told]) -> str:
    """All counts of each proof."""
    lines = [
        f"- {told['name']} ({told['database']}): {counts_in_words(told['counts'])}"
        for told in proofs
        if told["counts"]
    ]
    return _listed("What was done, and what happened:", lines)


def _crashes(proofs: Sequence[Told]) -> list[str]:
    return [f"- {_title(told)}: {words}" for told in proofs for words in crashes_in_words(told["crashes"])]


def _earlier(proofs: Sequence[Told]) -> list[str]:
    return [f"- {_title(told)}: {words}" for told in proofs if (words := earlier_in_words(told))]


def _title(told: Told) -> str:
    return f"{told['name']} ({told['database']})"


def _listed(head: str, lines: Sequence[str]) -> str:
    return "\n".join(["", head, "", *lines, ""]) if lines else ""


def _mistakes(proofs: Sequence[Told]) -> str:
    rows = ["| proof | mistake | database | flagged |", "| --- | --- | --- | --- |"]
    for told in proofs:
        for mistake, seen in told["mistakes"].items():
            how = f"{seen['flagged']:,} in {seen['cases']:,} {told['unit']}" if seen else "**not run**"
            rows.append(f"| {told['name']} | {mistake.replace('_', ' ')} | {told['database']} | {how} |")
    return "\n".join(rows)
