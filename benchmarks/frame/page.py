"""``docs/performance.md``, written from the JSON of the benchmarks."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.frame.figures import table

FIRST = (
    *("burst", "million", "low_load", "ingest", "bulk", "lists", "pages"),
    *("sip_calls", "spoken_calls", "answering", "disk"),
)
HEAD = """\
# Performance

Written by `make bench`, which measures with servers of its own; change nothing here by hand. What stands in
one table was measured side by side in one run, and below it stand when and at which commit; a benchmark may
be measured anew without the others. Ratios count; an absolute figure is this machine's. Figures are medians,
with the least and the greatest of the runs in brackets.
"""


def page(results: Path) -> str:
    """The whole page, from the files in the folder."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in results.glob("*.json")]
    found.sort(key=lambda one: (_place(one["benchmark"]), one["benchmark"]))
    parts = [HEAD, _machine(found), _goals(found), *(_section(one) for one in found)]
    return "\n".join(part for part in parts if part)


def _place(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)


def _machine(found: Sequence[Mapping[str, Any]]) -> str:
    """What it was measured on, and when."""
    if not found:
        return "Nothing is measured yet.\n"
    machine = found[0]["machine"]
    busiest = max(one["machine"]["load"] for one in found)
    versions: dict[str, str] = {}
    for one in found:
        versions |= one["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    smoke = "**A smoke run: these figures mean nothing.** " if any(one["quick"] for one in found) else ""
    return (
        f"{smoke}Measured {_span(found)} on {machine['cores']} cores ({machine['cpu']}), "
        f"{machine['memory_gib']} GiB, {machine['system']}; "
        f"the load was {busiest} at most when a benchmark began.\n\n"
        f"{listed}.\n"
    )


def _span(found: Sequence[Mapping[str, Any]]) -> str:
    """When, and at which commits."""
    first, last = (pick(_instant(one) for one in found) for pick in (min, max))
    when = first if first == last else f"from {first} to {last}"
    commits = dict.fromkeys(_commit(one) for one in found)
    return f"{when} at {next(iter(commits))}" if len(commits) == 1 else f"{when} at {len(commits)} commits"


def _instant(one: Mapping[str, Any]) -> str:
    return f"{one['at'][:16].replace('T', ' ')} UTC"


def _commit(one: Mapping[str, Any]) -> str:
    return f"commit {one['commit']}" if one.get("commit") else "an unknown commit"


def _goals(found: Sequence[Mapping[str, Any]]) -> str:
    """All goals, and why those that are not met are not."""
    goals = [goal for one in found for goal in one["goals"]]
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


def _section(one: Mapping[str, Any]) -> str:
    """One benchmark: its table, how it was measured, when and at which commit."""
    measured = f"Measured {_instant(one)} at {_commit(one)}."
    return "\n".join([f"## {one['title']}", "", *table(one["rows"]), "", one["note"], "", measured]) + "\n"
