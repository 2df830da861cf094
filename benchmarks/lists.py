"""Every list and page of an installation with a million calls and 200,000 contacts.

By Django's test client, so the server's time alone: p50 and the slowest of 20 requests, after one on a new
connection. "Statements" is the part of such a request that the database takes, for its statements and their
rows; the rest is Python's. Where a page has several views, a row shows the worst of them. Two campaigns of
100,000 calls each at one instant are among the calls, cursors stand at nine tenths of a list, and one call in
fifty is live.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext

from benchmarks import lists_reasons
from benchmarks.frame.command import options, say
from benchmarks.frame.programs import folder, in_django
from benchmarks.frame.report import Report
from benchmarks.frame.servers import Postgres
from benchmarks.lists_reasons import Pages

CHILD = "benchmarks.lists_pages"
VIEWS = ("upcoming", "live", "attention", "completed", "all")
SHOWN = {"cold, ms": "cold", "p50, ms": "p50", "max, ms": "max", "database, ms": "statements"}
GOAL_MS, FLOOR_MS, COUNT_MS = 20, 50, 5


def main() -> None:
    given = options(__doc__)
    report = Report("lists", title="Lists at a million calls", note=" ".join(str(__doc__).split()))
    calls, times = given.pick(1_000_000, quick=20_000), given.pick(20, quick=2)
    measured = {database: _measure(database, calls, times) for database in ("PostgreSQL", "SQLite")}
    worst = {database: _worst(pages) for database, pages in measured.items()}
    for name in worst["PostgreSQL"]:
        figures = {
            f"{database} {short}, ms": pages[name][long]
            for database, pages in worst.items()
            for long, short in SHOWN.items()
        }
        report.row(name, [{**figures, "queries": worst["PostgreSQL"][name]["queries"]}])
    for database, pages in measured.items():
        _goals(report, database, pages)
    report.finish(given)


def _measure(database: str, calls: int, times: int) -> Pages:
    with Postgres() if database == "PostgreSQL" else nullcontext() as server, folder() as path:
        url = server.create("lists") if server else f"sqlite:///{path / 'lists.sqlite3'}"
        say(f"  filling {database} with {calls:,} calls, then asking for everything")
        pages: Pages = in_django(CHILD, "--calls", str(calls), "--times", str(times), url=url, data=path)
        return pages


def _worst(pages: Pages) -> dict[str, dict[str, float]]:
    """The pages without their views' names; of each figure the greatest over the views."""
    found: dict[str, dict[str, float]] = {}
    for name, figures in pages.items():
        plain = ", ".join(part for part in name.split(", ") if part not in VIEWS)
        known = found.setdefault(plain, {})
        for figure in (*SHOWN, "queries"):
            known[figure] = max(figures[figure], known.get(figure, 0))
    return found


def _goals(report: Report, database: str, pages: Pages) -> None:
    for most, why in ((GOAL_MS, lists_reasons.of_time), (FLOOR_MS, lists_reasons.as_above)):
        _goal(report, f"every list and page under {most} ms, {database}", pages, "p50, ms", most, why)
    goal = f"counts under {COUNT_MS} ms, {database}"
    _goal(report, goal, pages, "slowest count, ms", COUNT_MS, lists_reasons.of_counts)


def _goal(
    report: Report,
    goal: str,
    pages: Pages,
    figure: str,
    most: float,
    why: Callable[[Pages, Sequence[str]], str],
) -> None:
    slowest = sorted(pages, key=lambda name: -pages[name][figure])
    slow = [name for name in slowest if pages[name][figure] >= most]
    report.goal(goal, pages[slowest[0]][figure], most=most, unit="ms", why=why(pages, slow))


if __name__ == "__main__":
    main()
