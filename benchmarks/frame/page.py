"""``docs/performance.md``, written from the JSON of the benchmarks."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.frame.figures import table

FIRST = (
    *("burst", "million", "low_load", "ingest", "bulk", "lists", "pages"),
    *("simulated_calls", "sip_calls", "spoken_calls", "answering", "start", "disk"),
)
HEAD = """\
# Performance

Written by `make bench`, which measures with servers of its own; change nothing here by hand. What stands in
one table was measured side by side in one run; a benchmark may be measured anew without the others, whose
figures stay, as `docs/benchmarks` keeps them. Ratios count; an absolute figure is its machine's. Figures are
medians, with the least and the greatest of the runs in brackets.
"""


def page(results: Path, names: Sequence[str] = ()) -> str:
    """The whole page, from the files in the folder; ``names``: what there is to be measured."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in results.glob("*.json")]
    found.sort(key=lambda one: (_place(one["benchmark"]), one["benchmark"]))
    measured = {one["benchmark"] for one in found}
    missing = sorted((name for name in names if name not in measured), key=_place)
    versions = [_versions(one) for one in found]
    alike = len(set(versions)) == 1
    parts = [
        HEAD,
        _measured(found, missing),
        f"Versions: {versions[0]}.\n" if alike else "",
        _goals(found),
        *(_section(one, "" if alike else f" Versions: {_versions(one)}.") for one in found),
    ]
    return "\n".join(part for part in parts if part)


def _place(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)


def _measured(found: Sequence[Mapping[str, Any]], missing: Sequence[str]) -> str:
    """When each was measured, at which commit, on what."""
    smoke = ["**A smoke run: these figures mean nothing.**", ""] if any(one["quick"] for one in found) else []
    lines = [
        *smoke,
        "| benchmark | measured | at | on | load as it began |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in found:
        cells = [one["title"], _instant(one), _commit(one), _machine(one), str(one["machine"]["load"])]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"| `{name}` | not measured | | | |" for name in missing]
    return "\n".join(lines) + "\n"


def _machine(one: Mapping[str, Any]) -> str:
    machine = one["machine"]
    return f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB, {machine['system']}"


def _versions(one: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in one["versions"].items())


def _instant(one: Mapping[str, Any]) -> str:
    return f"{one['at'][:16].replace('T', ' ')} UTC"


def _commit(one: Mapping[str, Any]) -> str:
    return f"commit {one['commit']}" if one.get("commit") else "an unknown commit"


def _goals(found: Sequence[Mapping[str, Any]]) -> str:
    """All goals, and why those that are not met are not."""
    goals = [goal for one in found for goal in one["goals"]]
    if not goals:
        return ""
    lines = ["## Goals", "", "| goal | reached | met |", "| --- | --- | --- |"]
    lines += [f"| {goal['goal']} | {goal['reached']} | {'yes' if goal['met'] else 'no'} |" for goal in goals]
    told: set[str] = set()
    missed = []
    for goal in goals:
        if why := goal.get("why"):
            missed.append(f"- {goal['goal']}: {goal['reached']}. {'As above.' if why in told else why}")
            told.add(why)
    if missed:
        lines += ["", "Not met:", "", *missed]
    return "\n".join(lines) + "\n"


def _section(one: Mapping[str, Any], versions: str) -> str:
    """One benchmark: its table, how it was measured, when and at which commit."""
    measured = f"Measured {_instant(one)} at {_commit(one)}.{versions}"
    return "\n".join([f"## {one['title']}", "", *table(one["rows"]), "", one["note"], "", measured]) + "\n"
