"""Every page of the dashboard of an installation with a million calls and 200,000 contacts.

By Django's test client with all middleware, so the server's time alone. All pages are opened in turn, round
after round, so that whoever else uses the machine slows all of them. "Least" is the quickest of the rounds:
what a page needs by itself. "First" is the quickest of five requests with nothing kept of what was counted
before; the others find such counts kept as long as the pages keep them. Of a million calls in 90 days behind
and 14 ahead a fifth are one campaign that calls all contacts; there are 100,000 entries in the audit log and
50,000 messages of webhooks. Queries are counted with nothing kept, and once more in an installation of a
tenth of the calls; "slowest count" is, with nothing kept, the slowest statement that counts and does
nothing else, the median of three. Beside them, the lists of Django's own back office over the same rows.

BENCHMARK_DATA names a folder in which the filled SQLite stays, as filling it takes minutes. DATABASE_URL may
be that of a PostgreSQL database, empty or filled before, to use in the place of a server of our own;
BENCHMARK_DATABASES one of the two, to leave out the other; BENCHMARK_TIMES how often each page is opened.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from benchmarks import lists_reasons, pages_reasons
from benchmarks.frame.command import options, say
from benchmarks.frame.programs import folder, in_django
from benchmarks.frame.report import Report
from benchmarks.frame.servers import Postgres
from benchmarks.lists_reasons import Pages

CHILD = "benchmarks.pages_asked"
GOAL_MS, FLOOR_MS, COUNT_MS, FEW = 20, 50, 5, 100_000
PEER = "back office"
PEERS = {"calls, all": f"{PEER}, calls/call", "contacts": f"{PEER}, contacts/contact"}
SHOWN = (
    *("queries", "median, ms", "p95, ms", "p99, ms", "least, ms", "CPU, ms", "first, ms", "first CPU, ms"),
    "slowest count, ms",
)


def main() -> None:
    given = options(__doc__)
    report = Report("pages", title="The dashboard at a million calls", note=" ".join(str(__doc__).split()))
    calls = given.pick(1_000_000, quick=20_000)
    times = int(os.environ.get("BENCHMARK_TIMES", given.pick(25, quick=2)))
    wanted = os.environ.get("BENCHMARK_DATABASES", "SQLite PostgreSQL").split()
    for database in wanted:
        with _database(database, calls) as (url, path):
            pages = _measured(url, path, calls, times)
        for name, figures in pages.items():
            report.row(f"{database}: {name}", [{one: figures[one] for one in SHOWN}])
        _goals(report, database, pages)
        if database == "SQLite" or not _given():
            few = given.pick(FEW, quick=FEW // 20)
            with _database(database, few) as (url, path):
                _constant(report, database, pages, _measured(url, path, few, 0), few=few)
    report.finish(given)


def _given() -> str:
    """The PostgreSQL database that is to be used, if one is named."""
    url = os.environ.get("DATABASE_URL", "")
    return url if url.startswith("postgres") else ""


@contextmanager
def _database(kind: str, calls: int) -> Iterator[tuple[str, Path]]:
    """Where it is, and a folder for what else an installation keeps."""
    kept = Path(os.environ["BENCHMARK_DATA"]) if os.environ.get("BENCHMARK_DATA") else None
    with nullcontext(kept) if kept else folder() as path:
        path.mkdir(parents=True, exist_ok=True)
        if kind == "SQLite":
            yield f"sqlite:///{path.resolve() / f'pages-{calls}.sqlite3'}", path
        elif _given():
            yield _given(), path
        else:
            with Postgres() as server:
                yield server.create("pages"), path


def _measured(url: str, path: Path, calls: int, times: int) -> Pages:
    """Filled by a process of its own, whose memory would make the pages slower."""
    database = url.partition(":")[0]
    say(f"  {calls:,} calls in {database}")
    in_django(CHILD, "--fill", "--calls", str(calls), url=url, data=path)
    say(f"  every page, {database}")
    pages: Pages = in_django(CHILD, "--calls", str(calls), "--times", str(times), url=url, data=path)
    return pages


def _goals(report: Report, database: str, pages: Pages) -> None:
    ours = {name: figures for name, figures in pages.items() if not name.startswith(PEER)}
    for figure in ("least, ms", "median, ms", pages_reasons.FIRST):
        goal = f"{figure.partition(',')[0]}, {database}"
        for most in (GOAL_MS, FLOOR_MS):
            slow = _slow(ours, figure, most)
            why = (
                pages_reasons.of_time(ours, slow, figure)
                if most == GOAL_MS
                else lists_reasons.as_above(ours, slow)
            )
            reached = max(page[figure] for page in ours.values())
            report.goal(
                f"every page of the dashboard under {most} ms, {goal}", reached, most=most, unit="ms", why=why
            )
    count = "slowest count, ms"
    report.goal(
        f"counts of the dashboard under {COUNT_MS} ms, {database}",
        max(page[count] for page in ours.values()),
        most=COUNT_MS,
        unit="ms",
        why=pages_reasons.of_counts(ours, _slow(ours, count, COUNT_MS)),
    )
    for name, peer in PEERS.items():
        report.goal(
            f"{name}, as quick as the back office's list of the same rows, {database}",
            round(ours[name]["median, ms"] / pages[peer]["median, ms"], 2),
            most=1,
            unit="of its time",
            why=pages_reasons.of_peer(ours[name], pages[peer]),
        )


def _slow(pages: Pages, figure: str, most: float) -> list[str]:
    """The pages that take so long or longer, the slowest first."""
    slow = (name for name, page in pages.items() if page[figure] >= most)
    return sorted(slow, key=lambda name: -pages[name][figure])


def _constant(report: Report, database: str, pages: Pages, with_few: Pages, *, few: int) -> None:
    """Whether the pages ask as many queries however many calls there are."""
    asked = {name: (with_few[name]["queries"], figures["queries"]) for name, figures in pages.items()}
    other = [f"{name} {before} and {after}" for name, (before, after) in asked.items() if before != after]
    report.goal(
        f"a constant number of queries, {database}: as many on each page as with {few:,} calls",
        len(other),
        most=0,
        unit="pages with another number",
        why=f"With few and with many: {'; '.join(other)}.",
    )


if __name__ == "__main__":
    main()
