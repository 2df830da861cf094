"""What a benchmark found: its rows and goals, printed and written as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.frame.command import RESULTS, Options, say
from benchmarks.frame.figures import Figures, medians, shown, spreads, table
from benchmarks.frame.machine import machine, revision, versions


@dataclass(slots=True)
class Report:
    """The rows and goals of one benchmark; see the package's text for its use."""

    benchmark: str
    title: str
    note: str  # how it was measured, and what is unlike
    rows: list[dict[str, object]] = field(default_factory=list)
    goals: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        machine()  # before our own load counts
        revision()  # before somebody goes on working

    def row(self, what: str, runs: Sequence[Figures]) -> dict[str, float]:
        """Add a row from its repeated runs, each with the same figures; their medians."""
        middle = medians(runs)
        self.rows.append({"what": what, **middle, "runs": len(runs), "spread": spreads(runs)})
        say(f"  {what}: " + ", ".join(f"{name} {shown(value)}" for name, value in middle.items()))
        return middle

    def goal(
        self,
        goal: str,
        reached: float,
        *,
        least: float | None = None,
        most: float | None = None,
        unit: str = "",
        why: str = "",
    ) -> None:
        """Add a goal and what was reached; met when it lies within the bounds. ``why``: it may not be."""
        met = (least is None or reached >= least) and (most is None or reached <= most)
        text = f"{shown(reached)} {unit}".strip()
        self.goals.append({"goal": goal, "reached": text, "met": met, **({} if met else {"why": why})})

    def finish(self, given: Options) -> Path:
        """Print the table and write the JSON; where it is."""
        self.print()
        out = given.out or RESULTS / f"{self.benchmark}.json"
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(self.data(quick=given.quick), indent=1, ensure_ascii=False) + "\n")
        say(f"Written: {out}")
        return out

    def data(self, *, quick: bool = False) -> dict[str, object]:
        """All of it, as the JSON has it."""
        return {
            "benchmark": self.benchmark,
            "title": self.title,
            "note": self.note,
            "quick": quick,
            "rows": self.rows,
            "goals": self.goals,
            "machine": machine(),
            "versions": versions(),
            "commit": revision(),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def print(self) -> None:
        """Print the table and the goals."""
        print(f"\n{self.title}\n")
        print("\n".join(table(self.rows)))
        for goal in self.goals:
            print(f"  {'met    ' if goal['met'] else 'NOT MET'}  {goal['goal']}: {goal['reached']}")
        print(flush=True)
