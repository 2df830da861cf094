"""A million calls for later: is the burst as fast as on a table that holds none?"""

from contextlib import ExitStack
from functools import partial

from benchmarks.databases import seeded, with_future
from benchmarks.dispatch import at_once, burst_figures, measured, rounds
from benchmarks.frame.command import options
from benchmarks.frame.figures import Figures, ratio
from benchmarks.frame.programs import folder
from benchmarks.frame.report import Report
from benchmarks.frame.servers import Postgres
from benchmarks.ours import TemPhone

NOTE = """\
The burst of {calls:,} calls through TemPhone, as in the burst's benchmark, with {future:,} further \
calls in the table that are due later, and without, run in turn. Databases with fsync, on tmpfs."""
LEAST = {"PostgreSQL": 0.9, "SQLite": 0.5}


def main() -> None:
    given = options(__doc__)
    calls, future = given.pick(10_000, quick=200), given.pick(1_000_000, quick=2_000)
    report = Report(
        "million",
        title=f"Burst with {future:,} calls for later",
        note=NOTE.format(calls=calls, future=future),
    )
    with ExitStack() as stack:
        path, server = stack.enter_context(folder()), stack.enter_context(Postgres())
        for name, where in (("PostgreSQL", server), ("SQLite", None)):
            empty = seeded(where, path, calls=calls)
            full = with_future(empty, future)
            alone, crowded = f"{name}, none for later", f"{name}, {future:,} for later"
            # Preparing takes longer with so many rows to walk through.
            patient = TemPhone(prepared_s=12)
            measures = {
                alone: partial(measured, TemPhone(), empty, calls, at_once),
                crowded: partial(measured, patient, full, calls, at_once),
            }
            found = rounds(measures, given.pick(3, quick=1))
            middle = {what: report.row(what, [*map(burst_figures, runs)]) for what, runs in found.items()}
            report.goal(
                f"1 M calls for later: at least {LEAST[name]} of the empty table's rate on {name}",
                ratio(middle[crowded], middle[alone], "starts/s"), least=LEAST[name], unit="of it",
                why=_why(middle[alone], middle[crowded], calls),
            )  # fmt: skip
    report.finish(given)


def _why(alone: Figures, crowded: Figures, calls: int) -> str:
    """What a call costs more in the fuller table."""
    told = [
        f"{1000 * one[name] / calls:.2f} ms of {whose} CPU"
        for one in (alone, crowded)
        for name, whose in (("CPU, s", "Python's"), ("PostgreSQL CPU, s", "PostgreSQL's"))
        if name in one
    ]
    half = len(told) // 2
    return (
        f"A call costs {' and '.join(told[:half])} in the empty table, {' and '.join(told[half:])} in the "
        "full one: it moves in the same indexes, which are a hundred times as large."
    )


if __name__ == "__main__":
    main()
