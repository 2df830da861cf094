"""The page of guarantees: the promises in plain words, then what the battery found, written by it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.proofs.running.report import ROOT, commits_in_words, counts_in_words

PAGE = ROOT / "docs" / "guarantees.md"
WORDS = Path(__file__).with_name("guarantees.txt")


def write(found: Mapping[str, object]) -> None:
    """Write ``docs/guarantees.md`` from the battery's result."""
    PAGE.write_text(page(found))


def page(found: Mapping[str, object]) -> str:
    """The whole page."""
    proofs = found["proofs"]
    words = {
        "machine": found["machine"],
        "date": found["date"],
        "commits": commits_in_words(proofs),
        "proofs": _table(proofs),
        "mistakes": _mistakes(proofs),
        "verdict": _verdict(found),
    }
    return WORDS.read_text().format_map(words)


def _verdict(found: Mapping[str, object]) -> str:
    flagged = [line for told in found["proofs"] for line in told["flagged"]]
    short = [told for told in found["proofs"] if told["cases"] < told["of"]]
    if found["holds"] and not short:
        return "Nothing was flagged, and every mistake was seen."
    if not flagged and short:
        return (
            f"**Not at full size yet**: {len(short)} of {len(found['proofs'])} are not. Nothing was flagged."
        )
    return f"**It does not hold**: {len(flagged)} cases were flagged, or a mistake was not seen."


def _table(proofs: Sequence[Mapping[str, object]]) -> str:
    rows = [
        "| proof | shows that | database | cases | what was done | flagged |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for told in proofs:
        of = f" of {told['of']:,}" if told["cases"] < told["of"] else ""
        cases = f"{told['cases']:,}{of} {told['unit']}"
        cells = [told["name"], told["shows"], told["database"], cases, counts_in_words(told)]
        rows.append(f"| {' | '.join(cells)} | {len(told['flagged'])} |")
    return "\n".join(rows)


def _mistakes(proofs: Sequence[Mapping[str, object]]) -> str:
    rows = ["| proof | mistake | database | flagged |", "| --- | --- | --- | --- |"]
    for told in proofs:
        for mistake, seen in told["mistakes"].items():
            how = f"{seen['flagged']:,} in {seen['cases']:,} {told['unit']}" if seen else "not run yet"
            rows.append(f"| {told['name']} | {mistake.replace('_', ' ')} | {told['database']} | {how} |")
    return "\n".join(rows)
