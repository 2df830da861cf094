"""Figures: picked, compared, shown to people in a table."""

import math
import statistics
from collections.abc import Mapping, Sequence

Figures = Mapping[str, float]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def medians(runs: Sequence[Figures]) -> dict[str, float]:
    """The median of each figure over the runs."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def spreads(runs: Sequence[Figures]) -> dict[str, list[float]]:
    """The least and the greatest of each figure over the runs."""
    return {name: [min(run[name] for run in runs), max(run[name] for run in runs)] for name in runs[0]}


def ratio(one: Figures, other: Figures, figure: str) -> float:
    """How many times the other's figure the one's is."""
    return one[figure] / other[figure] if other[figure] else float("inf")


def shown(value: float) -> str:
    """A figure for people: three digits that count."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """The rows as an aligned Markdown table: medians, with their spread where a run was repeated."""
    names = list(
        dict.fromkeys(name for row in rows for name in row if name not in {"what", "runs", "spread"})
    )
    cells = [["what", *names], *([str(row["what"]), *(_cell(row, name) for name in names)] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names) + 1)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    rule = "| " + " | ".join("-" * width for width in widths) + " |"
    return [lines[0], rule, *lines[1:]]


def _cell(row: Mapping[str, object], name: str) -> str:
    if name not in row:
        return ""
    text = shown(float(str(row[name])))
    spread = row.get("spread")
    if row.get("runs", 1) == 1 or not isinstance(spread, dict) or spread[name][0] == spread[name][1]:
        return text
    low, high = spread[name]
    return f"{text} ({shown(low)} to {shown(high)})"
